"""Small fitted estimators, one of each kind, with what they are asked."""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sklearn_dim import DGITransformer, DIMTransformer, Graph, GraphInfomaxTransformer, MutualInfoEstimator


class Case(NamedTuple):
    """A fitted estimator, its X, and a function that gives its answer."""

    estimator: object
    X: object
    answer: object


def transformed(estimator, X):
    return estimator.transform(X)


def make_table():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=120), "b": rng.choice(["u", "v"], size=120)})
    table["c"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**6, size=120), unit="s")
    return table


def of_targets(estimator, X):
    return estimator.pointwise(X, (X["b"] == "u").to_numpy() + 0.1 * X["a"])


def random_graph(n, seed):
    rng = np.random.default_rng(seed)
    return Graph(rng.normal(size=(n, 3)), rng.random((n, n)) < 0.3)


def make_cases():
    """Return the unfitted estimators, their X and their answers."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 5))
    few = {"max_iter": 1, "random_state": 0}
    return {
        "table": Case(DIMTransformer(4, **few), rows, transformed),
        "far": Case(DIMTransformer(4, representation="fc", **few), rows + 1e9, transformed),
        "bag": Case(DIMTransformer(4, **few), sparse.random(60, 40, 0.05, "csr", random_state=0), transformed),
        "tokens": Case(DIMTransformer(4, encoder="tokens", **few), rng.integers(0, 9, size=(60, 7)), transformed),
        "sequence": Case(DIMTransformer(4, **few), rng.normal(size=(40, 2, 16)).astype("float32"), transformed),
        "image": Case(DIMTransformer(4, representation="conv", **few), rng.random((40, 1, 8, 8)), transformed),
        "photo": Case(DIMTransformer(4, **few), rng.random((40, 8, 8, 3)).astype("float32"), transformed),
        "rows of a graph": Case(DGITransformer(6, **few), rows, transformed),
        "sparse rows": Case(DGITransformer(6, **few), sparse.csr_matrix(rows * (rows > 1)), transformed),
        "graph": Case(DGITransformer(6, **few), random_graph(30, 0), transformed),
        "graphs": Case(GraphInfomaxTransformer(6, **few), [random_graph(6, seed) for seed in range(6)], transformed),
        "pairs": Case(MutualInfoEstimator(cv=2, **few), make_table(), of_targets),
    }


KINDS = list(make_cases())
SAMPLES = KINDS[: KINDS.index("rows of a graph")]


@pytest.fixture(scope="session")
def fitted():
    """Return a function name → fitted case, each fitted once."""
    cases, done = make_cases(), {}

    def of(name):
        if name not in done:
            estimator, X, answer = cases[name]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of so short a training
                if name == "pairs":
                    estimator.fit(X, (X["b"] == "u").to_numpy() + 0.1 * X["a"])
                else:
                    estimator.fit(X)
            done[name] = Case(estimator, X, answer)
        return done[name]

    return of
