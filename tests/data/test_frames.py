"""Columns of every type: what they become, and what is refused by name."""

import datetime
import uuid
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from sklearn_dim import MutualInfoEstimator, mutual_info_features
from sklearn_dim.data import ColumnCoder, check_table, check_targets

N = 60
VALUES = np.random.default_rng(0).normal(size=N).round(3)
DATES = pd.Series(pd.date_range("2020-01-01", periods=N, freq="h"))


def one(column, **options):
    """Return the only column of a checked table."""
    table = check_table(column if isinstance(column, pd.DataFrame) else pd.DataFrame({"a": column}), "Any", **options)
    return table.iloc[:, 0]


# What a column becomes


@pytest.mark.parametrize(
    "column",
    [
        VALUES.astype(object),
        [Decimal(str(x)) for x in VALUES],
        [Decimal(str(x)) if i % 2 else float(x) for i, x in enumerate(VALUES)],
        [Fraction(str(x)) for x in VALUES],
        pd.array(VALUES, dtype="Float64"),
        pd.array(VALUES, dtype="double[pyarrow]"),
        pd.arrays.SparseArray(VALUES),
    ],
    ids=["object", "Decimal", "Decimal and float", "Fraction", "Float64", "pyarrow", "sparse"],
)
def test_numbers_of_any_dtype_are_floats(column):
    assert one(column).dtype == np.float64
    np.testing.assert_array_equal(one(column), VALUES)


@pytest.mark.parametrize(
    "column, dtype, expected",
    [
        ([1, 2, 3] * 20, "int64", None),
        (np.array([1, 2, 3] * 20, dtype=object), "int64", None),
        (pd.array([1, 2, 3] * 20, dtype="Int8"), "int64", None),
        (pd.array([2**63, 1, 2] * 20, dtype="UInt64"), "uint64", None),
        (np.array([10**30, 1, 2] * 20, dtype=object), "float64", [1e30, 1, 2] * 20),
        (np.array([True, 2, 0.5] * 20, dtype=object), "float64", [1, 2, 0.5] * 20),
        (np.array([True, False] * 30, dtype=object), "bool", None),
        (pd.array([True, False] * 30, dtype="boolean"), "bool", None),
        (pd.array([True, False] * 30, dtype="bool[pyarrow]"), "bool", None),
        (pd.array(["x", "y"] * 30, dtype="string"), "object", None),
        (pd.array(["x", "y"] * 30, dtype="string[pyarrow]"), "object", None),
        ([b"x", "y"] * 30, "object", ["x", "y"] * 30),
        ([(1, 2), (3, 4)] * 30, "object", ["(1, 2)", "(3, 4)"] * 30),
        ([uuid.UUID(int=1)] * N, "object", [str(uuid.UUID(int=1))] * N),
        (pd.array([pd.Interval(0, 1)] * N), "object", ["(0, 1]"] * N),
        (DATES.dt.to_period("D"), "datetime64", DATES.dt.floor("D")),
        (DATES.dt.date, "datetime64", DATES.dt.floor("D")),
        (DATES.astype(object), "datetime64", DATES),
        (DATES.astype("timestamp[us][pyarrow]"), "datetime64", DATES),
        (
            [datetime.date(1, 1, 1), datetime.date(9999, 1, 1)] * 30,
            "datetime64",
            np.array(["0001-01-01", "9999-01-01"] * 30, dtype="datetime64[s]"),
        ),
        (DATES.dt.time, "timedelta64", DATES - DATES.dt.floor("D")),
        ((DATES - DATES[0]).astype(object), "timedelta64", DATES - DATES[0]),
    ],
)
def test_what_a_column_becomes(column, dtype, expected):
    clean = one(column)
    assert str(clean.dtype).startswith(dtype)
    assert (clean == pd.Series(column if expected is None else expected)).all()


def test_categories_stay_categories():
    for levels in ([3, 1], ["b", "a"], [Decimal(1), Decimal(2)], [True, False], list(DATES[:2])):
        clean = one(pd.Categorical(levels * 30, categories=levels))
        assert isinstance(clean.dtype, pd.CategoricalDtype)
        assert clean.astype(object).tolist() == levels * 30
    # More than twenty numbers of a few rows each would be numbers.
    assert ColumnCoder().fit(one(pd.Categorical(np.arange(N) % 30)).to_frame()).discrete_ == [0]


def test_polars_tables_are_taken_with_text():
    frame = pl.DataFrame(
        {
            "number": VALUES,
            "text": ["x", "y"] * 30,
            "category": pl.Series(["x", "y"] * 30, dtype=pl.Categorical),
            "flag": [True, False] * 30,
            "decimal": [Decimal(f"{x:.3f}") for x in VALUES],
            "date": DATES.dt.date.tolist(),
            "time": DATES.dt.time.tolist(),
        }
    )
    table = check_table(frame, "Any")
    assert list(table.columns) == frame.columns
    assert "".join(dtype.kind for dtype in table.dtypes) == "fOObfMm"
    coder = ColumnCoder().fit(table)
    assert coder.discrete_ == [1, 2, 3]
    assert coder.families_[1:3] == ["text", "text"] and coder.families_[5:] == ["dates", "durations"]
    assert check_targets(frame["text"]).iloc[:, 0].tolist() == ["x", "y"] * 30
    with pytest.raises(TypeError, match=r"X is a polars LazyFrame, .* Call its collect\(\)"):
        check_table(frame.lazy(), "Any")
    with pytest.raises(ValueError, match=r"Input X contains NaN .column 'a'"):
        check_table(pl.DataFrame({"a": ["x", None]}), "Any")


def test_a_series_and_one_dimension_are_a_column_where_the_caller_says_so():
    for x in (VALUES, VALUES.tolist(), pd.Series(VALUES), pl.Series(VALUES), pd.Index(VALUES), VALUES.astype(object)):
        assert check_table(x, "Any", one_column=True).to_numpy(float).tolist() == VALUES[:, None].tolist()
        with pytest.raises(ValueError, match=r"Expected 2D array, got 1D array|Expected a 2-dimensional container"):
            check_table(x, "Any")
    assert list(check_table(pd.Series(VALUES, name="a"), "Any", one_column=True)) == ["a"]
    assert check_table(["x", "y"], "Any", one_column=True).iloc[:, 0].tolist() == ["x", "y"]


@pytest.mark.parametrize(
    "rows",
    [
        [["x", 1.5], ["y", 2.5]],
        np.array([["x", 1.5], ["y", 2.5]], dtype=object),
        np.array([("x", 1.5), ("y", 2.5)], dtype=[("a", "U1"), ("b", float)]),
    ],
    ids=["list", "object", "structured"],
)
def test_rows_of_text_and_numbers_are_columns_of_their_own(rows):
    table = check_table(rows, "Any")
    assert [dtype.kind for dtype in table.dtypes] == ["O", "f"]


def test_kinds_of_the_same_numbers_agree():
    X = np.round(np.abs(VALUES)).reshape(-1, 2)
    expected = check_table(X, "Any")
    for other in (sparse.csr_matrix(X), sparse.coo_array(X), X.tolist(), pd.DataFrame(X), np.asfortranarray(X)):
        pd.testing.assert_frame_equal(check_table(other, "Any"), expected)
    names = pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(X), columns=["a", "b"])
    np.testing.assert_array_equal(check_table(names, "Any"), expected)


def test_numbers_of_dtype_object_have_the_information_of_numbers():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    y = x + rng.normal(size=400)
    expected = mutual_info_features(x[:, None], y, max_iter=20, random_state=0)
    assert expected > 0.2
    decimals = [Decimal(float(value)) for value in y]
    for given in (y.astype(object), pd.Series(y, dtype=object), decimals, pd.DataFrame({"y": decimals})):
        np.testing.assert_array_equal(mutual_info_features(x[:, None], given, max_iter=20, random_state=0), expected)
    frame = pd.DataFrame({"x": x.astype(object)})
    np.testing.assert_array_equal(mutual_info_features(frame, y, max_iter=20, random_state=0), expected)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs are the point
def test_an_estimator_knows_new_rows_of_another_type():
    rng = np.random.default_rng(0)
    x, flag = rng.normal(size=(400, 1)), rng.integers(2, size=400)
    day = pd.DataFrame({"day": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.round(1e6 * x[:, 0]), unit="s")})
    y = x[:, 0] + flag + rng.normal(size=400)
    estimator = MutualInfoEstimator(cv=2, max_iter=2, device="cpu", random_state=0)
    score = estimator.fit(day.astype("datetime64[us]"), y).score(day.astype("datetime64[us]"), y)
    assert estimator.score(day.astype("datetime64[ns]"), y) == score > 0.2
    estimator.fit(x, flag.astype(str))
    with pytest.raises(ValueError, match=r"column 0 of .* holds numbers, but held text in fit"):
        estimator.score(x, flag)
    expected = estimator.fit(x, y).mutual_info_
    assert estimator.fit(x.astype(object), [Decimal(value) for value in y.tolist()]).mutual_info_ == expected


@pytest.mark.parametrize(
    "columns",
    [["a", "a"], ["", ""], [None, None], [0, "a"], pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])],
    ids=["equal", "empty", "none", "number", "levels"],
)
def test_any_names_will_do(columns):
    frame = pd.DataFrame({0: VALUES, 1: ["x", "y"] * 30}, index=VALUES).set_axis(columns, axis=1)
    table = check_table(frame, "Any")
    assert list(table.columns) == list(frame.columns) and list(table.index) == list(range(N))
    coder = ColumnCoder().fit(table)
    assert (coder.continuous_, coder.discrete_) == ([0], [1])
    assert coder.transform(table).shape == (N, 3)
    frame.iloc[3, 0] = np.inf
    with pytest.raises(ValueError, match=r"infinity .column"):
        check_table(frame, "Any")


# What is refused


def test_mixed_numbers_and_text_are_named_with_the_cure():
    mixed = pd.DataFrame({"good": [1.0, 2.0, 3.0], "bad": [1, "n/a", 3]})
    message = (
        r"column 'bad' of X mixes numbers \(2 rows, such as 1\) and text \(1 row, such as 'n/a'\). Make it one kind: "
        r".astype\(str\) .* pd.to_numeric\(column, errors=\"coerce\"\)"
    )
    with pytest.raises(TypeError, match=message):
        check_table(mixed, "Any")
    with pytest.raises(TypeError, match=r"column 1 of y mixes numbers .* and text"):
        check_targets(mixed.to_numpy())
    with pytest.raises(TypeError, match="column 'c' of y mixes"):
        check_targets(pd.Series([1, "x"], name="c"))


@pytest.mark.parametrize(
    "column, error, message",
    [
        ([1.0, np.nan], ValueError, r"Input X contains NaN \(column 'a'\). Fill or drop"),
        (["x", None], ValueError, "NaN .column 'a'"),
        (pd.array([1, None], dtype="Int64"), ValueError, "NaN .column 'a'"),
        (pd.Categorical(["x", None]), ValueError, "NaN .column 'a'"),
        (pd.to_datetime(["2020-01-01", None]), ValueError, "NaN .column 'a'"),
        ([Decimal(1), Decimal("NaN")], ValueError, "NaN .column 'a'"),
        ([1.0, np.inf], ValueError, r"Input X contains infinity \(column 'a'\). Clip or drop"),
        ([Decimal(1), Decimal("Infinity")], ValueError, "infinity .column 'a'"),
        (pd.array([1, np.inf], dtype="Float64"), ValueError, "infinity .column 'a'"),
        ([Fraction(10**400), Fraction(1, 2)], ValueError, "too large for float64 .column 'a'., infinity to it"),
        ([1j, 2.0], ValueError, "Complex data not supported: column 'a' of X"),
        (np.array([1j, 2.0], dtype=object), ValueError, "Complex data not supported: column 'a' of X"),
        ([[1], [2]], TypeError, "column 'a' of X holds objects of type list, which are not values"),
        ([{}, {}], TypeError, "column 'a' of X holds objects of type dict"),
        ([object(), object()], TypeError, "column 'a' of X holds objects of type object"),
        ([True, "x"], TypeError, "column 'a' of X mixes booleans .* and text"),
        ([datetime.date(2020, 1, 1), 3], TypeError, "column 'a' of X mixes .*dates .*"),
        (pd.Categorical([1, "x"]), TypeError, "column 'a' of X mixes numbers .* and text"),
        (
            [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01", tz="UTC")],
            TypeError,
            "column 'a' of X mixes dates with and without a time zone",
        ),
    ],
)
def test_what_is_no_value_is_refused_by_name(column, error, message):
    with pytest.raises(error, match=message):
        one(column)


def test_bad_numbers_of_an_array_are_named_by_column():
    for value, what in [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")]:
        X = VALUES.reshape(-1, 2).copy()
        X[3, 1] = value
        for bad in (X, X.tolist(), sparse.csr_matrix(X), X.astype(np.float32)):
            with pytest.raises(ValueError, match=rf"Input X contains {what} \(column 1\)"):
                check_table(bad, "Any")
        with pytest.raises(ValueError, match=rf"Input y contains {what} \(column 1\)"):
            check_targets(X)
        with pytest.raises(ValueError, match=rf"Input given contains {what} \(column 0\)"):
            check_targets(X[:, 1], "given")
    with pytest.raises(ValueError, match=r"Input X contains NaN \(column 0\)"):
        check_table(np.ma.masked_less(VALUES[:, None], 0), "Any")
    with pytest.raises(ValueError, match="Complex data not supported"):
        check_table(VALUES[:, None] + 1j, "Any")
    with pytest.raises(ValueError, match="Complex data not supported"):
        check_targets(VALUES + 1j)


def test_empty_tables_and_other_dimensions_are_refused():
    for empty in (pd.DataFrame({"a": []}), np.empty((0, 1)), pl.DataFrame({"a": []})):
        with pytest.raises(ValueError, match=r"0 sample\(s\)"):
            check_table(empty, "Any")
    for empty in (pd.DataFrame(index=range(3)), np.empty((3, 0))):
        with pytest.raises(ValueError, match=r"0 feature\(s\)"):
            check_table(empty, "Any")
    for deep in (np.zeros((2, 2, 2)), np.zeros((2, 2, 2), dtype=object)):
        with pytest.raises(ValueError, match="dim 3"):
            check_table(deep, "Any", one_column=True)
    for scalar in (3.0, "x", None):
        with pytest.raises(ValueError, match="Expected 2D array, got scalar array"):
            check_table(scalar, "Any")


def test_arrays_of_text_do_not_hide_numbers():
    with pytest.raises(ValueError, match=r"X holds text, but Any takes numbers: .* Pass a DataFrame"):
        check_table(np.array([["x", "y"], ["1", "2"]]), "Any")
    with pytest.raises(ValueError, match=r"y is an array of text, but its column 1 holds numbers. Pass a DataFrame"):
        check_targets(np.array([["x", "1.5"], ["y", "2.5"]]))
    assert check_targets(np.array([["x", "u"], ["y", "v"]])).shape == (2, 2)
    assert check_table(np.array([["x"], ["y"]]), "Any").iloc[:, 0].tolist() == ["x", "y"]
