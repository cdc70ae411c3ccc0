"""Batches without a DataLoader: rows are picked on the device, in one indexing a batch."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor


class RowBatches:
    """An iterable of batches of rows; each pass over it is an epoch.

    Batches differ in size by at most one row and have at least two, so BatchNorm never meets a
    last batch of one.

    Parameters
    ----------
    *arrays : arrays of the same length
        A batch is a tuple with the rows of each. Dense arrays are moved to the device once; a
        memory map stays on disk; rows of a CSR matrix are made dense batch by batch.
    batch_size : int
        The largest batch.
    shuffle : bool, default=True
        A new order each epoch, from torch's generator.
    device : str or torch.device, default="cpu"
    """

    def __init__(self, *arrays, batch_size, shuffle=True, device="cpu"):
        self.device = torch.device(device)
        self.arrays = [self._place(array) for array in arrays]
        self.n_rows = arrays[0].shape[0]
        self.shuffle = shuffle
        self.n_batches = max(1, min(math.ceil(self.n_rows / batch_size), self.n_rows // 2))

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        order = torch.randperm(self.n_rows) if self.shuffle else torch.arange(self.n_rows)
        for rows in order.tensor_split(self.n_batches):
            yield tuple(self._take(array, rows) for array in self.arrays)

    def _place(self, array):
        if isinstance(array, np.memmap) or not isinstance(array, np.ndarray | Tensor):
            return array
        return torch.as_tensor(array).to(self.device)

    def _take(self, array, rows: Tensor) -> Tensor:
        if isinstance(array, Tensor):
            return array[rows.to(array.device)]
        picked = array[rows.numpy()]
        dense = picked.toarray() if hasattr(picked, "toarray") else np.ascontiguousarray(picked)
        return torch.from_numpy(dense).to(self.device)
