"""What critics start from, on how many components, and what half the rows tell."""

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_dim import MutualInfoEstimator
from sklearn_dim.critics import Classes, Gaussian, Student
from sklearn_dim.mine._closed_forms import choose_closed_form
from sklearn_dim.mine._components import choose_components
from sklearn_dim.mine._cross_fit import MAX_FACTOR, RATE, Pairs, extrapolated, halves_of


def forms_of(model):
    return {type(net.module_.critic.closed_form) for net in model.nets_}


def pairs(n, groups=None):
    order = np.random.default_rng(0).permutation(n)
    return Pairs([], [], [], order, groups, None, 0)


def student_rows(n=1500, freedom=2.0, d=3, seed=0):
    """Return x, y (n, d), uncorrelated, whose rows share a random scale."""
    random = np.random.default_rng(seed)
    scale = np.sqrt(freedom / random.chisquare(freedom, size=(n, 1)))
    return random.normal(size=(n, d)) * scale, random.normal(size=(n, d)) * scale


@pytest.mark.parametrize("kind", ["gaussian", "student", "class of x", "class of y", "few rows"])
def test_held_out_rows_choose_the_form(kind):
    random = np.random.default_rng(0)
    x = random.normal(size=(1500, 3))
    y = 0.5 * x + random.normal(size=x.shape)
    if kind == "student":
        x, y = (stats.norm.ppf(stats.rankdata(side, axis=0) / (len(side) + 1)) for side in student_rows())
    elif kind != "gaussian":
        label = np.eye(2)[(x.sum(1) ** 2 > 2).astype(int)]
        x, y = (label, x) if kind == "class of x" else (x, label)
    n = 60 if kind == "few rows" else 1500
    chosen = choose_closed_form(x[:n].astype(np.float32), y[:n].astype(np.float32), np.arange(n) < 0.15 * n)
    assert chosen == ("class of y" if kind == "few rows" else kind)


def test_rows_that_share_a_scale_have_their_information():
    """A Student copula without correlations: a Gaussian sees nothing, and a network alone a part."""
    x, y = student_rows(n=3000)
    model = MutualInfoEstimator(random_state=0).fit(x, y)
    log_t = stats.multivariate_t
    joint, side = log_t(np.zeros(6), np.eye(6), df=2.0), log_t(np.zeros(3), np.eye(3), df=2.0)
    truth = np.mean(joint.logpdf(np.hstack([x, y])) - side.logpdf(x) - side.logpdf(y))  # of these rows
    assert forms_of(model) == {Student}
    assert abs(model.mutual_info_ - truth) < 0.05


@pytest.mark.parametrize("load", [load_digits, load_wine])
def test_classes_have_what_a_logistic_regression_finds(load):
    """The cheap rival: the labels' entropy less a cross-validated log-loss."""
    X, y = load(return_X_y=True)
    model = MutualInfoEstimator(discrete_target=True, random_state=0).fit(X, y)
    entropy = stats.entropy(np.bincount(y))
    rival = entropy - log_loss(y, cross_val_predict(
        make_pipeline(StandardScaler(), LogisticRegression()), X, y, cv=5, method="predict_proba"
    ))  # fmt: skip
    assert Classes in forms_of(model)
    assert rival - 2 * model.standard_error_ < model.mutual_info_ <= entropy
    assert model.confidence_interval()[1] <= entropy + 2 * model.standard_error_


def test_collinear_columns_count_once():
    """Twenty columns of two numbers: what is left in other directions is due to ranks, and far from Gaussian."""
    random = np.random.default_rng(0)
    x, mix = random.normal(size=(1500, 2)), random.normal(size=(2, 20))
    y = 0.8 * x + 0.6 * random.normal(size=x.shape)
    model = MutualInfoEstimator(random_state=0).fit(x @ mix, y @ random.normal(size=(2, 15)))
    assert abs(model.mutual_info_ + np.log(0.6) * 2) < 0.1
    assert model.standard_error_ < 0.05


@pytest.mark.parametrize("side", ["constant", "rare level", "all needed"])
def test_other_sides_keep_their_columns(side):
    random = np.random.default_rng(0)
    x = random.normal(size=(800, 6)).astype(np.float32)
    y = (0.5 * x + random.normal(size=x.shape)).astype(np.float32)
    if side == "constant":
        x = np.zeros((800, 1), dtype=np.float32)
    elif side == "rare level":
        x = np.eye(3, dtype=np.float32)[(random.random(800) < 0.002) * 2 + (random.random(800) < 0.5) % 2]
    assert choose_components(x, y, np.arange(800) < 120) == (None, None)


@pytest.mark.parametrize("grouped", [False, True])
def test_halves_share_no_row_and_no_group(grouped):
    groups = np.arange(300) // 7 if grouped else None
    first, second = halves_of(pairs(300, groups))
    np.testing.assert_array_equal(np.sort(np.concatenate([first, second])), np.arange(300))
    assert abs(len(first) - 150) <= 7
    if grouped:
        assert not set(groups[first]) & set(groups[second])


def test_what_critics_lack_is_extrapolated_by_a_power_of_the_rows():
    lacks = lambda n: 0.3 * n**-RATE  # noqa: E731
    assert extrapolated(lacks(500) - lacks(800), 500, 800) == pytest.approx(lacks(800))
    assert extrapolated(-0.1, 500, 800) == 0
    assert extrapolated(0.1, 500, 520) == pytest.approx(0.1 * MAX_FACTOR)


def test_an_interval_reaches_up_where_rows_are_few_for_the_dependence():
    random = np.random.default_rng(0)
    x = random.normal(size=(1000, 8))
    y = np.sqrt(np.square(x).sum(1, keepdims=True)) + 0.3 * random.normal(size=(1000, 1))
    model = MutualInfoEstimator(random_state=0).fit(x, y)
    low, high = model.confidence_interval()
    too_high, too_low = model.missed_
    assert too_high == 0 and too_low > 0
    assert high - model.mutual_info_ == pytest.approx(model.mutual_info_ - low + too_low)


def test_nothing_is_missed_where_the_closed_form_is_all(gaussian_pair):
    x, y = gaussian_pair(3, 0.5, n=800)
    model = MutualInfoEstimator(random_state=0).fit(x, y)
    assert model.missed_ == (0, 0) and forms_of(model) == {Gaussian}


def test_what_a_condition_lacks_lowers_the_interval():
    """I(X; Y | Z) is a difference: what critics miss of I(Z; Y), it has too much."""
    random = np.random.default_rng(0)
    z = random.normal(size=(800, 6))
    y = np.sqrt(np.square(z).sum(1)) + 0.3 * random.normal(size=800)
    model = MutualInfoEstimator(random_state=0).fit(random.normal(size=(800, 1)), y, given=z)
    assert model.missed_[0] > 0


@pytest.mark.slow
def test_p_values_of_independent_columns_are_uniform():
    """Summed over folds they were below 0.05 in 7 % of cases: critics had learned what other folds have by chance."""
    p_values = []
    for seed in range(300):
        x, y = np.random.default_rng(seed).normal(size=(2, 300, 3))
        p_values.append(MutualInfoEstimator(random_state=seed).fit(x, y).p_value(n_permutations=199))
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(np.array(p_values) <= 0.05) < 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.slow
def test_the_first_of_very_many_rows_speak_for_all(monkeypatch):
    random = np.random.default_rng(0)
    x = random.normal(size=(1500, 1))
    y = np.sin(5 * x) + 0.2 * random.normal(size=x.shape)
    whole = MutualInfoEstimator(random_state=0).fit(x, y)
    monkeypatch.setattr("sklearn_dim.mine._bases.MAX_ROWS", 900)
    part = MutualInfoEstimator(random_state=0).fit(x, y)
    assert whole.bases_ == part.bases_ == ["neighbors"]
    assert abs(whole.mutual_info_ - part.mutual_info_) < 3 * part.standard_error_
    assert part.standard_error_ == pytest.approx(whole.standard_error_ * np.sqrt(1500 / 900), rel=0.1)


def test_a_sharp_edge_is_given_time_to_begin():
    """Nearest neighbours hide in the estimate what the critics' own bound shows: whether the network has learned."""
    random = np.random.default_rng(0)
    x = random.random((2500, 1))
    y = x + random.uniform(-0.1, 0.1, size=x.shape)
    model = MutualInfoEstimator(random_state=0).fit(x, y)
    assert model.lower_bound_ > 1.45  # of 1.71 nats; the closed form has 1.3
