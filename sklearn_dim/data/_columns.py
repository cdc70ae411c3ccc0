"""Columns of any kind as numbers that a critic can use, without changing mutual information."""

import warnings

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from scipy.special import ndtri
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import check_array, check_random_state, column_or_1d

MAX_LEVELS = 20  # a column of numbers with more distinct values counts as continuous
ROWS_PER_LEVEL = 5  # with fewer rows per value on average the values are measurements, not classes


def check_table(X, name: str) -> pd.DataFrame:
    """Return X as a DataFrame of columns; those of a DataFrame may hold categories or strings."""
    if isinstance(X, pd.DataFrame) and not _all_numeric(X):
        return _check_columns(X, "X")
    try:
        X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32], estimator=name, input_name="X")
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        hint = "Pass a DataFrame, whose columns may be text."
        raise ValueError(f"X holds text, but {name} takes numbers ({error}). {hint}") from error
    return pd.DataFrame(X.toarray() if issparse(X) else X)


def check_targets(y, name: str = "y") -> pd.DataFrame:
    """Return y, one column or several, of numbers, classes or strings, as a DataFrame."""
    if isinstance(y, pd.DataFrame | pd.Series):
        return _check_columns(pd.DataFrame(y), name)
    y = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name=name)
    y = y if y.ndim == 2 and y.shape[1] > 1 else column_or_1d(y, warn=False)
    return _check_columns(pd.DataFrame(y), name)


def _all_numeric(table: pd.DataFrame) -> bool:
    return all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes)


def _check_columns(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Refuse missing and infinite values, column by column."""
    for label, column in table.items():
        if column.dtype == object:
            column = column.infer_objects()
        if column.isna().any():
            raise ValueError(f"Input {name} contains NaN (column {label!r}). Fill or drop the rows first.")
        if pd.api.types.is_float_dtype(column.dtype) and not np.isfinite(column.to_numpy(dtype=float)).all():
            raise ValueError(f"Input {name} contains infinity (column {label!r}). Clip or drop the rows first.")
    return table


class ColumnCoder:
    """Continuous columns become normal scores, discrete ones indicators; constants are dropped.

    Both maps are invertible on the values seen, so information in nats stays what it was. A column is discrete if
    it is neither numbers nor dates, or has at most ``max_levels`` values and each five times on average.
    """

    def __init__(self, max_levels: int = MAX_LEVELS):
        self.max_levels = max_levels

    def fit(self, table: pd.DataFrame) -> "ColumnCoder":
        """Learn the columns' kinds, levels and ranks."""
        self.n_columns_ = table.shape[1]
        kinds = [self._kind(table.iloc[:, i]) for i in range(table.shape[1])]
        self.discrete_ = [i for i, kind in enumerate(kinds) if kind == "discrete"]
        self.continuous_ = [i for i, kind in enumerate(kinds) if kind == "continuous"]
        self.levels_ = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
        self.levels_.set_output(transform="default")
        if self.discrete_:
            self.levels_.fit(_objects(table, self.discrete_))
        self.scores_ = [normal_scores(_numbers(table, i)) for i in self.continuous_]
        return self

    def transform(self, table: pd.DataFrame) -> np.ndarray:
        """Return float32 columns (n_samples, n_codes); one column of zeros if none carries anything."""
        parts = [
            np.interp(_numbers(table, i), *points)[:, None].astype(np.float32)
            for i, points in zip(self.continuous_, self.scores_, strict=True)
        ]
        if self.discrete_:
            parts.append(self.levels_.transform(_objects(table, self.discrete_)))
        return np.hstack(parts) if parts else np.zeros((len(table), 1), dtype=np.float32)

    def _kind(self, column: pd.Series) -> str:
        distinct = column.nunique()
        if distinct <= 1:
            return "constant"
        if column.dtype.kind in "mM":
            return "continuous"
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            if distinct > len(column) / 2 and len(column) > self.max_levels:
                warnings.warn(
                    f"column {column.name!r} has {distinct} levels in {len(column)} rows: what is seen once says "
                    "nothing of unseen rows, so its information cannot be estimated. Turn it into numbers, or drop it.",
                    stacklevel=2,
                )
            return "discrete"
        return "discrete" if distinct <= min(self.max_levels, len(column) / ROWS_PER_LEVEL) else "continuous"


class Passthrough:
    """Stands where a `ColumnCoder` stands, for arrays of any shape that an encoder takes unchanged."""

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return X as a float32 array that may be written to."""
        return np.array(X, dtype=np.float32)


def equal_rows(*codes: np.ndarray) -> np.ndarray:
    """Return a number for each row (n_samples,), the same for rows that are equal in all of ``codes``."""
    rows = np.ascontiguousarray(np.hstack(codes))
    return np.unique(rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel(), return_inverse=True)[1]


def normal_scores(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values and the normal quantiles of their mid-ranks (the copula transform)."""
    distinct, counts = np.unique(values, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    return distinct, ndtri(middle / len(values))


def continuous_scores(table: np.ndarray, random_state) -> np.ndarray:
    """Return each column's ranks as normal quantiles, float32 (n, d), ties broken at random.

    So every column becomes continuous, and exactly normal, at no change of what it says about the others (the
    distributional transform).
    """
    ties = check_random_state(random_state).random_sample(table.shape)
    ranks = np.lexsort((ties, table), axis=0).argsort(axis=0)
    return ndtri((ranks + 0.5) / len(table)).astype(np.float32)


def _numbers(table: pd.DataFrame, i: int) -> np.ndarray:
    """Return a column of numbers or dates as numbers."""
    column = table.iloc[:, i]
    return (column.astype("int64") if column.dtype.kind in "mM" else column).to_numpy(dtype=float)


def _objects(table: pd.DataFrame, columns: list[int]) -> np.ndarray:
    return table.iloc[:, columns].astype(object).to_numpy()
