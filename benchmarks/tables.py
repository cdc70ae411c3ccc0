"""DIMTransformer on tables: `python benchmarks/tables.py [part ...]`, all parts by default; parts: dense, sparse.

Accuracy of LogisticRegression() with the labels of 10 % of the training rows. Transformers are fitted on all training
rows (80 %) without labels, with default arguments: 64 components are asked of each, PCA gives as many as there are
columns at most. Raw columns and PCA's input are standardised; our output goes to the classifier as it is. A seed is a
split, a fit and ten draws of labels. --seeds 2 for a first look.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # read when torch is loaded

import argparse
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
from _table_tasks import DENSE, SPARSE
from scipy import sparse
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_dim import DIMTransformer

WIDTH = 64
DRAWS = 10  # of labels, for each split
UNTRAINED = {"learning_rate_init": 1e-30, "max_iter": 3}  # nothing is learnt, but BatchNorm takes in its statistics


def raw(X, seed):
    """Return what makes columns as they are, standardised where that keeps them sparse or is harmless."""
    return StandardScaler(with_mean=not sparse.issparse(X)).fit(X)


def pca(X, seed):
    """Return principal components of standardised columns, in their natural scale."""
    return make_pipeline(StandardScaler(), PCA(min(WIDTH, *X.shape), random_state=seed)).fit(X)


def svd(X, seed, scale=True):
    """Return truncated singular vectors of sparse rows, of unit variance or in their natural scale."""
    steps = [TruncatedSVD(WIDTH, random_state=seed), *([StandardScaler()] if scale else [])]
    return make_pipeline(*steps).fit(X)


def ours(X, seed, **parameters):
    """Return our transformer."""
    return DIMTransformer(random_state=seed, device="cpu", **parameters).fit(X)


METHODS = {
    "dense": {"raw": raw, "PCA": pca, "untrained": partial(ours, **UNTRAINED), "DIMTransformer()": ours},
    "sparse": {
        "raw, as it is": lambda X, seed: None,
        "raw, scaled": raw,
        "SVD": partial(svd, scale=False),
        "SVD, unit variance": svd,
        "untrained": partial(ours, **UNTRAINED),
        "DIMTransformer()": ours,
    },
}


def accuracy(model, train, test, few):
    """Return the accuracy in % on test rows of classifiers that see few labels each."""
    (X, y), (X_test, y_test) = train, test
    features, others = (X, X_test) if model is None else (model.transform(X), model.transform(X_test))
    scores = [LogisticRegression(max_iter=1000).fit(features[rows], y[rows]).score(others, y_test) for rows in few]
    return 100 * np.mean(scores)


def labelled(y, seed):
    """Yield the rows whose labels are seen: a tenth, at least two a class on average."""
    fraction = max(0.1, 2 * len(np.unique(y)) / len(y))
    for draw in range(DRAWS):
        yield train_test_split(np.arange(len(y)), train_size=fraction, stratify=y, random_state=100 * seed + draw)[0]


def measure(task, methods, seeds):
    """Return accuracies, one row per seed, and the CPU seconds of our fits."""
    rows, seconds = [], []
    for seed in range(seeds):
        X, y = task(seed)
        X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=seed)
        few = list(labelled(y, seed))
        row = {}
        for name, fit in methods.items():
            start = time.process_time()
            model = fit(X, seed)
            if name == "DIMTransformer()":
                seconds.append(time.process_time() - start)
            row[name] = accuracy(model, (X, y), (X_test, y_test), few)
        rows.append(row)
    return pd.DataFrame(rows), np.mean(seconds)


def main(parts, seeds):
    """Print a table a part."""
    for part in parts:
        methods, means = METHODS[part], []
        tasks = {"dense": DENSE, "sparse": SPARSE}[part]
        print(f"\n| {part} | shape | {' | '.join(methods)} | ours, CPU s |\n|{'---|' * (len(methods) + 3)}")
        for name, task in tasks.items():
            scores, seconds = measure(task, methods, seeds)
            means.append(scores.mean())
            cells = [f"{scores[m].mean():.1f} ± {scores[m].sem():.1f}" for m in methods]
            shape = " × ".join(map(str, task(0)[0].shape))
            print(f"| {name} | {shape} | {' | '.join(cells)} | {seconds:.1f} |", flush=True)
        mean = pd.DataFrame(means).mean()
        print(f"| mean | | {' | '.join(f'{mean[m]:.1f}' for m in methods)} | |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(METHODS), help="dense, sparse; both by default")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    main(arguments.parts, arguments.seeds)
