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
    """Of each column (p,): nats, which fraction of them is more than noise, and the most that they can be."""

    values: np.ndarray
    certain: np.ndarray
    entropies: np.ndarray

    def with_critics(self, learned: np.ndarray) -> np.ndarray:
        """Return the estimates from both."""
        return np.clip(learned + self.certain * np.maximum(self.values - learned, 0), 0, self.entropies)


def pairs_with(y: pd.Series, continuous_y: bool, table: pd.DataFrame, columns: Sequence[Code | None]) -> Pairs:
    """Return what is known of each column and ``y``; ``columns`` says which are constant, None, or continuous."""
    values, certain, entropies = np.zeros((3, len(columns)))
    of_y = _numbers(y)
    for j, code in enumerate(columns):
        if code is None:
            continue
        of_x = _numbers(table.iloc[:, j])
        entropies[j] = min(
            np.inf if continuous else _entropy(codes)
            for codes, continuous in ((of_x, code.continuous), (of_y, continuous_y))
        )
        if not code.continuous and not continuous_y:
            values[j] = discrete_information(of_x, of_y).value
            certain[j] = 1
            continue
        rows = neighbor_contributions(of_x, of_y, x_discrete=[not code.continuous], y_discrete=[not continuous_y])
        values[j] = rows.mean()
        certain[j] = beyond_noise(rows, ERRORS)
    return Pairs(values, certain, entropies)


def _numbers(column: pd.Series) -> np.ndarray:
    """Return numbers, dates and text as whole numbers in their order, equal where they are."""
    return np.unique(column.to_numpy(), return_inverse=True)[1].ravel()


def _entropy(codes: np.ndarray) -> float:
    share = np.bincount(codes) / len(codes)
    return float(-(share[share > 0] * np.log(share[share > 0])).sum())
