"""A constant sparse matrix for torch, with a product that is fast both ways."""

import warnings

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

DENSE_ABOVE = 0.1  # share of non-zeros from which a dense product is faster


class SparseMatrix:
    """A CSR matrix and its transpose, multiplied from the left: ``matrix @ dense``.

    Gradients flow to the dense factor.

    Parameters
    ----------
    matrix : scipy sparse matrix of shape (n, m)
    dtype : torch.dtype, default=torch.float32
    device : str or torch.device, default="cpu"
    """

    def __init__(self, matrix, dtype=torch.float32, device="cpu"):
        self.shape, self.dtype = matrix.shape, dtype
        self.device = torch.device(device)
        self.forward = _torch_csr(matrix.tocsr(), dtype, device)
        self.backward = _torch_csr(matrix.T.tocsr(), dtype, device)

    def __matmul__(self, dense: Tensor) -> Tensor:
        return _Product.apply(self.forward, self.backward, dense)

    def __len__(self) -> int:
        return self.shape[0]


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, matrix, transpose, dense):
        """Multiply."""
        ctx.transpose = transpose
        return matrix @ dense

    @staticmethod
    def backward(ctx, gradient):
        """Multiply the gradient by the transpose."""
        return None, None, ctx.transpose @ gradient


def _torch_csr(matrix: sparse.csr_matrix, dtype, device) -> Tensor:
    parts = (torch.from_numpy(np.asarray(part)) for part in (matrix.indptr, matrix.indices, matrix.data))
    rows, columns, values = parts
    with warnings.catch_warnings():  # "beta state", for years
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_csr_tensor(rows, columns, values.to(dtype), size=matrix.shape, device=device)


def as_matrix(X, *, dense=False, dtype=torch.float32, device="cpu") -> "Tensor | SparseMatrix":
    """Return rows as a dense tensor, or (unless ``dense``) as a `SparseMatrix` where that is faster to multiply."""
    filled = X.nnz if sparse.issparse(X) else np.count_nonzero(X)
    if not dense and filled < DENSE_ABOVE * np.prod(X.shape):
        return SparseMatrix(sparse.csr_matrix(X), dtype, device)
    X = X.toarray() if sparse.issparse(X) else X
    return torch.as_tensor(np.ascontiguousarray(X)).to(device, dtype)
