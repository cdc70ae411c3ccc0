"""Batches without a DataLoader: rows are picked on the device, with one indexing per batch."""

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from scipy.sparse import issparse
from torch import Tensor

from sklearn_dim.data import file_of, sparse_tensor, take_rows

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
        A batch is a tuple with the rows of each, in float32 or integers. Dense arrays are moved to the device once.
        Memory maps and objects that only support indexing stay where they are, and so do read-only arrays on the CPU.
        Rows of a CSR matrix are converted batch by batch, to dense tensors or, with ``sparse``, sparse COO tensors.
    batch_size : int
        Maximum batch size.
    rows : array of int, default=None
        The rows to use; by default all.
    shuffle : bool, default=True
        Whether each epoch has a new order, drawn from torch's generator.
    device : str or torch.device, default="cpu"
    sparse : bool, default=False
        Whether rows of a CSR matrix stay sparse.
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
    ):
        self.device = torch.device(device)
        self.sparse, self.batch_size, self.shuffle = sparse, int(batch_size), shuffle
        self.arrays = [self._place(array) for array in arrays]
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
        if all(isinstance(array, Tensor) for array in self.arrays):
            order = order.to(self.device)  # once per epoch: one copy per batch would wait for the device each time
        for rows in order.tensor_split(len(self)):
            rows = rows if self._share is None else rows[self._share(len(rows), rows.device)]
            yield tuple(self._take(array, rows) for array in self.arrays)

    def _place(self, array: Any) -> Any:
        """Return the array on the device, or as it is if it is to be read batch by batch."""
        if isinstance(array, np.ndarray) and (array.base is None or file_of(array) is None):
            if array.flags.writeable:
                array = torch.as_tensor(array)
            elif self.device.type != "cpu":  # as the columns of pandas 3 are; torch warns of sharing their memory
                array = torch.as_tensor(np.array(array))
        return self._move(array) if isinstance(array, Tensor) else array

    def _take(self, array: Any, rows: Tensor) -> Tensor:
        if isinstance(array, Tensor):
            return array[rows.to(array.device)]
        taken = take_rows(array, rows.numpy())
        if issparse(taken):
            return self._move(sparse_tensor(taken) if self.sparse else torch.from_numpy(taken.toarray()))
        return self._move(torch.from_numpy(np.ascontiguousarray(taken)))

    def _move(self, rows: Tensor) -> Tensor:
        return rows.to(self.device, torch.float32 if rows.is_floating_point() else rows.dtype)


def drawn_once(rows: np.ndarray | int, n_max: int | None = None) -> np.ndarray:
    """Return rows, at most ``n_max`` of them, in an order drawn from a fixed seed.

    What is evaluated in batches, or on some of the rows, is evaluated on these: in rows that are sorted by class, time
    or file, neighbours are alike, and no fair negatives of each other.
    """
    return np.random.default_rng(0).permutation(rows)[:n_max]
