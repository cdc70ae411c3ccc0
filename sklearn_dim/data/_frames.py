"""DataFrames, Series, polars, lists and arrays of objects as a DataFrame with few, clean dtypes.

Arrays of numbers do not come here: see `sklearn_dim.data._columns.check_table`.
"""

import datetime
from collections.abc import Hashable
from decimal import Decimal
from numbers import Complex, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_array

# What `pandas.api.types.infer_dtype` calls objects, and what they become.
NUMBERS = {"floating", "integer", "mixed-integer-float", "decimal"}
DATES = {"datetime64", "datetime", "date"}
DURATIONS = {"timedelta64", "timedelta"}


class Place(NamedTuple):
    """A column, for messages."""

    label: Any
    table: str

    def __str__(self) -> str:
        return f"column {self.label!r} of {self.table}"


def clean_table(X: Any, name: str, taker: str | None = None, *, one_column: bool = False) -> pd.DataFrame:
    """Return X as a DataFrame of clean columns, with X's names and numbered rows.

    ================================================== =================================
    what a column holds                                what it becomes
    ================================================== =================================
    integers                                           int64 or uint64
    other numbers: floats, Decimal, mixed with integer float64, or what float they are
    booleans                                           bool
    dates, periods (their start)                       datetime64 of any unit
    dates with a time zone                             the same in UTC
    durations, times of day                            timedelta64 of any unit
    categories                                         categories of the above, or of str
    text, bytes (UTF-8), other objects of one type     str, in dtype object
    ================================================== =================================

    Nullable, sparse and Arrow dtypes are taken by what they hold.

    Parameters
    ----------
    X : DataFrame, Series, polars DataFrame or Series, array or list
    name : str
        X or y, for messages.
    taker : str, default=None
        Name of the estimator that takes X as a table. If there is none, X is a target.
    one_column : bool, default=False
        Whether one dimension is one column, rather than refused.

    Raises
    ------
    ValueError
        If values are missing or complex, or X is empty or has not two dimensions.
    TypeError
        If a column mixes kinds, or holds objects that cannot be used as values.
    """
    table = as_frame(X, name, taker, one_column)
    for size, what in zip(table.shape, ("sample", "feature"), strict=True):
        if not size:
            raise ValueError(f"Found {name} with 0 {what}(s) (shape={table.shape}) while a minimum of 1 is required.")
    columns = {
        i: clean_column(column.reset_index(drop=True), Place(label, name))
        for i, (label, column) in enumerate(table.items())
    }
    clean = pd.DataFrame(columns)
    clean.columns = table.columns
    return clean


def as_frame(X: Any, name: str, taker: str | None, one_column: bool) -> pd.DataFrame:
    """Return X as a DataFrame, its values as they are."""
    if isinstance(X, pd.DataFrame):
        return X
    if type(X).__module__.split(".")[0] == "polars":
        if hasattr(X, "collect"):
            raise TypeError(f"{name} is a polars {type(X).__name__}, which has no rows yet. Call its collect().")
        if hasattr(X, "get_columns"):
            frame = pd.DataFrame({i: column.to_numpy() for i, column in enumerate(X.get_columns())})
            frame.columns = pd.Index(X.columns)
            return frame
        X = pd.Series(X.to_numpy(), name=X.name)
    elif hasattr(X, "to_pandas"):
        return as_frame(X.to_pandas(), name, taker, one_column)
    if isinstance(X, pd.Series | pd.Index):
        if not one_column:
            raise ValueError(
                f"Expected a 2-dimensional container for {name} but got {type(X)} instead. Pass a DataFrame with one "
                f"column: {name}.to_frame()."
            )
        return pd.DataFrame(X.to_frame(0 if X.name is None else X.name))
    array = np.asanyarray(X)
    if array.dtype.names is not None:
        return pd.DataFrame(array)
    # Refuses other dimensions; what the values are is decided column by column.
    ensure_2d = not one_column or array.ndim == 0
    check_array(array, dtype=None, ensure_2d=ensure_2d, ensure_all_finite=False, estimator=taker, input_name=name)
    if array.dtype.kind in "US" and not isinstance(X, np.ndarray):
        return pd.DataFrame(X)  # numbers in a list are not yet text
    if array.dtype.kind in "US" and array.ndim == 2 and array.shape[1] > 1:
        if taker is not None:
            raise ValueError(
                f"{name} holds text, but {taker} takes numbers: in an array of text it is unknown which columns "
                "were some. Pass a DataFrame, whose columns may be text."
            )
        if numerals := [j for j in range(array.shape[1]) if _are_numerals(array[:, j])]:
            raise ValueError(
                f"{name} is an array of text, but its column {numerals[0]} holds numbers. Pass a DataFrame, whose "
                "columns may be numbers or text."
            )
    return pd.DataFrame(array)


def _are_numerals(text: np.ndarray) -> bool:
    try:
        text.astype(float)
    except ValueError:
        return False
    return True


def clean_column(column: pd.Series, place: Place) -> pd.Series:
    """Return a column in one of the dtypes of `clean_table`."""
    kind: Any = column.dtype
    if isinstance(kind, pd.SparseDtype):
        column = column.sparse.to_dense()
        kind = column.dtype
    if column.isna().any():
        raise ValueError(f"Input {place.table} contains NaN (column {place.label!r}). Fill or drop the rows first.")
    types = pd.api.types
    if isinstance(kind, pd.CategoricalDtype):
        categories = clean_column(kind.categories.to_series().reset_index(drop=True), place)
        codes, categories = column.cat.codes.to_numpy(), pd.Index(categories)
        if not categories.is_unique:  # such as 1 and Decimal(1)
            same, categories = pd.factorize(categories)
            codes = same[codes]
        return pd.Series(pd.Categorical.from_codes(codes, categories))
    if types.is_bool_dtype(kind):
        return pd.Series(column.to_numpy(dtype=bool))
    if types.is_complex_dtype(kind):
        raise _complex_refused(place)
    if types.is_integer_dtype(kind):
        return pd.Series(column.to_numpy(dtype="uint64" if types.is_unsigned_integer_dtype(kind) else "int64"))
    if types.is_float_dtype(kind):
        return pd.Series(column.to_numpy(dtype=getattr(kind, "numpy_dtype", kind)))
    if isinstance(kind, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC")
    if isinstance(kind, pd.PeriodDtype):
        return column.dt.to_timestamp()
    if isinstance(kind, pd.IntervalDtype):
        return pd.Series([str(value) for value in column], dtype=object)
    return column if isinstance(kind, np.dtype) and kind.kind in "mM" else _clean_objects(column.astype(object), place)


def _clean_objects(column: pd.Series, place: Place) -> pd.Series:
    kind = pd.api.types.infer_dtype(column, skipna=False)
    if kind == "string":
        return column
    if kind == "integer":
        try:
            return pd.Series(np.array(column.tolist(), dtype=np.int64))
        except OverflowError:
            return _floats(column, place)
    if kind in NUMBERS:
        return _floats(column, place)
    if kind == "boolean":
        return column.astype(bool)
    if kind in DATES:
        return _dates(column, place)
    if kind in DURATIONS:
        return pd.Series(pd.to_timedelta(column))
    if kind == "time":
        return pd.Series(pd.to_timedelta(column.astype(str)))
    if kind == "period":
        return clean_column(pd.Series(pd.PeriodIndex(column)), place)
    return _by_types(column, place)


def _floats(column: pd.Series, place: Place) -> pd.Series:
    try:
        return column.astype(float)
    except OverflowError as error:
        raise ValueError(
            f"Input {place.table} contains a value too large for float64 (column {place.label!r}), infinity to it. "
            "Clip it, or take logarithms first."
        ) from error


def _dates(column: pd.Series, place: Place) -> pd.Series:
    aware = column.map(lambda date: getattr(date, "tzinfo", None) is not None)
    if aware.any() and not aware.all():
        raise TypeError(
            f"{place} mixes dates with and without a time zone ({aware.sum()} of {len(aware)} rows have one). Give all "
            "of them one: tz_localize."
        )
    try:
        return pd.Series(pd.to_datetime(column, utc=bool(aware.any())))
    except (pd.errors.OutOfBoundsDatetime, OverflowError):  # years beyond the reach of nanoseconds
        return pd.Series(np.array(column.tolist(), dtype="datetime64[us]"))


def _by_types(column: pd.Series, place: Place) -> pd.Series:
    """Return a column of objects that pandas has no name for, by the types that occur."""
    types = column.map(type)
    kinds = types.map({one: _kind_of(one) for one in types.unique()})
    found = kinds.value_counts()
    if set(found.index) <= {"numbers", "booleans"}:
        return _floats(column, place)
    if "complex numbers" in found.index and set(found.index) <= {"complex numbers", "numbers"}:
        raise _complex_refused(place)
    if len(found) > 1:
        seen = " and ".join(
            f"{kind} ({count} {'row' if count == 1 else 'rows'}, such as {column[(kinds == kind).argmax()]!r})"
            for kind, count in list(found.items())[:2]
        )
        rule = "Each argument must be a string or a number. " if any("objects" in kind for kind in found.index) else ""
        raise TypeError(
            f"{place} mixes {seen}. {rule}Make it one kind: .astype(str) turns all of it into text, which is classes; "
            'pd.to_numeric(column, errors="coerce") into numbers, and the rest into NaN to fill or drop.'
        )
    (first,) = column.iloc[:1]
    one = type(first)
    has_text = one.__str__ is not object.__str__ or one.__repr__ is not object.__repr__
    if not has_text or not _is_hashable(first):
        raise TypeError(
            f"{place} holds objects of type {one.__name__}, which are not values. Turn them into numbers, text "
            "or several columns."
        )
    return pd.Series([_text(value) for value in column], dtype=object)


def _kind_of(one: type) -> str:
    """Return what to call values of a type."""
    if issubclass(one, bool | np.bool_):
        return "booleans"
    if issubclass(one, Real | Decimal):
        return "numbers"
    if issubclass(one, Complex):
        return "complex numbers"
    if issubclass(one, str | bytes):
        return "text"
    if issubclass(one, datetime.date | np.datetime64):
        return "dates"
    if issubclass(one, datetime.timedelta | np.timedelta64):
        return "durations"
    return f"{one.__name__} objects"


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return isinstance(value, Hashable)


def _complex_refused(place: Place) -> ValueError:
    return ValueError(
        f"Complex data not supported: {place} holds complex numbers. Pass the real and the imaginary parts as two "
        "columns."
    )
