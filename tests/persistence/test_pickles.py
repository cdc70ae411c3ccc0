"""pickle, joblib and skops: same numbers, plain content, any device, known formats."""

import copy
import os
import pickle
import pickletools
import subprocess
import sys
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from sklearn_dim import DGITransformer, DIMTransformer
from sklearn_dim.bounds import DV
from sklearn_dim.estimator import _state

from .conftest import KINDS


def named_in(pickled: bytes) -> set[str]:
    """Return the modules that a pickle names."""
    strings = [arg for code, arg, _ in pickletools.genops(pickled) if isinstance(arg, str)]
    return {part.split(".")[0] for part in strings}


@pytest.mark.parametrize("name", KINDS)
def test_a_copy_by_pickle_or_deepcopy_answers_the_same(fitted, name):
    estimator, X, answer = fitted(name)
    expected = answer(estimator, X)
    for again in (pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)):
        np.testing.assert_array_equal(answer(again, X), expected)
        pd.testing.assert_frame_equal(again.history_, estimator.history_)
        assert vars(again).keys() == vars(estimator).keys()
        assert again.get_params() == estimator.get_params()
        assert joblib.hash(clone(again)) == joblib.hash(clone(estimator))


def test_a_table_of_estimates_comes_back_as_it_was(fitted):
    estimator = fitted("pairs").estimator
    again = pickle.loads(pickle.dumps(estimator))
    pd.testing.assert_frame_equal(again.estimates_, estimator.estimates_)
    assert len(again.nets_) == 2


@pytest.mark.parametrize("name", KINDS)
def test_a_pickle_holds_no_torch_storage(fitted, name):
    pickled = pickle.dumps(fitted(name).estimator)
    assert "numpy" in named_in(pickled) and "torch" not in named_in(pickled)
    assert "torch" in named_in(pickle.dumps(nn.Linear(1, 1)))  # which the walk would have seen


@pytest.mark.parametrize("name", KINDS)
def test_skops_trusts_the_estimators_own_type(fitted, name):
    skops = pytest.importorskip("skops.io")
    estimator, X, answer = fitted(name)
    content = skops.dumps(estimator)
    own = [f"{type(estimator).__module__}.{type(estimator).__name__}"]
    assert skops.get_untrusted_types(data=content) == own
    np.testing.assert_array_equal(answer(skops.loads(content, trusted=own), X), answer(estimator, X))


@pytest.mark.parametrize("transformer", [DIMTransformer, DGITransformer])
def test_skops_trusts_one_type_of_a_pipeline(transformer, tmp_path):
    skops = pytest.importorskip("skops.io")
    X, y = np.random.default_rng(0).normal(size=(40, 4)), np.arange(40) % 2
    model = make_pipeline(transformer(4, max_iter=1, random_state=0), LogisticRegression()).fit(X, y)
    skops.dump(model, tmp_path / "model.skops")
    own = [f"{transformer.__module__}.{transformer.__name__}"]
    assert skops.get_untrusted_types(file=tmp_path / "model.skops") == own
    again = skops.load(tmp_path / "model.skops", trusted=own)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_objects_of_ours_need_no_trust(fitted):
    skops = pytest.importorskip("skops.io")
    published = {"critic": "encode_and_dot", "prior": DIMTransformer.published().prior}
    estimator = DIMTransformer(4, mi_estimator=DV(ema_decay=0.5), max_iter=1, **published).fit(fitted("table").X)
    content = skops.dumps(estimator)
    assert skops.get_untrusted_types(data=content) == ["sklearn_dim.dim.DIMTransformer"]
    again = skops.loads(content, trusted=["sklearn_dim.dim.DIMTransformer"])
    assert again.mi_estimator == DV(ema_decay=0.5)


class OwnEncoder(nn.Module):
    """A user's module."""

    def __init__(self, width):
        super().__init__()
        self.layer = nn.Linear(5, width)

    def forward(self, x):
        code = self.layer(x)
        return code[:, None], code


@pytest.mark.parametrize(
    "parameters",
    [
        {"encoder": OwnEncoder(4)},
        {"prior": torch.distributions.Normal(torch.zeros(4), torch.ones(4))},
        {"augmentation": partial(torch.mul, other=0.9)},
    ],
    ids=["module", "distribution", "function"],
)
def test_objects_of_the_user_are_pickled_too(fitted, parameters):
    X = fitted("table").X
    estimator = DIMTransformer(4, max_iter=1, **parameters).fit(X)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.transform(X), estimator.transform(X))


def test_training_goes_on_after_a_pickle(fitted):
    estimator, X, _ = fitted("table")
    again = pickle.loads(pickle.dumps(estimator)).partial_fit(X)
    assert again.n_iter_ == len(again.history_) == 2
    assert (again.transform(X) != estimator.transform(X)).any()
    warm = pickle.loads(pickle.dumps(clone(estimator).set_params(warm_start=True).fit(X))).fit(X)
    assert warm.n_iter_ == 2


def test_joblib_maps_the_arrays_from_the_file(fitted, tmp_path):
    estimator, X, answer = fitted("rows of a graph")
    joblib.dump(estimator, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert isinstance(again.neighbors_.X_, np.memmap)
    np.testing.assert_array_equal(answer(again, X), answer(estimator, X))


def test_what_was_trained_on_cuda_loads_where_there_is_none(fitted, tmp_path):
    content = []
    for name in ("table", "rows of a graph", "graphs", "pairs"):
        estimator, X, answer = fitted(name)
        expected = answer(estimator, X)
        estimator = copy.deepcopy(estimator).set_params(device="cuda")
        for net in getattr(estimator, "nets_", None) or [estimator.net_]:
            net.device = "cuda"  # what a fit on CUDA leaves; weights are written as numpy arrays from any device
        content.append(pickle.dumps((estimator, X, expected)))
    (tmp_path / "models.pkl").write_bytes(pickle.dumps(content))
    code = """
import pickle, sys, warnings
import numpy as np
sys.modules["torch_geometric"] = None  # skorch imports it if it is there, which takes seconds
import sklearn_dim.mine  # all that is imported may warn
warnings.simplefilter("error")
for pickled in pickle.load(open(sys.argv[1], "rb")):
    estimator, X, expected = pickle.loads(pickled)
    y = X["b"].eq("u").to_numpy() + 0.1 * X["a"] if hasattr(estimator, "nets_") else None
    assert estimator.device == "cuda"
    got = estimator.transform(X) if y is None else estimator.pointwise(X, y)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)  # sums of as many threads as there are
    try:
        estimator.fit(X, y)
    except ValueError as error:
        assert "device='cuda' cannot be used here" in str(error)
    else:
        raise SystemExit("fit found a GPU")
"""
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "models.pkl")], check=True, env=hidden)


@pytest.mark.filterwarnings("ignore:.*meta parameter")
def test_a_net_is_put_on_its_device_where_there_is_one(fitted):
    net = fitted("table").estimator.net_
    state = net.__getstate__()
    state["params"]["device"] = "meta"  # a device that every machine has
    state["params"]["optimizer__fused"] = False  # which torch 2.4 does not do there
    again = type(net).__new__(type(net))
    again.__setstate__(state)
    assert {tensor.device.type for tensor in again.module_.state_dict().values()} == {"meta"}


@pytest.mark.parametrize(
    ("version", "number", "sentence"),
    [
        ("9.1", 99, r"DIMTransformer was saved by sklearn-dim 9\.1 in format 99, .* reads format 2\. Load it with"),
        (None, None, r"DIMTransformer was saved before sklearn-dim numbered its file formats.*fit it again"),
    ],
)
def test_an_unknown_format_is_refused_by_a_sentence(fitted, version, number, sentence):
    estimator = fitted("table").estimator
    state = estimator.__getstate__()
    assert state["_sklearn_dim_format"] == _state.FORMAT
    for name, value in (("_sklearn_dim_version", version), ("_sklearn_dim_format", number)):
        if value is None:
            del state[name]
        else:
            state[name] = value
    with pytest.raises(ValueError, match=sentence):
        DIMTransformer.__new__(DIMTransformer).__setstate__(state)


def test_a_forged_index_of_a_matrix_is_refused(fitted):
    state = fitted("rows of a graph").estimator.__getstate__()
    indices = state["neighbors_"]["state"]["adjacency_"]["__csr__"][1]
    state["neighbors_"]["state"]["adjacency_"]["__csr__"][1] = indices + 10**6
    with pytest.raises(ValueError, match=r"indices must be|index values must be"):
        DGITransformer.__new__(DGITransformer).__setstate__(state)


def test_a_state_names_nothing_but_parts_of_its_estimator(fitted):
    state = fitted("table").estimator.__getstate__()
    state["net_"]["state"]["params"]["module"]["__partial__"] = "system"
    with pytest.raises(ValueError, match="names 'system'"):
        DIMTransformer.__new__(DIMTransformer).__setstate__(state)
