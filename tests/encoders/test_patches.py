"""Whitened patches: their formula, the sizes they take, and what constant images do to them."""

import copy
import pickle

import numpy as np
import pytest
import torch

from sklearn_dim import DIMTransformer
from sklearn_dim.encoders import PatchEncoder, WhitenedPatches
from sklearn_dim.training import seeded


def images(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def smooth(n, channels, side):
    """Return images whose neighbouring pixels are alike, of unit variance: there is something to whiten."""
    x = torch.nn.functional.avg_pool2d(images(n, channels, side + 2, side + 2), 3, 1)
    return (x - x.mean()) / x.std()


def fitted(x, **parameters):
    with seeded(0):
        return WhitenedPatches(tuple(x.shape[1:]), **parameters).fit(x)


def drawn_patches(layer, x):
    """Return the patches (20 000, channels, side, side) that `fit` draws."""
    side = layer.patch
    with seeded(0):
        draws = [
            torch.randint(high, (20_000, 1, 1)).flatten() for high in (len(x), *(s - side + 1 for s in x.shape[2:]))
        ]
    corners = zip(*(draw.tolist() for draw in draws), strict=True)
    return np.stack([x[i, :, top : top + side, left : left + side].numpy() for i, top, left in corners])


def normalised(patches, contrast):
    rows = patches.reshape(len(patches), -1).astype(np.float64)
    rows -= rows.mean(1, keepdims=True)
    return rows / np.sqrt((rows**2).mean(1, keepdims=True) + contrast)


@pytest.mark.parametrize("channels, side, stride, grid", [(1, 8, 1, 3), (3, 12, 2, 2)])
def test_features_are_those_of_the_formula(channels, side, stride, grid):
    x = smooth(30, channels, side)
    layer = fitted(x, n_filters=7, stride=stride, grid=grid, threshold=0.3, contrast=0.2, whitening=0.4)
    drawn = normalised(drawn_patches(layer, x), 0.2)
    mean, covariance = drawn.mean(0), np.cov(drawn.T, bias=True)
    values, vectors = np.linalg.eigh(covariance + 0.4 * np.eye(len(covariance)))
    whitening = vectors @ np.diag(values**-0.5) @ vectors.T
    white = (drawn - mean) @ whitening
    filters = white[:7] / np.linalg.norm(white[:7], axis=1, keepdims=True)

    places = range(0, side - layer.patch + 1, stride)
    expected = np.zeros((len(x), 14, grid, grid))
    for row in range(grid):
        for column in range(grid):  # a cell has the places from the floor of its beginning to the ceiling of its end
            rows, columns = (places[k * len(places) // grid : -(-(k + 1) * len(places) // grid)] for k in (row, column))
            for top in rows:
                for left in columns:
                    patch = x[:, :, top : top + layer.patch, left : left + layer.patch].numpy()
                    z = (normalised(patch, 0.2) - mean) @ whitening @ filters.T
                    both = np.hstack([np.maximum(0, z - 0.3), np.maximum(0, -z - 0.3)])
                    expected[:, :, row, column] += both / (len(rows) * len(columns))
    expected = np.sqrt(expected + 1e-4)
    torch.testing.assert_close(layer(x), torch.tensor(expected).flatten(1).float(), atol=1e-4, rtol=1e-3)
    assert expected.std() > 0.05


@pytest.mark.parametrize(
    "shape, patch, places",
    [
        ((1, 8, 8), 3, (6, 6)),
        ((2, 9, 40), 3, (7, 38)),
        ((3, 16, 16), 4, (13, 13)),
        ((1, 28, 28), 7, (11, 11)),
        ((3, 32, 32), 8, (13, 13)),
        ((3, 128, 130), 8, (13, 13)),
        ((100, 16, 16), 3, (14, 14)),
    ],
)
def test_sizes_fit_the_images(shape, patch, places):
    layer = WhitenedPatches(shape, 5)
    shrunk = layer._shrunk(torch.zeros(1, *shape))
    assert layer.patch == patch
    assert tuple((side - patch) // layer.stride + 1 for side in shrunk.shape[2:]) == places
    assert layer(images(2, *shape)).shape == (2, 10 * 9)


def test_neither_brightness_nor_an_empty_patch_is_a_feature():
    x = smooth(50, 3, 12)
    layer = fitted(x, n_filters=20)
    assert layer(x).std() > 0.05
    torch.testing.assert_close(layer(x + 5), layer(x), atol=1e-4, rtol=1e-3)
    half = x.clone()
    half[25:] = 1.0  # half of the images are constant: they make no filters
    assert (fitted(half, n_filters=200).filters.flatten(1).norm(dim=1) > 0.1).all()


def test_constant_images_have_constant_features():
    layer = fitted(torch.ones(20, 2, 8, 8), n_filters=4)
    assert layer(images(3, 2, 8, 8)).eq(0.01).all()
    assert fitted(smooth(20, 2, 8))(torch.full((1, 2, 8, 8), 3.0)).isfinite().all()


def test_fit_follows_the_seed_and_is_kept_by_a_pickle():
    x = smooth(20, 1, 8)
    first, second = fitted(x), fitted(x)
    assert first.filters.equal(second.filters) and pickle.loads(pickle.dumps(first))(x).equal(second(x))
    with seeded(1):
        assert not WhitenedPatches((1, 8, 8)).fit(x).filters.equal(first.filters)


def test_patches_are_no_parameters_and_pass_gradients_to_the_image():
    layer, x = fitted(smooth(20, 1, 8)), smooth(2, 1, 8).requires_grad_()
    assert list(layer.parameters()) == []
    layer(x).sum().backward()
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("shape, n_globals", [((1, 8, 8), 1), ((3, 20, 33), 4), ((3, 96, 96), 9)])
def test_the_encoder_takes_any_image_from_eight_pixels(shape, n_globals):
    encoder = PatchEncoder(shape, 36, n_globals=n_globals).fit(images(10, *shape)).eval()
    encoded = encoder(images(2, *shape))
    assert encoded.code.flatten(1).shape == (2, 36)
    assert encoded.locations.shape == (2, encoder.grid[0] ** 2, encoder.location_shape[0])
    assert encoded.code[0].ne(encoded.code[1]).all()


def test_smaller_images_are_refused():
    with pytest.raises(ValueError, match="images of 7x20 pixels are smaller than 8x8"):
        PatchEncoder((1, 7, 20), 4)


def test_training_leaves_the_patches_as_they_are():
    x = smooth(64, 1, 8)
    encoder = PatchEncoder((1, 8, 8), 4).fit(x)
    filters = copy.deepcopy(encoder.patches.filters)
    dim = DIMTransformer(4, encoder=encoder, max_iter=2, device="cpu", random_state=0).fit(x.numpy())
    trained = dim.net_.module_.encoder.network
    assert trained.patches.filters.equal(filters)
    assert not trained.local[0].weight.equal(encoder.local[0].weight)
