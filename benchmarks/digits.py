"""scikit-learn's digits and their nudges: `python benchmarks/digits.py [--seeds 3]` prints a table.

The data of scikit-learn's example of BernoulliRBM (8985 images, a fifth for testing). LogisticRegression() stands
straight behind, with all training labels and with 100 of them. Raw pixels and the RBM's features are scaled by
StandardScaler, ours are not.
"""

import argparse
import time

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import BernoulliRBM
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_dim import DIMTransformer
from sklearn_dim.datasets import load_nudged_digits


def main():
    """Measure all rows for all seeds and print means."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, default=3)
    results = {}
    for seed in range(options.parse_args().seeds):
        for name, figures in measured(seed):
            results.setdefault(name, []).append(figures)
    print("| features | all labels | 100 labels | CPU s |\n|---|---|---|---|")
    for name, figures in results.items():
        every, few, seconds = np.transpose(figures)
        print(f"| {name} | {spread(every)} | {spread(few)} | {seconds.mean():.1f} |")


def measured(seed):
    """Yield the name of each row with its two accuracies and its seconds of fitting."""
    X, y = load_nudged_digits()
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
    few = np.random.default_rng(seed).permutation(len(X))[:100]

    def figures(features, seconds):
        train, test = features(X), features(X_test)
        fits = (LogisticRegression(max_iter=500).fit(train[rows], y[rows]) for rows in (slice(None), few))
        return [fit.score(test, y_test) for fit in fits] + [seconds]

    rbm = BernoulliRBM(100, learning_rate=0.06, n_iter=10, random_state=seed)
    for name, transformer in {"raw pixels": FunctionTransformer(), "BernoulliRBM": rbm}.items():
        start = time.process_time()
        train = transformer.fit_transform(X)
        seconds, scaler = time.process_time() - start, StandardScaler().fit(train)
        yield name, figures(lambda rows, t=transformer, s=scaler: s.transform(t.transform(rows)), seconds)
    for representation in ("code", "fc", "conv"):
        start = time.process_time()
        dim = DIMTransformer(image_shape=(1, 8, 8), representation=representation, random_state=seed).fit(X)
        yield f"DIMTransformer, {representation}", figures(dim.transform, time.process_time() - start)


def spread(values):
    """Return mean ± standard deviation."""
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


if __name__ == "__main__":
    main()
