"""Tensors of torch under scikit-learn's array API dispatch: taken like NumPy arrays.

Without dispatch they are among the containers of test_metamorphic.py.
"""

import numpy as np
import pytest
import sklearn
import torch

from sklearn_dim import (
    DGITransformer,
    DIMTransformer,
    Graph,
    GraphInfomaxTransformer,
    MutualInfoEstimator,
    MutualInfoSelector,
    mutual_info,
    mutual_info_features,
)
from sklearn_dim.metrics import information_score, neural_dependency_measure

pytestmark = pytest.mark.filterwarnings("ignore")
QUICK = {"max_iter": 1, "device": "cpu", "random_state": 0}
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 4)).astype(np.float32)
Y = X[:, 0] + X[:, 1]
IMAGES = RANDOM.normal(size=(12, 3, 16, 16)).astype(np.float32)
EDGES = np.eye(40, k=1) + np.eye(40, k=-1)


def nodes(of):
    return Graph(of(X), of(EDGES))


def graphs(of):
    return [Graph(of(X[start : start + 10]), of(EDGES[:10, :10])) for start in range(5)]


def dim():
    return DIMTransformer(2, **QUICK)


def pairs():
    return MutualInfoEstimator(cv=2, **QUICK)


# What is asked, of arrays that are made by ``of``.
ANSWERS = {
    "dim": lambda of: dim().fit(of(X)).transform(of(X)),
    "dim, new rows": lambda of: dim().fit(X).transform(of(X[:5])),
    "dim, continued": lambda of: dim().partial_fit(of(X)).partial_fit(of(X)).transform(X),
    "dim, score": lambda of: dim().fit(of(X)).score(of(X)),
    "images": lambda of: dim().fit(of(IMAGES)).transform(of(IMAGES)),
    "neighbours": lambda of: DGITransformer(2, **QUICK).fit(of(X)).transform(of(X)),
    "nodes": lambda of: DGITransformer(2, **QUICK).fit(nodes(of)).transform(nodes(of)),
    "graphs": lambda of: GraphInfomaxTransformer(2, **QUICK).fit(graphs(of)).transform(graphs(of)),
    "pairs": lambda of: pairs().fit(of(X), of(Y)).pointwise(of(X), of(Y)),
    "pairs, score": lambda of: pairs().fit(of(X), of(Y)).score(of(X), of(Y)),
    "given": lambda of: pairs().fit(of(X[:, :1]), of(Y), given=of(X[:, 2:])).mutual_info_,
    "groups": lambda of: pairs().fit(of(X), of(Y), groups=of(np.arange(40) // 2)).mutual_info_,
    "selector": lambda of: MutualInfoSelector(2, n_permutations=9, **QUICK).fit(of(X), of(Y)).transform(of(X)),
    "mutual_info": lambda of: mutual_info(of(X), of(Y), cv=2, **QUICK),
    "features": lambda of: mutual_info_features(of(X), of(Y), **QUICK),
    "dependency": lambda of: neural_dependency_measure(of(X), cv=2, **QUICK),
    "information": lambda of: information_score(dim().fit(X), of(X)),
}
TENSORS = {
    "tensor": torch.as_tensor,
    "with gradients": lambda rows: (tensor := torch.as_tensor(rows)).requires_grad_(tensor.is_floating_point()),
    "transposed in memory": lambda rows: torch.as_tensor(rows.T.copy()).permute(*range(rows.ndim)[::-1]),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_tensors_are_taken_like_arrays(name, record_property):
    right = ANSWERS[name](np.asarray)
    for of in TENSORS.values():
        record_property("tries", 1)
        with sklearn.config_context(array_api_dispatch=True):
            got = ANSWERS[name](of)
        assert type(got) is type(right)
        np.testing.assert_allclose(got, right, rtol=1e-6)  # sums may run in the order of memory
