"""The input of `MutualInfoEstimator`: checks, the tables of the chain rule, copies."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d

from sklearn_dim.data import equal_rows
from sklearn_dim.mine._bases import CrossTable


def copies_in(term, x, y) -> int:
    """Return how many rows look like copies of others: equal in columns most of whose values are seen once."""
    if isinstance(term, CrossTable) or not (term.x_coder.continuous_ or term.y_coder.continuous_):
        return 0
    codes = np.hstack([x, y])
    n_distinct = int(equal_rows(codes).max()) + 1
    mostly_distinct = max(len(np.unique(column)) for column in codes.T) > n_distinct / 2
    return len(codes) - n_distinct if n_distinct < 0.9 * len(codes) and mostly_distinct else 0


def picked(table, rows: np.ndarray):
    """Return rows of a DataFrame, or of an array for an encoder."""
    return table.iloc[rows] if isinstance(table, pd.DataFrame) else table[rows]


def check_groups(groups, n: int) -> np.ndarray | None:
    """Return groups as numbers (n,), or None."""
    if groups is None:
        return None
    if np.ndim(groups) == 0 or len(np.shape(groups)) > 2:
        raise ValueError(f"groups={groups!r} must have one entry for each row of X.")
    groups = np.unique(column_or_1d(groups), return_inverse=True)[1]
    if len(groups) != n:
        raise ValueError(f"groups has {len(groups)} entries, but X has {n} rows. Give one for each row.")
    return groups


def check_new_rows(X, **others) -> None:
    """Refuse what describes new rows where no new rows are given: it would be ignored."""
    given = [name for name, value in others.items() if value is not None]
    if X is None and given:
        raise ValueError(f"{' and '.join(given)} without X: these describe new rows. Pass X as well, or none of them.")


def check_positive_int(name: str, value) -> None:
    """Refuse what is not a whole number from 1."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r} must be a whole number from 1.")


def chain_of(x_table, context):
    """Return the tables whose information about y adds up to what is asked, with their signs."""
    if context is None:
        return [(x_table, 1)]
    return [(pd.concat([x_table, context], axis=1), 1), (context, -1)]
