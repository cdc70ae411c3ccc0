"""The matrices that graph convolutions multiply with."""

from collections.abc import Iterator

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from sklearn_dim.graphs._matrix import torch_csr

NORMALIZATIONS = ("symmetric", "mean", "sum")
ENTRIES = 2**22  # of a matrix that are worked on at a time: 32 MB of columns and values


def normalized_adjacency(adjacency: sparse.csr_matrix, kind: str = "symmetric") -> sparse.csr_matrix:
    """Return what a convolution multiplies with, row i gathering the neighbours of node i.

    Parameters
    ----------
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Weights, without loops.
    kind : {"symmetric", "mean", "sum"}, default="symmetric"
        "symmetric" is Â = D^-½ (A + I) D^-½, D the row sums of A + I (Kipf & Welling, ICLR 2017, eq. 2);
        "mean" is D^-1 A, D the row sums of A, zero rows for isolated nodes (Hamilton et al., NeurIPS 2017);
        "sum" is A.

    Raises
    ------
    ValueError
        If ``kind`` is another.
    """
    _check_kind(kind)
    if kind == "sum":
        return adjacency
    if kind == "mean":
        return adjacency.multiply(_inverse(row_sums(adjacency))[:, None]).tocsr()
    looped = _looped(adjacency)
    root = 1.0 / np.sqrt(row_sums(looped))
    return looped.multiply(root[:, None]).multiply(root[None, :]).tocsr()


class PropagationMatrix:
    """What `normalized_adjacency` returns, as scalings around the adjacency: no second matrix is held.

    The adjacency may lie in memory maps. It is read in row blocks; besides it only vectors of n_nodes are kept.

    Parameters
    ----------
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Weights, without loops.
    kind : {"symmetric", "mean", "sum"}, default="symmetric"
        As in `normalized_adjacency`.

    Attributes
    ----------
    shape : tuple (n_nodes, n_nodes)
    left, right : ndarray of shape (n_nodes,), or None
        Factors of the rows and of the columns.
    loop_at : ndarray of int of shape (n_nodes,), or None
        Where each row has its loop, counting its entries from 0; None if there are no loops.

    Raises
    ------
    ValueError
        If ``kind`` is another.
    """

    left: np.ndarray | None = None
    right: np.ndarray | None = None
    loop_at: np.ndarray | None = None

    def __init__(self, adjacency: sparse.csr_matrix, kind: str = "symmetric"):
        _check_kind(kind)
        self.adjacency, self.shape = adjacency, adjacency.shape
        if kind == "mean":
            self.left = _inverse(np.concatenate([row_sums(block) for _, block in row_blocks(adjacency)]))
        if kind == "symmetric":
            self.loop_at = np.concatenate([_below(first, block) for first, block in row_blocks(adjacency)])
            sums = [row_sums(_looped(block, first)) for first, block in row_blocks(adjacency)]
            self.left = self.right = 1.0 / np.sqrt(np.concatenate(sums))

    def lengths(self, rows: np.ndarray) -> np.ndarray:
        """Return the numbers of entries of some rows, loops included."""
        indptr = self.adjacency.indptr
        return indptr[rows + 1] - indptr[rows] + (self.loop_at is not None)

    def entries(self, rows: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns and values of entries, each given by its row and its position in that row."""
        A, at = self.adjacency, self.adjacency.indptr[rows] + positions
        if self.loop_at is None:
            columns, values = A.indices[at], A.data[at]
        else:
            loop_at = self.loop_at[rows]
            columns, values = rows.astype(A.indices.dtype), np.ones(len(rows), dtype=A.dtype)
            for others, shift in (positions < loop_at, 0), (positions > loop_at, 1):
                columns[others], values[others] = A.indices[at[others] - shift], A.data[at[others] - shift]
        if self.left is not None:
            values = values * self.left[rows]
        if self.right is not None:
            values = values * self.right[columns]
        return columns, values

    def __matmul__(self, dense: Tensor) -> Tensor:
        """Return the product with a tensor (n_nodes, n_columns) on the CPU, without a gradient."""
        scaled = dense if self.right is None else dense * torch.as_tensor(self.right, dtype=dense.dtype)[:, None]
        out = torch.empty_like(scaled)
        for first, block in row_blocks(self.adjacency):
            rows = out[first : first + block.shape[0]]
            torch.addmm(rows, torch_csr(block, dense.dtype), scaled, beta=0, out=rows)
        if self.loop_at is not None:
            out += scaled
        return out if self.left is None else out.mul_(torch.as_tensor(self.left, dtype=dense.dtype)[:, None])


def row_blocks(matrix: sparse.csr_matrix) -> Iterator[tuple[int, sparse.csr_matrix]]:
    """Yield blocks of rows of about `ENTRIES` entries, as views: the number of the first row, and the block."""
    first, n_rows = 0, matrix.shape[0]
    while first < n_rows:
        stop = int(np.searchsorted(matrix.indptr, int(matrix.indptr[first]) + ENTRIES, side="right")) - 1
        stop = min(max(stop, first + 1), n_rows)
        yield first, row_block(matrix, first, stop)
        first = stop


def row_block(matrix: sparse.csr_matrix, first: int, stop: int) -> sparse.csr_matrix:
    """Return the rows from ``first`` up to ``stop`` as a matrix that shares its columns and values."""
    pointers = np.asarray(matrix.indptr[first : stop + 1])
    part = slice(int(pointers[0]), int(pointers[-1]))
    arrays = matrix.data[part], matrix.indices[part], pointers - pointers[0]
    return csr_of(*arrays, shape=(stop - first, matrix.shape[1]))


def csr_of(
    data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, *, shape: tuple[int, int], canonical: bool = False
) -> sparse.csr_matrix:
    """Return a CSR matrix of these very arrays; scipy's constructor would read them, and might copy them.

    ``canonical`` says that rows are sorted and have no entry twice.
    """
    matrix = sparse.csr_matrix(shape, dtype=data.dtype)
    matrix.data, matrix.indices, matrix.indptr = data, indices, indptr
    if canonical:
        matrix.has_sorted_indices = matrix.has_canonical_format = True
    return matrix


def row_sums(matrix: sparse.csr_matrix) -> np.ndarray:
    """Return the sum of each row."""
    return np.asarray(matrix.sum(axis=1)).ravel()


def _looped(rows: sparse.csr_matrix, first: int = 0) -> sparse.csr_matrix:
    """Return the rows from number ``first`` on with a loop of weight 1 each."""
    return (rows + sparse.eye(*rows.shape, k=first, dtype=rows.dtype, format="csr")).tocsr()


def _inverse(sums: np.ndarray) -> np.ndarray:
    """Return 1 / sums, with 0 for 0."""
    return np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0)


def _below(first: int, rows: sparse.csr_matrix) -> np.ndarray:
    """Return how many entries of each row, of rows from number ``first`` on, are left of the diagonal."""
    lengths = np.diff(rows.indptr)
    left = rows.indices < np.repeat(np.arange(first, first + rows.shape[0]), lengths)
    counts = np.cumsum(np.append(0, left), dtype=rows.indptr.dtype)
    return counts[rows.indptr[1:]] - counts[rows.indptr[:-1]]


def _check_kind(kind: str) -> None:
    if kind not in NORMALIZATIONS:
        raise ValueError(f"normalization={kind!r} is unknown; use one of {NORMALIZATIONS}.")
