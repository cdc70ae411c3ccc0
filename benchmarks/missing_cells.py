"""DIMTransformer on tables with missing cells: `python benchmarks/missing_cells.py [--seeds 3]`.

Tables in the folder that SKLEARN_DIM_DATA names lose 30 % of their cells at random. Half of the rows train transformer
and LogisticRegression; the other half are predicted incomplete and whole. "Distance" is that of a row's incomplete and
whole embedding, relative to that of two rows; "found" is how often the whole row nearest to an incomplete one is its
own.
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
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_dim import DIMTransformer

TABLES = ["german", "ionosphere", "adult", "horse_colic"]
UNTRAINED = {"learning_rate_init": 1e-30, "max_iter": 3}  # nothing is learnt, but BatchNorm takes in its statistics


def load(name):
    """Return columns and classes of a table."""
    file = pathlib.Path(os.environ["SKLEARN_DIM_DATA"], "tables", f"{name}.csv")
    frame = pd.read_csv(file, header=None, skipinitialspace=True, na_values="?", quotechar="'")
    label = 23 if name == "horse_colic" else frame.columns[-1]
    frame = frame[frame[label].notna()].reset_index(drop=True)
    X = frame.drop(columns=[2, 22, 23, 24, 25, 26, 27] if name == "horse_colic" else label)
    return X.set_axis([f"column {i}" for i in X.columns], axis=1), pd.factorize(frame[label])[0]


def prepared():
    """Return what people write: means and indicators of missing cells, one-hot categories, all numbers scaled."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
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
    "the same, PCA of 99 %": lambda seed: make_pipeline(prepared(), PCA(0.99)),
    "untrained": partial(ours, **UNTRAINED),
    "imputed, …, DIMTransformer()": lambda seed: make_pipeline(prepared(), ours(seed)),
    "DIMTransformer()": ours,
}


def measure(make, name, seed):
    """Return accuracy on incomplete and on whole rows, distance, and the share of rows found."""
    X, y = load(name)
    rng = np.random.default_rng(seed)
    holes = X.mask(rng.random(X.shape) < 0.3)
    train, test = np.array_split(rng.permutation(len(X)), 2)
    transformer = make(seed).fit(holes.iloc[train])
    classifier = LogisticRegression(max_iter=2000).fit(transformer.transform(holes.iloc[train]), y[train])
    incomplete, whole = transformer.transform(holes.iloc[test]), transformer.transform(X.iloc[test])
    apart, others = (np.linalg.norm(whole - to, axis=1).mean() for to in (incomplete, rng.permutation(whole)))
    nearest = NearestNeighbors(n_neighbors=1).fit(whole).kneighbors(incomplete, return_distance=False)[:, 0]
    accuracies = (classifier.score(rows, y[test]) for rows in (incomplete, whole))
    return *accuracies, apart / others, np.mean(nearest == np.arange(len(test)))


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    print("| table | features | incomplete | whole | distance | found |\n|---|---|---|---|---|---|")
    for name in TABLES:
        for method, make in METHODS.items():
            results = np.array([measure(make, name, seed) for seed in seeds])
            mean, spread = results.mean(0), results[:, 0].std(ddof=1)
            print(
                f"| {name} | {method} | {mean[0]:.3f} ± {spread:.3f} | ", " | ".join(f"{x:.3f}" for x in mean[1:]), "|"
            )


if __name__ == "__main__":
    main()
