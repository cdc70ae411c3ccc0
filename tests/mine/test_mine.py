"""MutualInfoEstimator and the functions on it, as their users meet them."""

import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score, permutation_test_score
from torch import nn

from sklearn_dim import MutualInfoEstimator, mutual_info
from sklearn_dim.bounds import BOUNDS, Smile
from sklearn_dim.critics import Separable
from sklearn_dim.mine import _cross_fit
from sklearn_dim.mine._cross_fit import stop_rows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs are the point


def quick(**parameters):
    return MutualInfoEstimator(**{"max_iter": 2, "cv": 2, "random_state": 0, **parameters})


# What many rows cost


def test_of_many_rows_some_are_enough_to_stop_on():
    assert stop_rows(np.arange(1000), None, 0.15).sum() == 150
    assert stop_rows(np.arange(1_000_000), None, 0.15).sum() == _cross_fit.MAX_STOP


def test_the_correction_of_some_rows_stands_for_those_of_all(gaussian_pair, monkeypatch):
    pair = gaussian_pair(5, 1.0, n=600)
    whole = quick().fit(*pair)
    monkeypatch.setattr(_cross_fit, "MAX_CORRECTED", 150)
    part = quick().fit(*pair)
    assert 0 < abs(part.mutual_info_ - whole.mutual_info_) < 0.02
    assert abs(part.standard_error_ / whole.standard_error_ - 1) < 0.1


# What it says


@pytest.mark.parametrize("mi_estimator", ["dv", "nwj", "jsd", "infonce", "smile"])
@pytest.mark.parametrize("d, truth", [(1, 0.5), (5, 1.0), (20, 2.0)])
def test_gaussian_information_is_found(gaussian_pair, mi_estimator, d, truth):
    x, y = gaussian_pair(d, truth, n=5000)
    mi = MutualInfoEstimator(mi_estimator, cv=2, max_iter=5, random_state=0).fit(x, y)
    # The spread of the mean of 5000 true pointwise values, Σρ² nats² a row, and the tenth of a nat that we promise.
    rho2 = 1 - np.exp(-2 * truth / d)
    assert abs(mi.mutual_info_ - truth) < 0.1
    assert abs(mi.mutual_info_ - truth) < 4 * np.sqrt(d * rho2 / 5000)
    assert mi.standard_error_ == pytest.approx(np.sqrt(d * rho2 / 5000), rel=0.3)


def test_what_is_not_gaussian_is_learned():
    # y tells the sign of a product of x's columns: no linear dependence at all, log 2 nats less the noise.
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 2))
    flip = rng.random(4000) < 0.1
    y = (x[:, 0] * x[:, 1] > 0) ^ flip
    truth = np.log(2) + 0.1 * np.log(0.1) + 0.9 * np.log(0.9)
    mi = MutualInfoEstimator(random_state=0).fit(x, y)
    spread = np.sqrt(0.1 * 0.9) * np.log(9)  # of a row's log 2p: log 1.8 or log 0.2
    assert truth - 0.06 < mi.mutual_info_ < truth + 4 * spread / np.sqrt(4000)


def test_independence_is_about_zero():
    rng = np.random.default_rng(0)
    mi = MutualInfoEstimator(random_state=0).fit(rng.normal(size=(1000, 5)), rng.normal(size=(1000, 5)))
    assert abs(mi.mutual_info_) < 0.02
    low, high = mi.confidence_interval()
    assert low < 0 < high


def test_discrete_pairs_have_their_plug_in_information():
    rng = np.random.default_rng(0)
    p = np.array([[0.3, 0.1, 0.1], [0.05, 0.05, 0.4]])
    cells = rng.choice(6, size=4000, p=p.ravel())
    x, y = np.divmod(cells, 3)
    truth = (p * np.log(p / p.sum(1, keepdims=True) / p.sum(0))).sum()
    spread = np.sqrt((p * (np.log(p / p.sum(1, keepdims=True) / p.sum(0)) - truth) ** 2).sum() / 4000)
    names = np.array(["red", "green", "blue"])[y]
    found = mutual_info(pd.DataFrame({"x": pd.Categorical(x)}), names, random_state=0)
    assert abs(found - truth) < 4 * spread + 0.01


def test_monotone_maps_change_nothing(gaussian_pair):
    x, y = gaussian_pair(2, 0.7)
    # Values far apart stay apart in float64, so ranks and with them all numbers are the same.
    assert mutual_info(np.exp(x), y**3, random_state=0, max_iter=2) == pytest.approx(
        mutual_info(x, y, random_state=0, max_iter=2), abs=1e-6
    )


@pytest.mark.parametrize("mi_estimator", [*BOUNDS, Smile(tau=2.0)], ids=str)
@pytest.mark.parametrize("critic", ["auto", "separable", "concatenated", "bilinear"])
def test_every_bound_trains_every_critic(gaussian_pair, mi_estimator, critic):
    x, y = gaussian_pair(2, 0.7, n=200)
    mi = quick(mi_estimator=mi_estimator, critic=critic).fit(x, y)
    assert np.isfinite([mi.mutual_info_, mi.standard_error_]).all()
    assert np.isfinite(mi.history_["train_loss"]).all()


def test_a_critic_of_ones_own(gaussian_pair):
    x, y = gaussian_pair(1, 0.5)
    mi = MutualInfoEstimator(critic=lambda a, b: Separable(a, b, hidden=(32,)), random_state=0).fit(x, y)
    assert abs(mi.mutual_info_ - 0.5) < 0.1


@pytest.mark.parametrize("mi_estimator", ["i_alpha", pytest.param("flo", marks=pytest.mark.slow)])
def test_lower_bounds_learn_without_the_closed_form(mi_estimator):
    # A size with its sign lost: nothing is correlated. I is 1.056 by integration.
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 1))
    y = rng.choice([-1, 1], size=(2000, 1)) * (x + 0.2 * rng.normal(size=(2000, 1)))
    more = {"critic": lambda a, b: Separable(a, b, hidden=(64,)), "max_iter": 200, "n_iter_no_change": 30}
    assert abs(quick(mi_estimator=mi_estimator, **more).fit(x, y).mutual_info_ - 1.056) < 0.25


def test_the_estimate_is_held_out():
    # A flexible critic with many columns fits 60 rows by heart; what it says of them must not count.
    rng = np.random.default_rng(0)
    mi = MutualInfoEstimator(critic="separable", max_iter=50, random_state=0)
    assert mi.fit(rng.normal(size=(60, 20)), rng.normal(size=(60, 20))).mutual_info_ < 0.05


def test_score_interval_and_pointwise_of_new_rows(gaussian_pair):
    x, y = gaussian_pair(1, 0.8, n=4000)
    mi = MutualInfoEstimator(max_iter=5, random_state=0).fit(x[:2000], y[:2000])
    low, high = mi.confidence_interval(x[2000:], y[2000:])
    assert low < mi.score(x[2000:], y[2000:]) < high and low < 0.8 < high
    wide = mi.confidence_interval(level=0.99)
    narrow = mi.confidence_interval(level=0.5)
    assert wide[0] < narrow[0] < mi.mutual_info_ < narrow[1] < wide[1]

    rho2 = 1 - np.exp(-1.6)
    truth = 0.8 + (np.sqrt(rho2) * x * y - rho2 * (x**2 + y**2) / 2) / (1 - rho2)
    values = mi.pointwise(x[2000:], y[2000:])
    assert values.shape == (2000,)
    assert np.corrcoef(values, truth[2000:, 0])[0, 1] > 0.98
    assert values.mean() == pytest.approx(truth[2000:].mean(), abs=0.05)
    np.testing.assert_allclose(mi.pointwise(x[2000:2003], y[2000:2003]), values[:3], atol=1e-4)


@pytest.mark.parametrize("truth", [2.0, 6.0])
def test_the_lower_bound_is_one_and_says_so(gaussian_pair, truth):
    mi = quick().fit(*gaussian_pair(20, truth, n=3000))
    plug_in, lower = mi.estimates_.loc["mutual_info"], mi.estimates_.loc["infonce"]
    assert (plug_in["kind"], lower["kind"]) == ("plug-in", "lower bound")
    assert plug_in["nats"] == mi.mutual_info_ and lower["nats"] == mi.lower_bound_
    assert lower["nats"] < truth + 2 * lower["standard_error"]
    assert lower["nats"] < np.log(1500)  # the rows of a fold
    assert abs(plug_in["nats"] - truth) < 0.5


def test_what_z_tells_already_is_taken_off():
    # x = z + e, y = z + f: all that x knows of y goes through z.
    rng = np.random.default_rng(0)
    z, e, f = rng.normal(size=(3, 3000))
    x, y = (z + e)[:, None], z + f
    assert MutualInfoEstimator(cv=2, random_state=0).fit(x, y).mutual_info_ == pytest.approx(
        -0.5 * np.log(1 - 0.25), abs=0.05
    )
    mi = MutualInfoEstimator(cv=2, random_state=0).fit(x, y, given=z)
    assert abs(mi.mutual_info_) < 0.03 and not hasattr(mi, "lower_bound_")
    assert list(mi.estimates_["kind"]) == ["plug-in"]


def test_what_z_makes_visible_is_found():
    # y = x xor z: nothing of y is in x alone, all of it given z.
    rng = np.random.default_rng(0)
    x, z = rng.integers(2, size=(2, 1000))
    mi = MutualInfoEstimator(random_state=0).fit(x[:, None], x ^ z, given=z)
    assert mi.mutual_info_ == pytest.approx(np.log(2), abs=0.05)
    assert mi.score(x[:, None], x ^ z, given=z) == pytest.approx(np.log(2), abs=0.05)
    assert mi.pointwise(x[:, None], x ^ z, given=z).mean() == pytest.approx(np.log(2), abs=0.05)
    low, high = mi.confidence_interval(x[:, None], x ^ z, given=z)
    assert low <= mi.score(x[:, None], x ^ z, given=z) <= high


def test_conditional_information_of_gaussians_is_that_of_the_partial_correlation():
    rng = np.random.default_rng(0)
    z = rng.normal(size=4000)
    x = z + rng.normal(size=4000)
    y = 0.7 * x - z + rng.normal(size=4000)
    # Given z: x has variance 1, y variance 0.49 + 1 and correlation 0.7/√1.49.
    truth = -0.5 * np.log(1 - 0.49 / 1.49)
    mi = quick(cv=5).fit(x[:, None], y, given=z)
    assert abs(mi.mutual_info_ - truth) < 4 * np.sqrt(0.49 / 1.49 / 4000) + 0.01


def test_p_values_tell_dependence_from_independence(gaussian_pair):
    x, y = gaussian_pair(2, 0.2, n=600)
    mi = quick(cv=2).fit(x, y)
    assert mi.p_value(n_permutations=499) == 1 / 500
    assert mi.p_value(*gaussian_pair(2, 0.2, n=300, seed=1)) < 0.01
    rng = np.random.default_rng(0)
    values = [mi.p_value(*rng.normal(size=(2, 100, 2)), n_permutations=99) for _ in range(60)]
    # Uniform on {0.01, …, 1}: mean ½ and standard deviation 1/√12.
    assert abs(np.mean(values) - 0.5) < 4 / np.sqrt(12 * 60)
    assert np.std(values) == pytest.approx(1 / np.sqrt(12), abs=0.08)


def test_an_estimate_of_independent_columns_still_ranks_pairs():
    # The closed form is never nothing, or all permutations would tie and the p-value be 1.
    rng = np.random.default_rng(3)
    values = [quick().fit(*rng.normal(size=(2, 60, 2))).p_value(n_permutations=99) for _ in range(8)]
    assert len(set(values)) == 8 and max(values) < 1


def test_permutation_test_score_works_with_it(gaussian_pair):
    x, y = gaussian_pair(1, 0.3, n=200)
    score, permuted, p = permutation_test_score(quick(), x, y, cv=2, n_permutations=9, random_state=0)
    assert p == 0.1 and score > permuted.max()


# What it takes


class Brightness(nn.Module):
    """Images to their mean and a learned feature."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(16, 3)

    def forward(self, images):
        return self.linear(images.flatten(1))


def test_images_come_through_an_encoder():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(1500, 1, 4, 4))
    y = images.mean((1, 2, 3)) * 4 + rng.normal(size=1500)  # correlation 1/√2
    torch.manual_seed(0)  # the encoder's weights
    mi = MutualInfoEstimator(encoder=Brightness(), cv=2, random_state=0).fit(images, y)
    assert 0.5 * np.log(2) - 0.08 < mi.mutual_info_ < 0.5 * np.log(2) + 4 * np.sqrt(0.5 / 1500)
    assert mi.pointwise(images, y).shape == (1500,)
    assert mi.score(images, y) == pytest.approx(clone(mi).fit(images, y).score(images, y))
    assert mi.p_value(images[:200], y[:200], n_permutations=99) == mi.p_value(n_permutations=99) == 0.01
    with pytest.raises(ValueError, match=r"given= joins its columns to those of X, which an encoder does not take"):
        clone(mi).fit(images, y, given=y)
    with pytest.raises(ValueError, match=r"encoder must return a tensor \(n_samples, features\); .* \(2, 1, 4, 4\)"):
        quick(encoder=nn.ReLU()).fit(images, y)


def test_copies_of_rows_are_not_valued_by_critics_that_saw_them():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 100, 3))
    many = np.repeat(np.arange(100), 5)
    mi = MutualInfoEstimator(critic="separable", max_iter=100, random_state=0).fit(x[many], y[many], groups=many)
    assert mi.mutual_info_ < 0.1
    with pytest.warns(UserWarning, match=r"400 of 500 rows are copies of others.*pass groups="):
        quick().fit(x[many], y[many])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # classes and counts repeat by nature
        quick(max_iter="auto").fit(rng.integers(3, size=(300, 1)), rng.integers(2, size=300))


def test_text_that_never_repeats_is_said():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"name": [f"row {i}" for i in range(200)], "x": rng.normal(size=200)})
    with pytest.warns(UserWarning, match="column 'name' has 200 levels in 200 rows"):
        quick().fit(frame, frame["x"])


def test_training_that_did_not_end_is_said():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2))
    with pytest.warns(ConvergenceWarning, match=r"2 of 2 critics were still improving .*max_iter=3\)"):
        quick(max_iter=3).fit(x, x[:, 0] * x[:, 1] > 0)


def test_a_bound_near_its_cap_is_said(gaussian_pair):
    with pytest.warns(UserWarning, match=r"within 0.3 of 2.08, the most that\s+mi_estimator='infonce'"):
        quick(mi_estimator="infonce", batch_size=8).fit(*gaussian_pair(2, 2.2, n=500))


def test_kinds_of_x_and_y_of_the_same_content_agree(gaussian_pair):
    x, y = gaussian_pair(2, 0.7, n=400)
    expected = quick().fit(x, y).mutual_info_
    frame = pd.DataFrame(x, columns=["a", "b"])
    assert quick().fit(frame, pd.DataFrame(y)).mutual_info_ == pytest.approx(expected)
    assert quick().fit(sparse.csr_matrix(x), y).mutual_info_ == pytest.approx(expected)
    assert quick().fit(x.tolist(), y.tolist()).mutual_info_ == pytest.approx(expected)
    assert list(quick().fit(frame, y).feature_names_in_) == ["a", "b"]
    one = quick().fit(x, y[:, 0]).mutual_info_
    assert quick().fit(x, y[:, :1]).mutual_info_ == pytest.approx(one)


def test_mixed_columns_of_a_frame():
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", "b"], size=1000)
    number = rng.normal(size=1000)
    y = np.where(kind == "a", number, -number) + 0.3 * rng.normal(size=1000)
    frame = pd.DataFrame({"kind": kind, "number": number, "flag": number > 0})
    together = mutual_info(frame, y, cv=2, random_state=0)
    assert together > mutual_info(frame[["number"]], y, cv=2, random_state=0) + 0.3
    assert together > mutual_info(frame[["kind"]], y, cv=2, random_state=0) + 0.3


def test_dates_are_numbers():
    rng = np.random.default_rng(0)
    day = rng.normal(size=500)
    date = pd.to_datetime("2020-01-01") + pd.to_timedelta(day, unit="D")
    y = day + rng.normal(size=500)
    for column in (date, date.tz_localize("UTC"), date - date[0]):
        found = quick().fit(pd.DataFrame({"date": column}), y).mutual_info_
        assert found == pytest.approx(quick().fit(day[:, None], y).mutual_info_, abs=1e-4)


@pytest.mark.parametrize("columns", [1, 3])
def test_a_column_against_itself_is_said(columns):
    x = np.random.default_rng(0).normal(size=(1200, columns))
    with pytest.warns(UserWarning, match=r"a part of y is a function of X .* the information is infinite"):
        assert quick().fit(x, np.exp(x[:, 0])).mutual_info_ > 5


def test_more_than_the_rows_can_certify_is_said(gaussian_pair):
    with pytest.warns(UserWarning, match=r"is beyond ln n = 5.3, .* report lower_bound_"):
        quick().fit(*gaussian_pair(10, 12.0, n=200))


def test_constants_carry_nothing():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    assert mutual_info(np.ones((200, 1)), x, random_state=0) == pytest.approx(0.0, abs=1e-6)
    assert mutual_info(x, ["always"] * 200, random_state=0) == pytest.approx(0.0, abs=1e-6)
    padded = np.hstack([x, np.ones((200, 1))])
    y = x[:, 0] + rng.normal(size=200)
    assert quick().fit(padded, y).mutual_info_ == pytest.approx(quick().fit(x, y).mutual_info_)


# What it refuses


ROWS = np.arange(40.0).reshape(20, 2)


@pytest.mark.parametrize(
    "parameters, X, y, message",
    [
        ({}, np.where(ROWS == 7, np.nan, ROWS), ROWS, "Input X contains NaN"),
        ({}, np.where(ROWS == 7, np.inf, ROWS), ROWS, "Input X contains infinity"),
        ({}, ROWS, np.where(ROWS == 7, np.nan, ROWS), "Input y contains NaN"),
        ({}, ROWS, np.where(ROWS == 7, np.inf, ROWS), "Input y contains infinity"),
        ({}, pd.DataFrame({"a": ["x", None] * 10}), ROWS, r"Input X contains NaN \(column 'a'\). Fill or drop"),
        ({}, ROWS, pd.Series(["x", None] * 10), "Input y contains NaN"),
        ({}, np.empty((0, 2)), np.empty(0), r"0 sample\(s\)"),
        ({}, ROWS[:1], [1.0], r"n_samples = 1 is too few for cv=2: each fold needs two rows"),
        ({"cv": 11}, ROWS, ROWS, "n_samples = 20 is too few for cv=11"),
        (
            {"validation_fraction": 0.95},
            ROWS,
            ROWS,
            r"validation_fraction=0.95 leaves fewer than 2 of a fold's 10 training rows to train on. Lower it",
        ),
        ({}, ROWS, ROWS[:9], "inconsistent numbers of samples"),
        ({}, ROWS, None, "requires y to be passed"),
        ({}, np.array([["a", "b"], ["c", "d"]] * 10), ROWS, "X holds text, .* Pass a DataFrame"),
        ({"mi_estimator": "mine"}, ROWS, ROWS, "The 'mi_estimator' parameter of MutualInfoEstimator .* Got 'mine'"),
        ({"cv": 1}, ROWS, ROWS, "The 'cv' parameter .* Got 1"),
        ({"device": "nowhere"}, ROWS, ROWS, "device='nowhere' cannot be used here"),
    ],
)
def test_bad_input_is_named_and_nothing_is_half_fitted(parameters, X, y, message):
    mi = quick(**parameters)
    with pytest.raises(ValueError, match=message):
        mi.fit(X, y)
    assert not mi.__sklearn_is_fitted__() and not hasattr(mi, "n_features_in_")


def test_classes_may_be_larger_than_64_bits():
    x, y = ROWS[:, :1], np.arange(20) % 2
    large = [10**30 if each else -(10**40) for each in y]
    assert quick().fit(x, large).mutual_info_ == quick().fit(x, y).mutual_info_


def test_new_rows_are_checked(gaussian_pair):
    x, y = gaussian_pair(2, 0.7, n=100)
    mi = quick().fit(x, y)
    with pytest.raises(ValueError, match="X has 1 features, but MutualInfoEstimator is expecting 2"):
        mi.score(x[:, :1], y)
    with pytest.raises(ValueError, match="y has 1 columns, but MutualInfoEstimator was fitted with 2"):
        mi.score(x, y[:, 0])
    with pytest.raises(ValueError, match="an estimate needs at least two rows"):
        mi.score(x[:1], y[:1])
    with pytest.raises(ValueError, match=r"level=95 must lie between 0 and 1"):
        mi.confidence_interval(level=95)
    with pytest.raises(ValueError, match="given= was not passed to fit; do not pass it here"):
        mi.score(x, y, given=x)
    given = quick().fit(x, y, given=x[:, 0])
    with pytest.raises(ValueError, match="given= was passed to fit; pass it here"):
        given.score(x, y)
    with pytest.raises(ValueError, match="given has 2 columns, but MutualInfoEstimator was fitted with 1"):
        given.score(x, y, given=x)
    with pytest.raises(ValueError, match="given= was passed to fit; pass it here"):
        given.p_value(x, y)


def test_a_failed_fit_loses_nothing(gaussian_pair):
    x, y = gaussian_pair(2, 0.7, n=100)
    mi = quick().fit(x, y)
    before = mi.score(x, y)
    with pytest.raises(ValueError, match="NaN"):
        mi.fit(np.full((100, 5), np.nan), y)
    with pytest.raises(FloatingPointError, match="Lower learning_rate_init"):
        mi.set_params(learning_rate_init=1e38, mi_estimator="nwj", critic="bilinear", max_iter=20).fit(x[:, :1], y)
    assert mi.score(x, y) == before


# How it behaves in scikit-learn


def test_it_is_cloned_searched_and_cross_validated(gaussian_pair):
    x, y = gaussian_pair(1, 0.7, n=600)
    grid = {"mi_estimator": ["dv", "nwj"]}
    one, two = (GridSearchCV(quick(), grid, cv=2, n_jobs=n).fit(x, y) for n in (1, 2))
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert abs(cross_val_score(clone(one.best_estimator_), x, y, cv=2).mean() - 0.7) < 0.2


def test_pickle_and_joblib_say_the_same_in_a_fresh_process(gaussian_pair, tmp_path):
    x, y = gaussian_pair(2, 0.7, n=200)
    mi = quick().fit(x, y)
    (tmp_path / "mi.pkl").write_bytes(pickle.dumps(mi))
    joblib.dump(mi, tmp_path / "mi.joblib")
    np.savez(tmp_path / "data.npz", x=x, y=y, values=mi.pointwise(x, y), score=mi.score(x, y))
    code = """
import sys, pickle, joblib, numpy as np
data = np.load(sys.argv[1] + "/data.npz")
for mi in (pickle.load(open(sys.argv[1] + "/mi.pkl", "rb")), joblib.load(sys.argv[1] + "/mi.joblib")):
    assert (mi.pointwise(data["x"], data["y"]) == data["values"]).all()
    assert mi.score(data["x"], data["y"]) == data["score"]
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_random_state_decides_and_global_streams_are_left_alone(gaussian_pair):
    x, y = gaussian_pair(2, 0.7, n=200)
    torch.manual_seed(1)
    first = quick().fit(x, y).mutual_info_
    state = torch.rand(3)
    torch.manual_seed(2)
    assert quick().fit(x, y).mutual_info_ == first
    assert quick(random_state=1).fit(x, y).mutual_info_ != first
    torch.manual_seed(1)
    assert torch.equal(state, torch.rand(3))


def test_history_has_a_row_an_epoch_of_a_fold(gaussian_pair):
    mi = quick().fit(*gaussian_pair(1, 0.5, n=100))
    assert list(mi.history_["fold"]) == [0, 0, 1, 1] and mi.n_iter_ == len(mi.loss_curve_) == 2
