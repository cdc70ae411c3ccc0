"""Means over cells, made by products where torch's pooling is refused."""

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool1d, adaptive_avg_pool2d

from sklearn_dim.encoders import _pooling


@pytest.mark.parametrize("sides", [(3,), (4,), (5,), (2, 3), (5, 7)])
def test_products_give_torchs_means(sides):
    x = torch.rand(2, 3, *[size for size in (11, 9)[: len(sides)]], dtype=torch.float64)
    expected = (adaptive_avg_pool1d if len(sides) == 1 else adaptive_avg_pool2d)(x, sides)
    assert torch.equal(_pooling.pooled_means(x, sides), expected)  # on the CPU it is torch's
    torch.testing.assert_close(_pooling.means_by_products(x, sides), expected, atol=1e-7, rtol=0)
