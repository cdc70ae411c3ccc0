"""The encoder as a module of plain torch: transform's numbers, no tie to the estimator."""

import copy
import io

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.exceptions import NotFittedError

from sklearn_dim import DGITransformer, DIMTransformer
from sklearn_dim.dim._output import SampleOutput
from sklearn_dim.persistence import to_torch

from .conftest import SAMPLES


def as_tensor(X):
    return torch.as_tensor(X.toarray() if sparse.issparse(X) else X)


@torch.no_grad()
def codes(module, X):
    return module(as_tensor(X)).numpy()


@pytest.mark.parametrize("layer", ["code", "fc", "conv"])
@pytest.mark.parametrize("name", SAMPLES)
def test_the_module_gives_the_numbers_of_transform(fitted, name, layer):
    estimator, X, _ = fitted(name)
    estimator = copy.deepcopy(estimator)
    estimator.representation_ = layer
    layer_of = SampleOutput(estimator.net_.module_.encoder, layer, offset=estimator._offset)
    width = next(layer_of.batches(estimator._read(X, None, reset=False).X)).shape[1]
    estimator.mean_, estimator.scale_ = np.linspace(-1, 1, width), np.linspace(1, 2, width)
    module, expected = to_torch(estimator), estimator.transform(X)
    assert not module.training
    got = codes(module, X)
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, atol=2e-5)


def test_float64_tables_have_the_numbers_of_float64(fitted):
    estimator, X, _ = fitted("table")
    expected = estimator.transform(X)
    np.testing.assert_allclose(codes(to_torch(estimator).double(), X), expected, atol=1e-6)


@pytest.mark.parametrize("channels", ["first", "last"])
def test_flat_images_are_taken_as_transform_takes_them(channels):
    X = np.random.default_rng(0).random((30, 3 * 8 * 8)).astype("float32")
    estimator = DIMTransformer(4, image_shape=(3, 8, 8), channels=channels, max_iter=1, random_state=0).fit(X)
    module, expected = to_torch(estimator), estimator.transform(X)
    np.testing.assert_allclose(codes(module, X), expected, atol=2e-5)
    images = X.reshape(-1, 3, 8, 8) if channels == "first" else X.reshape(-1, 8, 8, 3)
    np.testing.assert_allclose(codes(module, images), expected, atol=2e-5)


def test_the_module_stays_when_the_estimator_is_trained_further(fitted):
    estimator, X, _ = fitted("table")
    estimator = copy.deepcopy(estimator)
    module, before = to_torch(estimator), estimator.transform(X)
    estimator.partial_fit(X)
    assert np.abs(estimator.transform(X) - before).max() > 1e-3
    np.testing.assert_allclose(codes(module, X), before, atol=2e-5)


def test_the_state_dict_is_weights_only(fitted):
    estimator, X, _ = fitted("table")
    file = io.BytesIO()
    torch.save(to_torch(estimator).state_dict(), file)
    file.seek(0)
    other = to_torch(copy.deepcopy(estimator).partial_fit(X))
    assert np.abs(codes(other, X) - estimator.transform(X)).max() > 1e-3
    other.load_state_dict(torch.load(file, weights_only=True))
    np.testing.assert_allclose(codes(other, X), estimator.transform(X), atol=2e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_the_module_can_be_traced(fitted):
    estimator, X, _ = fitted("image")
    traced = torch.jit.trace(to_torch(estimator), as_tensor(X))
    np.testing.assert_allclose(codes(traced, X[:7]), estimator.transform(X[:7]), atol=2e-5)


def test_the_module_can_be_exported(fitted):
    estimator, X, _ = fitted("table")
    rows = {0: torch.export.Dim("n_samples")}
    exported = torch.export.export(to_torch(estimator), (as_tensor(X),), dynamic_shapes=(rows,))
    np.testing.assert_allclose(codes(exported.module(), X[:7]), estimator.transform(X[:7]), atol=2e-5)


def test_other_estimators_are_refused():
    with pytest.raises(TypeError, match="takes a DIMTransformer, but estimator is a DGITransformer"):
        to_torch(DGITransformer())
    with pytest.raises(NotFittedError):
        to_torch(DIMTransformer())
