"""Every warning points to the line of the caller's code."""

import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_dim import (
    DGITransformer,
    DIMTransformer,
    Graph,
    MutualInfoEstimator,
    MutualInfoSelector,
    mutual_info,
    mutual_info_features,
)

QUICK = {"max_iter": 1, "device": "cpu", "random_state": 0}
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 3))
EDGES = sparse.csr_array(np.eye(30, k=1) + np.eye(30, k=-1))
NAMES = pd.DataFrame({"name": [f"customer {i}" for i in range(80)], "value": X[:, 0]})
SAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 0]})
LONG = RANDOM.normal(size=(20, 400, 8))
SOURCES = {
    "critics that were still improving": lambda: MutualInfoEstimator("jsd", cv=2, critic="separable", **QUICK).fit(
        X, X[:, 0]
    ),
    "the same through mutual_info": lambda: mutual_info(X, X[:, :1], cv=2, critic="separable", **QUICK),
    "copies of rows": lambda: mutual_info(np.repeat(X, 2, 0), np.repeat(X[:, 0], 2), cv=2, **QUICK),
    "levels seen once": lambda: mutual_info_features(NAMES, X[:, 0], **QUICK),
    "the same in a selector": lambda: MutualInfoSelector(1, n_permutations=9, **QUICK).fit(NAMES, X[:, 0]),
    "k above the columns": lambda: MutualInfoSelector(9, n_permutations=9, **QUICK).fit(X, X[:, 0]),
    "the same in a pipeline": lambda: make_pipeline(MutualInfoSelector(9, n_permutations=9, **QUICK)).fit(X, X[:, 0]),
    "names in a table": lambda: DIMTransformer(2, **QUICK).fit(NAMES),
    "time first": lambda: DIMTransformer(2, **QUICK).fit(LONG),
    "the same in a search": lambda: cross_val_score(DIMTransformer(2, **QUICK), LONG, cv=2),
    "nodes without features": lambda: Graph(None, EDGES),
    "constant features": lambda: DGITransformer(4, **QUICK).fit(Graph(np.ones((30, 1)), EDGES)),
}


@pytest.mark.parametrize("source", SOURCES)
def test_warnings_point_here(source):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        SOURCES[source]()
    own = [warning for warning in caught if "jit" not in str(warning.message)]
    assert own, "it does not warn"
    assert {warning.filename for warning in own} == {__file__}


def test_a_function_of_the_caller_is_the_caller():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        partial(Graph, None)(EDGES)
    assert caught[0].filename == __file__
