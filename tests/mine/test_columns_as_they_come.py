"""Estimates on columns as people have them: order, zeros, rare levels, few rows, types, rows that depend on others."""

import decimal
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import trapezoid
from scipy.signal import lfilter
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit

from sklearn_dim import DIMTransformer, Graph, GraphInfomaxTransformer, MutualInfoEstimator, mutual_info

N = 2000


def rng(seed=0):
    return np.random.default_rng(seed)


def fit(x, y, **options):
    x = x.to_frame() if isinstance(x, pd.Series) else x
    x = x[:, None] if np.ndim(x) == 1 else x
    given, groups = options.pop("given", None), options.pop("groups", None)
    return MutualInfoEstimator(**{"random_state": 0, **options}).fit(x, y, given=given, groups=groups)


def holds(model, truth, bias=0.02, level=0.9973):
    """Whether an interval of three standard errors, and a little for what critics miss, has the truth."""
    low, high = model.confidence_interval(level=level)
    return low - bias <= truth <= high + bias


# N1: the order of rows


@pytest.mark.parametrize("kind", ["numbers", "classes", "wide"])
def test_sorted_rows_have_the_numbers_of_shuffled_ones(kind):
    random = rng(1)
    x = random.normal(size=(600, 4 if kind == "wide" else 1))
    y = x.sum(1) + 0.5 * random.normal(size=600)
    y = (y > 0).astype(int) if kind == "classes" else y
    models = []
    for order in (np.arange(600), np.argsort(y, kind="stable"), np.lexsort(x.T), random.permutation(600)):
        model = fit(x[order], y[order], max_iter=20)
        models.append(
            [model.mutual_info_, model.lower_bound_, *model.confidence_interval(), model.p_value(n_permutations=99)]
        )
        models[-1].append(model.score(x[order], y[order]))
        restored = np.empty(600)
        restored[order] = model.pointwise(x[order], y[order])
        models[-1] += restored[:3].tolist()
    np.testing.assert_allclose(models, np.broadcast_to(models[0], np.shape(models)), atol=1e-5)


def test_scores_of_codes_do_not_depend_on_the_order_of_rows():
    random = rng(2)
    group = np.repeat(np.arange(6), 100)
    X = random.normal(size=(600, 8)) + 4 * random.normal(size=(6, 8))[group]
    dim = DIMTransformer(8, max_iter=5, random_state=0).fit(X)
    shuffled = dim.score(X[random.permutation(600)])
    assert dim.score(X) == pytest.approx(shuffled, abs=0.05 * abs(shuffled))
    by_class = DIMTransformer(8, max_iter=5, random_state=0).fit(X[random.permutation(600)])
    assert dim.mutual_info_ == pytest.approx(by_class.mutual_info_, rel=0.15)
    rings = [Graph(random.normal(size=(6, 3)) + 3 * (i // 20), np.eye(6, k=1)) for i in range(60)]
    model = GraphInfomaxTransformer(8, max_iter=5, batch_size=20, random_state=0).fit(rings)
    expected = model.score([rings[i] for i in random.permutation(60)])
    assert model.score(rings) == pytest.approx(expected, rel=0.3)


# N2 to N4: zeros, rounding, rare levels, strong dependence


def zero_inflated(n, random):
    group = random.integers(2, size=n)
    on = random.random(n) < np.where(group, 0.7, 0.2)
    odds = np.array([[0.4, 0.1], [0.15, 0.35]])
    truth = (odds * np.log(odds / odds.sum(0) / odds.sum(1)[:, None])).sum()
    return np.where(on, random.lognormal(size=n), 0.0), group, truth


def rounded(n, random):
    group = random.integers(2, size=n)
    grid = np.arange(-6, 8, 0.5)
    parts = np.array([stats.norm.cdf(grid + 0.25, m) - stats.norm.cdf(grid - 0.25, m) for m in (0, 1)])
    truth = 0.5 * np.sum(parts * np.log(np.maximum(parts, 1e-300) / np.maximum(parts.mean(0), 1e-300)))
    return np.round(2 * (random.normal(size=n) + group)) / 2, group, truth


def missing_code(n, random):
    group = random.integers(2, size=n)
    gone = random.random(n) < np.where(group, 0.4, 0.1)
    odds = np.array([[0.45, 0.05], [0.3, 0.2]])
    truth = (odds * np.log(odds / odds.sum(0) / odds.sum(1)[:, None])).sum()
    return np.where(gone, -999.0, random.normal(50, 10, size=n)), group, truth


def independent_zeros(n, random):
    parts = [np.where(random.random(n) < 0.3, random.gamma(2, 1, n), 0.0) for _ in range(2)]
    return *parts, 0.0


def copied_flag(share):
    def law(n, random):
        flag = random.random(n) < share
        copy = np.where(random.random(n) < 0.9, flag, random.random(n) < share)
        p11 = share * (0.9 + 0.1 * share)
        table = np.array([[1 - 2 * share + p11, share - p11], [share - p11, p11]])
        truth = (table * np.log(table / table.sum(0) / table.sum(1)[:, None])).sum()
        return copy.astype(int), flag.astype(int), truth

    return law


def long_tail(n, random):
    share = 1 / np.arange(1, 31) ** 1.5
    share /= share.sum()
    city = random.choice(30, size=n, p=share)
    state = city % 6
    by_state = np.bincount(np.arange(30) % 6, share)
    return np.array([f"city {i}" for i in city], dtype=object), state.astype(str), -(by_state * np.log(by_state)).sum()


def uneven_classes(n, random):
    y = random.choice(3, size=n, p=[0.7, 0.25, 0.05])
    return y, y, -sum(p * np.log(p) for p in (0.7, 0.25, 0.05))


def noisy_uniform(n, random, noise=0.05):
    u = random.random(n)
    grid = np.linspace(-0.3, 1.3, 20001)
    density = stats.norm.cdf(grid / noise) - stats.norm.cdf((grid - 1) / noise)
    entropy = -trapezoid(density * np.log(np.maximum(density, 1e-300)), grid)
    return u, u + noise * random.normal(size=n), entropy - 0.5 * np.log(2 * np.pi * np.e * noise**2)


LAWS = {
    "zeros": zero_inflated, "rounded": rounded, "-999": missing_code, "zeros on both sides": independent_zeros,
    "5 % flag": copied_flag(0.05), "1 % flag": copied_flag(0.01), "cities": long_tail, "classes": uneven_classes,
    "bounded": noisy_uniform,
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_the_interval_has_the_truth(name):
    x, y, truth = LAWS[name](N, rng(3))
    x = pd.DataFrame({"x": x}) if x.dtype == object else x
    model = fit(x, y)
    assert holds(model, truth, bias=0.03)
    assert abs(model.mutual_info_ - truth) < max(0.04, 3 * model.standard_error_)
    assert model.lower_bound_ < truth + 0.05
    if name in ("classes", "cities"):
        assert model.mutual_info_ <= np.log(len(np.unique(y))) + 1e-9


# N5: many columns, few dimensions


def test_wide_sides_of_few_dimensions_are_not_overestimated():
    random = rng(14)
    u = random.normal(size=(1200, 2))
    v = 0.8 * u + 0.6 * random.normal(size=(1200, 2))
    x, y = (side @ random.normal(size=(2, 80)) for side in (u, v))
    model = fit(x, y, cv=3)
    truth = -np.log(0.36)
    assert abs(model.mutual_info_ - truth) < 3 * np.sqrt(2 * 0.64 / 1200) + 0.04
    assert all(max(part.axes.shape[1] for part in maps) <= 8 for maps in model._terms[0].components)
    new = model.score(x[:300], y[:300])
    assert abs(new - truth) < 0.3 and model.pointwise(x[:5], y[:5]).shape == (5,)
    again = pickle.loads(pickle.dumps(model))
    assert again.score(x[:300], y[:300]) == new


def test_wide_sides_that_need_all_columns_keep_them():
    random = rng(15)
    x = random.normal(size=(1500, 40))
    y = random.normal(size=(1500, 40))
    y[:, 7] = x[:, 11] + 0.3 * random.normal(size=1500)
    model = fit(x, y, cv=2, max_iter=20)
    assert model.mutual_info_ > 0.8 * 0.5 * np.log(1 + 1 / 0.09)


# N6: few rows


@pytest.mark.parametrize("n", [10, 11, 14, 20, 40])
@pytest.mark.parametrize("kind", ["independent", "same flag", "classes", "five columns"])
def test_few_rows_give_a_finite_number_within_what_they_can_say(n, kind):
    random = rng(n)
    x, y = random.normal(size=(n, 5 if kind == "five columns" else 1)), random.normal(size=n)
    if kind == "same flag":
        x = y = np.arange(n) % 2
    elif kind == "classes":
        y = np.arange(n) % 3
    model = fit(x, y, max_iter=5)
    assert np.isfinite([model.mutual_info_, model.standard_error_, model.lower_bound_]).all()
    assert model.mutual_info_ <= np.log(n)
    assert model.mutual_info_ > -3 * model.standard_error_ - 0.1


def test_fewer_than_ten_rows_are_refused():
    with pytest.raises(ValueError, match="n_samples = 9 is too few"):
        fit(np.arange(9.0), np.arange(9.0))


# N7: types


def test_numbers_of_any_type_are_numbers():
    random = rng(5)
    x = random.normal(size=400)
    y = x + random.normal(size=400)
    expected = fit(x, y, max_iter=10).mutual_info_
    for X, target in [
        (pd.DataFrame({"x": x.astype(object)}), y),
        (pd.DataFrame({"x": x}, dtype=object), pd.Series(y, dtype=object)),
        (pd.DataFrame({"x": x}), [decimal.Decimal(repr(value)) for value in y.tolist()]),
        (pd.DataFrame({"x": pd.Series(x).astype("Float64")}), y.astype(object)),
    ]:
        assert fit(X, target, max_iter=10).mutual_info_ == pytest.approx(expected, abs=1e-6)


def test_one_column_is_what_everybody_writes_first():
    random = rng(6)
    x = random.normal(size=300)
    frame = pd.DataFrame({"a": x, "b": x + random.normal(size=300)})
    expected = mutual_info(frame[["a"]], frame["b"], max_iter=5, random_state=0)
    assert mutual_info(frame["a"], frame["b"], max_iter=5, random_state=0) == expected
    assert mutual_info(frame["a"].to_numpy(), frame["b"].to_numpy(), max_iter=5, random_state=0) == expected
    assert fit(frame[["a"]], frame["b"], max_iter=5).mutual_info_ == expected
    series = MutualInfoEstimator(max_iter=5, random_state=0).fit(frame["a"], frame["b"])
    assert series.mutual_info_ == expected
    assert np.isfinite(series.score(frame["a"], frame["b"]))
    with pytest.raises(ValueError, match="Expected 2D array"):
        MutualInfoEstimator().fit(x, x)


def test_integer_codes_are_classes_where_it_is_said():
    random = rng(7)
    y = random.integers(40, size=4000)
    x = 3 * random.permutation(40)[y] + random.normal(size=4000)
    numbers, classes = fit(x, y, max_iter=2), fit(x, y, discrete_target=True, max_iter=10)
    text = fit(x, np.array([f"class {i}" for i in y]), max_iter=10)
    assert classes.mutual_info_ == pytest.approx(text.mutual_info_, abs=0.02)
    assert classes.mutual_info_ > np.log(40) - 0.45 and classes.mutual_info_ <= np.log(40) + 0.01
    swapped = fit(y, x, discrete_features=[True], max_iter=10)
    assert swapped.mutual_info_ == pytest.approx(classes.mutual_info_, abs=0.1)
    assert np.isfinite(numbers.mutual_info_)


def test_another_type_at_score_is_refused_and_unseen_levels_are_said():
    random = rng(8)
    y = random.choice(["a", "b"], size=200)
    X = pd.DataFrame({"x": (y == "a") + random.normal(size=200)})
    model = fit(X, y, max_iter=3)
    with pytest.raises(ValueError, match=r"column .* of y holds numbers, but held text in fit"):
        model.score(X, (y == "a").astype(int))
    with pytest.warns(UserWarning, match="rows of y have levels that fit did not see"):
        model.score(X, np.where(np.arange(200) < 9, "new", y))


# N8: rows that depend on each other


def autoregressive(n, random, phi=0.95):
    return lfilter([1], [1, -phi], random.normal(size=n + 200))[200:]


def p_values_of_series(n_pairs, n, block, **options):
    """Return p-values of independent pairs of series by blocks, and how many 95 % intervals hold 0."""
    p_values, inside = [], 0
    for seed in range(n_pairs):
        random = rng(100 + seed)
        x, y = autoregressive(n, random), autoregressive(n, random)
        model = fit(x, y, groups=np.arange(n) // block, random_state=seed, **options)
        low, high = model.confidence_interval()
        inside += low <= 0 <= high
        p_values.append(model.p_value(n_permutations=199))
    return p_values, inside


def test_blocks_keep_series_from_seeming_dependent():
    p_values, inside = p_values_of_series(12, 600, 40, max_iter=5)
    assert inside >= 10  # of 12 at 95 %: fewer than 10 have a chance of 2 %
    assert stats.kstest(p_values, "uniform").pvalue > 0.005


@pytest.mark.slow
def test_p_values_of_fifty_pairs_of_series_are_uniform():
    p_values, inside = p_values_of_series(50, 1000, 50)
    assert inside >= 45
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_groups_share_a_fold_and_count_as_one():
    random = rng(9)
    x, y = random.normal(size=(2, 100))
    copies = np.repeat(np.arange(100), 8)
    with pytest.warns(UserWarning, match="700 of 800 rows are copies of others.*groups="):
        blind = fit(x[copies], y[copies], max_iter=60)
    grouped = fit(x[copies], y[copies], groups=copies, max_iter=60)
    assert blind.mutual_info_ > 0.3 > 0.1 > grouped.mutual_info_
    once = fit(x, y, max_iter=60)
    assert grouped.standard_error_ > 0.7 * once.standard_error_  # not an eighth of the variance
    assert grouped.p_value(n_permutations=99) > 0.01
    low, high = grouped.confidence_interval()
    assert low < 0.02 and high > 0


@pytest.mark.parametrize(
    "splitter", [KFold(3), KFold(3, shuffle=True, random_state=1), TimeSeriesSplit(3), GroupKFold(3)]
)
def test_any_splitter_is_taken(splitter):
    random = rng(10)
    x = random.normal(size=300)
    groups = np.arange(300) // 10 if isinstance(splitter, GroupKFold) else None
    model = fit(x, x + random.normal(size=300), cv=splitter, groups=groups, max_iter=10)
    assert len(model.nets_) == 3 and abs(model.mutual_info_ - 0.35) < 0.2


@pytest.mark.parametrize("discrete", [True, False])
def test_conditional_p_values(discrete):
    """Of x and y that share z alone, and of x and y + x, given z."""
    independent = []
    for seed in range(4):
        random = rng(20 + seed)
        z = random.integers(3, size=500) if discrete else random.normal(size=500)
        noise = random.integers(2, size=(3, 500)) if discrete else random.normal(size=(3, 500))
        x, y = z + noise[0], z + noise[1]
        independent.append(fit(x, y, given=z, max_iter=10).p_value(n_permutations=99))
    assert min(independent) > 0.01 and np.median(independent) > 0.1
    direct = fit(x, y + x, given=z, max_iter=10)
    assert direct.p_value(n_permutations=199) < 0.02
    assert direct.p_value(x[:, None], y + x, z, n_permutations=99) < 0.05
    assert fit(x, y, max_iter=10).p_value(n_permutations=199) < 0.02


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_permutations": -3}, "n_permutations=-3 must be a whole number from 1"),
        ({"block": 5}, "give X and y in the order of time"),
        ({"groups": np.arange(9)}, "groups without X: these describe new rows"),
    ],
)
def test_p_value_refuses_what_it_cannot_do(options, words):
    random = rng(12)
    model = fit(random.normal(size=60), random.normal(size=60), max_iter=1)
    with pytest.raises(ValueError, match=words):
        model.p_value(**options)


# N9: what a fitted estimator holds


def test_a_pickle_does_not_grow_with_the_rows():
    random = rng(13)
    sizes = []
    for n in (3000, 12000):
        x = random.normal(size=n)
        sizes.append(len(pickle.dumps(fit(x, x + random.normal(size=n), max_iter=1))))
    assert sizes[1] < 1.3 * sizes[0]
