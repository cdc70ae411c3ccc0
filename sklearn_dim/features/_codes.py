"""Columns as the critics of features take them, and which of them are trained together."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from sklearn_dim.critics import MAX_FEATURES, fourier_features
from sklearn_dim.data import ColumnCoder

MAX_NUMBERS = 2**25  # in the features of the columns that are trained together: 128 MB
NARROW = 16  # features up to which columns of different widths share a stack: tables 16 wide are fastest


class Code(NamedTuple):
    """A column as critics take it: float32 features (n, width), the last of them 1."""

    features: np.ndarray
    continuous: bool


def code_columns(table: pd.DataFrame) -> list[Code | None]:
    """Return each column's code; None for a constant."""
    table = pd.DataFrame({i: _fewer_levels(table.iloc[:, i]) for i in range(table.shape[1])})
    coder = ColumnCoder().fit(table)
    codes = coder.transform(table)
    coded: list[Code | None] = [None] * table.shape[1]
    for place, j in enumerate(coder.continuous_):
        coded[j] = Code(fourier_features(torch.as_tensor(codes[:, place])).numpy(), True)
    end = len(coder.continuous_)
    for j, levels in zip(coder.discrete_, coder.levels_.categories_ if coder.discrete_ else [], strict=True):
        start, end = end, end + len(levels)
        coded[j] = Code(_indicators(codes[:, start:end]), False)
    return coded


def _fewer_levels(column: pd.Series) -> pd.Series:
    """Return a text column with its rarest levels as one, so that all fit a critic."""
    most = MAX_FEATURES - 1
    if column.dtype.kind in "biufcmM" or column.nunique() <= most:
        return column
    frequent = column.value_counts().index[: most - 1]
    return pd.Series(pd.Index(frequent).get_indexer(column), index=column.index).astype(str)


def _indicators(levels: np.ndarray) -> np.ndarray:
    """Return indicators (n, k) of about unit variance, with a norm like that of `fourier_features`, and a 1."""
    share = levels.mean(0)
    scaled = (levels - share) / np.sqrt(np.maximum(share, 1 / MAX_FEATURES)) * min(1, np.sqrt(10 / len(share)))
    return np.hstack([scaled, np.ones((len(levels), 1))]).astype(np.float32)


def stacks_of(columns, n: int, jointly: bool) -> list[list[int]]:
    """Return the columns to be trained together, each stack within `MAX_NUMBERS`; narrow columns come first."""
    order = [j for j, code in enumerate(columns) if code is not None]
    if jointly:
        return [order] if order else []
    stacks: list[list[int]] = []
    for j in sorted(order, key=lambda j: columns[j].features.shape[1]):
        width = columns[j].features.shape[1]
        joins = stacks and (len(stacks[-1]) + 1) * n * width <= MAX_NUMBERS
        if joins and (width <= NARROW or columns[stacks[-1][0]].features.shape[1] > NARROW):
            stacks[-1].append(j)
        else:
            stacks.append([j])
    return stacks
