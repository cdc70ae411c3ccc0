"""Checks of large arrays, some rows at a time."""

from typing import Any

import numpy as np
from scipy import sparse

from sklearn_dim.graphs._normalize import row_blocks

NUMBERS = 2**22  # that are looked at in one go


def check_finite(numbers: np.ndarray, what: str) -> None:
    """Raise ValueError if rows, or the values of a matrix (1-D), are not all finite, naming the first that is not."""
    step = max(1, NUMBERS // max(1, int(np.prod(numbers.shape[1:]))))
    for first in range(0, len(numbers), step):
        bad = ~np.isfinite(numbers[first : first + step])
        if bad.any():
            place = first + int(np.argwhere(bad)[0, 0])
            kind = "row" if numbers.ndim > 1 else "entry"
            raise ValueError(f"{what}: {kind} {place} is missing or infinite; replace it, or leave its node out.")


def check_pointers(indptr: np.ndarray, n_entries: int, what: str) -> None:
    """Raise ValueError unless ``indptr`` divides n_entries among rows."""
    if indptr[0] != 0 or indptr[-1] != n_entries or (np.diff(indptr) < 0).any():
        raise ValueError(f"{what}: indptr must rise from 0 to the number of entries, {n_entries}.")


def check_columns(matrix: sparse.csr_matrix, what: str) -> None:
    """Raise ValueError unless the columns of each row rise, none twice, within the matrix."""
    check_pointers(matrix.indptr, len(matrix.indices), what)
    for first, block in row_blocks(matrix):
        columns = np.asarray(block.indices)
        rises = columns[1:] > columns[:-1]
        starts = block.indptr[1:-1]
        rises[starts[(starts > 0) & (starts < len(columns))] - 1] = True  # between two rows
        bad = (columns < 0) | (columns >= matrix.shape[1])
        bad[1:] |= ~rises
        if bad.any():
            raise ValueError(f"{what}: the columns of row {_row(block, bad, first)} are not sorted, or outside.")


def check_edges(adjacency: sparse.csr_matrix, *, directed: bool) -> None:
    """Raise ValueError unless a CSR matrix is what `Graph` holds.

    That is: sorted columns, positive finite weights, no loops; and symmetric unless ``directed``. Symmetry is seen
    from sums of a hash over the entries (i, j, w) and (j, i, w), which are equal by chance once in 2⁶⁴ cases.
    """
    check_columns(adjacency, "adjacency")
    total = np.zeros((2, 1), dtype=np.uint64)
    for first, block in row_blocks(adjacency):
        rows = np.repeat(np.arange(first, first + block.shape[0]), np.diff(block.indptr))
        bad = ~((block.data > 0) & np.isfinite(block.data))
        if bad.any():
            raise ValueError(
                f"adjacency: a weight of row {_row(block, bad, first)} is missing, infinite or not positive."
            )
        if (loops := rows == block.indices).any():
            raise ValueError(f"adjacency: node {_row(block, loops, first)} has a loop.")
        weights = block.data.astype(np.float64).view(np.uint64)
        total[0] += _hashed(rows, block.indices, weights).sum(keepdims=True)
        total[1] += _hashed(block.indices, rows, weights).sum(keepdims=True)
    if not directed and total[0] != total[1]:
        raise ValueError("adjacency is not symmetric; give both directions of each edge, or say directed=True.")


def _row(block: sparse.csr_matrix, bad: np.ndarray, first: int) -> int:
    """Return the number of the row of the first bad entry."""
    return first + int(np.searchsorted(block.indptr, int(np.argmax(bad)), side="right")) - 1


def _hashed(*numbers: Any) -> np.ndarray:
    """Return 64 bits for each tuple of integers: the mixer of splitmix64 (Steele, Lea & Flood, OOPSLA 2014)."""
    x = np.zeros(1, dtype=np.uint64)
    for part in numbers:
        x = (x ^ part.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return x
