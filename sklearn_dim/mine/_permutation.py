"""Is the dependence significant? Permutation tests of trained critics on rows that they never saw."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

MAX_LEAF = 10  # rows of like conditions that may be exchanged: about the neighbours of Runge (AISTATS 2018)


class Chunk(NamedTuple):
    """Rows that a critic compares with each other.

    Attributes
    ----------
    table : ndarray of shape (n, n)
        Log-ratios of all pairs of a row of X and a row of y.
    strata : ndarray of int of shape (n,) or None
        Rows of y are exchanged only within a stratum; None is one stratum.
    units : ndarray of int of shape (n,) or None
        Units (subjects, blocks of time) are exchanged as a whole with others of the same length, row by row in their
        order; None exchanges single rows.
    """

    table: np.ndarray
    strata: np.ndarray | None = None
    units: np.ndarray | None = None


def permutation_p_value(chunks: Iterator[Chunk], n_permutations: int, random_state: np.random.RandomState) -> float:
    """Return the p-value of the sum of the rows' log-ratios over all chunks, among permutations within each.

    Parameters
    ----------
    chunks : iterator of Chunk
        One is in memory at a time.
    n_permutations : int
    random_state : RandomState

    Returns
    -------
    float
        (1 + the number of permutations that reach the statistic) / (n_permutations + 1), which is exact if the critics
        never saw these rows and units are exchangeable under independence (Phipson & Smyth, 2010).
    """
    statistic, drawn = 0.0, np.zeros(n_permutations)
    for chunk in chunks:
        rows = np.arange(len(chunk.table))
        statistic += chunk.table.diagonal().sum(dtype=np.float64)
        exchange = _exchange(chunk)
        for i in range(n_permutations):
            drawn[i] += chunk.table[rows, exchange(random_state)].sum(dtype=np.float64)
    slack = 1e-9 * (1 + abs(statistic))  # the identity, added in another order, reaches the statistic
    return float((1 + np.sum(drawn >= statistic - slack)) / (n_permutations + 1))


def _exchange(chunk: Chunk):
    """Return a function that draws a permutation of the chunk's rows."""
    n = len(chunk.table)
    if chunk.units is not None:
        return _UnitExchange(chunk.units)
    if chunk.strata is None:
        return lambda random: random.permutation(n)
    by_stratum = np.argsort(chunk.strata, kind="stable")

    def within_strata(random):
        order = np.empty(n, dtype=np.intp)
        order[by_stratum] = np.lexsort((random.random_sample(n), chunk.strata))
        return order

    return within_strata


class _UnitExchange:
    """Draws permutations in which whole units change places with others of their length."""

    def __init__(self, units: np.ndarray):
        names, sizes = np.unique(units, return_counts=True)
        starts = np.argsort(units, kind="stable")
        ends = np.cumsum(sizes)
        rows = [starts[end - size : end] for end, size in zip(ends, sizes, strict=True)]
        self.n = len(units)
        self.of_one_length = [np.stack([row for row in rows if len(row) == size]) for size in np.unique(sizes)]
        if all(len(stack) == 1 for stack in self.of_one_length):
            raise ValueError(
                f"no two of the {len(names)} groups have the same number of rows, so none can be exchanged. Give "
                "blocks of one length, such as block=50, or groups of equal size."
            )

    def __call__(self, random) -> np.ndarray:
        order = np.empty(self.n, dtype=np.intp)
        for stack in self.of_one_length:
            order[stack] = stack[random.permutation(len(stack))]
        return order


def blocks_of(n: int, length: int) -> np.ndarray:
    """Return the number of each row's block (n,): runs of ``length`` rows; a shorter rest joins no block (−1)."""
    number = np.arange(n) // length
    return np.where(number < n // length, number, -1)


def like_rows(conditions: np.ndarray, max_leaf: int = MAX_LEAF) -> np.ndarray:
    """Return strata of rows (n,) with like conditions (n, d): leaves of a tree of medians, at most ``max_leaf`` rows.

    Rows that are equal in all conditions stay together, however many they are.
    """
    strata = np.zeros(len(conditions), dtype=np.intp)
    pending, done = [np.arange(len(conditions))], 0
    while pending:
        rows = pending.pop()
        spread = np.ptp(conditions[rows], axis=0)
        column = int(spread.argmax())
        if len(rows) <= max_leaf or spread[column] == 0:
            strata[rows] = done
            done += 1
            continue
        values = conditions[rows, column]
        middle = np.median(values)
        lower = values < middle if (values < middle).any() else values <= middle
        pending += [rows[lower], rows[~lower]]
    return strata
