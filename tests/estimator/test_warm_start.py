"""What a fit that continues takes and what it refuses, and what is frozen at fit."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from skorch.callbacks import Callback

from sklearn_dim import DGITransformer, DIMTransformer, Graph, GraphInfomaxTransformer
from sklearn_dim.bounds import TUBA
from sklearn_dim.critics import Separable
from sklearn_dim.encoders import TableEncoder
from sklearn_dim.objectives import AdversarialPrior

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 6))
RING, PATH = np.eye(6)[[1, 2, 3, 4, 5, 0]], np.eye(6, k=1)
GRAPHS = [Graph(RNG.normal(size=(6, 3)), adjacency) for adjacency in (RING, PATH, RING, PATH)]
FITS = {
    "rows": (DIMTransformer, ROWS),
    "nodes": (DGITransformer, ROWS),
    "graphs": (GraphInfomaxTransformer, GRAPHS),
}


def small_encoder(sample_shape, n_components):
    return TableEncoder(sample_shape[0], n_components, hidden=8)


def fitted(name, **parameters):
    cls, X = FITS[name]
    model = cls(6, max_iter=2, warm_start=True, random_state=0, **parameters)
    return model.fit(X), X


class CountEpochs(Callback):
    def __init__(self, seen):
        self.seen = seen

    def on_epoch_end(self, net, **kwargs):
        self.seen.append(net.history[-1, "epoch"])


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n_components", 4),
        ("mi_estimator", "dv"),
        ("mi_estimator", TUBA()),
        ("encoder", "sgc"),
        ("critic", "bilinear"),
    ],
)
def test_what_shapes_the_model_is_refused_by_name(name, parameter, value):
    model, X = fitted(name)
    if model.get_params()[parameter] == value:
        value = "separable"
    if parameter == "encoder" and name == "rows":
        value = small_encoder
    before = model.transform(X)
    was = model.get_params()[parameter]
    model.set_params(**{parameter: value})
    for fit in [model.fit, *([model.partial_fit] if name == "rows" else [])]:
        with pytest.raises(
            ValueError, match=f"^{parameter}=.*built with {parameter}=.*Set the old value again, or start over"
        ):
            fit(X)
        np.testing.assert_array_equal(model.transform(X), before)
    assert model.set_params(**{parameter: was}).fit(X).n_iter_ == 4
    model.set_params(**{parameter: value}, warm_start=False).fit(X)


OTHERS = {  # another value of every parameter that shapes a model
    "rows": {
        "n_components": 4,
        "mi_estimator": "dv",
        "device": "cpu",
        "global_weight": 1.0,
        "local_weight": 2.0,
        "prior_weight": 0.5,
        "prior": "normal",
        "coordinate_weight": 1.0,
        "occlusion": 0.5,
        "n_locations": 1,
        "n_global_vectors": 4,
        "encoder": small_encoder,
        "critic": "bilinear",
        "global_critic": "bilinear",
        "augmentation": None,
        "image_shape": (1, 2, 3),
        "channels": "last",
        "beta_1": 0.5,
        "compile": True,
    },
    "nodes": {
        "n_components": 4,
        "mi_estimator": "dv",
        "device": "cpu",
        "encoder": "sgc",
        "critic": "group",
        "corruption": "edge_dropout",
        "readout": "max",
    },
    "graphs": {
        "n_components": 4,
        "mi_estimator": "dv",
        "device": "cpu",
        "encoder": "gcn",
        "critic": "bilinear",
        "readout": "max",
    },
}
TAKEN = {"max_iter", "batch_size", "learning_rate_init", "early_stopping", "validation_fraction", "n_iter_no_change"}
TAKEN |= {"tol", "warm_start", "callbacks", "verbose", "random_state"}
TAKEN |= {"mixed_precision", "representation", "inductive", "n_neighbors", "fan_out"}


@pytest.mark.parametrize("name", FITS)
def test_every_parameter_is_taken_or_refused(name):
    model, X = fitted(name)
    assert model.get_params().keys() - TAKEN == OTHERS[name].keys()
    for parameter, value in OTHERS[name].items():
        was = model.get_params()[parameter]
        assert was != value
        with pytest.raises(ValueError, match=f"^{parameter}=.*built with {parameter}=.*Set the old value again"):
            model.set_params(**{parameter: value}).fit(X)
        model.set_params(**{parameter: was})
    assert model.fit(X).n_iter_ == 4


@pytest.mark.parametrize("name", FITS)
def test_the_step_size_is_taken(name):
    model, X = fitted(name)
    rates = [group["lr"] for group in model.net_.optimizer_.param_groups]
    model.set_params(learning_rate_init=model.learning_rate_init / 10).fit(X)
    assert [group["lr"] for group in model.net_.optimizer_.param_groups] == pytest.approx([r / 10 for r in rates])
    other = copy.deepcopy(fitted(name)[0]).fit(X)
    assert not np.array_equal(other.transform(X), model.transform(X))


@pytest.mark.parametrize("name", FITS)
def test_callbacks_epochs_and_batches_are_taken(name):
    model, X = fitted(name)
    seen = []
    model.set_params(callbacks=[CountEpochs(seen)], max_iter=3, batch_size=3).fit(X)
    assert seen == [3, 4, 5] and model.n_iter_ == 5
    model.set_params(callbacks=None, max_iter=1).fit(X)
    assert seen == [3, 4, 5] and model.n_iter_ == 6


def test_early_stopping_may_begin_later():
    model, X = fitted("rows")
    model.set_params(early_stopping=True, n_iter_no_change=1, tol=10.0, max_iter=50).fit(X)
    assert model.n_iter_ < 52 and "valid_mutual_info" in model.history_


@pytest.mark.parametrize(
    "parameters",
    [
        {"mi_estimator": TUBA(ema_decay=0.5)},
        {"prior": partial(AdversarialPrior, hidden=(8,))},
        {"prior": torch.distributions.Laplace(0.0, 1.0)},
        {"critic": partial(Separable, units=8)},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
def test_copies_and_pickles_continue_with_objects_as_parameters(parameters):
    model, X = fitted("rows", **parameters)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert again.fit(X).n_iter_ == 4


def test_a_failed_warm_fit_leaves_the_running_mean():
    model, X = fitted("rows", mi_estimator="tuba")
    running = model.net_.module_.information["local"].running
    before = running.clone()
    assert before.isfinite()
    with pytest.raises(FloatingPointError):
        model.set_params(learning_rate_init=1e30, max_iter=5).fit(X)
    assert torch.equal(model.net_.module_.information["local"].running, before)
    assert torch.equal(pickle.loads(pickle.dumps(model)).net_.module_.information["local"].running, before)


def test_what_transform_needs_is_frozen_at_fit():
    images = load_digits().data[:40].reshape(-1, 8, 8, 1).astype("float32")
    flat = images.reshape(40, -1)
    dim = DIMTransformer(4, image_shape=(1, 8, 8), max_iter=1, random_state=0).fit(flat)
    expected = dim.transform(flat)
    dim.set_params(image_shape=None, channels="last", representation="fc", encoder="tokens")
    np.testing.assert_array_equal(dim.transform(flat), expected)
    dgi = DGITransformer(4, max_iter=1, random_state=0).fit(ROWS)
    expected = dgi.transform(ROWS)
    dgi.set_params(representation="code", corruption="shuffle", n_components=2, n_neighbors=2)
    np.testing.assert_array_equal(dgi.transform(ROWS), expected)


def test_another_layer_may_be_asked_for_when_training_goes_on():
    model, X = fitted("rows")
    model.set_params(representation="fc").fit(X)
    assert model.representation_ == "fc" and model.transform(X).shape[1] == len(model.mean_) > 6
