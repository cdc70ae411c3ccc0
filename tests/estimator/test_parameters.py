"""Random parameters, valid and not, drawn by hypothesis.

By default a few of each, always the same. Two hundred of each for every estimator:

    pytest -m slow tests/estimator/test_parameters.py
"""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import GradientNormClipping
from torch import nn
from torch.distributions import Laplace

from sklearn_dim import DGITransformer, DIMTransformer, Graph, GraphInfomaxTransformer, MutualInfoEstimator
from sklearn_dim.bounds import BOUNDS, Smile
from sklearn_dim.critics import CRITICS, Separable
from sklearn_dim.encoders import GCN, GRAPH_ENCODERS, TableEncoder
from sklearn_dim.estimator import Interval
from sklearn_dim.graphs import CORRUPTIONS
from sklearn_dim.training import InformationNet, ResumableCheckpoint
from sklearn_dim.views import Noise


def samples():
    """Return some data of each kind: the X, or X and y, of a fit."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(24, 5))
    graphs = [
        Graph(rng.normal(size=(size, 3)), sparse.random(size, size, 0.4, format="csr", random_state=size))
        for size in range(4, 16)
    ]
    return {
        "table": (rows,),
        "bag": (sparse.random(24, 60, 0.05, format="csr", random_state=0),),
        "tokens": (rng.integers(0, 9, size=(24, 10)),),
        "sequence": (rng.normal(size=(24, 2, 12)),),
        "image": (rng.normal(size=(24, 3, 9, 8)).astype(np.float32),),
        "flat image": (rng.normal(size=(24, 64)),),
        "image of 28x28": (rng.integers(256, size=(24, 1, 28, 28), dtype=np.uint8),),
        "rows": (rows,),
        "sparse rows": (sparse.csr_matrix(rows),),
        "graph": (Graph(rows, sparse.random(24, 24, 0.2, format="csr", random_state=0)),),
        "graphs": (graphs,),
        "pair": (rows, rows[:, 0] + rng.normal(size=24)),
        "classes": (rows, rng.integers(3, size=24).astype(str)),
    }


SAMPLES = samples()
ESTIMATORS = {
    "dim": (DIMTransformer, ["table", "bag", "tokens", "sequence", "image", "flat image", "image of 28x28"]),
    "dgi": (DGITransformer, ["rows", "sparse rows", "graph", "graphs"]),
    "infograph": (GraphInfomaxTransformer, ["graphs"]),
    "mi": (MutualInfoEstimator, ["pair", "classes"]),
}


def between(low, high, **options):
    return st.floats(low, high, allow_subnormal=False, **options)


def maybe(*names):
    return st.sampled_from(names)


BOUND = st.sampled_from([*BOUNDS, Smile(tau=2.0)])
TRAINING = {
    "mi_estimator": BOUND,
    "max_iter": st.integers(1, 2),
    "batch_size": st.integers(2, 64),
    "learning_rate_init": between(1e-6, 1e-2),
    "n_iter_no_change": st.integers(1, 5),
    "tol": between(0, 1),
    "device": maybe("auto", "cpu"),
    "callbacks": st.sampled_from([None, [], [GradientNormClipping(1.0)]]),
    "verbose": maybe(0, False),
    "random_state": st.integers(0, 2**32 - 1) | st.builds(np.random.RandomState, st.integers(0, 9)) | st.none(),
}
STOPPING = {"early_stopping": st.booleans(), "validation_fraction": between(0.01, 0.5), "warm_start": st.booleans()}
CRITIC = st.sampled_from([*CRITICS, Separable])
VALID = {
    "dim": {
        **TRAINING,
        **STOPPING,
        "n_components": st.integers(1, 4).map(lambda vectors: 4 * vectors),
        "global_weight": between(0, 2),
        "local_weight": between(0.1, 2),
        "prior_weight": between(0, 2),
        "prior": st.sampled_from(["uniform", "normal", Laplace(0.0, 1.0)]),
        "coordinate_weight": between(0, 2),
        "occlusion": between(0, 1, exclude_max=True),
        "n_locations": st.none() | st.integers(1, 100),
        "critic": CRITIC,
        "global_critic": st.none() | CRITIC,
        "augmentation": maybe("auto", None),
        "channels": maybe("auto", "first"),
        "representation": maybe("code", "fc", "conv"),
        "beta_1": between(0, 1, exclude_max=True),
        "mixed_precision": maybe("auto", True, False),
    },
    "dgi": {
        **TRAINING,
        "n_components": st.integers(1, 16) | st.just("auto"),
        "encoder": st.sampled_from(["auto", *GRAPH_ENCODERS, GCN]),
        # encode_and_dot is refused of one graph
        "critic": st.sampled_from(["auto", "cosine", *sorted({*CRITICS, "group"} - {"encode_and_dot"})]),
        "corruption": st.sampled_from(["views", *CORRUPTIONS]),
        "readout": maybe("mean", "sum", "max"),
        "representation": maybe("auto", "code"),
        "inductive": st.booleans(),
        "n_neighbors": st.integers(1, 30),
        "batch_size": maybe("auto", None) | st.integers(2, 64),
        "fan_out": st.none() | st.integers(1, 20),
        "early_stopping": st.booleans(),
        "warm_start": st.booleans(),
    },
    "infograph": {
        **TRAINING,
        **STOPPING,
        "n_components": st.integers(1, 16),
        "encoder": st.sampled_from([*GRAPH_ENCODERS, GCN]),
        "critic": CRITIC,
        "readout": maybe("mean", "sum", "max"),
        "representation": maybe("auto", "code"),
    },
    "mi": {
        **TRAINING,
        "critic": CRITIC | st.just("auto"),
        "cv": st.integers(2, 6) | st.just(KFold(3)),
        "discrete_features": st.just("auto") | st.booleans(),
        "discrete_target": st.just("auto") | st.booleans(),
        "validation_fraction": between(0.01, 0.5),
        "n_iter_no_change": st.just("auto") | st.integers(1, 5),
    },
}
IMAGE = {
    "encoder": maybe("auto", "resnet"),
    "n_global_vectors": maybe(1, 4),
}
# What only some kinds of samples take, and what they need.
OF_A_KIND = {
    "table": {"encoder": maybe("auto") | st.just(lambda shape, width: TableEncoder(*shape, width, hidden=8)),
              "augmentation": maybe("auto", None) | st.just(Noise())},
    "image": IMAGE,
    "image of 28x28": {
        **IMAGE,
        "encoder": maybe("auto", "resnet", "paper"),
        **dict.fromkeys(["critic", "global_critic"], maybe("separable", "bilinear")),  # others take seconds
    },
    "graphs": {"corruption": st.sampled_from([*CORRUPTIONS, "other_graph"]), "critic": CRITIC},
    "pair": {"encoder": st.none() | st.builds(nn.Linear, st.just(5), st.integers(1, 8))},
}  # fmt: skip
NEEDED = {"flat image": {"image_shape": (1, 8, 8)}, "tokens": {"encoder": "tokens"}}


@st.composite
def valid(draw, name):
    """Draw a kind of samples and parameters that go together: any subset, the others have their defaults."""
    estimator, kinds = ESTIMATORS[name]
    kind = draw(st.sampled_from(kinds))
    options = VALID[name] | {k: v for k, v in OF_A_KIND.get(kind, {}).items() if hasattr(estimator(), k)}
    needed = {"max_iter": options.pop("max_iter")}
    # Few components, as the estimators' defaults are for more samples than these.
    needed |= {"n_components": options.pop("n_components")} if "n_components" in options else {}
    return kind, draw(st.fixed_dictionaries(needed, optional=options)) | NEEDED.get(kind, {})


TEXT = st.text("abcdefgh", max_size=8)
NOT_A_COUNT = st.integers(max_value=0) | st.floats() | TEXT | st.just([1])
NOT_TWO = NOT_A_COUNT | st.just(1)
NOT_A_WEIGHT = st.floats(max_value=-1e-9) | st.sampled_from([np.nan, np.inf, None, "1"])
NOT_POSITIVE = NOT_A_WEIGHT | st.just(0)
NOT_A_SHARE = NOT_A_WEIGHT | st.floats(min_value=1)
NOT_A_NAME = TEXT | st.integers() | st.just(["jsd"])
NOT_A_FLAG = TEXT | st.none() | st.integers(2) | st.floats()
INVALID_TRAINING = {
    "mi_estimator": NOT_A_NAME | st.none() | st.just(Smile),
    "max_iter": NOT_A_COUNT,
    "batch_size": NOT_TWO,
    "learning_rate_init": NOT_POSITIVE,
    "n_iter_no_change": NOT_A_COUNT,
    "tol": NOT_A_WEIGHT,
    "device": TEXT | st.none() | st.integers(),
    "callbacks": TEXT | st.integers() | st.just(()),
    "verbose": st.integers(max_value=-1) | st.floats() | TEXT,
    "random_state": st.integers(max_value=-1) | TEXT | st.floats(),
}
INVALID_STOPPING = {
    "early_stopping": NOT_A_FLAG,
    "validation_fraction": NOT_A_SHARE | st.just(0),
    "warm_start": NOT_A_FLAG,
}
INVALID = {
    "dim": {
        **INVALID_TRAINING,
        **INVALID_STOPPING,
        "n_components": NOT_A_COUNT | st.none(),
        "global_weight": NOT_A_WEIGHT,
        "local_weight": NOT_A_WEIGHT,
        "prior_weight": NOT_A_WEIGHT,
        "prior": NOT_A_NAME | st.none(),
        "coordinate_weight": NOT_A_WEIGHT,
        "occlusion": NOT_A_SHARE,
        "n_locations": NOT_A_COUNT,
        "n_global_vectors": NOT_A_COUNT | maybe(2, 3, 5, 100),
        "encoder": NOT_A_NAME | st.none() | st.just(nn.Identity()),
        "critic": NOT_A_NAME | st.none(),
        "global_critic": NOT_A_NAME,
        "augmentation": NOT_A_NAME | st.just(lambda x: x[:1]),
        "image_shape": st.integers() | TEXT | maybe((), (8, 8), (1, 8, 0), (1.0, 8, 8), [1, 7, 7], (1, "8", 8)),
        "channels": NOT_A_NAME | st.none(),
        "representation": NOT_A_NAME | st.none(),
        "beta_1": NOT_A_SHARE,
        "mixed_precision": NOT_A_FLAG,
        "compile": NOT_A_FLAG,
    },
    "dgi": {
        **INVALID_TRAINING,
        "n_components": NOT_A_COUNT | st.none(),
        "encoder": NOT_A_NAME | st.none() | st.just(nn.Identity()),
        "critic": NOT_A_NAME | st.none(),
        "corruption": NOT_A_NAME | st.none(),
        "readout": NOT_A_NAME | st.none(),
        "representation": NOT_A_NAME | st.none(),
        "inductive": NOT_A_FLAG,
        "n_neighbors": NOT_A_COUNT | st.none(),
        "fan_out": NOT_A_COUNT,
        "early_stopping": NOT_A_FLAG,
        "warm_start": NOT_A_FLAG,
    },
    "infograph": {
        **INVALID_TRAINING,
        **INVALID_STOPPING,
        "n_components": NOT_A_COUNT | st.none(),
        "encoder": NOT_A_NAME | st.none() | st.just(nn.Identity()),
        "critic": NOT_A_NAME | st.none(),
        "readout": NOT_A_NAME | st.none(),
        "representation": NOT_A_NAME | st.none(),
    },
    "mi": {
        **INVALID_TRAINING,
        "critic": NOT_A_NAME | st.none(),
        "encoder": TEXT | st.integers() | st.just(nn.Flatten),
        "cv": NOT_TWO | st.integers(min_value=13),
        "discrete_features": TEXT.filter(lambda name: name != "auto") | st.integers(2),
        "discrete_target": TEXT.filter(lambda name: name != "auto") | st.none(),
        "validation_fraction": NOT_A_SHARE | st.just(0),
    },
}


@st.composite
def broken(draw, name):
    """Draw a kind of samples and parameters of which one, whose name is returned too, is wrong."""
    kind, parameters = draw(valid(name))
    wrong = draw(st.sampled_from(list(INVALID[name])))
    return kind, parameters | {wrong: draw(INVALID[name][wrong])}, wrong


OPTIONS = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
for_each_estimator = pytest.mark.parametrize("name", ESTIMATORS)
few_and_many = pytest.mark.parametrize("n_draws", [20, pytest.param(200, marks=pytest.mark.slow)])


@for_each_estimator
def test_no_parameter_is_left_out(name):
    estimator, kinds = ESTIMATORS[name]
    drawn = VALID[name].keys() | {p for kind in kinds for p in (*OF_A_KIND.get(kind, ()), *NEEDED.get(kind, ()))}
    assert estimator().get_params().keys() - drawn <= {"compile"}  # which takes minutes
    assert estimator().get_params().keys() == INVALID[name].keys()


@few_and_many
@for_each_estimator
def test_valid_parameters_give_finite_values(name, n_draws):
    @settings(max_examples=n_draws, **OPTIONS)
    @given(valid(name))
    def fit(drawn):
        kind, parameters = drawn
        estimator, given_data = ESTIMATORS[name][0](**parameters), SAMPLES[kind]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two epochs on few rows are worth a warning
            estimator.fit(*given_data)
        if name == "mi":
            numbers = [estimator.mutual_info_, estimator.standard_error_, *estimator.pointwise(*given_data)]
        else:
            numbers = estimator.transform(*given_data)
        assert np.isfinite(numbers).all() and np.isfinite(estimator.score(*given_data))
        assert np.isfinite(estimator.loss_curve_).all()

    fit()


@few_and_many
@for_each_estimator
def test_invalid_parameters_are_refused_before_training(name, n_draws):
    @settings(max_examples=n_draws, **OPTIONS)
    @given(broken(name))
    def fit(drawn):
        kind, parameters, wrong = drawn
        estimator = ESTIMATORS[name][0](**parameters)
        with pytest.MonkeyPatch.context() as patch, pytest.raises((ValueError, TypeError), match=wrong):
            patch.setattr(InformationNet, "partial_fit", lambda *args: pytest.fail(f"trained with a wrong {wrong}"))
            estimator.fit(*SAMPLES[kind])
        with pytest.raises(NotFittedError):
            check_is_fitted(estimator)
        assert vars(estimator).keys() == parameters.keys() | estimator.get_params().keys()

    fit()


NUMBERS = {
    "learning_rate_init": 0.0009765625,  # powers of 2, which all types of floats hold
    "beta_1": 0.5,
    "validation_fraction": 0.25,
    "tol": 0.0,
    "global_weight": 1.0,
    "local_weight": 1.0,
    "prior_weight": 1.0,
    "coordinate_weight": 1.0,
    "occlusion": 0.25,
    "max_iter": 1,
    "batch_size": 8,
    "n_components": 4,
    "n_iter_no_change": 2,
    "n_locations": 2,
    "n_global_vectors": 1,
    "n_neighbors": 4,
    "fan_out": 3,
    "cv": 2,
    "random_state": 3,
}
TYPES = {
    "numpy, 64 bits": (np.float64, np.int64),
    "numpy, few bits": (np.float16, np.uint8),
    "numpy, 32 bits": (np.float32, np.int32),
    "whole where they can be": (lambda value: int(value) if value == int(value) else value, np.int16),
}


@pytest.mark.parametrize("types", TYPES)
@pytest.mark.parametrize(("name", "kind"), [("dim", "image"), ("dgi", "rows"), ("infograph", "graphs"), ("mi", "pair")])
def test_numbers_may_have_the_types_of_numpy(name, kind, types, tmp_path):
    cls, X = ESTIMATORS[name][0], SAMPLES[kind]
    plain = {parameter: value for parameter, value in NUMBERS.items() if hasattr(cls(), parameter)}
    stopping = {"early_stopping": True} if name != "mi" else {}
    real, whole = TYPES[types]
    typed = {key: (real if isinstance(value, float) else whole)(value) for key, value in plain.items()}
    expected = cls(**plain, **stopping).fit(*X)
    model = cls(**typed, **stopping, callbacks=[ResumableCheckpoint(tmp_path / "fit")]).fit(*X)
    assert model.score(*X) == expected.score(*X) and model.loss_curve_ == expected.loss_curve_
    assert {key: (type(value), value) for key, value in model.get_params().items() if key in typed} == {
        key: (type(value), value) for key, value in typed.items()
    }
    assert pickle.loads(pickle.dumps(model)).score(*X) == model.score(*X)
    if hasattr(model, "warm_start"):
        model.set_params(warm_start=True, **plain).fit(*X)  # the same numbers, so nothing has changed


@for_each_estimator
def test_no_number_is_left_out(name):
    constraints = ESTIMATORS[name][0]._parameter_constraints
    numbers = {key for key, rules in constraints.items() if any(isinstance(rule, Interval) for rule in rules)}
    assert numbers <= NUMBERS.keys()


def test_small_types_hold_more_rows_than_they_count():
    X = np.random.default_rng(0).normal(size=(300, 8))
    graphs = [Graph(rows, np.eye(30, k=1)) for rows in np.split(X, 10)]
    small = {"max_iter": 1, "batch_size": np.uint8(64), "random_state": 0}
    for model, data in [
        (DIMTransformer(np.int8(8), **small), X),
        (DGITransformer(np.uint8(8), n_neighbors=np.int8(5), fan_out=np.int8(2), **small), X),
        (GraphInfomaxTransformer(np.uint8(8), **small), graphs),
    ]:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            assert np.isfinite(model.fit(data).transform(data)).all() and np.isfinite(model.score(data))
