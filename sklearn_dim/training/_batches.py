"""Batches without a DataLoader: rows are picked on the device, in one indexing a batch."""

import copy
import math
import mmap
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

LARGE = 2**26  # bytes of a file; less may stay resident
SCATTERED = 128  # rows that are read at a time: each may bring 2 MB of the file with it


class RowBatches:
    """An iterable of batches of rows; each pass over it is an epoch.

    Batches differ in size by at most one row and have at least two, so BatchNorm never meets a
    last batch of one.

    Parameters
    ----------
    *arrays : arrays of the same length
        A batch is a tuple with the rows of each, float32 or whole numbers. Dense arrays are moved to the device
        once; memory maps, read-only arrays and what merely can be indexed stay where they are; rows of a CSR matrix are
        made dense batch by batch, or with ``sparse`` become sparse COO tensors.
    batch_size : int
        The largest batch.
    rows : array of int, default=None
        The rows in use; all by default.
    shuffle : bool, default=True
        A new order each epoch, from torch's generator.
    device : str or torch.device, default="cpu"
    sparse : bool, default=False
        Whether rows of a CSR matrix stay sparse.
    """

    share = None  # which of n rows of a batch are this process' own, see `data_parallel`

    def __init__(self, *arrays, batch_size, rows=None, shuffle=True, device="cpu", sparse=False):
        self.device = torch.device(device)
        self.sparse, self.batch_size, self.shuffle = sparse, batch_size, shuffle
        self.arrays = [self._place(array) for array in arrays]
        self.rows = torch.arange(arrays[0].shape[0]) if rows is None else torch.as_tensor(rows)

    def of(self, rows) -> "RowBatches":
        """Return batches of other rows of the same arrays, in their order; nothing is moved again."""
        other = copy.copy(self)
        other.rows, other.shuffle = torch.as_tensor(rows), False
        return other

    def __len__(self) -> int:
        return max(1, min(math.ceil(len(self.rows) / self.batch_size), len(self.rows) // 2))

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        order = self.rows[torch.randperm(len(self.rows))] if self.shuffle else self.rows
        if all(isinstance(array, Tensor) for array in self.arrays):
            order = order.to(self.device)  # once an epoch: a copy a batch would wait for the device
        for rows in order.tensor_split(len(self)):
            rows = rows if self.share is None else rows[self.share(len(rows), rows.device)]
            yield tuple(self._take(array, rows) for array in self.arrays)

    def _place(self, array):
        movable = isinstance(array, Tensor) or (
            isinstance(array, np.ndarray) and array.flags.writeable and file_of(array) is None
        )
        return self._move(torch.as_tensor(array)) if movable else array

    def _take(self, array, rows: Tensor) -> Tensor:
        if isinstance(array, Tensor):
            return array[rows.to(array.device)]
        picked = take_rows(array, rows.numpy())
        if hasattr(picked, "toarray"):
            return self._move(sparse_tensor(picked) if self.sparse else torch.from_numpy(picked.toarray()))
        return self._move(torch.from_numpy(np.ascontiguousarray(picked)))

    def _move(self, rows: Tensor) -> Tensor:
        return rows.to(self.device, torch.float32 if rows.is_floating_point() else rows.dtype)


def file_of(array) -> np.ndarray | None:
    """Return the memory map of the file that an array is a part of, or None."""
    while array is not None and not isinstance(getattr(array, "base", None), mmap.mmap):
        array = getattr(array, "base", None)
    return array


def take_rows(array, rows):
    """Return the rows that a slice or an array of int picks.

    Those of a large memory map are copied and the pages they were read from let go, so that no more of the file is
    resident than what is worked on. A copy-on-write map, or one that does not say its mode, keeps its pages: they may
    hold changes that the file has not.
    """
    file = file_of(array)
    if file is None or file.nbytes < LARGE or getattr(file, "mode", "c") == "c" or not hasattr(mmap, "MADV_DONTNEED"):
        return array[rows]
    parts = [rows] if isinstance(rows, slice) else np.array_split(rows, max(1, -(-len(rows) // SCATTERED)))
    picked = []
    for part in parts:
        picked.append(np.array(array[part]))
        file.base.madvise(mmap.MADV_DONTNEED)
    return picked[0] if len(picked) == 1 else np.concatenate(picked)


def sparse_tensor(rows) -> Tensor:
    """Return a CSR matrix as a sparse COO tensor of the same numbers."""
    rows = rows.tocoo()
    places = torch.from_numpy(np.stack([rows.row, rows.col]).astype(np.int64))
    return torch.sparse_coo_tensor(
        places, torch.from_numpy(rows.data), rows.shape, is_coalesced=True, check_invariants=False
    )
