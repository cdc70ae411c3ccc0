"""Columns as the input of critics, and which columns are trained together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from sklearn_dim.critics import MAX_FEATURES, fourier_features
from sklearn_dim.data import ColumnCoder, discrete_mask

MAX_NUMBERS = 2**25  # in the features of a stack, the columns that are trained together: 128 MB
NARROW = 16  # columns with at most this many features share a stack: all are padded to 16, which is fastest
# Indicators of two equal levels have the squared norm 1; that of `fourier_features` is 10, of at most 10 terms.
FOURIER_NORM = 10


class Code(NamedTuple):
    """A column as the input of a critic: float32 features (n_samples, n_features), the last of which is 1."""

    features: np.ndarray
    continuous: bool


def code_columns(table: pd.DataFrame, discrete: Any = "auto") -> tuple[pd.DataFrame, list[Code | None]]:
    """Return the columns, those that are asked to be discrete as text, and the code of each, None for a constant."""
    mask: np.ndarray | None = None
    if not (isinstance(discrete, str) and discrete == "auto"):
        mask = discrete_mask(discrete, table.columns, "the columns")
        parts = [column.astype(str) if mask[i] else column for i, (_, column) in enumerate(table.items())]
        table = pd.concat(parts, axis=1)
    fewer = pd.DataFrame({i: _fewer_levels(table.iloc[:, i]) for i in range(table.shape[1])})
    return table, _codes_of(fewer, "auto" if mask is None else mask)


def _codes_of(table: pd.DataFrame, discrete: Any) -> list[Code | None]:
    coder = ColumnCoder(together=False).fit(table, discrete)
    codes = coder.transform(table)
    coded: list[Code | None] = [None] * table.shape[1]
    for position, j in enumerate(coder.continuous_):
        coded[j] = Code(fourier_features(torch.as_tensor(codes[:, position])).numpy(), True)
    end = len(coder.continuous_)
    for j, levels in zip(coder.discrete_, coder.levels_, strict=True):
        start, end = end, end + len(levels)
        coded[j] = Code(_indicators(codes[:, start:end]), False)
    return coded


def _fewer_levels(column: pd.Series) -> pd.Series:
    """Return a text column with its rarest levels merged into one, if it has more levels than a critic takes."""
    max_levels = MAX_FEATURES - 1
    if column.dtype.kind in "biufcmM" or column.nunique() <= max_levels:
        return column
    frequent = column.value_counts().index[: max_levels - 1]
    return pd.Series(pd.Index(frequent).get_indexer(column), index=column.index).astype(str)


def _indicators(levels: np.ndarray) -> np.ndarray:
    """Return indicators of k levels, standardised, and a column of ones: (n_samples, k + 1).

    Rare levels are standardised as if they were more frequent, and the norm of many levels is limited.
    """
    fraction = levels.mean(0)
    scale = np.sqrt(np.maximum(fraction, 1 / MAX_FEATURES))
    scaled = (levels - fraction) / scale * min(1, np.sqrt(FOURIER_NORM / len(fraction)))
    return np.hstack([scaled, np.ones((len(levels), 1))]).astype(np.float32)


def stacks_of(columns: Sequence[Code | None], n_samples: int, jointly: bool) -> list[list[int]]:
    """Return lists of the columns to train together, each with at most `MAX_NUMBERS` numbers, narrow columns first."""
    widths = {j: code.features.shape[1] for j, code in enumerate(columns) if code is not None}
    if jointly:
        return [list(widths)] if widths else []
    stacks: list[list[int]] = []
    for j, width in sorted(widths.items(), key=lambda item: item[1]):
        fits = stacks and (len(stacks[-1]) + 1) * n_samples * width <= MAX_NUMBERS
        if fits and (width <= NARROW or widths[stacks[-1][0]] > NARROW):
            stacks[-1].append(j)
        else:
            stacks.append([j])
    return stacks
