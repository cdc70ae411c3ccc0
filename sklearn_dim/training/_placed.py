"""Where the arrays lie that batches are picked from: on the device, or on the host."""

import math
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix, issparse
from torch import Tensor

from sklearn_dim.data import Shifted, file_of, sparse_tensor, take_rows
from sklearn_dim.devices import fits, to_device

BYTES = 4  # of a number on the device
BYTES_OF_ENTRY = 12  # of a CSR matrix there: a float32 and its column


class Placed:
    """An array at its place.

    Attributes
    ----------
    on_device : bool
        Whether picking rows takes no copy from the host.
    """

    on_device = True

    def take(self, rows: Tensor, moved: Tensor) -> Tensor:
        """Return rows on the device; their numbers are given on the CPU and on the device."""
        raise NotImplementedError


class DeviceRows(Placed):
    """A tensor on the device."""

    def __init__(self, values: Tensor):
        self.values = values

    def take(self, rows: Tensor, moved: Tensor) -> Tensor:
        """Return rows of the tensor."""
        return self.values[moved]


class DeviceSparseRows(Placed):
    """A CSR matrix on the device, whose rows are picked there.

    How many entries a batch has is known from the row pointers on the host, so that nobody waits to be told.
    """

    def __init__(self, matrix: csr_matrix, device: torch.device, *, sparse: bool):
        self.n_columns, self.sparse = matrix.shape[1], sparse
        self.starts, self.lengths = torch.as_tensor(matrix.indptr[:-1]), torch.as_tensor(np.diff(matrix.indptr))
        self.columns = to_device(torch.as_tensor(matrix.indices), device)
        self.values = to_device(torch.as_tensor(matrix.data), device, torch.float32)
        self.moved_starts, self.moved_lengths = (to_device(part, device) for part in (self.starts, self.lengths))

    def take(self, rows: Tensor, moved: Tensor) -> Tensor:
        """Return rows of the matrix as a COO tensor, or dense."""
        n, n_entries = len(rows), int(self.lengths[rows].sum())
        lengths = self.moved_lengths[moved]
        first = self.moved_starts[moved] - (lengths.cumsum(0) - lengths)
        row = torch.arange(n, device=moved.device).repeat_interleave(lengths, output_size=n_entries)
        entry = first[row] + torch.arange(n_entries, device=moved.device)
        column, values = self.columns[entry].long(), self.values[entry]
        if self.sparse:
            shape = (n, self.n_columns)
            return torch.sparse_coo_tensor(
                torch.stack([row, column]), values, shape, is_coalesced=True, check_invariants=False
            )
        dense = values.new_zeros(n * self.n_columns)
        return dense.index_add_(0, row * self.n_columns + column, values).view(n, self.n_columns)


class HostRows(Placed):
    """What is read on the host, and copied to the device batch by batch."""

    def __init__(self, array: Any, device: torch.device, *, sparse: bool):
        self.array, self.device, self.sparse = array, device, sparse
        self.on_device = device.type == "cpu"

    def take(self, rows: Tensor, moved: Tensor) -> Tensor:
        """Read rows and copy them."""
        taken = take_rows(self.array, rows.numpy())
        if not issparse(taken):
            return as_float32(torch.from_numpy(np.ascontiguousarray(taken)), self.device)
        if not self.sparse:
            return as_float32(torch.from_numpy(taken.toarray()), self.device)
        rows = sparse_tensor(taken)
        if self.device.type == "cpu":
            return rows.to(torch.float32)
        parts = to_device(rows.indices(), self.device), to_device(rows.values(), self.device, torch.float32)
        return torch.sparse_coo_tensor(*parts, rows.shape, is_coalesced=True, check_invariants=False)


def place(array: Any, device: torch.device, *, sparse: bool, verbose: int) -> Placed:
    """Return an array at its place.

    On the CPU, where nothing is gained by a copy, only what torch can share memory with becomes a tensor: no array that
    must not be written to, as the columns of pandas 3 are.
    """
    if isinstance(array, Tensor):
        return DeviceRows(as_float32(array, device))
    in_memory = isinstance(array, np.ndarray) and (array.base is None or file_of(array) is None)
    if device.type == "cpu":
        if in_memory and array.flags.writeable:
            return DeviceRows(as_float32(torch.as_tensor(array), device))
        return HostRows(array, device, sparse=sparse)
    if issparse(array) and fits(BYTES_OF_ENTRY * array.nnz, device, verbose=verbose):
        return DeviceSparseRows(array.tocsr(), device, sparse=sparse)
    is_shifted = isinstance(array, Shifted) and file_of(array.X) is None and hasattr(array.X, "strides")
    if (in_memory or is_shifted) and fits(BYTES * math.prod(array.shape), device, verbose=verbose):
        rows = array[:] if is_shifted else array
        return DeviceRows(as_float32(torch.from_numpy(rows if rows.flags.writeable else np.array(rows)), device))
    return HostRows(array, device, sparse=sparse)


def as_float32(rows: Tensor, device: torch.device) -> Tensor:
    """Return rows on a device, numbers with fractions in float32."""
    return to_device(rows, device, torch.float32 if rows.is_floating_point() else None)
