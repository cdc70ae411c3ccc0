"""Means over the cells of a grid, on every device."""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool1d, adaptive_avg_pool2d

from sklearn_dim.devices import without_autocast


def pooled_means(x: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Return the means over cells of maps (n, channels, length) or (n, channels, height, width), as torch pools.

    Cells of unequal size, which MPS refuses and which CUDA adds up in no fixed order, are made by products instead.

    Parameters
    ----------
    x : Tensor
    sides : tuple of int
        Number of cells along each axis.
    """
    even = all(size % side == 0 for size, side in zip(x.shape[2:], sides, strict=True))
    if even or x.device.type == "cpu":
        return adaptive_avg_pool1d(x, sides) if len(sides) == 1 else adaptive_avg_pool2d(x, (sides[0], sides[1]))
    with without_autocast(x.device):
        return means_by_products(x, sides)


def means_by_products(x: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Return the same means, made by one product per axis."""
    for axis, side in enumerate(sides, start=2):
        x = (x.movedim(axis, -1) @ cells(x.shape[axis], side, x.device, x.dtype)).movedim(-1, axis)
    return x


@lru_cache(maxsize=64)
def cells(size: int, n_cells: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the matrix (size, n_cells) that takes the means over the cells of an axis.

    Cell i reaches from the rounded down i·size/n_cells to the rounded up (i + 1)·size/n_cells.
    """
    position, cell = torch.arange(size, device=device)[:, None], torch.arange(n_cells, device=device)
    inside = (position >= cell * size // n_cells) & (position < -(-(cell + 1) * size // n_cells))
    return (inside / inside.sum(0)).to(dtype)
