"""The information of two discrete sides, from their contingency table: no network is needed."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import digamma

PERMUTATIONS = 20  # tables drawn for the value that independent sides seem to have
DOUBT = 0.15  # share of what unseen cells are said to hold that may be wrong; from laws unlike those of the tests
ROUNDING = 1e-9  # nats, below which a value is a remainder of the entropies that it is the difference of
MAX_SCALE = 2.0  # of the error by that of the value; above it the value is at its cap


class DiscreteInformation(NamedTuple):
    """I(X; Y) of two discrete sides, in nats.

    Attributes
    ----------
    contributions : ndarray of shape (n,)
        Each row's contribution: their mean is the estimate, their spread gives the first-order part of its error.
    standard_error : float
        With what the rows' spread does not show: the second-order term near independence, and the doubt about the
        bias correction where most cells of the joint table hold no row.
    entropy_x, entropy_y : float
        Estimates of H(X) and H(Y). The value is above neither.
    """

    contributions: np.ndarray
    standard_error: float
    entropy_x: float
    entropy_y: float

    @property
    def value(self) -> float:
        """The estimate in nats."""
        return float(self.contributions.mean())


class Table(NamedTuple):
    """Counts of the cells that occur, and of the levels; ``cell``, ``row`` and ``column`` place each sample."""

    cells: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    cell: np.ndarray
    row: np.ndarray
    column: np.ndarray


def discrete_information(x, y) -> DiscreteInformation:
    r"""Estimate the information of two discrete sides.

    Each entropy is estimated by Chao, Wang and Jost's formula [1]_, which infers from levels seen once and twice what
    unseen levels hold. Its bias in H(X, Y) where the table is sparse is measured on tables drawn with the same
    margins and independent sides; their mean value :math:`I_0` is taken out in proportion,
    :math:`\hat I = h (I - I_0) / (h - I_0)` with h the smaller entropy, so that neither independent sides nor a
    function of a side are biased. Cut at h, and below zero only by noise.

    The error is that of the delta method (a row's contribution is its log-ratio) joined with the spread of independent
    tables, which is √(df/2)/n where every cell holds rows; with the error and a doubt of what unseen cells hold; and
    with a level that happened not to occur.

    Parameters
    ----------
    x, y : array-like of shape (n,)
        Symbols, such as whole numbers. Only which rows are equal matters.

    Returns
    -------
    DiscreteInformation

    Raises
    ------
    ValueError
        If x and y differ in length, are not one-dimensional, or hold fewer than two rows.

    Notes
    -----
    The plug-in value is too high by about df/2n where cells hold several rows [2]_, and by nats where most hold none;
    there the corrections of Miller [2]_ and of Grassberger [3]_ still are too high. No estimate is right for every
    law with far fewer rows than cells [4]_: then the error is wide.

    References
    ----------
    .. [1] Chao, Wang and Jost, "Entropy and the species accumulation curve", Methods in Ecology and Evolution 4, 2013.
    .. [2] Miller, "Note on the bias of information estimates", in Information Theory in Psychology, 1955.
    .. [3] Grassberger, "Entropy estimates from insufficient samplings", arXiv:physics/0307138, 2003.
    .. [4] Paninski, "Estimation of entropy and mutual information", Neural Computation 15, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dim.mine._discrete import discrete_information
    >>> x = np.repeat([0, 1, 2], [70, 25, 5])
    >>> information = discrete_information(x, x)
    >>> round(information.value, 2), round(information.entropy_x, 2)
    (0.76, 0.76)
    """
    table = tabulate(*check_symbols(x, y))
    n = len(table.cell)
    seen, unseen, unsure = np.transpose([_entropy(counts) for counts in (table.rows, table.columns, table.cells)])
    h_x, h_y, h_xy = (float(h) for h in seen + unseen)
    entropies = min(h_x, _most(table.rows)), min(h_y, _most(table.columns))
    h = min(h_x, h_y)
    if min(len(table.rows), len(table.columns)) < 2:
        return DiscreteInformation(np.zeros(n), (1 + math.log(n)) / n / 2, *entropies)
    null = h_x + h_y - _null_entropies(table.rows, table.columns)
    chance = float(np.clip(null.mean(), 0.0, h))
    value = h_x + h_y - h_xy - chance
    scale = h / max(h - chance, value) if value > ROUNDING else 1.0
    value *= scale
    value = float(np.clip(value, -h, min(entropies)))
    surprise = [np.log(n) - digamma(counts) for counts in (table.rows, table.columns, table.cells)]
    spread = surprise[0][table.row] + surprise[1][table.column] - surprise[2][table.cell]
    depends = min(max(value / h, 0.0), 1.0)
    of_raw = math.hypot(
        spread.std(ddof=1) / math.sqrt(n),
        null.std(ddof=1) * (1 - depends),
        DOUBT * (unseen[2] - max(unseen[:2])),
        unsure[2] - max(unsure[:2]),
    )
    error = math.hypot(
        min(scale, MAX_SCALE) * of_raw,
        depends * (unsure[0] if h_x <= h_y else unsure[1]),
        h / 2 * (chance / h) ** 3,  # all the information there could be, where each row is alone in its cell
        (1 + math.log(n)) / n / 2,  # a level that happened not to occur
    )
    return DiscreteInformation(spread + (value - spread.mean()), error, *entropies)


def _entropy(counts: np.ndarray) -> tuple[float, float, float]:
    """Return an entropy by Chao, Wang and Jost's formula.

    Parameters
    ----------
    counts : ndarray of int
        How often each level occurs.

    Returns
    -------
    seen, unseen, error : float
        The two parts of the entropy, and the error of the second: what one standard deviation in the number of levels
        seen once, and seen twice, changes.
    """
    sizes, how_many = np.unique(counts[counts > 0], return_counts=True)
    n = int(counts.sum())
    seen = float((how_many * sizes / n * (digamma(n) - digamma(sizes))).sum())
    once, twice = (int(how_many[sizes == size].sum()) for size in (1, 2))
    if not once:
        return seen, 0.0, 0.0
    spread = math.sqrt(twice)
    often = twice, max(twice - spread, 0.0), twice + spread + 1
    unseen, more, fewer = (once / n * _unseen(1 - _last(once, each, n), n) for each in often)
    return seen, unseen, math.hypot((more - fewer) / 2, unseen / math.sqrt(once))


def _most(counts) -> float:
    """Return the largest entropy that a sample can tell of: log n, and that of as many levels as Chao (1984) infers."""
    n, once, twice = int(counts.sum()), int((counts == 1).sum()), int((counts == 2).sum())
    unseen = once**2 / (2 * twice) if twice else once * (once - 1) / 2
    return math.log(min(n, len(counts) + (n - 1) / n * unseen))


def _last(once: int, twice: float, n: int) -> float:
    """Return Chao, Wang and Jost's A: the mean probability of the levels seen once."""
    return 2 * twice / ((n - 1) * once + 2 * twice) if twice else 2 / ((n - 1) * (once - 1) + 2)


def _unseen(q: float, n: int) -> float:
    """Return the sum of q^k/(n − 1 + k) over k ≥ 1, which is the integral of q·t^(n−1)/(1 − q·t) over [0, 1].

    Chao, Wang and Jost write it as (1 − A)^(1−n)·[−ln A − Σ_{r<n} (1 − A)^r/r] with A = 1 − q, which overflows.
    """
    if q <= 0:
        return 0.0
    # u = −ln t, and u = e^v for the sake of the pole at 1 − q ≪ 1/n
    v = np.linspace(math.log(min(1 - q, 1 / n)) - 12, math.log(40 / n), 600)
    u = np.exp(v)
    values = q * np.exp(-n * u) / (-np.expm1(-u) + (1 - q) * np.exp(-u)) * u
    return float((values[1:] + values[:-1]).sum() / 2 * (v[1] - v[0]))


def _null_entropies(rows, columns) -> np.ndarray:
    """Return the joint entropies of tables with these margins and independent sides.

    Drawn with a fixed seed from the sorted margins, the longer ones as columns: so the order of rows and levels, and
    which side is x, play no part.
    """
    fewer, more = sorted((np.sort(rows), np.sort(columns)), key=lambda side: (len(side), side.tolist()))
    draws = _random_tables(fewer, more, PERMUTATIONS, np.random.default_rng(0))
    return np.array([sum(_entropy(cells)[:2]) for cells in draws])


def _random_tables(rows, columns, draws: int, random) -> Iterator[np.ndarray]:
    """Yield the counts of the cells of tables drawn with these margins; cells without a row may be left out."""
    n = int(rows.sum())
    if len(rows) * len(columns) <= n:
        law = stats.random_table(rows, columns)
        for _ in range(draws):
            yield law.rvs(method="patefield", random_state=random).ravel().astype(np.int64)
        return
    x = np.repeat(np.arange(len(rows)), rows) * len(columns)
    y = np.repeat(np.arange(len(columns)), columns)
    for _ in range(draws):
        yield np.unique(x + random.permutation(y), return_counts=True)[1]


def check_symbols(x, y) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(
            f"x and y must be one symbol for each of the same rows, at least 2; got shapes {x.shape} and {y.shape}."
        )
    return x, y


def tabulate(x, y) -> Table:
    _, row, rows = np.unique(x, return_inverse=True, return_counts=True)
    _, column, columns = np.unique(y, return_inverse=True, return_counts=True)
    row, column = row.ravel().astype(np.int64), column.ravel().astype(np.int64)
    _, cell, cells = np.unique(row * len(columns) + column, return_inverse=True, return_counts=True)
    return Table(cells, rows, columns, cell.ravel(), row, column)
