"""Discrete columns: which are asked to be, and what to say of their levels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sklearn_dim._warnings import warn


def discrete_mask(discrete: Any, labels: pd.Index, name: str) -> np.ndarray:
    """Return a mask (n_columns,) of the columns that are asked to be discrete.

    Parameters
    ----------
    discrete : bool, mask (n_columns,) of bool, or sequence of positions or names
    labels : Index
        The columns' names.
    name : str
        The table's, for messages.
    """
    d = len(labels)
    if isinstance(discrete, bool | np.bool_):
        return np.full(d, bool(discrete))
    table = f"discrete columns of {name}"
    wanted = (
        'Parameters discrete_features and discrete_target accept "auto", a bool, a mask of bool for all columns, or a '
        "list of positions or names."
    )
    if isinstance(discrete, str) or np.ndim(discrete) != 1:
        raise ValueError(f"{table}: {discrete!r} is not understood. {wanted}")
    items = list(discrete)
    if items and all(isinstance(item, bool | np.bool_) for item in items):
        if len(items) != d:
            raise ValueError(f"{table}: the mask has {len(items)} values for {d} columns. {wanted}")
        return np.array(items, dtype=bool)
    mask = np.zeros(d, dtype=bool)
    for item in items:
        if isinstance(item, int | np.integer) and not isinstance(item, bool):
            positions = [int(item)] if 0 <= item < d else []
        else:
            positions = [i for i, label in enumerate(labels) if label == item]
        if not positions:
            raise ValueError(f"{table}: {item!r} is neither a position below {d} nor the name of a column. {wanted}")
        mask[positions] = True
    return mask


def unseen_rows(numbers: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Return a mask (n,) of the rows with the number −1 in any column."""
    return np.any([number < 0 for number in numbers], axis=0) if numbers else np.zeros(n, dtype=bool)


def warn_of_unseen(table: pd.DataFrame, numbers: Sequence[np.ndarray], name: str) -> None:
    """Say how many rows have levels that fit did not see, whose ``numbers`` are −1."""
    j = next(j for j, number in enumerate(numbers) if (number < 0).any())
    value = table.iloc[(numbers[j] < 0).argmax(), j]
    # Numpy's own way to write a scalar names its type.
    shown = repr(value) if isinstance(value, str) else str(value)
    warn(
        f"{unseen_rows(numbers, len(table)).sum()} of {len(table)} rows of {name} have levels that fit did not see, "
        f"such as {shown} in column {table.columns[j]!r}. They count as independent: nothing is known about them.",
    )


def warn_of_single_rows(label: Any, n_levels: int, n: int) -> None:
    """Say that a column has too many levels."""
    warn(
        f"column {label!r} has {n_levels} levels in {n} rows: levels that occur once say nothing about new rows, so "
        "its information cannot be estimated. Turn it into numbers, or drop it.",
    )
