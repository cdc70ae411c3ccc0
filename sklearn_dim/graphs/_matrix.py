"""A constant sparse matrix for torch, whose product is fast forwards and backwards."""

import copy
import warnings
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

DENSE_ABOVE = 0.1  # fraction of nonzeros from which a dense product is faster, about


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
    """

    def __init__(self, matrix: Any, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"):
        self.shape, self.dtype, self.nnz = matrix.shape, dtype, matrix.nnz
        self.device = torch.device(device)
        self.forward = _torch_csr(matrix.tocsr(), dtype, device)
        self.backward = _torch_csr(matrix.T.tocsr(), dtype, device)

    def __matmul__(self, dense: Tensor) -> Tensor:
        return _Product.apply(self, dense)

    def times(self, dense: Tensor, out: Tensor | None = None) -> Tensor:
        """Return the product without a gradient, into ``out`` if given."""
        return _multiply(self.forward, dense, out)

    def transpose_times(self, dense: Tensor, out: Tensor | None = None, *, add: bool = False) -> Tensor:
        """Return the product of the transpose without a gradient, into ``out`` if given, or added to it."""
        return _multiply(self.backward, dense, out, add)

    def with_shuffled_columns(self, order: Tensor) -> "SparseMatrix":
        """Return the matrix whose product with Y is this one's with Y[order]."""
        shuffled = copy.copy(self)
        start, columns, values = self.forward.crow_indices(), self.forward.col_indices(), self.forward.values()
        shuffled.forward = _csr(start, order.to(columns.dtype)[columns], values, self.shape)
        start, columns, values = self.backward.crow_indices(), self.backward.col_indices(), self.backward.values()
        rows = torch.argsort(order)
        counts = start.diff()[rows]
        ends = counts.cumsum(0)
        entries = torch.arange(len(values), device=self.device)
        entries += torch.repeat_interleave(start[:-1][rows] - ends + counts, counts, output_size=len(values))
        moved = torch.cat([ends.new_zeros(1), ends]).to(start.dtype)
        shuffled.backward = _csr(moved, columns[entries], values[entries], self.backward.shape)
        return shuffled

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def edges(self) -> tuple[Tensor, Tensor]:
        """Node numbers (2, nnz) as (source, target), which is from column to row, and weights (nnz,)."""
        coo = self.forward.to_sparse_coo()
        return coo.indices().flip(0), coo.values()

    def masked(self, keep: Tensor) -> "SparseMatrix":
        """Return the matrix with only some entries; ``keep`` (nnz,) is a mask of them in row-major order."""
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


class SharedProducts:
    """X whose product with a weight is computed once, to be shared by a graph and its corrupted graph."""

    def __init__(self, matrix: SparseMatrix | MaskedColumns):
        self.matrix, self.shape, self.device = matrix, matrix.shape, matrix.device
        self._products: dict[int, Tensor] = {}

    def __matmul__(self, weight: Tensor) -> Tensor:
        if id(weight) not in self._products:
            self._products[id(weight)] = self.matrix @ weight
        return self._products[id(weight)]


class ShuffledRows:
    """X with its rows in another order, of which only products are needed: X[order] W = (X W)[order]."""

    def __init__(self, matrix: SharedProducts, order: Tensor):
        self.matrix, self.order = matrix, order
        self.shape, self.device = matrix.shape, matrix.device

    def __matmul__(self, weight: Tensor) -> Tensor:
        return (self.matrix @ weight)[self.order]


def _multiply(matrix: Tensor, dense: Tensor, out: Tensor | None, add: bool = False) -> Tensor:
    """Return the product of a CSR tensor and a dense one, into ``out``, or added to it."""
    out = dense.new_empty(matrix.shape[0], dense.shape[1]) if out is None else out
    return torch.addmm(out, matrix, dense, beta=int(add), out=out)  # mm itself would fill with zeros first


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


def _torch_csr(matrix: sparse.csr_matrix, dtype: torch.dtype, device: str | torch.device) -> Tensor:
    arrays = (matrix.indptr, matrix.indices, matrix.data)
    with warnings.catch_warnings():  # arrays of a Graph are read-only, and nothing writes to a matrix
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        start, columns, values = (torch.from_numpy(np.asarray(array)).to(device) for array in arrays)
    return _csr(start, columns, values.to(dtype), matrix.shape)


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
    return torch.as_tensor(np.ascontiguousarray(X)).to(device, dtype)
