"""Columns as numbers: which are discrete, what they become, what new rows may hold."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from sklearn_dim.data import ColumnCoder, check_table, check_targets, equal_rows


def table_of(**columns):
    return check_table(pd.DataFrame(columns), "Any")


def true_scores(values):
    """Return the distinct values and the normal quantiles of their mid-ranks."""
    distinct, counts = np.unique(values, return_counts=True)
    return distinct, ndtri((np.cumsum(counts) - counts / 2) / len(values))


# What they become


def test_continuous_columns_become_normal_scores_and_discrete_ones_indicators():
    table = table_of(x=np.arange(30.0) ** 3, kind=["a", "b", "b"] * 10, always=1)
    coded = ColumnCoder().fit(table).transform(table)
    np.testing.assert_allclose(coded[:, 0], ndtri((np.arange(30) + 0.5) / 30), rtol=1e-6)
    np.testing.assert_array_equal(coded[:, 1:], [[1, 0], [0, 1], [0, 1]] * 10)


def test_constants_carry_nothing():
    table = table_of(a=1.0, b="x", c=[-0.0, 0.0] * 10, d=pd.Timestamp("2020-01-01"))
    coder = ColumnCoder().fit(table)
    np.testing.assert_array_equal(coder.transform(table), np.zeros((20, 1)))
    assert coder.discrete_ == coder.continuous_ == []
    numbers, mask = coder.numbers(table)
    assert numbers.shape == (20, 0) and mask.shape == (0,)
    np.testing.assert_array_equal(coder.symbols(table), np.zeros(20))
    assert ColumnCoder().fit(table, discrete=True).discrete_ == []


def test_numbers_keep_ties_and_order():
    rng = np.random.default_rng(0)
    x = rng.poisson(30, size=500)
    table = table_of(kind=rng.choice(["a", "b", "c"], size=500), always=1, x=x, flag=x > 30)
    numbers, mask = ColumnCoder().fit(table).numbers(table)
    assert numbers.dtype == np.float64 and numbers.shape == (500, 3)
    np.testing.assert_array_equal(mask, [True, False, True])
    np.testing.assert_array_equal(numbers[:, 0], pd.factorize(table["kind"], sort=True)[0])
    np.testing.assert_array_equal(numbers[:, 1], true_scores(x)[1][np.searchsorted(np.unique(x), x)])


def test_symbols_number_the_combinations_of_levels():
    rng = np.random.default_rng(0)
    table = table_of(a=rng.choice(["x", "y"], size=200), b=rng.integers(3, size=200), c=True)
    coder = ColumnCoder().fit(table)
    symbols = coder.symbols(table)
    assert set(symbols) == set(range(6))
    np.testing.assert_array_equal(symbols, pd.factorize(table["a"] + table["b"].astype(str), sort=True)[0])
    with pytest.warns(UserWarning, match="1 of 2 rows of X"):
        assert list(coder.symbols(table_of(a=["x", "new"], b=[0, 0], c=True))) == [0, -1]
    # A combination that fit did not see is none of those it saw, though its levels are.
    coder.fit(table_of(a=["x", "y"] * 10, b=[0, 1] * 10))
    assert list(coder.symbols(table_of(a=["x", "x"], b=[0, 1]))) == [0, -1]
    with pytest.raises(ValueError, match="X has continuous columns"):
        ColumnCoder().fit(table_of(a=rng.normal(size=50))).symbols(table)


def test_symbols_of_many_columns_do_not_collide():
    rng = np.random.default_rng(0)
    values = rng.integers(20, size=(3000, 40))  # 20⁴⁰ combinations, far beyond 64 bits
    values[1500:] = values[:1500]
    values[1500:, 0] = (values[:1500, 0] + rng.integers(2, size=1500)) % 20
    table = check_table(values, "Any")
    symbols = ColumnCoder().fit(table, discrete=True).symbols(table)
    expected = np.unique(values, axis=0, return_inverse=True)[1]
    assert len(set(zip(symbols, expected, strict=True))) == len(set(expected)) == len(set(symbols))


def test_equal_rows_have_equal_numbers():
    x, y = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [3.0, 2.0]]), np.array([[0.0], [0.0], [5.0], [0.0]])
    first, second, third, fourth = equal_rows(x, y)
    assert first == second and len({first, third, fourth}) == 3


# Which are discrete


def kinds(table, discrete="auto", **options):
    coder = ColumnCoder(**options).fit(table, discrete)
    return coder.discrete_, coder.continuous_


@pytest.mark.filterwarnings("ignore:column 'number' has 300 levels")
def test_auto_takes_text_categories_booleans_and_few_numbers():
    n = 300
    table = table_of(
        number=np.arange(n) / 7,
        text=["a", "b"] * 150,
        category=pd.Categorical(np.arange(n) % 30),
        flag=[True, False] * 150,
        few=np.arange(n) % 20,
        many=np.arange(n) % 21,
        date=pd.to_datetime("2020-01-01") + pd.to_timedelta(np.arange(n) % 5, unit="D"),
    )
    assert kinds(table) == ([1, 2, 3, 4], [0, 5, 6])
    assert kinds(table, True) == ([0, 1, 2, 3, 4, 5, 6], [])
    assert kinds(table, False) == ([1, 2], [0, 3, 4, 5, 6])
    assert kinds(table, ["many", "date"]) == kinds(table, [5, 6]) == ([1, 2, 5, 6], [0, 3, 4])
    assert kinds(table, np.arange(7) == 5) == kinds(table, (False,) * 5 + (True, False)) == ([1, 2, 5], [0, 3, 4, 6])
    assert kinds(table, []) == kinds(table, False)


@pytest.mark.filterwarnings("ignore:column 0 has 8 levels in 8 rows")
def test_few_rows_have_no_classes_of_numbers():
    assert kinds(check_targets(np.arange(8))) == ([], [0])
    assert kinds(check_targets(np.arange(8)), True) == ([0], [])
    assert kinds(check_targets(np.arange(40) % 8)) == ([0], [])
    assert kinds(check_targets(np.arange(39) % 8)) == ([], [0])


def test_whole_numbers_are_classes_if_they_are_said_to_be():
    y = np.random.default_rng(0).integers(40, size=1000)
    as_text, as_numbers = (check_targets(values) for values in (np.char.zfill(y.astype(str), 2), y))
    assert kinds(as_numbers) == ([], [0])
    codes = ColumnCoder().fit(as_numbers, discrete=True).transform(as_numbers)
    np.testing.assert_array_equal(codes, ColumnCoder().fit(as_text).transform(as_text))


def test_many_ordered_columns_stay_numbers():
    rng = np.random.default_rng(0)
    pixels = check_table(rng.binomial(16, 0.3, size=(5000, 64)), "Any")
    coder = ColumnCoder().fit(pixels)
    assert not coder.discrete_ and coder.transform(pixels).shape == (5000, 64)
    # One column is a few indicators, however many values it has, and 19 of a pair of values have 19.
    assert kinds(pixels.iloc[:, :1]) == ([0], [])
    assert kinds(pixels.iloc[:, :7]) == (list(range(7)), [])  # at most 7 · 16 indicators, 100 are for 5000 rows
    assert kinds(pixels, together=False) == (list(range(64)), [])
    assert kinds(check_table(rng.integers(2, size=(1000, 20)), "Any"))[1] == []
    assert kinds(check_table(rng.integers(2, size=(1000, 21)), "Any"))[0] == []
    # What is said counts.
    assert len(kinds(pixels, True)[0]) == 64


@pytest.mark.parametrize(
    "discrete, message",
    [
        (
            "all",
            r"discrete columns of X: 'all' is not understood. Parameters discrete_features and discrete_target accept",
        ),
        (1, "1 is not understood"),
        ([True], "the mask has 1 values for 2 columns"),
        ([2], "2 is neither a position below 2 nor the name of a column"),
        ([-1], "-1 is neither a position"),
        (["c"], "'c' is neither a position below 2 nor the name"),
    ],
)
def test_a_choice_that_is_none_is_refused(discrete, message):
    with pytest.raises(ValueError, match=message):
        ColumnCoder().fit(table_of(a=range(10), b=range(10)), discrete)


def test_levels_that_never_repeat_are_said():
    with pytest.warns(UserWarning, match="column 'name' has 40 levels in 40 rows"):
        ColumnCoder().fit(table_of(name=[str(i) for i in range(40)]))


# Knots and atoms


def hard_columns():
    rng = np.random.default_rng(0)
    normal = rng.normal(size=20000)
    return {
        "normal": normal,
        "few": normal[:1200],
        "powers": np.exp(30 * normal),
        "Cauchy": normal / rng.normal(size=20000),
        "zeros": np.where(normal > 0, 0, rng.gamma(2, size=20000)),
        "missing": np.where(normal > 1, -999, rng.normal(size=20000)),
        "censored": np.minimum(normal, 0.3),
        "many atoms": np.where(normal > 0, np.round(normal, 1), normal),
        "rounded": np.round(normal, 3),
        "counts": rng.poisson(1e5, size=20000),
        "uniform": rng.random(20000),
    }


@pytest.mark.parametrize("name", hard_columns())
@pytest.mark.parametrize("scale", [1, 1e-300, 1e150])
def test_a_thousand_knots_say_the_scores(name, scale):
    values = np.random.default_rng(1).permutation(hard_columns()[name]) * scale
    table = table_of(x=values)
    coder = ColumnCoder().fit(table)
    ((knots, _),) = coder.scores_
    distinct, truth = true_scores(values)
    found = coder.numbers(pd.DataFrame({"x": distinct}))[0][:, 0]
    assert len(knots) <= 1000
    assert np.abs(found - truth).max() < 0.01
    assert (np.diff(found) >= 0).all() and np.mean(np.diff(found) > 0) > 0.99
    # New values get the score that lies between those of their neighbours, and no more than the largest.
    between = coder.numbers(pd.DataFrame({"x": (distinct[1:] + distinct[:-1]) / 2}))[0][:, 0]
    assert (between >= found[:-1] - 1e-12).all() and (between <= found[1:] + 1e-12).all()
    beyond = coder.numbers(pd.DataFrame({"x": [-1e308, 1e308]}))[0][:, 0]
    np.testing.assert_array_equal(beyond, found[[0, -1]])


@pytest.mark.parametrize(
    "scale, dtype",
    [
        (1e-45, "float64"),
        (2e-320, "float64"),
        (1e300, "float64"),
        (1e308, "float64"),
        (1e-41, "float32"),
        (1e38, "float32"),
    ],
)
def test_huge_and_tiny_values_are_values(scale, dtype):
    values = (np.random.default_rng(0).permutation(np.linspace(-1, 1, 3001)) * scale).astype(dtype)
    table = check_table(values[:, None], "Any")
    codes = ColumnCoder().fit(table).transform(table)[:, 0]
    distinct, truth = true_scores(values)
    np.testing.assert_allclose(codes, truth[np.searchsorted(distinct, values)], atol=0.01)


def test_minus_zero_is_zero():
    table = table_of(x=[-0.0, 0.0, 1.0, 1.0] * 10, y=[-0.0, 0.0, 1.0, 2.0] * 10)
    coder = ColumnCoder().fit(table)
    assert [list(levels) for levels in coder.levels_] == [[0, 1], [0, 1, 2]]
    np.testing.assert_array_equal(coder.symbols(table), [0, 0, 1, 2] * 10)


def test_a_pickle_does_not_hold_the_rows():
    rng = np.random.default_rng(0)
    values = rng.normal(size=4000)
    coder = ColumnCoder().fit(table_of(x=values))
    assert len(pickle.dumps(coder)) < 20_000 < values.nbytes
    assert np.isin(values, coder.scores_[0][0]).mean() < 0.25
    coder = ColumnCoder().fit(table_of(x=values, flag=values > 0))
    assert len(pickle.dumps(coder)) < 20_000


@pytest.mark.parametrize(
    "name, expected",
    [("zeros", [0]), ("missing", [-999]), ("censored", [0.3]), ("normal", []), ("rounded", []), ("counts", [])],
)
def test_atoms_have_an_indicator_beside_the_scores(name, expected):
    values = hard_columns()[name]
    table = table_of(x=values, flag=values > np.median(values))
    coder = ColumnCoder().fit(table)
    assert coder.atoms_[0].tolist() == expected
    codes = coder.transform(table)
    assert codes.shape == (len(values), 3 + len(expected))
    for column, atom in zip(codes.T[3:], expected, strict=True):
        np.testing.assert_array_equal(column, values == atom)


@pytest.mark.parametrize("law", ["rounded normal", "Poisson", "uniform integers"])
def test_values_as_frequent_as_their_neighbours_are_no_atoms(law):
    rng = np.random.default_rng(0)
    values = {
        "rounded normal": rng.normal(size=2000).round(1),
        "Poisson": rng.poisson(30, size=2000),
        "uniform integers": rng.integers(30, size=2000),
    }[law]
    assert np.unique(values, return_counts=True)[1].max() > 0.02 * 2000
    assert not len(ColumnCoder().fit(table_of(x=values)).atoms_[0])


def test_codes_for_missing_side_by_side_are_atoms():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(2000) < 0.4, -rng.integers(1, 6, size=2000), rng.gamma(2, size=2000))
    assert ColumnCoder().fit(table_of(x=values)).atoms_[0].tolist() == [-5, -4, -3, -2, -1]


def test_more_atoms_than_the_rows_allow_are_none():
    genes = np.maximum(np.random.default_rng(0).normal(size=(1000, 30)), 0)
    for d, expected in [(20, 20), (21, 0)]:
        table = check_table(genes[:, :d], "Any")
        assert ColumnCoder().fit(table).transform(table).shape == (1000, d + expected)


# New rows


def test_dates_of_any_unit_are_equal():
    rng = np.random.default_rng(0)
    days = pd.Series(pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(3000, size=400), unit="s"))
    units = ["s", "ms", "us", "ns"]
    for column in (days, days.dt.tz_localize("UTC"), days - days[0]):
        name = str(column.dtype)
        other = [table_of(x=column.astype(name.replace("us", unit).replace("ns", unit))) for unit in units]
        coder = ColumnCoder().fit(other[2])
        for table in other:
            np.testing.assert_array_equal(coder.transform(table), coder.transform(other[2]))
            np.testing.assert_array_equal(ColumnCoder().fit(table).transform(table), coder.transform(other[2]))
    here, there = days.dt.tz_localize("Europe/Paris"), days.dt.tz_localize("Europe/Paris").dt.tz_convert("Asia/Tokyo")
    coder = ColumnCoder().fit(table_of(x=here))
    np.testing.assert_array_equal(coder.transform(table_of(x=here)), coder.transform(table_of(x=there)))


def test_nanoseconds_count():
    date = pd.Series(pd.Timestamp("2020-01-01").as_unit("ns") + pd.to_timedelta(np.arange(100) * 500, unit="ns"))
    numbers, _ = ColumnCoder().fit(table_of(x=date)).numbers(table_of(x=date))
    assert (np.diff(numbers[:, 0]) > 0).all()


FLAGS = np.array([0, 1] * 20)


@pytest.mark.parametrize(
    "fitted, new, message",
    [
        (FLAGS.astype(str), FLAGS, "column 0 of y holds numbers, but held text in fit"),
        (FLAGS, FLAGS.astype(str), "column 0 of y holds text, but held numbers in fit"),
        (FLAGS.astype("datetime64[s]"), FLAGS, "holds numbers, but held dates"),
        (FLAGS.astype("datetime64[s]"), FLAGS.astype("timedelta64[s]"), "holds durations, but held dates"),
        (pd.Categorical(FLAGS.astype(str)), FLAGS, "holds numbers, but held text"),
        (np.arange(40.0), FLAGS.astype(str), "holds text, but held numbers"),
    ],
)
def test_another_type_than_at_fit_is_refused_by_name(fitted, new, message):
    fitted, new = check_targets(fitted), check_targets(new)
    coder = ColumnCoder(name="y").fit(fitted)
    for method in (coder.transform, coder.numbers, coder.unseen):
        with pytest.raises(ValueError, match=message):
            method(new)


def test_equal_values_of_another_dtype_are_equal():
    values = [FLAGS, FLAGS.astype(float), FLAGS.astype("float32"), FLAGS.astype(bool), FLAGS.astype("uint8")]
    values += [pd.array(FLAGS, dtype="Int64"), FLAGS.astype(object), pd.Categorical(FLAGS), FLAGS.tolist()]
    for fitted in values:
        coder = ColumnCoder().fit(check_targets(pd.Series(fitted)))
        for new in values:
            codes = coder.transform(check_targets(pd.Series(new)))
            np.testing.assert_array_equal(codes, np.c_[1 - FLAGS, FLAGS])
    text = ["no", "yes"] * 20
    for new in (text, np.array(text), np.array(text, dtype="S"), pd.Categorical(text), pd.array(text, dtype="string")):
        coder = ColumnCoder().fit(check_targets(text))
        np.testing.assert_array_equal(coder.transform(check_targets(pd.Series(new))), np.c_[1 - FLAGS, FLAGS])


@pytest.mark.parametrize("first, second", [("float64", "float32"), ("float32", "float64")])
def test_tenths_in_float32_are_tenths(first, second):
    tenths = (np.arange(100) % 10 / 10)[:, None]
    fitted, new = (check_table(tenths.astype(dtype), "Any") for dtype in (first, second))
    coder = ColumnCoder().fit(fitted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(coder.transform(new), coder.transform(fitted))


def test_large_whole_numbers_are_not_confused():
    ids = 2**60 + np.arange(5)
    for frame in (pd.DataFrame({"x": np.repeat(ids, 10)}), pd.DataFrame({"x": np.repeat(ids, 10).astype(object)})):
        table = check_table(frame, "Any")
        np.testing.assert_array_equal(ColumnCoder().fit(table).symbols(table), np.repeat(np.arange(5), 10))


def test_levels_that_fit_did_not_see_are_said_once_with_their_rows():
    coder = ColumnCoder(name="y").fit(table_of(city=["Rome", "Oslo"] * 20, stars=[1, 2] * 20))
    new = table_of(city=["Rome", "Bern", "Oslo"], stars=[1, 2, 3])
    message = (
        "2 of 3 rows of y have levels that fit did not see, such as 'Bern' in column 'city'. They count as independent"
    )
    for method in (coder.transform, coder.numbers, coder.symbols):
        with pytest.warns(UserWarning, match=message) as caught:
            method(new)
        assert len(caught) == 1 and caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert coder.unseen(new).tolist() == [False, True, True]
    with pytest.warns(UserWarning, match=r"1 of 1 rows of y .* such as 3 in column 'stars'"):
        np.testing.assert_array_equal(coder.transform(table_of(city=["Rome"], stars=[3])), [[0, 1, 0, 0]])
    with pytest.warns(UserWarning):
        np.testing.assert_array_equal(coder.numbers(new)[0], [[1, 0], [-1, 1], [0, -1]])
    dates = ColumnCoder().fit(table_of(day=pd.to_datetime(["2020-01-01", "2020-01-02"] * 5)), discrete=True)
    with pytest.warns(UserWarning, match="such as 2020-01-03 00:00:00 in column 'day'"):
        dates.transform(table_of(day=pd.to_datetime(["2020-01-03"])))


def test_coders_can_be_kept():
    table = table_of(x=np.arange(100.0), kind=["a", "b"] * 50, day=pd.date_range("2020", periods=100))
    coder = ColumnCoder().fit(table)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(coder)).transform(table), coder.transform(table))
