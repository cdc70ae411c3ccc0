"""DIMTransformer on tables with missing cells: `python benchmarks/missing_cells.py [--seeds 3]`.

Tables in the folder that SKLEARN_DIM_DATA names lose 30 % of their cells, at random or in blocks: a third of the
columns of nine tenths of the rows, each row another run of neighbours. Half of the rows train transformer and
LogisticRegression, with all labels and with a tenth of them; the other half are predicted incomplete and whole.
"Distance" is that of a row's incomplete and whole embedding, relative to that of two rows; "found" is how often the
whole row nearest to an incomplete one is its own.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # read when torch is loaded

import argparse
import pathlib
from functools import partial

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_dim import DIMTransformer

TABLES = ["german", "ionosphere", "adult", "horse_colic", "sonar", "pima", "breast-cancer", "banknote"]
DRAWS = 3  # of few labels
UNTRAINED = {"learning_rate_init": 1e-30, "max_iter": 3}  # nothing is learnt, but BatchNorm takes in its statistics


def load(name):
    """Return columns and classes of a table."""
    file = pathlib.Path(os.environ["SKLEARN_DIM_DATA"], "tables", f"{name}.csv")
    frame = pd.read_csv(file, header=None, skipinitialspace=True, na_values="?", quotechar="'")
    label = 23 if name == "horse_colic" else frame.columns[-1]
    frame = frame[frame[label].notna()].reset_index(drop=True)
    X = frame.drop(columns=[2, 22, 23, 24, 25, 26, 27] if name == "horse_colic" else label)
    return X.set_axis([f"column {i}" for i in X.columns], axis=1), pd.factorize(frame[label])[0]


def prepared(imputer=SimpleImputer):
    """Return what people write: numbers imputed, with indicators of missing cells, and scaled; one-hot categories."""
    numbers = make_pipeline(imputer(add_indicator=True), StandardScaler())
    classes = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (classes, make_column_selector(dtype_exclude="number")),
    )


def ours(seed, **parameters):
    """Return our transformer."""
    return DIMTransformer(random_state=seed, device="cpu", **parameters)


METHODS = {
    "imputed, one-hot, scaled": lambda seed: prepared(),
    "KNNImputer": lambda seed: prepared(KNNImputer),
    "IterativeImputer": lambda seed: prepared(partial(IterativeImputer, random_state=seed)),
    "the same, PCA of 99 %": lambda seed: make_pipeline(prepared(), PCA(0.99)),
    "untrained": partial(ours, **UNTRAINED),
    "imputed, …, DIMTransformer()": lambda seed: make_pipeline(prepared(), ours(seed)),
    "DIMTransformer()": ours,
}


def holes(X, kind, rng):
    """Return a mask of the cells that are taken away."""
    if kind == "random":
        return rng.random(X.shape) < 0.3
    n, width = X.shape
    position = np.arange(width) - rng.integers(width, size=(n, 1))
    return (position % width < round(width / 3)) & (rng.random((n, 1)) < 0.9)


def measure(make, name, kind, seed):
    """Return accuracy on incomplete rows with few labels and with all, on whole ones, distance, and rows found."""
    X, y = load(name)
    rng = np.random.default_rng(seed)
    incomplete = X.mask(holes(X, kind, rng))
    train, test = np.array_split(rng.permutation(len(X)), 2)
    transformer = make(seed).fit(incomplete.iloc[train])
    rows = transformer.transform(incomplete.iloc[train])
    few = [
        train_test_split(np.arange(len(train)), train_size=0.1, stratify=y[train], random_state=DRAWS * seed + draw)[0]
        for draw in range(DRAWS)
    ]
    *some, every = (LogisticRegression(max_iter=2000).fit(rows[i], y[train][i]) for i in (*few, np.arange(len(train))))
    partly, whole = transformer.transform(incomplete.iloc[test]), transformer.transform(X.iloc[test])
    apart, others = (np.linalg.norm(whole - to, axis=1).mean() for to in (partly, rng.permutation(whole)))
    nearest = NearestNeighbors(n_neighbors=1).fit(whole).kneighbors(partly, return_distance=False)[:, 0]
    accuracies = np.mean([model.score(partly, y[test]) for model in some]), every.score(partly, y[test])
    return *accuracies, every.score(whole, y[test]), apart / others, np.mean(nearest == np.arange(len(test)))


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    for kind in ("random", "blocks"):
        print(f"\n| {kind} | features | 10 % | all | whole | distance | found |\n|---|---|---|---|---|---|---|")
        found = {}
        for name in TABLES:
            for method, make in METHODS.items():
                results = np.array([measure(make, name, kind, seed) for seed in seeds])
                found.setdefault(method, []).append(results.mean(0))
                show(name, method, found[method][-1])
        for method, rows in found.items():
            show("mean", method, np.mean(rows, axis=0))


def show(name, method, values):
    """Print a row."""
    print(f"| {name} | {method} | {' | '.join(f'{value:.3f}' for value in values)} |", flush=True)


if __name__ == "__main__":
    main()
