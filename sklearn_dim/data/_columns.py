"""Columns of any kind as numbers that a critic can use, without changing mutual information."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from scipy.special import ndtri
from sklearn.utils import check_array, check_random_state, column_or_1d

from sklearn_dim.data._discrete import discrete_mask, unseen_rows, warn_of_single_rows, warn_of_unseen
from sklearn_dim.data._frames import clean_table
from sklearn_dim.data._items import without_torch
from sklearn_dim.data._refused import explained

MAX_LEVELS = 20  # a column of numbers with more distinct values counts as continuous
ROWS_PER_LEVEL = 5  # with fewer rows per value on average the values are measurements, not classes
# Each indicator has a correlation with every column of the other side, and one fitted to n rows adds 1/2n nats of
# chance. With 50 rows per indicator, all indicators add at most 0.01 nats per column of the other side.
ROWS_PER_INDICATOR = 50
MAX_KNOTS = 1000  # that describe the map of a continuous column to its scores
# A value is an atom if it has 2 % of the rows and five times as many as the values around it, so that four fifths of
# its rows are there for a reason of their own (zero, missing, censored). Values of rounded columns and counts are as
# frequent as their neighbours; their scores say all there is.
ATOM_SHARE = 0.02
ATOM_RATIO = 5
AROUND_ATOM = 10  # distinct values on each side: more than there are codes for missing in a row


def check_table(X: Any, name: str, *, one_column: bool = False) -> pd.DataFrame:
    """Return X as a DataFrame of columns that `ColumnCoder` takes.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Columns of a pandas or polars DataFrame, a list of rows or an array of dtype object may hold numbers, dates,
        durations, booleans, categories or text.
    name : str
        The estimator's, for messages.
    one_column : bool, default=False
        Whether a Series or an array of one dimension is one column, rather than refused.

    Returns
    -------
    DataFrame
        Numbered rows. See `sklearn_dim.data._frames.clean_table` for the dtypes.

    Raises
    ------
    ValueError
        If values are missing, infinite or complex, or X is empty or has not two dimensions.
    TypeError
        If a column mixes kinds, such as numbers and text, or holds objects that are none.
    """
    array = _numeric_array(X)
    if array is None:
        return _refuse_infinite(clean_table(X, "X", name, one_column=one_column), "X")
    if one_column and array.ndim == 1:
        array = array.reshape(-1, 1)
    options = {"dtype": [np.float64, np.float32], "ensure_all_finite": False, "estimator": name, "input_name": "X"}
    try:
        array = check_array(array, accept_sparse="csr", **options)
    except ValueError as error:
        raise explained(error, array, name) from None
    return _refuse_infinite(pd.DataFrame(array.toarray() if issparse(array) else array), "X")


def check_targets(y: Any, name: str = "y") -> pd.DataFrame:
    """Return y, one column or several of any kind that `check_table` takes, as a DataFrame; ``name`` is its own."""
    if _is_single(y):
        raise ValueError(f"{name}={y!r} must have one entry or row for each row of X: an array, a Series or a frame.")
    array = _numeric_array(y)
    if array is None:
        return _refuse_infinite(clean_table(y, name, one_column=True), name)
    try:
        array = check_array(array, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name=name)
    except ValueError as error:
        raise explained(error, array, "mutual information", name) from None
    array = array if array.ndim == 2 and array.shape[1] > 1 else column_or_1d(array, warn=False)
    return _refuse_infinite(pd.DataFrame(array), name)


def _is_single(y: Any) -> bool:
    """Return whether y is one value, or none, rather than rows."""
    try:
        return isinstance(y, str | bytes | dict) or not len(y)
    except TypeError:
        return not (issparse(y) or (hasattr(y, "__array__") and np.ndim(np.asarray(y))))


def _numeric_array(X: Any) -> Any:
    """Return X as an array or sparse matrix of numbers, or None if it is none."""
    if issparse(X):
        return X
    if isinstance(X, pd.DataFrame | pd.Series | pd.Index | np.ma.MaskedArray) or hasattr(X, "to_pandas"):
        return None
    array = np.asarray(without_torch(X))
    return array if array.dtype.kind in "biufc" and array.ndim else None


def _refuse_infinite(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the table if its numbers are finite."""
    for label, column in table.items():
        if column.dtype.kind != "f" or np.isfinite(column.to_numpy()).all():
            continue
        if column.isna().any():
            raise ValueError(f"Input {name} contains NaN (column {label!r}). Fill or drop the rows first.")
        raise ValueError(f"Input {name} contains infinity (column {label!r}). Clip or drop the rows first.")
    return table


class ColumnCoder:
    """Continuous columns become normal scores, discrete ones indicators; constants are dropped.

    Both maps are invertible on the values seen, so information in nats stays what it was. Between its knots, at most
    1000, the map to the scores is linear.

    An atom of a continuous column, a value that is far more frequent than the values around it, gets an indicator
    beside the score: what it says need not lie between what its neighbours say.

    Parameters
    ----------
    max_levels : int, default=20
        Maximum number of distinct values of a discrete column of numbers, unless `fit` is told which are discrete.
    name : str, default="X"
        The table's, for messages.
    together : bool, default=True
        Whether the columns are used together, so that their indicators add up. False judges each column by itself.

    Attributes
    ----------
    n_columns_ : int
    families_ : list of str
        For each column "numbers" (booleans included), "dates", "dates with a time zone", "durations" or "text".
    discrete_, continuous_ : list of int
        Positions of the columns; constants are in neither.
    levels_ : list of ndarray
        For each discrete column its levels, sorted: numbers, microseconds or text.
    scores_ : list of (ndarray, ndarray)
        For each continuous column the knots of the map from values to scores.
    atoms_ : list of ndarray
        For each continuous column the values that have an indicator of their own.
    combinations_ : ndarray or None
        If there are no continuous columns, the keys of the combinations of levels that were seen, sorted.
    """

    def __init__(self, max_levels: int = MAX_LEVELS, name: str = "X", *, together: bool = True):
        self.max_levels, self.name, self.together = max_levels, name, together

    def fit(self, table: pd.DataFrame, discrete: Any = "auto") -> "ColumnCoder":
        """Learn the columns' kinds, levels and ranks.

        Parameters
        ----------
        table : DataFrame
            Of `check_table` or `check_targets`.
        discrete : "auto", bool, mask (n_columns,) of bool, or sequence of positions or names, default="auto"
            Which columns are discrete. Text and categories always are. "auto" adds booleans, and numbers with at most
            ``max_levels`` distinct values of at least five rows on average. If these columns of numbers together
            would take more indicators than the rows allow (one for every 50 rows; no fewer than ``max_levels``, no
            more than five times as many), all of them are continuous, and have no atoms.

        Raises
        ------
        ValueError
            If ``discrete`` is none of these, or names a column that does not exist.
        """
        n = len(table)
        is_auto = isinstance(discrete, str) and discrete == "auto"
        asked = None if is_auto else discrete_mask(discrete, table.columns, self.name)
        self.n_columns_, self.families_ = table.shape[1], [family(column) for _, column in table.items()]
        self.levels_, self.scores_, self.atoms_ = [], [], []
        classes: list[int] = []
        numbers: list[int] = []
        few: list[int] = []
        seen = [distinct_values(plain_values(column)) for _, column in table.items()]
        for i, (levels, _) in enumerate(seen):
            kind = table.dtypes.iloc[i]
            if len(levels) <= 1:
                continue
            if self.families_[i] == "text" or isinstance(kind, pd.CategoricalDtype):
                classes.append(i)
            elif asked is not None:
                (classes if asked[i] else numbers).append(i)
            elif kind.kind == "b":
                classes.append(i)
            elif self.families_[i] == "numbers" and len(levels) <= min(self.max_levels, n / ROWS_PER_LEVEL):
                few.append(i)
            else:
                numbers.append(i)
        n_indicators = sum(len(seen[i][0]) - 1 for i in few)
        enough = not self.together or n_indicators <= self._max_indicators(n)
        (classes if enough else numbers).extend(few)
        self.discrete_, self.continuous_ = sorted(classes), sorted(numbers)
        for i in self.discrete_:
            self.levels_.append(seen[i][0])
            if len(seen[i][0]) > n / 2 and n > self.max_levels:
                warn_of_single_rows(table.columns[i], len(seen[i][0]), n)
        for i in self.continuous_:
            self.scores_.append(normal_scores(*seen[i]))
            self.atoms_.append(seen[i][0][:0] if i in few else atoms(*seen[i]))
        if self.together and sum(map(len, self.atoms_)) > self._max_indicators(n):
            self.atoms_ = [values[:0] for values in self.atoms_]
        self.combinations_ = None if self.continuous_ else np.unique(self._keys(self._level_numbers(table), n))
        return self

    def transform(self, table: pd.DataFrame) -> np.ndarray:
        """Return float32 codes (n_samples, n_codes): scores, indicators of levels, indicators of atoms.

        They are one column of zeros if no column carries anything. Levels that `fit` did not see have no indicator.

        Raises
        ------
        ValueError
            If a column holds another kind of values than at `fit`.

        Warns
        -----
        UserWarning
            If there are levels that `fit` did not see. This holds for all methods.
        """
        self._check(table)
        widths = [len(values) for values in (*self.levels_, *self.atoms_)]
        n, n_scores = len(table), len(self.continuous_)
        codes = np.zeros((n, max(1, n_scores + sum(widths))), dtype=np.float32)
        numbers = self._level_numbers(table, warn=True)
        for position, (i, values) in enumerate(zip(self.continuous_, self.atoms_, strict=True)):
            column = plain_values(table.iloc[:, i])
            codes[:, position] = interpolate(column, *self.scores_[position])
            numbers.append(find(column, values))
        start = n_scores
        for number, width in zip(numbers, widths, strict=True):
            rows = np.flatnonzero(number >= 0)
            codes[rows, start + number[rows]] = 1
            start += width
        return codes

    def numbers(self, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns as float64 numbers (n_samples, d), in their order, and a mask (d,) of the discrete ones.

        Continuous columns are normal scores, equal where their values are; discrete ones are numbers of levels, −1
        for a level that `fit` did not see. Constants are left out.
        """
        self._check(table)
        columns: dict[int, np.ndarray] = dict(zip(self.discrete_, self._level_numbers(table, warn=True), strict=True))
        for i, knots in zip(self.continuous_, self.scores_, strict=True):
            columns[i] = interpolate(plain_values(table.iloc[:, i]), *knots)
        order = sorted(columns)
        values = np.array([columns[i] for i in order], dtype=float).reshape(len(order), len(table)).T
        return np.ascontiguousarray(values), np.isin(order, self.discrete_)

    def symbols(self, table: pd.DataFrame) -> np.ndarray:
        """Return a number for each row (n_samples,), the same for rows of the same levels, if no column is continuous.

        They count from 0 the combinations of levels that `fit` saw; other rows have −1.
        """
        if self.combinations_ is None:
            raise ValueError(f"{self.name} has continuous columns, whose rows are no symbols.")
        self._check(table)
        numbers = self._level_numbers(table, warn=True)
        found = find(self._keys(numbers, len(table)), self.combinations_)
        return np.where(unseen_rows(numbers, len(table)), -1, found)

    def unseen(self, table: pd.DataFrame) -> np.ndarray:
        """Return a mask (n_samples,) of the rows with a level that `fit` did not see."""
        self._check(table)
        return unseen_rows(self._level_numbers(table), len(table))

    def _max_indicators(self, n: int) -> float:
        return min(max(self.max_levels, n / ROWS_PER_INDICATOR), 5 * self.max_levels)

    def _check(self, table: pd.DataFrame) -> None:
        """Refuse columns of another kind than at fit."""
        for (label, column), fitted in zip(table.items(), self.families_, strict=True):
            if (here := family(column)) != fitted:
                raise ValueError(
                    f"column {label!r} of {self.name} holds {here}, but held {fitted} in fit, so no value would be "
                    f"recognised. Pass {fitted} again, or fit on {here}."
                )

    def _level_numbers(self, table: pd.DataFrame, warn: bool = False) -> list[np.ndarray]:
        """Return the numbers of the levels of each discrete column, −1 for those that fit did not see."""
        columns = (plain_values(table.iloc[:, i]) for i in self.discrete_)
        numbers = [find(column, levels) for column, levels in zip(columns, self.levels_, strict=True)]
        if warn and any((number < 0).any() for number in numbers):
            warn_of_unseen(table.iloc[:, self.discrete_], numbers, self.name)
        return numbers

    def _keys(self, numbers: Sequence[np.ndarray], n: int) -> np.ndarray:
        """Return a key (n,) of each row's levels; the product of many columns wraps around, as in a hash."""
        keys = np.zeros(n, dtype=np.uint64)
        n_combinations = 1.0
        for number, levels in zip(numbers, self.levels_, strict=True):
            n_combinations *= len(levels)
            # Odd, so that no bit of the key is lost when it wraps around.
            factor = len(levels) if n_combinations < 2**63 else 0x9E3779B97F4A7C15
            keys = keys * np.uint64(factor) + number.astype(np.uint64)
        return keys


class Passthrough:
    """Stands where a `ColumnCoder` stands, for arrays of any shape that an encoder takes unchanged."""

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return X as a float32 array that may be written to."""
        return np.array(X, dtype=np.float32)


def equal_rows(*codes: np.ndarray) -> np.ndarray:
    """Return a number for each row (n_samples,), the same for rows that are equal in all of ``codes``."""
    rows = np.ascontiguousarray(np.hstack(codes))
    return np.unique(rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel(), return_inverse=True)[1]


def normal_scores(distinct: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return knots of the map from values to the normal quantiles of their mid-ranks (the copula transform).

    Parameters
    ----------
    distinct, counts : ndarray of shape (n_distinct,)
        The values, sorted, and the number of rows of each.

    Returns
    -------
    values, scores : ndarray of shape (n_knots,)
        All distinct values, if there are at most 1000. Otherwise as many that no two neighbours' scores differ by much
        more than 0.01, unless there is no value between them. As the map is monotone, nor do interpolated scores.
    """
    counts = counts.astype(float)
    scores = ndtri((np.cumsum(counts) - counts / 2) / counts.sum())
    kept = np.arange(len(scores))
    n_bins = MAX_KNOTS - 40
    while len(kept) > MAX_KNOTS:
        width = (scores[-1] - scores[0]) / n_bins
        bins = np.floor((scores - scores[0]) / width)
        first = np.r_[True, bins[1:] != bins[:-1]]
        # Before a jump (an atom) the last value is needed too, or what lies below the jump would be raised.
        last = np.r_[first[1:] & (np.diff(scores) > width / 4), True]
        kept = np.flatnonzero(first | last)
        n_bins //= 2
    return distinct[kept].astype(float), scores[kept]


def interpolate(values: np.ndarray, knots: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the scores of values, as `numpy.interp` does, also where differences of values overflow or are tiny."""
    values = values.astype(float)
    after = np.clip(np.searchsorted(knots, values, side="right"), 1, len(knots) - 1)
    low, high = knots[after - 1], knots[after]
    with np.errstate(over="ignore"):
        far = ~np.isfinite(high - low) | ~np.isfinite(values - low)
        values, low, high = (np.where(far, x / 2, x) for x in (values, low, high))
        share = np.clip((values - low) / (high - low), 0, 1)
    return (1 - share) * scores[after - 1] + share * scores[after]


def atoms(distinct: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the values that are far more frequent than those around them, by `ATOM_SHARE` and `ATOM_RATIO`."""
    found = []
    for i in np.flatnonzero(counts >= ATOM_SHARE * counts.sum()):
        around = np.r_[counts[max(0, i - AROUND_ATOM) : i], counts[i + 1 : i + 1 + AROUND_ATOM]]
        if counts[i] >= ATOM_RATIO * np.median(around):
            found.append(i)
    return distinct[found]


def continuous_scores(table: np.ndarray, random_state) -> np.ndarray:
    """Return each column's ranks as normal quantiles, float32 (n, d), ties broken at random.

    So every column becomes continuous, and exactly normal, at no change of what it says about the others (the
    distributional transform).
    """
    ties = check_random_state(random_state).random_sample(table.shape)
    ranks = np.lexsort((ties, table), axis=0).argsort(axis=0)
    return ndtri((ranks + 0.5) / len(table)).astype(np.float32)


def family(column: pd.Series) -> str:
    """Return what the values of a column are, by which values at `fit` and later can be compared."""
    kind: Any = column.cat.categories.dtype if isinstance(column.dtype, pd.CategoricalDtype) else column.dtype
    if isinstance(kind, pd.DatetimeTZDtype):
        return "dates with a time zone"
    return {"M": "dates", "m": "durations"}.get(kind.kind, "numbers" if kind.kind in "biuf" else "text")


def plain_values(column: pd.Series) -> np.ndarray:
    """Return the values of a clean column: numbers, dates and durations in microseconds, or str."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return plain_values(column.cat.categories.to_series())[column.cat.codes.to_numpy()]
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_localize(None)
    if column.dtype.kind in "mM":
        unit = np.datetime_data(column.dtype)[0]
        whole, rest = np.divmod(column.to_numpy().astype(np.int64), 1000 if unit == "ns" else 1)
        # Below 2^53 microseconds (the years 1685 to 2255) equal dates of all units are equal numbers.
        return whole * {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1.0}[unit] + rest / 1000
    return column.to_numpy(dtype=float if column.dtype == bool else None)


def distinct_values(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values, sorted, and the number of rows of each."""
    if values.dtype != object:
        return np.unique(values, return_counts=True)
    codes, levels = pd.factorize(values, sort=True)
    return np.asarray(levels, dtype=object), np.bincount(codes, minlength=len(levels))


def find(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the position of each value among sorted levels, −1 if it is none."""
    if levels.dtype == object:
        return pd.Index(levels, dtype=object).get_indexer(values)
    if not len(levels):
        return np.full(len(values), -1)
    if values.dtype.kind == levels.dtype.kind == "f":  # 0.1 in float32 is 0.1
        narrow = min(values.dtype, levels.dtype, key=lambda dtype: dtype.itemsize)
        values, levels = values.astype(narrow), levels.astype(narrow)
    position = np.minimum(np.searchsorted(levels, values), len(levels) - 1)
    return np.where(levels[position] == values, position, -1)
