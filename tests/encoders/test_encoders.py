"""Encoders: published layouts, sizes, and the contract."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_dim.dim._objective import make_network
from sklearn_dim.encoders import (
    BagEncoder,
    Encoded,
    Encoder,
    GraphEncoder,
    SampleEncoder,
    Standardized,
    TableEncoder,
    as_encoder,
    check_encoder,
    image_encoder,
    published_encoder,
)


@pytest.mark.parametrize(
    "side, location_shape, fc",
    [(28, (128, 7, 7), 1024), (32, (128, 8, 8), 1024), (64, (384, 15, 15), 4096)],
)
def test_published_layouts(side, location_shape, fc):
    encoder = published_encoder((3, side, side), 64).eval()
    assert encoder.location_shape == location_shape
    encoded = encoder(torch.randn(2, 3, side, side))
    assert encoded.locations.shape == (2, location_shape[1] * location_shape[2], location_shape[0])
    assert encoded.fc.shape == (2, fc) and encoded.code.shape == (2, 64)


def test_published_encoder_says_which_sizes_it_has():
    with pytest.raises(ValueError, match="28x28, 32x32 and 64x64 pixels; got 30x30"):
        published_encoder((1, 30, 30), 64)


@pytest.mark.parametrize(
    "shape", [(1, 8, 8), (3, 9, 13), (1, 16, 16), (3, 28, 28), (2, 32, 48), (3, 96, 96), (1, 130, 70)]
)
def test_any_image_from_eight_pixels(shape):
    encoder = image_encoder(shape, 5).eval()
    places = encoder.location_shape[1:]
    assert min(places) >= 4 and encoder(torch.randn(2, *shape)).code.shape == (2, 5)


def test_smaller_images_are_refused():
    with pytest.raises(ValueError, match="smaller than 8x8"):
        image_encoder((1, 7, 20), 4)


@pytest.mark.parametrize("n_features", [1, 3, 8, 9, 50])
def test_groups_of_columns_are_the_locations(n_features):
    encoder = TableEncoder(n_features, 4).eval()
    x = torch.randn(3, n_features)
    encoded = encoder(x)
    assert encoded.code.shape == (3, 4) and encoded.locations.shape[1] <= 8
    # A column moves its own group's location only.
    changed = x.clone()
    changed[:, 0] += 1
    moved = (encoder(changed).locations - encoded.locations).abs().sum((0, 2)) > 0
    assert moved[0] and not moved[1:].any()


def test_values_far_out_are_cut():
    encoder = TableEncoder(4, 3, reach=2.0).eval()
    x = torch.tensor([[0.5, 2.0, -2.0, 1.0], [0.5, 1e6, -1e6, 1.0]])
    code = encoder(x).code
    torch.testing.assert_close(code[0], code[1])


def test_a_location_is_the_weighted_sum_of_its_groups_vectors():
    encoder = Standardized(BagEncoder(20, 4, n_groups=3, location_features=5), (20,)).eval()
    x = torch.where(torch.rand(6, 20) < 0.3, torch.rand(6, 20), 0.0)
    x[2] = 0.0
    unit = torch.nn.functional.normalize(x)
    bags, encoded = encoder.network, encoder(x.to_sparse())
    for group in range(3):
        mine = bags.group == group
        torch.testing.assert_close(encoded.locations[:, group], unit[:, mine] @ (10 * bags.vectors[mine]))
    for one, other in zip(encoded, encoder(x), strict=True):
        torch.testing.assert_close(one, other)


def test_standardized_undoes_mean_and_scale():
    encoder = Standardized(nn.Identity(), (2, 4, 4), np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    x = torch.full((1, 2, 4, 4), 5, dtype=torch.uint8)
    expected = torch.tensor([2.0, 0.75]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    torch.testing.assert_close(encoder.standardize(x), expected)
    torch.testing.assert_close(Standardized(nn.Identity(), (2, 4, 4)).standardize(x), x.float())


class TwoParts(nn.Module):
    """Returns (locations, code) only."""

    def __init__(self, units):
        super().__init__()
        self.linear = nn.Linear(6, units)

    def forward(self, x):
        return x.unflatten(1, (3, 2)), self.linear(x)


def test_a_users_module_is_checked():
    assert check_encoder(make_network(TwoParts(4), "table", (6,), 4), (6,), 4) == (3, 2, 4, (3,))
    with pytest.raises(ValueError, match=r"code \(n, 5\).*TwoParts does not"):
        check_encoder(TwoParts(4), (6,), 5)
    with pytest.raises(ValueError, match=r"must return \(locations .* Linear does not \(it returned a Tensor\)"):
        check_encoder(nn.Linear(6, 4), (6,), 4)


def test_a_users_module_is_not_trained_in_place():
    given = TwoParts(4)
    made = make_network(given, "table", (6,), 4)
    assert made.network is not given and torch.equal(made.network.linear.weight, given.linear.weight)


def test_a_users_module_says_what_it_can():
    plain = as_encoder(TwoParts(4))
    assert as_encoder(plain) is plain and isinstance(plain(torch.zeros(2, 6)), Encoded)
    assert plain.grid is None and not plain.takes_sparse
    told = TwoParts(4)
    told.location_shape, told.takes_sparse = [2, 1, 3], True
    encoder = Standardized(told, (6,))
    assert encoder.grid == (1, 3) and encoder.takes_sparse and encoder.core.network is told
    assert check_encoder(told, (6,), 4).grid == (1, 3)
    told.location_shape = (2, 5, 5)  # not as many as its locations: they have no order
    assert check_encoder(told, (6,), 4).grid == (3,)


@pytest.mark.parametrize("protocol", [Encoder, SampleEncoder, GraphEncoder])
def test_a_protocol_says_what_is_missing(protocol):
    with pytest.raises(NotImplementedError, match=f"{protocol.__name__} has no forward"):
        protocol()(*[torch.zeros(2, 3)] * (2 if protocol is GraphEncoder else 1))
