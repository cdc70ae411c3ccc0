"""Tables as they come: columns with missing cells, categories, text, booleans and dates as numbers for an encoder."""

from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from sklearn_dim._warnings import warn
from sklearn_dim.data._columns import distinct_values, family, find, plain_values
from sklearn_dim.data._datasets import DatasetRows
from sklearn_dim.data._frames import Place, as_frame, clean_column
from sklearn_dim.data._samples import file_of

MAX_LEVELS = 20  # indicators of one column; the rarest levels share the last of them
MICROSECONDS_PER_DAY = 86_400e6
TOO_LARGE = np.finfo(np.float32).max / 100  # squares of sums stay finite, as in `moments`


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    label : object
        Its name, for messages.
    values : ndarray of shape (n_present,)
        Numbers, days or text of the cells that are there.
    family : str
        What the values are, see `sklearn_dim.data._columns.family`; "nothing" if there are none.
    present : ndarray of shape (n_samples,)
        Mask of the cells that are there.
    has_levels : bool
        Whether the values are text or categories, rather than numbers.
    """

    label: Any
    values: np.ndarray
    family: str
    present: np.ndarray
    has_levels: bool


class Table:
    """Columns of any kind, checked.

    Parameters
    ----------
    frame : DataFrame
    dtype : numpy.dtype
        Float type of the codes.

    Raises
    ------
    ValueError
        If a number is infinite or complex.
    TypeError
        If a column mixes kinds, such as numbers and text, or holds objects that are none.
    """

    kind = "table"  # as of `Samples`

    def __init__(self, frame: pd.DataFrame, dtype: np.dtype):
        self.shape, self.dtype = frame.shape, dtype
        self.columns = [_checked(column.reset_index(drop=True), label) for label, column in frame.items()]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def is_numeric(self) -> bool:
        """Whether all cells are there, and are numbers."""
        return all(
            column.family == "numbers" and not column.has_levels and column.present.all() for column in self.columns
        )


def read_table(X: Any, name: str, *, coded: bool, min_samples: int = 1) -> Table | None:
    """Return X as a `Table` if it needs a `TableCoder`; if not, None: `read_samples` takes or refuses it.

    Parameters
    ----------
    X : anything that `collected` returns
    name : str
        The estimator's, for messages.
    coded : bool
        Whether there is a coder, so that complete numbers need it too.
    min_samples : int, default=1
    """
    if coded and isinstance(X, DatasetRows):
        raise ValueError(
            f"X is a Dataset, but {name} was fitted on a table that has categories, dates or missing cells. Pass "
            "a table with the same columns."
        )
    if isinstance(X, DatasetRows) or (not coded and (issparse(X) or file_of(X) is not None)):
        return None
    array = None if _is_frame(X) else _as_numbers(X.toarray() if issparse(X) else X)
    if array is not None and (array.ndim != 2 or array.dtype.kind not in "biuf" or not (coded or _has_nan(array))):
        return None
    if array is None and not coded and _is_frame(X) and _is_complete(X):
        return None
    frame = as_frame(X, "X", name, one_column=False) if array is None else pd.DataFrame(array)
    for size, least, what in zip(frame.shape, (min_samples, 1), ("sample", "feature"), strict=True):
        if size < least:
            raise ValueError(
                f"Found array with {size} {what}(s) (shape={frame.shape}) while a minimum of {least} is required by "
                f"{name}."
            )
    table = Table(frame, _float_type(frame))
    return None if table.is_numeric and not coded else table


def _is_frame(X: Any) -> bool:
    return isinstance(X, pd.DataFrame) or hasattr(X, "to_pandas") or type(X).__module__.split(".")[0] == "polars"


def _is_complete(X: Any) -> bool:
    """Return whether a pandas DataFrame holds numbers only, and all of them."""
    numeric = isinstance(X, pd.DataFrame) and len(X.columns) > 0 and all(map(pd.api.types.is_numeric_dtype, X.dtypes))
    return numeric and not X.isna().to_numpy().any()


def _as_numbers(X: Any) -> np.ndarray | None:
    """Return an array or a list as an array of numbers; None if it has cells of text, say, and may become a frame."""
    if isinstance(X, pd.Series | pd.Index):
        return np.empty(0)  # not a table
    if isinstance(X, np.ma.MaskedArray) and X.dtype.kind in "biuf":
        return np.ma.filled(X.astype(X.dtype if X.dtype.kind == "f" else np.float64), np.nan)
    try:
        array = np.asarray(X)
    except (TypeError, ValueError):  # ragged, or on a GPU
        return np.empty(0)
    if array.dtype.kind in "biufc" or array.ndim != 2:
        return array
    try:
        return array.astype(float)
    except (TypeError, ValueError):
        return array if array.dtype.kind in "US" and isinstance(X, np.ndarray) else None


def _has_nan(array: np.ndarray) -> bool:
    if array.dtype.kind != "f":
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isnan(array.sum(dtype=np.float64))) and bool(np.isnan(array).any())


def _float_type(frame: pd.DataFrame) -> np.dtype:
    """Return float32 if all columns of numbers are float32, else float64."""
    types = [str(dtype).lower() for dtype in frame.dtypes if pd.api.types.is_numeric_dtype(dtype)]
    return np.dtype(np.float32 if types and set(types) <= {"float32", "float16"} else np.float64)


def _checked(column: pd.Series, label: Any) -> Column:
    """Return a column of a frame, or refuse its values."""
    if isinstance(column.dtype, pd.SparseDtype):
        column = column.sparse.to_dense()
    present = column.notna().to_numpy(dtype=bool)
    if not present.any():
        return Column(label, np.empty(0), "nothing", present, has_levels=False)
    if not present.all():
        column = column[present].reset_index(drop=True)
    clean = clean_column(column, Place(label, "X"))
    kind, values = family(clean), plain_values(clean)
    if kind == "numbers":
        values = values.astype(np.float64)
        if not np.isfinite(values).all():
            raise ValueError(
                f"Input X contains infinity (column {label!r}). Clip it, or replace it by NaN, which counts as missing."
            )
    elif kind != "text":
        values = values / MICROSECONDS_PER_DAY
    return Column(label, values, kind, present, kind == "text" or isinstance(clean.dtype, pd.CategoricalDtype))


class TableCoder:
    """Columns of any kind as columns of numbers.

    ========================== =====================================================================
    a column of                becomes
    ========================== =====================================================================
    numbers, booleans          the numbers; a missing cell is the mean of the others
    dates, durations           numbers of days, in the same way
    categories, text           an indicator for each level, at most 20: the rarest share the last.
                               All are 0 where the cell is missing or its level was not seen in `fit`
    text that does not repeat  nothing, with a warning
    any kind, cells missing    one more indicator, of missing cells, if there were any in `fit`
    missing cells only         nothing
    ========================== =====================================================================

    The codes of a column stand side by side.

    Attributes
    ----------
    families_ : list of str
        For each column "numbers", "dates", "dates with a time zone", "durations", "text" or "nothing".
    means_ : list of float or None
        Of the columns of numbers, dates and durations; None for the others.
    levels_, rare_ : list of ndarray or None
        For each column with levels those that have an indicator of their own, and those that share one, sorted.
    missing_ : list of bool
        Whether a column has an indicator of missing cells.
    """

    families_: list[str]
    means_: list[float | None]
    levels_: list[np.ndarray | None]
    rare_: list[np.ndarray | None]
    missing_: list[bool]

    def fit(self, table: Table) -> Self:
        """Learn means and levels.

        Raises
        ------
        ValueError
            If numbers are too large for float32, or no column becomes anything.

        Warns
        -----
        UserWarning
            If a column of text has a level for more than every second row, and more than 20 of them.
        """
        self.families_ = [column.family for column in table.columns]
        self.means_, self.levels_, self.rare_, self.missing_ = [], [], [], []
        for column in table.columns:
            levels, rare = _levels(column) if column.has_levels else (None, None)
            self.levels_.append(levels)
            self.rare_.append(rare)
            self.means_.append(None if column.has_levels or column.family == "nothing" else _mean(column))
            self.missing_.append(column.family != "nothing" and not column.present.all())
        if not sum(self.widths):
            raise ValueError(
                "Input X contains NaN, or text that does not repeat, and nothing else: there is no column to learn "
                "from. Pass at least one column that has numbers, dates or a few levels."
            )
        return self

    @classmethod
    def of_means(cls, means: np.ndarray) -> Self:
        """Return a coder of columns of numbers that had no missing cells in `fit`: missing ones become the mean."""
        coder, n = cls(), len(means)
        coder.families_, coder.means_, coder.missing_ = ["numbers"] * n, [float(mean) for mean in means], [False] * n
        coder.levels_, coder.rare_ = [None] * n, [None] * n
        return coder

    @property
    def widths(self) -> list[int]:
        """Number of codes of each column."""
        return [
            (mean is not None) + _n_indicators(levels, rare) + missing
            for mean, levels, rare, missing in zip(self.means_, self.levels_, self.rare_, self.missing_, strict=True)
        ]

    def transform(self, table: Table) -> np.ndarray:
        """Return the codes (n_samples, n_codes) in the table's float type.

        Raises
        ------
        ValueError
            If a column holds another kind of values than in `fit`.
        """
        codes = np.zeros((len(table), sum(self.widths)), dtype=table.dtype)
        start = 0
        for i, (column, width) in enumerate(zip(table.columns, self.widths, strict=True)):
            self._check(column, self.families_[i])
            self._code(i, column, codes[:, start : start + width])
            start += width
        return codes

    def missing_codes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the column of X that each code belongs to, and the codes of a row whose cells are all missing.

        These are NaN for columns that have no indicator of missing cells.
        """
        columns = np.repeat(np.arange(len(self.widths)), self.widths)
        codes = np.full(len(columns), np.nan)
        for i in np.flatnonzero(self.missing_):
            block = np.flatnonzero(columns == i)
            mean = self.means_[i]
            codes[block] = 0.0 if mean is None else mean
            codes[block[-1]] = 1.0
        return columns, codes

    def _check(self, column: Column, fitted: str) -> None:
        if "nothing" not in (column.family, fitted) and column.family != fitted:
            raise ValueError(
                f"column {column.label!r} of X holds {column.family}, but held {fitted} in fit. Pass {fitted} again, "
                f"or fit on {column.family}."
            )

    def _code(self, i: int, column: Column, codes: np.ndarray) -> None:
        """Write the codes of one column."""
        rows = np.flatnonzero(column.present)
        levels, rare, mean = self.levels_[i], self.rare_[i], self.means_[i]
        if self.missing_[i]:
            codes[~column.present, -1] = 1
        if levels is not None and rare is not None and column.family != "nothing":
            number = find(column.values, levels)
            number[find(column.values, rare) >= 0] = len(levels)
            codes[rows[number >= 0], number[number >= 0]] = 1
        elif mean is not None:
            codes[~column.present, 0] = mean
            codes[rows, 0] = column.values


def _n_indicators(levels: np.ndarray | None, rare: np.ndarray | None) -> int:
    return 0 if levels is None or rare is None else len(levels) + bool(len(rare))


def _mean(column: Column) -> float:
    if np.abs(column.values).max() > TOO_LARGE:
        raise ValueError(f"column {column.label!r} of X has values too large for float32. Rescale it.")
    return float(column.values.mean())


def _levels(column: Column) -> tuple[np.ndarray, np.ndarray]:
    """Return the levels that have an indicator of their own, and those that share one."""
    levels, counts = distinct_values(column.values)
    if len(levels) <= MAX_LEVELS:
        return levels, levels[:0]
    if len(levels) > len(column.values) / 2:
        warn(
            f"column {column.label!r} of X has {len(levels)} levels in {len(column.values)} rows, as names and "
            "customer numbers have, and is left out. Drop it, or make numbers of it: pd.to_numeric, pd.to_datetime, or "
            "a vectorizer for sentences.",
        )
        return levels[:0], levels[:0]
    order = np.argsort(-counts, kind="stable")
    return levels[np.sort(order[: MAX_LEVELS - 1])], levels[np.sort(order[MAX_LEVELS - 1 :])]
