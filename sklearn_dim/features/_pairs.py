"""The information of each column and one column of y, without a network."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sklearn_dim.features._codes import Code
from sklearn_dim.mine import beyond_noise, discrete_information, neighbor_contributions

# Standard errors that neighbours need to count, one more than three: as neighbours share rows, the spread of rows shows
# about four fifths of the error where there is nothing to see.
ERRORS = 4.0


class Pairs(NamedTuple):
    """What is known of each column and y without a network.

    Attributes
    ----------
    values : ndarray of shape (p,)
        In nats.
    certain : ndarray of shape (p,)
        Which fraction of them is more than noise.
    entropies : ndarray of shape (p,)
        The most that they can be.
    rows : dict of ndarray of shape (n,)
        By column, the rows' contributions to the values of nearest neighbours.
    errors : dict of float
        By column, the standard errors of tables of counts.
    """

    values: np.ndarray
    certain: np.ndarray
    entropies: np.ndarray
    rows: dict[int, np.ndarray]
    errors: dict[int, float]

    def with_critics(self, learned: np.ndarray) -> np.ndarray:
        """Return the estimates from both."""
        return np.clip(learned + self.certain * np.maximum(self.values - learned, 0), 0, self.entropies)

    def with_rows(self, j: int, learned: np.ndarray) -> np.ndarray:
        """Return the rows' contributions (n,) to the estimate of a column from both."""
        if j not in self.rows or self.values[j] <= learned.mean():
            return learned
        return learned + self.certain[j] * (self.rows[j] - learned)


def pairs_with(
    y: pd.Series, continuous_y: bool, table: pd.DataFrame, columns: Sequence[Code | None], *, keep_rows: bool
) -> Pairs:
    """Return what is known of each column and ``y``; ``columns`` says which are constant, None, or continuous."""
    values, certain, entropies = np.zeros((3, len(columns)))
    kept, errors = {}, {}
    of_y = numbers_of(y)
    for j, code in enumerate(columns):
        if code is None:
            continue
        of_x = numbers_of(table.iloc[:, j])
        entropies[j] = min(
            np.inf if continuous else _entropy(codes)
            for codes, continuous in ((of_x, code.continuous), (of_y, continuous_y))
        )
        if not code.continuous and not continuous_y:
            information = discrete_information(of_x, of_y)
            values[j], errors[j] = information.value, information.standard_error
            certain[j] = 1
            continue
        rows = neighbor_contributions(of_x, of_y, x_discrete=[not code.continuous], y_discrete=[not continuous_y])
        values[j] = rows.mean()
        certain[j] = beyond_noise(rows, ERRORS)
        if keep_rows:
            kept[j] = rows.astype(np.float32)
    return Pairs(values, certain, entropies, kept, errors)


def numbers_of(column: pd.Series) -> np.ndarray:
    """Return numbers, dates and text as whole numbers in their order, equal where they are."""
    return np.unique(column.to_numpy(), return_inverse=True)[1].ravel()


def _entropy(codes: np.ndarray) -> float:
    share = np.bincount(codes) / len(codes)
    return float(-(share[share > 0] * np.log(share[share > 0])).sum())
