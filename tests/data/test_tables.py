"""Tables as they come: what each kind of column becomes."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sklearn_dim.data import TableCoder, read_table
from sklearn_dim.data._tables import MAX_LEVELS

NAN = float("nan")


def table(X, coded=False):
    return read_table(X, "DIMTransformer", coded=coded)


def coded(X, later=None):
    coder = TableCoder().fit(table(X, coded=True))
    return coder.transform(table(X if later is None else later, coded=True)).tolist()


def column(values, **options):
    return pd.DataFrame({"a": pd.Series(values, **options)})


@pytest.mark.parametrize(
    "values, codes",
    [
        ([1.0, 3.0], [[1], [3]]),
        ([1.0, NAN, 3.0], [[1, 0], [2, 1], [3, 0]]),
        ([1, None, Decimal(3)], [[1, 0], [2, 1], [3, 0]]),
        (pd.array([1, None, 3], dtype="Int64"), [[1, 0], [2, 1], [3, 0]]),
        (pd.array([1.5, pd.NA], dtype="Float32"), [[1.5, 0], [1.5, 1]]),
        ([True, False], [[1], [0]]),
        ([True, None, False], [[1, 0], [0.5, 1], [0, 0]]),
        (pd.array([True, None], dtype="boolean"), [[1, 0], [1, 1]]),
        (["x", "y", "x"], [[1, 0], [0, 1], [1, 0]]),
        (["x", None, "y"], [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
        (pd.array(["x", pd.NA], dtype="string"), [[1, 0], [0, 1]]),
        (pd.Categorical(["x", None, "y"], categories=["y", "unused", "x"]), [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
        (pd.Categorical([3, 1]), [[0, 1], [1, 0]]),
        (pd.to_datetime(["1970-01-02", None, "1970-01-04"]), [[1, 0], [2, 1], [3, 0]]),
        (pd.to_datetime(["1970-01-02", "1970-01-04"]).tz_localize("UTC"), [[1], [3]]),
        ([datetime.date(1970, 1, 2), None], [[1, 0], [1, 1]]),
        (pd.to_timedelta([36, None], unit="h"), [[1.5, 0], [1.5, 1]]),
    ],
    ids=str,
)
def test_what_a_column_becomes(values, codes):
    assert coded(column(values)) == codes


def test_columns_stand_side_by_side_and_empty_ones_are_nothing():
    X = pd.DataFrame({"n": [1.0, NAN], "nothing": [None, None], "t": ["x", "x"]})
    assert coded(X) == [[1, 0, 1], [1, 1, 1]]
    X.columns = ["same", "same", "same"]
    assert coded(X) == [[1, 0, 1], [1, 1, 1]]


def test_unseen_levels_and_missing_cells_that_fit_did_not_see():
    X = pd.DataFrame({"t": ["x", "y"], "n": [1.0, 3.0], "gone": [None, None]})
    later = pd.DataFrame({"t": ["new", None], "n": [None, 5.0], "gone": [1.0, 2.0]})
    assert coded(X, later) == [[0, 0, 2], [0, 0, 5]]


def test_the_rarest_levels_share_an_indicator_and_unseen_ones_have_none():
    names = [f"level {i:02}" for i in range(30)]
    codes = np.array(coded(column(names * 3 + names[:10] * 2), column([*names, "new"])))
    assert codes.shape == (31, MAX_LEVELS)
    assert (codes[:30].sum(1) == 1).all() and not codes[30].any()
    assert codes[:30, -1].sum() == 30 - (MAX_LEVELS - 1) and not codes[:10, -1].any()


def test_text_that_does_not_repeat_is_left_out_with_a_warning():
    X = pd.DataFrame({"id": [f"customer {i}" for i in range(50)], "n": np.arange(50.0)})
    with pytest.warns(UserWarning, match=r"column 'id' of X has 50 levels in 50 rows, .* is left out\. Drop it"):
        assert np.shape(coded(X)) == (50, 1)
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="there is no column to learn from"):
        coded(X[["id"]])


def test_the_float_type_is_that_of_the_numbers():
    X = pd.DataFrame({"n": np.array([1, NAN], np.float32), "t": ["x", "y"]})
    assert TableCoder().fit(table(X)).transform(table(X)).dtype == np.float32
    assert table(X.astype({"n": float})).dtype == table(X[["t"]]).dtype == np.float64


def test_complete_numbers_need_no_coder():
    X = np.arange(6.0).reshape(3, 2)
    frame = pd.DataFrame(X, columns=["a", "b"])
    complete = [X, X.astype(int), X.tolist(), X.astype(object), frame, frame.astype(object), frame.astype("Float64")]
    for given in [*complete, frame > 2, sparse.csr_matrix(X), np.zeros((2, 3, 4)), np.zeros(3), np.zeros((2, 2)) * 1j]:
        assert table(given) is None
    for given in complete:
        assert coded(frame, given) == X.tolist()
    assert coded(frame, sparse.csr_matrix(X)) == X.tolist()


@pytest.mark.parametrize(
    "X", [np.array([[1, NAN], [3, 4]]), [[1, None], [3, 4]], np.ma.array([[1, 9], [3, 4]], mask=[[0, 1], [0, 0]])]
)
def test_missing_cells_of_arrays(X):
    assert coded(X) == [[1, 4, 1], [3, 4, 0]]


def test_rows_with_text_in_lists_and_arrays_of_objects():
    rows = [[1.0, "x"], [2.0, "y"]]
    assert coded(rows) == coded(np.array(rows, dtype=object)) == [[1, 1, 0], [2, 0, 1]]


def test_polars():
    polars = pytest.importorskip("polars")
    X = polars.DataFrame(
        {"n": [1, None], "t": ["x", None], "b": [True, None], "d": [datetime.date(1970, 1, 2), None]},
    ).with_columns(polars.col("t").cast(polars.Categorical).alias("c"))
    assert coded(X) == [[1, 0, 1, 0, 1, 0, 1, 0, 1, 0], [1, 1, 0, 1, 1, 1, 1, 1, 0, 1]]
    assert coded(polars.DataFrame({"n": [1.0, NAN]})) == [[1, 0], [1, 1]]


@pytest.mark.parametrize(
    "values, error, message",
    [
        ([1.0, np.inf, NAN], ValueError, r"contains infinity \(column 'a'\)\. Clip it, or replace it by NaN"),
        ([1e300, NAN], ValueError, "column 'a' of X has values too large for float32. Rescale it"),
        ([1, "x", None], TypeError, r"column 'a' of X mixes .*\.astype\(str\)"),
        ([[1], [2]], TypeError, "column 'a' of X holds objects of type list, .* Turn them into numbers"),
        ([{"a": 1}, 1.0], TypeError, "must be a string or a number"),
        ([1j, None], ValueError, "real and the imaginary parts"),
    ],
)
def test_cells_that_are_no_values_are_refused_by_name(values, error, message):
    with pytest.raises(error, match=message):
        coded(column(values, dtype=object))


def test_other_kinds_of_values_than_in_fit_are_refused():
    with pytest.raises(ValueError, match=r"column 'a' of X holds text, but held numbers in fit\. Pass numbers"):
        coded(column([1.0, NAN]), column(["x", "y"]))
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        coded(column([1.0, NAN]), column([]))


def test_codes_of_missing_cells():
    X = pd.DataFrame({"n": [1.0, NAN], "t": ["x", None], "whole": [1, 2]})
    columns, codes = TableCoder().fit(table(X)).missing_codes()
    assert columns.tolist() == [0, 0, 1, 1, 2]
    np.testing.assert_array_equal(codes, [1, 1, 0, 1, NAN])
