"""Batches without a DataLoader: rows are picked on the device, with one indexing per batch."""

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from sklearn_dim.devices import one_ahead, to_device
from sklearn_dim.training._placed import place

# Given a number of rows and a device, the indices of those that one process works on.
Share = Callable[[int, torch.device], Tensor]


@runtime_checkable
class Batches(Protocol):
    """What a net may train on in several processes: an iterable of batches, each pass over which is one epoch.

    In one process any iterable of tuples will do. The length of a batch's first entry is its weight in the means of
    an epoch. Classes need not inherit from this one; having its methods is enough.
    """

    @property
    def n_rows(self) -> int:
        """Number of rows in an epoch."""
        ...

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        ...

    def __iter__(self) -> Iterator[tuple]:
        """Yield the batches of one epoch."""
        ...

    def shared(self, share: Share) -> "Batches":
        """Return the part of each of these batches that ``share(n_rows_of_batch, device)`` picks."""
        ...


class RowBatches(Batches):
    """Batches of rows of arrays.

    Batch sizes differ by at most one, and no batch has a single row, which BatchNorm could not normalise, unless it is
    the only row.

    Parameters
    ----------
    *arrays : arrays of the same length
        A batch is a tuple with the rows of each, in float32 or integers. On the CPU memory maps, read-only arrays, and
        objects that only support indexing stay where they are, and rows of a CSR matrix are converted batch by batch,
        to dense tensors or, with ``sparse``, sparse COO tensors. Arrays and CSR matrices in memory are copied to
        another device once, if they take at most half of its free memory; what stays on the host is read and copied
        one batch ahead.
    batch_size : int
        Maximum batch size.
    rows : array of int, default=None
        The rows to use; by default all.
    shuffle : bool, default=True
        Whether each epoch has a new order, drawn from torch's generator.
    device : str or torch.device, default="cpu"
    sparse : bool, default=False
        Whether rows of a CSR matrix stay sparse.
    verbose : int, default=0
        Whether it is printed that an array does not fit into the device's memory.
    """

    _share: Share | None = None

    def __init__(
        self,
        *arrays: Any,
        batch_size: int,
        rows: Any = None,
        shuffle: bool = True,
        device: str | torch.device = "cpu",
        sparse: bool = False,
        verbose: int = 0,
    ):
        self.device = torch.device(device)
        self.batch_size, self.shuffle = int(batch_size), shuffle
        self.arrays = [place(array, self.device, sparse=sparse, verbose=verbose) for array in arrays]
        self.rows = torch.arange(arrays[0].shape[0]) if rows is None else torch.as_tensor(rows)

    @property
    def n_rows(self) -> int:
        """Number of rows in an epoch."""
        return len(self.rows)

    def of(self, rows: Any) -> "RowBatches":
        """Return batches of other rows of the same arrays, in the given order, without moving the arrays again."""
        other = copy.copy(self)
        other.rows, other.shuffle = torch.as_tensor(rows), False
        return other

    def shared(self, share: Share) -> "RowBatches":
        """Return the part of each of these batches that ``share(n_rows_of_batch, device)`` picks."""
        other = copy.copy(self)
        other._share = share
        return other

    def __len__(self) -> int:
        return max(1, min(math.ceil(len(self.rows) / self.batch_size), len(self.rows) // 2))

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        order = self.rows[torch.randperm(len(self.rows))] if self.shuffle else self.rows
        moved = to_device(order, self.device)  # once per epoch: one copy per batch would be one wait per batch
        batches = self._batches(order.tensor_split(len(self)), moved.tensor_split(len(self)))
        stays = all(array.on_device for array in self.arrays)
        return batches if stays else one_ahead(batches, self.device)

    def _batches(self, order: tuple[Tensor, ...], moved: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, ...]]:
        """Yield the batches of these rows, whose numbers are given on the CPU and on the device."""
        for rows, there in zip(order, moved, strict=True):
            if self._share is not None:
                rows, there = (part[self._share(len(rows), part.device)] for part in (rows, there))
            yield tuple(array.take(rows, there) for array in self.arrays)


def drawn_once(rows: np.ndarray | int, n_max: int | None = None) -> np.ndarray:
    """Return rows, at most ``n_max`` of them, in an order drawn from a fixed seed.

    What is evaluated in batches, or on some of the rows, is evaluated on these: in rows that are sorted by class, time
    or file, neighbours are alike, and no fair negatives of each other.
    """
    return np.random.default_rng(0).permutation(rows)[:n_max]
