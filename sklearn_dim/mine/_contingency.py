"""The log-ratio of two discrete sides, from a smoothed contingency table."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy import sparse, stats

from sklearn_dim.mine._discrete import Table, check_symbols, tabulate

DENSE = 2**22  # cells of a table that may be held whole
STRENGTHS = (math.inf, 30.0, 10.0, 3.0, 1.0, 0.3, 0.0)  # rows' worth of independence beside those of a level
SHARES = np.geomspace(1.0, 1e-4, 41)  # of independence in the mixture


class HeldOut(NamedTuple):
    """The information in held-out rows, by a table that did not see them.

    Attributes
    ----------
    value : float
        Donsker and Varadhan's bound in nats.
    contributions : ndarray of shape (n,)
        Each row's contribution (a pseudo-value, to first order), with `value` as their mean.
    lower : ndarray of shape (n,)
        Each row's contribution to InfoNCE's value.
    """

    value: float
    contributions: np.ndarray
    lower: np.ndarray


class Contingency:
    r"""The log-ratio log p(x, y)/p(x)p(y) of two discrete sides, from a smoothed contingency table.

    With :math:`r_{ij} = n\, n_{ij} / n_i n_j` the ratio is
    :math:`(1 + \kappa s_i t_j (r_{ij} - 1))/z`, where :math:`s_i = n_i / (n_i + \beta)`, :math:`t_j` likewise:
    the fewer rows a level has, the nearer it is to independence. κ and β are those under which each training row is
    likeliest by the table of the others; z makes the mean over all pairs of training rows one. The parts of the
    table are kept by cells that occur, so that memory and time grow with the rows, not with the levels' product.

    Attributes
    ----------
    x_levels_, y_levels_ : ndarray
        Sorted symbols of the training rows.
    x_weights_, y_weights_ : ndarray
        κ·s and t of each level.
    cells_ : ndarray of int
        Sorted positions i·len(y_levels_) + j of the cells that occur.
    ratios_ : ndarray
        What each of them has beyond a cell that does not.
    scale_ : float
        z.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dim.mine._contingency import Contingency
    >>> x = np.repeat([0, 1], 50)
    >>> Contingency().fit(x, x).log_ratio(np.array([0, 0, 7]), np.array([0, 1, 0])).round(1)
    array([ 0.7, -4.6,  0. ])
    """

    x_levels_: np.ndarray
    y_levels_: np.ndarray
    x_weights_: np.ndarray
    y_weights_: np.ndarray
    cells_: np.ndarray
    ratios_: np.ndarray
    scale_: float

    def fit(self, x, y) -> "Contingency":
        """Fit the table to training symbols (n,) each."""
        x, y = check_symbols(x, y)
        table = tabulate(x, y)
        self.x_levels_, self.y_levels_ = np.unique(x), np.unique(y)
        n = len(x)
        i, j = _distinct(table.row, table.column, len(table.columns))
        share, strength = _smoothing(table, i, j)
        self.x_weights_ = (1 - share) * _weights(table.rows, strength)
        self.y_weights_ = _weights(table.columns, strength)
        self.scale_ = _mean_ratio(table, i, j, self.x_weights_, self.y_weights_)
        weights = self.x_weights_[i] * self.y_weights_[j]
        self.cells_ = i * len(self.y_levels_) + j
        self.ratios_ = weights * n * table.cells / (table.rows[i] * table.columns[j]) / self.scale_
        return self

    def log_ratio(self, x, y) -> np.ndarray:
        """Return the log-ratio of each pair (n,); 0 where a symbol was not in the training rows."""
        return np.log(self._ratio(*self._codes(x, y)))

    def table(self, x, y) -> np.ndarray:
        """Return the log-ratios of all pairs of symbols (len(x), len(y)), which need not be of the same rows."""
        i, j = self._code(x, self.x_levels_), self._code(y, self.y_levels_)
        (x_seen, row), (y_seen, column) = (np.unique(codes, return_inverse=True) for codes in (i, j))
        pairs = np.meshgrid(x_seen, y_seen, indexing="ij")
        small = np.log(self._ratio(*(codes.ravel() for codes in pairs))).reshape(len(x_seen), len(y_seen))
        return small[np.ix_(row.ravel(), column.ravel())]

    def contributions(self, x, y) -> np.ndarray:
        """Return each new row's contribution (n,) to the value, see `evaluate`."""
        return self.evaluate(x, y).contributions

    def evaluate(self, x, y) -> HeldOut:
        """Return the information of new rows and each row's contribution to it.

        All pairs of the new rows are the draws of the margins, as in `PairInformation.evaluate`; their sums are taken
        by level, in time O(cells + n).
        """
        i, j = self._codes(x, y)
        n = len(i)
        if n < 2:
            raise ValueError(f"evaluate takes at least 2 rows, whose pairs are the draws of the margins; got {n}.")
        joint = self._ratio(i, j)
        log_ratio = np.log(joint)
        row, column = self._sums(i, j)
        rows, columns = row - joint, column - joint
        mean = rows.sum() / (n * (n - 1))
        value = float(log_ratio.mean() - math.log(mean))
        contributions = log_ratio - (rows + columns) / (n - 1) / mean
        lower = log_ratio - (np.log(row) + np.log(column)) / 2 + math.log(n)
        return HeldOut(value, contributions + (value - contributions.mean()), lower)

    def permuted(self, x, y, orders: Iterable[np.ndarray]) -> np.ndarray:
        """Return the mean log-ratio of (x, y[order]) for each of ``orders``, such as those within groups or blocks."""
        i, j = self._codes(x, y)
        table = self._log_table()
        if table is None:
            return np.array([np.log(self._ratio(i, j[order])).mean() for order in orders])
        flat, start = table.ravel(), i * table.shape[1]  # codes of -1, never seen, are the last row and column
        return np.array([np.take(flat, start + j[order], mode="wrap").mean() for order in orders])

    def null(self, x, y, n_permutations: int, random_state=None) -> np.ndarray:
        """Return the mean log-ratio of (x, y[order]) for as many uniform orders, drawn as whole tables if small."""
        i, j = self._codes(x, y)
        random = np.random.default_rng(random_state)
        table = self._log_table()
        if table is None or table.size > len(i):
            return self.permuted(x, y, (random.permutation(len(i)) for _ in range(n_permutations)))
        rows = np.bincount(i % table.shape[0], minlength=table.shape[0])
        columns = np.bincount(j % table.shape[1], minlength=table.shape[1])
        law = stats.random_table(rows, columns)
        draws = (law.rvs(method="patefield", random_state=random) for _ in range(n_permutations))
        return np.array([float((draw * table).sum()) for draw in draws]) / len(i)

    def _codes(self, x, y) -> tuple[np.ndarray, np.ndarray]:
        x, y = np.asarray(x), np.asarray(y)
        if x.ndim != 1 or x.shape != y.shape:
            raise ValueError(f"x and y must be one symbol for each of the same rows; got shapes {x.shape}, {y.shape}.")
        return self._code(x, self.x_levels_), self._code(y, self.y_levels_)

    def _code(self, symbols, levels) -> np.ndarray:
        """Return the position of each symbol among the levels, or -1."""
        symbols = np.asarray(symbols)
        position = np.minimum(np.searchsorted(levels, symbols), len(levels) - 1)
        return np.where(levels[position] == symbols, position, -1)

    def _ratio(self, i, j) -> np.ndarray:
        cell = i * len(self.y_levels_) + j
        position = np.minimum(np.searchsorted(self.cells_, cell), len(self.cells_) - 1)
        beyond = np.where(self.cells_[position] == cell, self.ratios_[position], 0.0)
        ratio = (1 - self.x_weights_[i] * self.y_weights_[j]) / self.scale_ + beyond
        return np.where((i < 0) | (j < 0), 1.0, ratio)

    def _sums(self, i, j) -> tuple[np.ndarray, np.ndarray]:
        """Return, for each row, the sum of its ratios with all y, and of its y's with all x."""
        shape = len(self.x_levels_), len(self.y_levels_)
        beyond = sparse.csr_array((self.ratios_, np.divmod(self.cells_, shape[1])), shape=shape)
        x, y = np.bincount(i[i >= 0], minlength=shape[0]), np.bincount(j[j >= 0], minlength=shape[1])
        by_x = (y.sum() - self.x_weights_ * (self.y_weights_ @ y)) / self.scale_ + beyond @ y + (len(j) - y.sum())
        by_y = (x.sum() - self.y_weights_ * (self.x_weights_ @ x)) / self.scale_ + beyond.T @ x + (len(i) - x.sum())
        return np.where(i < 0, len(j), by_x[i]), np.where(j < 0, len(i), by_y[j])

    def _log_table(self) -> np.ndarray | None:
        """Return the log-ratios of all levels, with one row and column for symbols never seen, or None if large."""
        shape = len(self.x_levels_) + 1, len(self.y_levels_) + 1
        if shape[0] * shape[1] > DENSE:
            return None
        i, j = (np.r_[np.arange(size - 1), -1] for size in shape)
        pairs = (codes.ravel() for codes in np.meshgrid(i, j, indexing="ij"))
        return np.log(self._ratio(*pairs)).reshape(shape)


def _distinct(row, column, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    i, j = np.divmod(np.unique(row * n_columns + column), n_columns)
    return i, j


def _weights(counts, strength: float) -> np.ndarray:
    if math.isinf(strength):
        return np.zeros(len(counts))
    return counts / np.maximum(counts + strength, 1e-9)


def _mean_ratio(table: Table, i, j, x_weights, y_weights) -> float:
    """Return the mean of 1 + s·t·(r − 1) over all pairs of the rows."""
    n = len(table.row)
    joint = float((table.cells * x_weights[i] * y_weights[j]).sum()) / n
    return 1 + joint - float(x_weights @ table.rows) * float(y_weights @ table.columns) / n**2


def _smoothing(table: Table, i, j) -> tuple[float, float]:
    """Return the share and strength of independence under which each row is likeliest by the table of the others."""
    n = len(table.row)
    rows, columns = table.rows[i] - 1, table.columns[j] - 1
    known = (rows > 0) & (columns > 0)
    ratio = (table.cells - 1) * (n - 1) / np.where(known, rows * columns, 1)
    best, chosen = 0.0, (1.0, math.inf)
    shares = SHARES[n * SHARES > 1]  # less than the one row that might come next is not to be known
    for strength in STRENGTHS[1:]:
        weights = np.where(known, _weights(rows, strength) * _weights(columns, strength), 0.0)
        excess = _mean_ratio(table, i, j, *(_weights(side, strength) for side in (table.rows, table.columns))) - 1
        for share in (*shares[1:], 1 / (n + 1)):
            kept = 1 - share
            value = float(table.cells @ np.log1p(kept * weights * (ratio - 1)))
            value -= n * math.log1p(kept * excess)
            if value > best + 1e-9 * n:
                best, chosen = value, (float(share), strength)
    return chosen
