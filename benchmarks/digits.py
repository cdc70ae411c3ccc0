"""scikit-learn's digits and their nudges: `python benchmarks/digits.py [--seeds 3]` prints a table.

The data of scikit-learn's example of BernoulliRBM (8985 images, a fifth for testing). LogisticRegression() stands
straight behind, with all training labels and with 100 of them. Raw pixels and the RBM's features are scaled by
StandardScaler, ours are not. ARI is the adjusted Rand index of k-means with ten clusters. --by-digit keeps all nudges
of a digit on one side of the split.
"""

import argparse
import time

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import BernoulliRBM
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_dim import DIMTransformer
from sklearn_dim.datasets import load_nudged_digits


def main():
    """Measure all rows for all seeds and print means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--by-digit", action="store_true")
    options = parser.parse_args()
    results = {}
    for seed in range(options.seeds):
        for name, figures in measured(seed, options.by_digit):
            results.setdefault(name, []).append(figures)
    print("| features | all labels | 100 labels | ARI | CPU s |\n|---|---|---|---|---|")
    for name, figures in results.items():
        every, few, clusters, seconds = np.transpose(figures)
        print(f"| {name} | {spread(every)} | {spread(few)} | {spread(clusters)} | {seconds.mean():.1f} |", flush=True)


def divided(X, y, seed, by_digit):
    """Return training and test images and their labels."""
    if not by_digit:
        return train_test_split(X, y, test_size=0.2, random_state=seed)
    digits = train_test_split(np.arange(len(y) // 5), test_size=0.2, random_state=seed)
    train, test = ((rows + len(y) // 5 * np.arange(5)[:, None]).ravel() for rows in digits)
    train = np.random.default_rng(seed).permutation(train)
    return X[train], X[test], y[train], y[test]


def measured(seed, by_digit):
    """Yield the name of each row with its two accuracies, the index of its clusters and its seconds of fitting."""
    X, y = load_nudged_digits()
    X, X_test, y, y_test = divided(X, y, seed, by_digit)
    few = np.random.default_rng(seed).permutation(len(X))[:100]

    def figures(features, seconds):
        train, test = features(X), features(X_test)
        fits = (LogisticRegression(max_iter=500).fit(train[rows], y[rows]) for rows in (slice(None), few))
        clusters = KMeans(10, n_init=3, random_state=seed).fit_predict(train)
        return [*(fit.score(test, y_test) for fit in fits), adjusted_rand_score(y, clusters), seconds]

    rbm = BernoulliRBM(100, learning_rate=0.06, n_iter=10, random_state=seed)
    for name, transformer in {"raw pixels": FunctionTransformer(), "BernoulliRBM": rbm}.items():
        start = time.process_time()
        train = transformer.fit_transform(X)
        seconds, scaler = time.process_time() - start, StandardScaler().fit(train)
        yield name, figures(lambda rows, t=transformer, s=scaler: s.transform(t.transform(rows)), seconds)
    for representation in ("auto", "code"):
        start = time.process_time()
        dim = DIMTransformer(image_shape=(1, 8, 8), representation=representation, random_state=seed).fit(X)
        yield f"DIMTransformer, {representation}", figures(dim.transform, time.process_time() - start)


def spread(values):
    """Return mean ± standard deviation."""
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


if __name__ == "__main__":
    main()
