"""Sequences and documents: a linear probe with 10 % of the labels, of our code and of PCA's or LSA's.

python benchmarks/sequences.py            # about 3 CPU minutes per seed; --seeds 1 for one
pip install --no-deps aeon                # for four more tasks: series that come with this package

For each seed, 30 % of the samples are the test and 10 % of the others have labels; all but the test train the
representations, which have 64 dimensions. The probe is LogisticRegression(max_iter=1000). Our code has unit
variance as it comes; PCA and truncated SVD are measured as they come, and scaled, which often serves them better.
"""

import argparse
import time
import warnings

import numpy as np
from _sequence_tasks import tasks
from scipy import sparse
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sklearn_dim import DIMTransformer

WIDTH = 64


def bag_of_words(X):
    """Return documents as a CSR matrix of the counts of their words."""
    rows, words = np.nonzero(X)[0], X[X > 0]
    return sparse.csr_matrix((np.ones(len(words)), (rows, words)), shape=(len(X), X.max() + 1))


def plain(kind, X, train):
    """Return the input as a linear model takes it: TF-IDF of documents, standardised values of sequences."""
    if kind == "tokens":
        counts = bag_of_words(X)
        return TfidfTransformer().fit(counts[train]).transform(counts)
    rows = X.reshape(len(X), -1)
    return StandardScaler().fit(rows[train]).transform(rows)


def linear(kind, rows, train, seed):
    """Return PCA of sequences, truncated SVD of documents."""
    width = min(WIDTH, rows.shape[1], len(train))
    kind = TruncatedSVD if kind == "tokens" else PCA
    return kind(width, random_state=seed).fit(rows[train]).transform(rows)


def network(kind, X, train, seed, **parameters):
    """Return our code with default arguments, and CPU seconds of fit."""
    parameters |= {"encoder": "tokens"} if kind == "tokens" else {}
    start = time.process_time()
    dim = DIMTransformer(WIDTH, random_state=seed, **parameters).fit(X[train])
    seconds = time.process_time() - start
    return dim.transform(X), seconds


def accuracy(features, y, few, test):
    """Return a linear probe's accuracy in %."""
    model = LogisticRegression(max_iter=1000).fit(features[few], y[few])
    return 100 * model.score(features[test], y[test])


def measure(kind, X, y, seed):
    """Return the accuracies and CPU seconds of one seed."""
    train, test = train_test_split(np.arange(len(y)), test_size=0.3, stratify=y, random_state=seed)
    few, _ = train_test_split(train, train_size=0.1, stratify=y[train], random_state=seed)
    raw = plain(kind, X, train)
    reduced = linear(kind, raw, train, seed)
    scaled = StandardScaler().fit(reduced[train]).transform(reduced)
    untrained, _ = network(kind, X, train, seed, max_iter=1, learning_rate_init=1e-12)
    ours, seconds = network(kind, X, train, seed)
    raw, reduced, scaled, untrained, ours = (
        accuracy(features, y, few, test) for features in (raw, reduced, scaled, untrained, ours)
    )
    return raw, reduced, scaled, untrained, ours, seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--task", default=None, help="one task, by its name")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| task | raw or TF-IDF | PCA or SVD | the same, scaled | untrained network | ours | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for name in tasks(0):
        if arguments.task not in (None, name):
            continue
        runs = []
        for seed in range(arguments.seeds):
            kind, make = tasks(seed)[name]
            runs.append(measure(kind, *make(), seed))
        mean, spread = np.mean(runs, axis=0), np.std(runs, axis=0)
        cells = [f"{m:.1f} ± {s:.1f}" for m, s in zip(mean[:-1], spread[:-1], strict=True)]
        print(f"| {name} | {' | '.join(cells)} | {mean[-1]:.0f} |", flush=True)
