"""I(X; Y) by nearest neighbours, for few columns of any kind."""

from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma, ndtri

N_NEIGHBORS = 4
BEYOND_NOISE = 3.0  # standard errors that a mean needs before it counts as more than noise
APART = 32.0  # between classes; normal scores of any sample are less than 16 apart


def neighbor_contributions(
    x: Any, y: Any, *, x_discrete: Any = None, y_discrete: Any = None, n_neighbors: int = N_NEIGHBORS
) -> np.ndarray:
    """Return each row's contribution to I(X; Y): their mean is the estimate, their spread tells its error.

    Around each row is the largest open ball of the maximum norm that holds fewer than ``n_neighbors`` others. With m
    rows in it, itself among them, m_x of whose x and m_y of whose y are that near, the row contributes

        ψ(m) + ψ(n) − ψ(m_x) − ψ(m_y).

    For continuous columns this is the first estimator of Kraskov et al. [1]_, for one against classes that of Ross
    [2]_. Values that repeat need no case of their own, as an open ball counts all rows that it holds: zeros, counts
    and rounded numbers are as near as they are. Where already equal rows are that many, the ball is these rows, as
    Gao et al. have it [3]_; then, as for two discrete sides, this is the information in a table of counts, less
    the bias of Miller and Madow, since ψ(m) ≈ ln m − 1/2m.

    A dependence that changes within a ball is seen in part only. Such an estimate falls with the number of
    neighbours, about in proportion: as far as it falls by more than three standard errors from k to 2k neighbours,
    the same difference is added once more, towards no neighbours. Weak and smooth dependences, where estimate or
    difference is noise, keep the estimate with k.

    Parameters
    ----------
    x, y : array-like of shape (n_samples,) or (n_samples, n_columns)
        Numbers; codes of the levels in discrete columns.
    x_discrete, y_discrete : array-like of bool of shape (n_columns,), default=None
        Which columns are classes, infinitely far from each other; None is none. Other columns are compared by the
        normal scores of their ranks, in which equal values stay equal.
    n_neighbors : int, default=4
        More neighbours average more, and see less of a dependence that is intricate or strong. A class that has
        fewer members takes them all.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats. Rows in another order have the same contributions, and so have y and x.

    References
    ----------
    .. [1] A. Kraskov, H. Stögbauer, P. Grassberger, "Estimating mutual information", Physical Review E 69, 2004.
    .. [2] B. C. Ross, "Mutual information between discrete and continuous data sets", PLoS ONE 9(2), 2014.
    .. [3] W. Gao, S. Kannan, S. Oh, P. Viswanath, "Estimating mutual information for discrete-continuous mixtures",
       NeurIPS 2017.
    """
    sides = _Side(x, x_discrete), _Side(y, y_discrete)
    n = len(sides[0].cells)
    joint_cells = _combine([sides[0].cells, sides[1].cells])
    # Numbers are multiples of a power of two, so that sums and differences of them are exact, and equal is equal.
    largest = APART * (joint_cells.max(initial=0) + 1)
    unit = 2.0 ** (np.ceil(np.log2(largest)) - 51)
    for side in sides:
        side.place(unit)
    if not (sides[0].n_scores or sides[1].n_scores):
        sizes = np.bincount(joint_cells)[joint_cells]
        return _contributions(sides, _Balls(sizes, np.zeros(n), np.zeros(n, dtype=bool)))
    points = _apart(np.hstack([side.scores for side in sides]), joint_cells)
    ranks = [values for side in sides for values in side.ranks]
    unique = next((values for values in ranks if values.max() == n - 1), None)  # then so are the rows
    rows = _combine([joint_cells, *ranks]) if unique is None else unique
    tree = _Tree(points, rows)
    near = _contributions(sides, tree.open_balls(n_neighbors, unit))
    if not beyond_noise(near):
        return near
    trend = near - _contributions(sides, tree.open_balls(2 * n_neighbors, unit))
    return near + beyond_noise(trend) * trend


def beyond_noise(values: np.ndarray, errors: float = BEYOND_NOISE) -> float:
    """Return which fraction of the values' mean is more than ``errors`` standard errors of noise, 0 to 1."""
    values = np.sort(values)  # in another order the sum would have other last digits
    mean = values.mean()
    squared_error = values.var() / len(values)
    return max(0.0, 1 - errors**2 * squared_error / mean**2) if mean > 0 else 0.0


class _Balls(NamedTuple):
    """Around each row: how many rows the open ball holds, its radius, and where all other classes are elsewhere."""

    sizes: np.ndarray
    radius: np.ndarray
    alone: np.ndarray


class _Side:
    """One table: which rows are in the same classes, and normal scores of the rest."""

    def __init__(self, table: Any, discrete: Any):
        table = np.asarray(table)
        table = table[:, None] if table.ndim == 1 else table
        mask = np.zeros(table.shape[1], dtype=bool) if discrete is None else np.asarray(discrete, dtype=bool).ravel()
        columns = [np.unique(column, return_inverse=True, return_counts=True)[1:] for column in table.T]
        self.cells = _combine(
            [codes for (codes, _), is_class in zip(columns, mask, strict=True) if is_class], len(table)
        )
        self.cell_counts = np.bincount(self.cells)[self.cells]
        continuous = [
            column for column, is_class in zip(columns, mask, strict=True) if not is_class and len(column[1]) > 1
        ]
        self.ranks = [codes for codes, _ in continuous]
        self.n_scores = len(continuous)
        parts = [ndtri((np.cumsum(count) - count / 2) / len(table))[codes] for codes, count in continuous]
        self.scores = np.column_stack(parts) if parts else np.empty((len(table), 0))

    def place(self, unit: float) -> None:
        """Round the scores to multiples of ``unit``."""
        self.scores = np.round(self.scores / unit) * unit
        self._points = _apart(self.scores, self.cells) if self.n_scores else self.scores
        self._order = None
        if self.n_scores == 1:
            rank = self.ranks[0]
            if rank.max() == len(rank) - 1 and not self.cells.any():  # no ties: the ranks are the order
                self._order = np.empty(len(rank), dtype=np.intp)
                self._order[rank] = np.arange(len(rank))
            else:
                self._order = np.argsort(self._points[:, 0])

    def counts(self, radius: np.ndarray) -> np.ndarray:
        """Return how many rows, itself among them, are as near to each row as ``radius`` (n,)."""
        if not self.n_scores:
            return self.cell_counts
        if self._order is None:
            tree = cKDTree(self._points, balanced_tree=False)
            return tree.query_ball_point(self._points, radius, p=np.inf, return_length=True)
        line, radius = self._points[self._order, 0], radius[self._order]
        counts = np.empty(len(line), dtype=np.intp)
        counts[self._order] = np.searchsorted(line, line + radius, "right") - np.searchsorted(line, line - radius)
        return counts


def _combine(codes: list[np.ndarray], n: int = 0) -> np.ndarray:
    """Return a number for each row, the same for rows that are equal in all of ``codes``: all from 0 on are there."""
    combined = np.zeros(n, dtype=np.int64) if not codes else codes[0].astype(np.int64).ravel()
    for code in codes[1:]:
        code = code.astype(np.int64).ravel()
        combined = np.unique(combined * (code.max(initial=0) + 1) + code, return_inverse=True)[1].ravel()
    return combined


def _apart(scores: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the scores with rows of different cells so far from each other that they are no neighbours."""
    points = scores.copy()
    points[:, 0] += APART * cells
    return points


class _Tree:
    """Distinct points and how often each occurs; ``rows`` numbers them.

    A tree cannot divide equal points, and would look at each.
    """

    def __init__(self, points: np.ndarray, rows: np.ndarray):
        self.row, self.weight = rows, np.bincount(rows)
        self.points = np.empty((len(self.weight), points.shape[1]))
        self.points[rows] = points
        self.tree = cKDTree(self.points, balanced_tree=False)

    def open_balls(self, k: int, unit: float) -> _Balls:
        """Return the largest open balls that hold fewer than ``k`` other points."""
        near, which = self.tree.query(self.points, list(range(1, min(k + 1, len(self.points)) + 1)), p=np.inf)
        weights = np.where(near < APART / 2, self.weight[which], 0)
        held = np.cumsum(weights, axis=1)
        wanted = np.minimum(k + 1, held[:, -1])  # of a small class, its members
        last = (held >= wanted[:, None]).argmax(1)
        distance = near[np.arange(len(near)), last]
        equal = distance == 0  # equal rows are enough, or there is none but this
        sizes = np.where(equal, self.weight, np.where(near < distance[:, None], weights, 0).sum(1))
        radius = np.where(equal, 0.0, distance - unit / 2)
        return _Balls(sizes[self.row], radius[self.row], (held[:, -1] == 1)[self.row])


def _contributions(sides: tuple[_Side, _Side], balls: _Balls) -> np.ndarray:
    of_x, of_y = (np.where(balls.alone, side.cell_counts, side.counts(balls.radius)) for side in sides)
    return digamma(balls.sizes) + digamma(len(balls.sizes)) - (digamma(of_x) + digamma(of_y))
