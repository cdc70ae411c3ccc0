"""mutual_info_features, as its users meet it."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.feature_selection import SelectKBest, f_classif

from sklearn_dim import mutual_info_features
from sklearn_dim.bounds import BOUNDS, DV


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_gaussian_pairs_have_their_information_and_noise_none(rho):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 4))
    y = rho * X[:, 2] + np.sqrt(1 - rho**2) * rng.normal(size=2000)
    values = mutual_info_features(X, y, random_state=0)
    # The spread of the mean of the true pointwise values is ρ/√n; what the critic misses leans low.
    assert values[2] == pytest.approx(-0.5 * np.log(1 - rho**2), abs=3 * rho / np.sqrt(2000) + 0.01)
    assert np.delete(values, 2).mean() < 0.01


def test_dependence_that_is_not_monotone():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    for y, truth in [(X[:, 0] ** 2, 0.80), (np.sin(3 * X[:, 0]), 0.86)]:
        noise = 0.5 if truth == 0.80 else 0.3
        values = mutual_info_features(X, y + noise * rng.normal(size=2000), random_state=0)
        assert truth - 0.15 < values[0] < truth + 4 / np.sqrt(2000) and values[1] < 0.02


def test_a_mixed_frame():
    rng = np.random.default_rng(0)
    kind = rng.choice(3, size=2000)
    flipped = np.where(rng.random(2000) < 0.2, rng.choice(3, size=2000), kind)
    p = np.full((3, 3), 0.2 / 9) + 0.8 / 3 * np.eye(3)
    truth = (p * np.log(9 * p)).sum()
    spread = np.sqrt((p * (np.log(9 * p) - truth) ** 2).sum() / 2000)
    frame = pd.DataFrame(
        {
            "text": np.array(["a", "b", "c"])[flipped],
            "constant": "always",
            "number": kind + rng.normal(size=2000),
            "names": [f"n{i}" for i in rng.integers(200, size=2000)],
            "noise": rng.normal(size=2000),
        }
    )
    values = mutual_info_features(frame, np.array(["red", "green", "blue"])[kind], random_state=0)
    assert values[0] == pytest.approx(truth, abs=4 * spread + 0.01)
    assert values[1] == 0 and 0.1 < values[2] < truth and max(values[3:]) < 0.02
    assert not mutual_info_features(frame, ["always"] * 2000, random_state=0).any()


def test_a_column_is_worth_the_same_beside_any_others():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 40))
    X[:, 3] = rng.integers(15, size=300)
    y = 2 * X[:, 0] + X[:, 3] / 10 + rng.normal(size=300)
    many = mutual_info_features(X, y, random_state=0, max_iter=20)
    few = mutual_info_features(X[:, [3, 0]], y, random_state=0, max_iter=20)
    assert few == pytest.approx(many[[3, 0]], abs=1e-3) and many[0] > 0.05
    (alone,) = mutual_info_features(X[:, :1], y, random_state=0, max_iter=20)
    assert alone == pytest.approx(many[0], abs=1e-3)


def test_values_are_held_out():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 20)), rng.normal(size=60)
    assert mutual_info_features(X, y, max_iter=200, random_state=0).mean() < 0.03


def test_selection():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 5))
    y = X[:, 3] + 0.5 * rng.normal(size=500)
    assert list(SelectKBest(mutual_info_features, k=1).fit(X, y).get_support(indices=True)) == [3]


def test_an_exclusive_or_is_found_jointly_only():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 10))
    y = X[:, 2] * X[:, 7] > 0
    score = partial(mutual_info_features, jointly=True, max_iter=100, random_state=0)
    found = SelectKBest(score, k=2).fit(X, y)
    assert list(found.get_support(indices=True)) == [2, 7]
    assert 0.4 < found.scores_[[2, 7]].min() < np.log(2) and np.delete(found.scores_, [2, 7]).max() < 0.05
    assert mutual_info_features(X, y, max_iter=10, random_state=0).max() < 0.02
    assert f_classif(X, y)[1].min() > 0.01


def test_copies_add_nothing_to_each_other():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 1))
    y = x[:, 0] + rng.normal(size=1000)
    X = np.hstack([x, x, rng.normal(size=(1000, 1))])
    alone, jointly = (mutual_info_features(X, y, jointly=flag, max_iter=30, random_state=0) for flag in (False, True))
    assert alone[0] == alone[1] > 0.25 and jointly.max() < 0.05


def test_kinds_of_x_of_the_same_content_agree():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = np.c_[X[:, 0], rng.normal(size=100)]
    score = partial(mutual_info_features, max_iter=3, random_state=0)
    expected = score(X, y)
    for other in (pd.DataFrame(X), sparse.csr_matrix(X), X.tolist()):
        np.testing.assert_array_equal(score(other, y), expected)


@pytest.mark.parametrize("mi_estimator", [*BOUNDS, DV(ema_decay=0.9)], ids=str)
def test_every_bound_trains(mi_estimator):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = X[:, 0] + rng.normal(size=400)
    values = mutual_info_features(X, y, mi_estimator=mi_estimator, max_iter=30, random_state=0)
    assert 0.05 < values[0] < 0.35 + 4 * np.sqrt(0.5 / 400) and values[1] < 0.05


def test_random_state_decides_and_global_streams_are_left_alone():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = X[:, 0] + rng.normal(size=200)
    for jointly in (False, True):
        score = partial(mutual_info_features, X, y, jointly=jointly, max_iter=5)
        torch.manual_seed(1)
        np.random.seed(1)
        state = torch.get_rng_state(), np.random.get_state()[1].copy()
        first = score(random_state=0)
        assert torch.equal(state[0], torch.get_rng_state()) and (state[1] == np.random.get_state()[1]).all()
        torch.manual_seed(2)
        np.testing.assert_array_equal(score(random_state=0), first)


ROWS = np.arange(40.0).reshape(20, 2)


@pytest.mark.parametrize(
    "parameters, X, y, message",
    [
        ({}, np.where(ROWS == 7, np.nan, ROWS), ROWS, "Input X contains NaN"),
        ({}, ROWS, np.where(ROWS == 7, np.inf, ROWS), "Input y contains infinity"),
        ({}, ROWS, ROWS[:9], "inconsistent numbers of samples"),
        ({}, ROWS, None, "requires y to be passed"),
        ({}, ROWS[:7], ROWS[:7], "n_samples = 7 is too few for mutual_info_features: it needs 8 rows"),
        ({}, np.array([["a", "b"]] * 10), ROWS[:10], "X holds text, but mutual_info_features .* Pass a DataFrame"),
        ({"mi_estimator": "mine"}, ROWS, ROWS, "The 'mi_estimator' parameter of mutual_info_features .* Got 'mine'"),
        ({"batch_size": 3}, ROWS, ROWS, "The 'batch_size' parameter .* Got 3"),
        ({"jointly": "yes"}, ROWS, ROWS, "The 'jointly' parameter .* Got 'yes'"),
        ({"device": "nowhere"}, ROWS, ROWS, "device='nowhere' cannot be used here"),
    ],
)
def test_bad_input_is_named(parameters, X, y, message):
    with pytest.raises(ValueError, match=message):
        mutual_info_features(X, y, **parameters)


def test_few_rows_are_enough():
    for jointly in (False, True):
        values = mutual_info_features(ROWS[:8], ROWS[:8, 0], jointly=jointly, max_iter=2, random_state=0)
        assert np.isfinite(values).all()
