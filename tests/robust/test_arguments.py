"""Values that make no sense, for every argument of every public function, method and constructor.

The public interface is walked over: what it has is called with odd values of one argument at a time. It takes them, and
then what it returns is finite, or it refuses them by the argument's name.
"""

import functools
import importlib
import inspect
import math
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import PCA

from sklearn_dim import Graph, MutualInfoEstimator, mutual_info_features
from sklearn_dim.datasets import fetch_planetoid, load_docstrings
from sklearn_dim.inspection import (
    EmbeddingDisplay,
    InformationDisplay,
    PointwiseInformationDisplay,
    TrainingCurveDisplay,
)
from sklearn_dim.metrics import information_score, make_information_scorer, neural_dependency_measure

pytestmark = pytest.mark.filterwarnings("ignore")
QUICK = {"max_iter": 1, "device": "cpu", "random_state": 0}
X = np.random.default_rng(0).normal(size=(40, 3))
ODD = [-3, 0, 1.5, -0.5, math.nan, math.inf, "nonsense", None, [], {}, object(), np.array([1.0, 2.0])]
SIZES = {"table": (5, 3), "image": ((3, 16, 16), 3), "sequence": ((2, 32), 3)}
ENCODERS = {
    "image": ["image_encoder", "FoldedResNet", "PatchEncoder"],
    "sequence": ["sequence_encoder"],
    "table": ["TableEncoder", "BagEncoder", "TokenEncoder", "GCN", "TwoLayerGCN", "SGC", "GraphSAGE", "GIN"],
}
# Values rather than numbers: what is no row or sample has tests of its own, and these are what they are of.
NOT_WALKED = {"random_state", "closed_form", "columns", "missing", "X", "y", "steps", "layout", "weight", "codes"}
NOT_WALKED |= {"lower_bounds", "estimators"}  # a lower bound may be NaN: there is none


def rooms(name, skipped):
    """Yield what a room has for users: classes that are made of numbers, and functions."""
    room = importlib.import_module(f"sklearn_dim.{name}")
    for public in room.__all__:
        target = getattr(room, public)
        if callable(target) and public not in skipped and not inspect.isabstract(target):
            yield public, target


def callables():
    """Yield a name, a callable, and the arguments that it is called with otherwise."""
    yield from ((name, make, {}) for name, make in rooms("bounds", {"Bound", "log_mean_exp"}))
    sizes = {"a_features": 3, "b_features": 3}
    yield from ((name, make, sizes) for name, make in rooms("critics", {"Critic"}))
    yield from ((name, make, {}) for name, make in rooms("views", {"View", "Compose", "MaskColumns"}))
    files = {"fetch_planetoid", "load_docstrings", "load_graph_file", "load_nudged_digits"}
    for name, make in rooms("datasets", files):
        yield name, make, {"n_cells" if name == "make_tissue" else "n_samples": 30}
    encoders = importlib.import_module("sklearn_dim.encoders")
    for kind, names in ENCODERS.items():
        for name in names:
            make = getattr(encoders, name)
            yield name, make, dict(zip(inspect.signature(make).parameters, SIZES[kind], strict=False))
    for name in ("KernelMap", "DilatedKernels"):
        yield name, getattr(encoders, name), {}
    estimator = MutualInfoEstimator(cv=2, **QUICK).fit(X, X[:, 0])
    yield "p_value", estimator.p_value, {"n_permutations": 9}
    yield "confidence_interval", estimator.confidence_interval, {}
    yield "fit", estimator.fit, {"X": X, "y": X[:, 0]}
    yield "score", estimator.score, {"X": X, "y": X[:, 0]}
    yield "information_score", information_score, {"estimator": PCA(2).fit(X), "X": X}
    yield "make_information_scorer", make_information_scorer, {}
    yield "neural_dependency_measure", neural_dependency_measure, {"codes": X, "cv": 2, **QUICK}
    yield "mutual_info_features", mutual_info_features, {"X": X, "y": X[:, 0], **QUICK}
    yield "Graph", Graph, {"X": X, "adjacency": sparse.csr_array(np.eye(40, k=1))}
    nodes, edges = pd.DataFrame(X[:3]), pd.DataFrame({"source": [0, 1], "target": [1, 2]})
    yield "from_edges", Graph.from_edges, {"nodes": nodes, "edges": edges}
    yield "load_docstrings", load_docstrings, {"modules": ["numpy.fft"]}
    yield "fetch_planetoid", planetoid, {"download_if_missing": False}
    yield from displays(estimator)


@functools.wraps(fetch_planetoid)
def planetoid(**arguments):
    with suppress(FileNotFoundError, OSError):  # it has looked for the files: the arguments were right
        fetch_planetoid(**arguments)


def displays(estimator):
    """Yield what draws, and its arguments. What it draws on is shared: to make axes is slow."""
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    on = {"ax": Figure().add_subplot()}
    history = pd.DataFrame({"epoch": [1, 2], "train_loss": [1.0, 0.5]})
    yield "EmbeddingDisplay", EmbeddingDisplay.from_codes, {"codes": X, **on}
    yield "InformationDisplay", InformationDisplay.from_estimates, {"estimates": 1, "low": 0, "high": 2, **on}
    yield "InformationDisplay of", InformationDisplay.from_estimators, {"estimators": [estimator], **on}
    yield "PointwiseInformationDisplay", PointwiseInformationDisplay.from_values, {"values": [0.1, 0.2], **on}
    yield "PointwiseInformationDisplay of", PointwiseInformationDisplay.from_estimator, {
        "estimator": estimator, "X": X, "y": X[:, 0], **on
    }  # fmt: skip
    yield "TrainingCurveDisplay", TrainingCurveDisplay.from_history, {"history": history, **on}


def walk():
    for name, target, arguments in callables():
        for parameter in inspect.signature(target).parameters.values():
            walked = parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            if (
                walked
                and parameter.name not in NOT_WALKED
                and not isinstance(arguments.get(parameter.name), np.ndarray)
            ):
                yield name, target, arguments, parameter.name


def is_finite(result):
    """Whether numbers, and arrays of them, are finite; other results are."""
    if isinstance(result, tuple):
        return all(map(is_finite, result))
    if isinstance(result, float) or (isinstance(result, np.ndarray) and result.dtype.kind == "f"):
        return bool(np.isfinite(result).all())
    return True


def check(name, target, arguments, parameter):
    for odd in ODD:
        try:
            result = target(**{**arguments, parameter: odd})
        except (ValueError, TypeError) as error:
            named = parameter in str(error) or "inconsistent numbers of samples" in str(error)
            assert named, f"{name}({parameter}={odd!r}) raises {error!r}"
        except FileNotFoundError as error:
            assert repr(odd) in str(error)
        else:
            assert is_finite(result), f"{name}({parameter}={odd!r}) is {result}"
            nonsense = isinstance(odd, float) and not math.isfinite(odd)
            assert not nonsense, f"{name} takes {parameter}={odd!r}"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Folders that a name makes are not made here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "target", "arguments", "parameter"), [pytest.param(*c, id=f"{c[0]}-{c[3]}") for c in walk()]
)
def test_odd_values_are_refused_by_the_name_of_the_argument(name, target, arguments, parameter, record_property):
    record_property("tries", len(ODD))
    check(name, target, arguments, parameter)


def test_what_describes_new_rows_is_not_ignored():
    estimator = MutualInfoEstimator(cv=2, **QUICK).fit(X, X[:, 0])
    for method in (estimator.p_value, estimator.confidence_interval):
        with pytest.raises(ValueError, match="groups without X"):
            method(groups=np.arange(40))


def test_equal_rows_have_no_information():
    for rows in (np.ones((30, 3)), np.repeat(X[:1], 30, 0)):
        assert information_score(PCA(2).fit(X), rows) == 0.0
