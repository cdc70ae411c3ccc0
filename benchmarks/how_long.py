"""How long a fit takes, by estimator and size: `python benchmarks/how_long.py`.

Default arguments on data that are made on the spot, one thread. Seconds are CPU time of `fit`, and of `transform` of
the same samples where there is one; peak memory is the system's record for a process that does nothing else. Writes
``how_long.csv`` beside this file, which the documentation shows. `--quick` leaves out what takes more than 30 seconds.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read by what is imported

import argparse
import pathlib
import resource
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification

from sklearn_dim import (
    DGITransformer,
    DIMTransformer,
    Graph,
    GraphInfomaxTransformer,
    MutualInfoEstimator,
    MutualInfoSelector,
)
from sklearn_dim.datasets import make_community_graph, make_gaussian_pair, make_motif_sequences, make_topic_corpus

FILE = pathlib.Path(__file__).with_suffix(".csv")
COLUMNS = "estimator", "data", "fit, s", "transform, s", "memory, GB"


def table(n_rows, n_columns):
    """Return a table of numbers."""
    X, _ = make_classification(n_rows, n_columns, n_informative=n_columns // 2, random_state=0)
    return (X,)


def images(n, channels, size):
    """Return images of blurred noise."""
    small = np.random.default_rng(0).normal(size=(n, channels, size // 4, size // 4)).astype("float32")
    return (small.repeat(4, axis=2).repeat(4, axis=3),)


def sequences(n):
    """Return sequences with a motif somewhere in them."""
    return (make_motif_sequences(n, random_state=0)[0],)


def documents(n):
    """Return documents as strings, whose words are numbered."""
    tokens, _ = make_topic_corpus(n, random_state=0)
    return ([" ".join(f"w{word}" for word in row if word) for row in tokens],)


def nodes(n, n_features=50):
    """Return a graph with communities."""
    X, adjacency, _ = make_community_graph(n, n_features, random_state=0)
    return (Graph(X, adjacency),)


def graphs(n):
    """Return graphs of 20 to 40 nodes."""
    sizes = np.random.default_rng(0).integers(20, 41, n)
    parts = [make_community_graph(int(size), 8, n_communities=2, random_state=seed) for seed, size in enumerate(sizes)]
    return ([Graph(X, adjacency) for X, adjacency, _ in parts],)


def pair(n, n_columns):
    """Return two sides that share one nat."""
    return make_gaussian_pair(n, n_columns, mutual_info=1.0, random_state=0)


def columns(n_rows, n_columns):
    """Return a table and its classes."""
    return make_classification(n_rows, n_columns, random_state=0)


CASES = [
    (DIMTransformer, "table, 1000 × 20", table, (1000, 20), True),
    (DIMTransformer, "table, 10 000 × 50", table, (10_000, 50), True),
    (DIMTransformer, "table, 100 000 × 50", table, (100_000, 50), False),
    (DIMTransformer, "1000 images, 1 × 28 × 28", images, (1000, 1, 28), True),
    (DIMTransformer, "5000 images, 3 × 32 × 32", images, (5000, 3, 32), False),
    (DIMTransformer, "1000 sequences, 3 × 128", sequences, (1000,), True),
    (DIMTransformer, "2000 documents", documents, (2000,), True),
    (DGITransformer, "graph of 2000 nodes", nodes, (2000,), True),
    (DGITransformer, "graph of 20 000 nodes", nodes, (20_000,), False),
    (GraphInfomaxTransformer, "200 graphs of about 30 nodes", graphs, (200,), True),
    (GraphInfomaxTransformer, "2000 graphs of about 30 nodes", graphs, (2000,), False),
    (MutualInfoEstimator, "1000 rows, 1 and 1 column", pair, (1000, 1), True),
    (MutualInfoEstimator, "10 000 rows, 5 and 5 columns", pair, (10_000, 5), True),
    (MutualInfoSelector, "1000 rows, 20 columns", columns, (1000, 20), True),
    (MutualInfoSelector, "10 000 rows, 100 columns", columns, (10_000, 100), False),
]


def measured(case):
    """Return the cells of a row: seconds of fit and transform, and the peak of memory."""
    kind, _, make, sizes, _ = case
    DIMTransformer(2, max_iter=1).fit(np.random.default_rng(0).normal(size=(20, 2)))  # torch loads its optimisers here
    data = make(*sizes)
    start = time.process_time()
    fitted = (kind() if kind is MutualInfoSelector else kind(random_state=0)).fit(*data)
    after_fit = time.process_time()
    transformed = ""
    if hasattr(fitted, "transform"):
        fitted.transform(data[0])
        transformed = f"{time.process_time() - after_fit:.1f}"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return f"{after_fit - start:.1f}", transformed, f"{memory:.1f}"


def main():
    """Measure each case in a process of its own, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out what takes more than 30 seconds")
    parser.add_argument("--again", action="store_true", help="measure what the file already has, too")
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.case is not None:
        print(*measured(CASES[options.case]), sep="\t")
        return
    table = pd.read_csv(FILE, dtype=str) if FILE.exists() and not options.again else pd.DataFrame(columns=COLUMNS)
    for number, (kind, data, _, _, quick) in enumerate(CASES):
        done = (table["estimator"] == kind.__name__) & (table["data"] == data)
        if done.any() or (options.quick and not quick):
            continue
        child = [sys.executable, __file__, "--case", str(number)]
        cells = subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True).stdout.rstrip("\n").split("\t")
        table.loc[len(table)] = [kind.__name__, data, *cells]
        table.to_csv(FILE, index=False)
        print(kind.__name__, data, *cells, sep="  ", flush=True)


if __name__ == "__main__":
    main()
