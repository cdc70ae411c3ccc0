"""Arrays that nobody else can change: a Graph is immutable."""

import mmap
from typing import Any

import numpy as np
from scipy import sparse


def kept(array: np.ndarray, given: Any) -> np.ndarray:
    """Return an array read-only: as a copy if it is, or is a view of, what others can change.

    A memory map is used as it is, as it may be larger than memory.
    """
    fresh = array is not given and array.base is None
    if not fresh and _can_change(array):
        array = array.copy(order="K")
    array = array.view()
    array.flags.writeable = False
    return array


def _can_change(array: Any) -> bool:
    changeable = False
    while isinstance(array, np.ndarray):
        if isinstance(array.base, mmap.mmap):
            return False
        changeable = changeable or array.flags.writeable
        array = array.base
    return changeable or array is not None


def kept_matrix(matrix: Any, given: Any) -> Any:
    """Return a CSR matrix read-only, as `kept` does its arrays."""
    arrays = [matrix.data, matrix.indices, matrix.indptr]
    if sparse.issparse(given) and given.format == "csr":
        originals = [given.data, given.indices, given.indptr]
        arrays = [kept(a, b if np.may_share_memory(a, b) else None) for a, b in zip(arrays, originals, strict=True)]
    matrix = type(matrix)(tuple(arrays), shape=matrix.shape)
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return frozen(matrix)


def frozen(matrix: Any) -> Any:
    """Return a CSR matrix with its arrays read-only."""
    for name in ("data", "indices", "indptr"):
        array = getattr(matrix, name).view()
        array.flags.writeable = False
        setattr(matrix, name, array)
    return matrix
