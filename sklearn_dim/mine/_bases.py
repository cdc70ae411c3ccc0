"""What estimates information beside a network: a contingency table, and nearest neighbours where columns are few."""

import math

import numpy as np

from sklearn_dim.mine._contingency import Contingency
from sklearn_dim.mine._cross_fit import Part, Reference
from sklearn_dim.mine._discrete import discrete_information
from sklearn_dim.mine._neighbors import neighbor_contributions

FEW_ROWS = 100  # up to which an estimate is held within what so many rows can say
MAX_ROWS = 200_000  # for neighbours; of more, distances are all that takes time
MAX_COLUMNS = 4  # of both sides together; beyond, neighbours lean low by tenths of a nat


class CrossTable:
    """I(X; y) of two discrete sides: one contingency table of all rows, and one per fold for rows never seen.

    Parameters
    ----------
    x_coder, y_coder : ColumnCoder
        Fitted, with discrete columns only.
    sign : {1, -1}, default=1
        How this information enters what is estimated.
    """

    def __init__(self, x_coder, y_coder, sign: int = 1):
        self.x_coder, self.y_coder, self.sign = x_coder, y_coder, sign
        self.tables: list[Contingency] = []
        self.references: list[Reference] = []
        self.nets: list = []  # none is needed
        self.half: CrossTable | None = None  # the table of half the rows

    def has_learned(self) -> bool:
        """Return False: there is no network."""
        return False

    def codes(self, X, y) -> tuple[np.ndarray, np.ndarray]:
        """Return two tables as symbols (n,)."""
        return self.x_coder.symbols(X), self.y_coder.symbols(y)

    def train(self, x, y) -> Contingency:
        """Return the table of a fold."""
        return Contingency().fit(x, y)

    def add(self, table: Contingency, x, y, train, held_out) -> tuple[np.ndarray, np.ndarray]:
        """Take in the table of a fold, and return the contributions of the rows that it never saw."""
        self.tables.append(table)
        evaluated = table.evaluate(x[held_out], y[held_out])
        return evaluated.contributions, evaluated.lower

    def whole(self, part: Part, x, y) -> Part:
        """Return what the table of all rows says."""
        information = discrete_information(x[part.valued], y[part.valued])
        spread = information.contributions.std(ddof=1) / np.sqrt(len(information.contributions))
        extra = np.sqrt(max(0.0, information.standard_error**2 - spread**2))
        return part._replace(contributions=information.contributions, base="table", extra_error=float(extra))

    def contributions(self, X, y) -> np.ndarray:
        """Return the contribution of each new row to the estimate (n_samples,), by the mean of the folds' tables."""
        x, y = self.codes(X, y)
        return self.sign * np.mean([table.contributions(x, y) for table in self.tables], axis=0)

    def pointwise(self, X, y) -> np.ndarray:
        """Return log p(x, y)/p(x)p(y) of each new row (n_samples,), by the mean of the folds' tables."""
        x, y = self.codes(X, y)
        return self.sign * np.mean([table.log_ratio(x, y) for table in self.tables], axis=0)

    def log_ratios(self, x, y) -> np.ndarray:
        """Return the log-ratios of all pairs of symbols (n, n), by the mean of the folds' tables."""
        return self.sign * np.mean([table.table(x, y) for table in self.tables], axis=0)


def few_columns(term, X, y):
    """Return X and y as arrays for nearest neighbours with masks of their discrete columns; None for a table."""
    if isinstance(term, CrossTable):
        return None
    return *term.x_coder.numbers(X), *term.y_coder.numbers(y)


def with_neighbors(part: Part, order: np.ndarray, x, x_discrete, y, y_discrete) -> Part:
    """Return the part with nearest neighbours' contributions, if these see more.

    Held-out values of a trained critic lean low, as it finds what it finds; so do nearest neighbours where columns are
    few. So the larger of the two counts, if it is larger by more than the standard error of the difference. Of fewer
    than a hundred rows a network learns nothing that it could be trusted with. Of very many rows the first in random
    ``order`` speak for all.
    """
    rows = np.sort(order[:MAX_ROWS])
    own, at = np.full(len(order), np.nan), np.zeros(len(order), dtype=bool)
    own[rows] = neighbor_contributions(x[rows], y[rows], x_discrete=x_discrete, y_discrete=y_discrete)
    at[rows] = part.valued[rows]
    of_part = at[part.valued]
    own, gain = own[at], own[at] - part.contributions[of_part]
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    trained = len(own) >= FEW_ROWS
    if trained and gain.mean() <= error:
        return part
    # Rows share neighbours: their spread shows about four fifths of the error.
    extra = 0.75 * own.std(ddof=1) / np.sqrt(len(own))
    missed = max(0.0, part.missed - gain.mean())
    return Part(own, part.lower[of_part], at, "neighbors", float(extra), float(missed))


def cap_of(term, X, y) -> float:
    """Return the most that the information of a term can be: the entropy of a discrete side, and ln n of few rows."""
    caps = [math.log(len(y))] if len(y) < FEW_ROWS else []
    for coder, table in ((term.x_coder, X), (term.y_coder, y)):
        if not coder.continuous_:
            symbols = coder.symbols(table)
            caps.append(discrete_information(symbols, symbols).entropy_x)
    return min(caps)


def within(part: Part, cap: float) -> Part:
    """Return the part with no more information than it can be, nor more missed."""
    room = cap - part.contributions.mean()
    return part._replace(
        contributions=part.contributions + min(0.0, room), missed=float(np.clip(part.missed, 0.0, max(0.0, room)))
    )
