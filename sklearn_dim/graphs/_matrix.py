"""A constant sparse matrix for torch, whose product is fast forwards and backwards."""

import copy
import warnings
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.nn.functional import embedding_bag

from sklearn_dim.devices import to_device

DENSE_ABOVE = 0.1  # fraction of nonzeros from which a dense product is faster, about
HAS_FAST_BAGS = "fbgemm" in torch.backends.quantized.supported_engines  # x86 with AVX2
NARROW = 32  # columns from which bags are faster than MKL


class SparseMatrix:
    """A constant CSR matrix, kept with its transpose, for products ``matrix @ dense`` with a gradient for ``dense``.

    Parameters
    ----------
    matrix : scipy sparse matrix of shape (n, m)
    dtype : torch.dtype, default=torch.float32
    device : str or torch.device, default="cpu"

    Attributes
    ----------
    shape : tuple (n, m)
    dtype : torch.dtype
    nnz : int
    device : torch.device
    edges : tuple of Tensor
        The entries as torch_geometric takes edges.
    has_zeros : bool
        Whether entries that are left out are still there, as zeros.
    """

    has_zeros = False

    def __init__(self, matrix: Any, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"):
        self.shape, self.dtype, self.nnz = matrix.shape, dtype, matrix.nnz
        self.device = torch.device(device)
        self._matrix = matrix.tocsr()
        self.forward = torch_csr(self._matrix, dtype, device)

    @cached_property
    def backward(self) -> Tensor:
        """The transpose, made when a gradient first asks for it."""
        return torch_csr(self._matrix.T.tocsr(), self.dtype, self.device)

    @cached_property
    def _transposed_order(self) -> Tensor:
        """The number of each entry of the transpose, in the order of this matrix's entries."""
        numbered = sparse.csr_matrix((np.arange(self.nnz), *self._structure()), shape=self.shape)
        return to_device(torch.as_tensor(numbered.T.tocsr().data), self.device)

    def _structure(self) -> tuple[np.ndarray, np.ndarray]:
        """Return columns and row pointers on the host, from where they are: the device would have to be waited for."""
        if self._matrix is not None:
            return self._matrix.indices, self._matrix.indptr
        return self.forward.col_indices().cpu().numpy(), self.forward.crow_indices().cpu().numpy()

    def __matmul__(self, dense: Tensor) -> Tensor:
        return _Product.apply(self, dense)

    def times(self, dense: Tensor) -> Tensor:
        """Return the product without a gradient."""
        return _multiply(self.forward, dense)

    def transpose_times(self, dense: Tensor) -> Tensor:
        """Return the product of the transpose without a gradient."""
        return _multiply(self.backward, dense)

    def scipy(self) -> sparse.csr_matrix:
        parts = self.forward.values(), self.forward.col_indices(), self.forward.crow_indices()
        return sparse.csr_matrix(tuple(part.cpu().numpy() for part in parts), shape=self.shape)

    def above_shuffled(self, order: Tensor) -> "SparseMatrix":
        """Return the matrix (2n, m) whose product with Y is this one's, and below it this one's with Y[order]."""
        both = copy.copy(self)
        both._matrix = None  # whose entries are not these
        (n, m), nnz = self.shape, self.nnz
        both.shape, both.nnz = (2 * n, m), 2 * nnz
        start, columns, values = self.forward.crow_indices(), self.forward.col_indices(), self.forward.values()
        start = torch.cat([start, start[1:] + nnz])
        both.forward = _csr(start, torch.cat([columns, order.to(columns.dtype)[columns]]), values.repeat(2), both.shape)
        # Row order[k] of the transpose: its own entries, then those of row k, which are of the shuffled half.
        start, columns, values = self.backward.crow_indices(), self.backward.col_indices(), self.backward.values()
        counts = start.diff()
        shuffled_counts = torch.empty_like(counts)
        shuffled_counts[order] = counts
        ends = (counts + shuffled_counts).cumsum(0, dtype=start.dtype)
        own, shuffled = ends - counts - shuffled_counts - start[:-1], (ends - shuffled_counts)[order] - start[:-1]
        rows = self._transposed_rows
        places = torch.cat([own[rows], shuffled[rows]]).add_(torch.arange(nnz, device=self.device).repeat(2))
        both_columns, both_values = columns.new_empty(2 * nnz), values.new_empty(2 * nnz)
        both_columns[places], both_values[places] = torch.cat([columns, columns + n]), values.repeat(2)
        both.backward = _csr(torch.cat([start[:1], ends]), both_columns, both_values, (m, 2 * n))
        return both

    @cached_property
    def _transposed_rows(self) -> Tensor:
        """The row of each entry of the transpose."""
        return torch.repeat_interleave(self.backward.crow_indices().diff())

    def weighted(self, factors: Tensor) -> "SparseMatrix":
        """Return the matrix with its entries multiplied by ``factors`` (nnz,), which are in row-major order."""
        weighted = copy.copy(self)
        weighted._matrix = None  # whose entries are not these
        weighted.forward, weighted.backward = (
            _csr(matrix.crow_indices(), matrix.col_indices(), matrix.values() * entries, matrix.shape)
            for matrix, entries in ((self.forward, factors), (self.backward, factors[self._transposed_order]))
        )
        return weighted

    def __len__(self) -> int:
        return self.shape[0]

    def part(self, rows: np.ndarray, columns: np.ndarray) -> "SparseMatrix":
        """Return the matrix of these rows and columns."""
        return SparseMatrix(self.scipy()[rows][:, columns], self.dtype, self.device)

    def take_rows(self, rows: np.ndarray) -> "SparseMatrix":
        """Return the matrix of these rows."""
        return SparseMatrix(self.scipy()[rows], self.dtype, self.device)

    @property
    def columns(self) -> np.ndarray:
        """The column of each entry, in row-major order."""
        return self.forward.col_indices().cpu().numpy()

    @property
    def edges(self) -> tuple[Tensor, Tensor]:
        """Node numbers (2, nnz) as (source, target), which is from column to row, and weights (nnz,)."""
        return self._edge_index, self.forward.values()

    @cached_property
    def _edge_index(self) -> Tensor:
        start, columns = self.forward.crow_indices(), self.forward.col_indices()
        rows = torch.arange(self.shape[0], device=self.device)
        rows = rows.repeat_interleave(start.diff().long(), output_size=self.nnz)
        return torch.stack([columns.long(), rows])

    def masked(self, keep: Tensor) -> "SparseMatrix":
        """Return the matrix with only some entries; ``keep`` (nnz,) is a mask of them in row-major order.

        Where counting them would be to wait for the device, the others stay, as zeros.
        """
        if self.device.type != "cpu":
            masked = self.weighted(keep.to(self.dtype))
            masked.has_zeros = True
            return masked
        coo = self.forward.to_sparse_coo()
        rows, columns = coo.indices()[:, keep].cpu().numpy()
        values = coo.values()[keep].cpu().numpy()
        return SparseMatrix(sparse.csr_matrix((values, (rows, columns)), shape=self.shape), self.dtype, self.device)


class MaskedColumns:
    """X with weighted columns, of which only products are needed: (X diag(m)) W = X (diag(m) W)."""

    def __init__(self, matrix: SparseMatrix, mask: Tensor):
        self.matrix, self.mask = matrix, mask
        self.shape, self.device = matrix.shape, matrix.device

    def __matmul__(self, weight: Tensor) -> Tensor:
        return self.matrix @ (self.mask[:, None] * weight)

    def take_rows(self, rows: np.ndarray) -> "MaskedColumns":
        """Return the matrix of these rows."""
        return MaskedColumns(self.matrix.take_rows(rows), self.mask)


class SharedProducts:
    """X whose product with a weight is computed once, to be shared by a graph and its corrupted graph."""

    def __init__(self, matrix: SparseMatrix | MaskedColumns):
        self.matrix, self.shape, self.device = matrix, matrix.shape, matrix.device
        self._products: dict[int, Tensor] = {}

    def __matmul__(self, weight: Tensor) -> Tensor:
        if id(weight) not in self._products:
            self._products[id(weight)] = self.matrix @ weight
        return self._products[id(weight)]

    def take_rows(self, rows: np.ndarray) -> SparseMatrix | MaskedColumns:
        """Return the matrix of these rows, which shares nothing."""
        return self.matrix.take_rows(rows)


class ShuffledRows:
    """X with its rows in another order, of which only products are needed: X[order] W = (X W)[order]."""

    def __init__(self, matrix: SharedProducts, order: Tensor):
        self.matrix, self.order = matrix, order
        self.shape, self.device = matrix.shape, matrix.device

    def __matmul__(self, weight: Tensor) -> Tensor:
        return (self.matrix @ weight)[self.order]

    def take_rows(self, rows: np.ndarray) -> SparseMatrix | MaskedColumns:
        """Return the matrix of these rows."""
        return self.matrix.take_rows(self.order.cpu().numpy()[rows])


def _multiply(matrix: Tensor, dense: Tensor) -> Tensor:
    """Return the product of a CSR tensor and a dense one."""
    if dense.device.type != "cpu":
        return matrix @ dense
    if HAS_FAST_BAGS and dense.dtype == torch.float32 and dense.shape[1] >= NARROW:
        return _multiply_by_bags(matrix, dense)
    out = dense.new_empty(matrix.shape[0], dense.shape[1])
    return torch.addmm(out, matrix, dense, beta=0, out=out)  # mm itself would fill with zeros first


@torch.no_grad()
def _multiply_by_bags(matrix: Tensor, dense: Tensor) -> Tensor:
    """Return the product as sums of bags of rows: the same numbers in about half the time, as FBGEMM does it."""
    start, columns, values = matrix.crow_indices(), matrix.col_indices(), matrix.values()
    return embedding_bag(columns, dense, start, mode="sum", per_sample_weights=values, include_last_offset=True)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: SparseMatrix, dense: Tensor) -> Tensor:
        """Multiply."""
        ctx.matrix = matrix
        return matrix.times(dense)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        """Return the gradient of the dense factor; the matrix is constant."""
        return None, ctx.matrix.transpose_times(gradient.contiguous())


def torch_csr(matrix: sparse.csr_matrix, dtype: torch.dtype, device: str | torch.device = "cpu") -> Tensor:
    """Return a scipy CSR matrix as torch's; on the CPU it shares the arrays that have the right dtype."""
    arrays = (matrix.indptr, matrix.indices, matrix.data)
    start, columns, values = (to_device(read_only_tensor(array), device) for array in arrays)
    return _csr(start, columns, values.to(dtype), matrix.shape)


def read_only_tensor(array: np.ndarray) -> Tensor:
    """Return an array as a tensor that shares its memory and is only read, such as a part of a memory map."""
    with warnings.catch_warnings():  # torch warns of arrays that nobody may write to
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(np.ascontiguousarray(array))


def _csr(start: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, ...]) -> Tensor:
    with warnings.catch_warnings():  # torch calls its CSR tensors "beta state"
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_csr_tensor(start, columns, values, size=shape)


def as_matrix(
    X: Any, *, dense: bool = False, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
) -> Tensor | SparseMatrix:
    """Return an array or scipy matrix as a tensor, or as a `SparseMatrix` if that multiplies faster and is allowed."""
    nnz = X.nnz if sparse.issparse(X) else np.count_nonzero(X)
    if not dense and nnz < DENSE_ABOVE * np.prod(X.shape):
        return SparseMatrix(sparse.csr_matrix(X), dtype, device)
    X = X.toarray() if sparse.issparse(X) else X
    return to_device(read_only_tensor(X), device, dtype)
