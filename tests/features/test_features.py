"""mutual_info_features, as its users meet it."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.signal import fftconvolve
from scipy.special import ndtri
from scipy.stats import norm
from sklearn.feature_selection import SelectKBest, f_classif, mutual_info_regression

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


CURVES = {
    "sin 6x": (lambda x: np.sin(6 * x), 0.3),
    "sin 6x, noisy": (lambda x: np.sin(6 * x), 0.6),
    "x³ − 2x": (lambda x: x**3 - 2 * x, 0.5),
    "x³ − 2x, noisy": (lambda x: x**3 - 2 * x, 1.0),
    "x²": (np.square, 0.5),
    "sin 3x": (lambda x: np.sin(3 * x), 0.3),
    "cos 4x": (lambda x: np.cos(4 * x), 0.3),
    "step": (lambda x: (x > 0.3) * 1.0, 0.3),
    "|x|": (np.abs, 0.2),
    "bump": (lambda x: np.exp(-4 * x**2), 0.2),
}


def information_of_curve(shape, spread):
    """Return I(x; shape(x) + spread·noise), x standard normal, by integration."""
    values = shape(ndtri((np.arange(50_000) + 0.5) / 50_000))
    edges = np.linspace(values.min() - 8 * spread, values.max() + 8 * spread, 20_001)
    step = edges[1] - edges[0]
    reach = np.arange(-int(8 * spread / step), int(8 * spread / step) + 1) * step
    density = fftconvolve(np.histogram(values, edges)[0] / len(values), norm.pdf(reach, 0, spread), mode="same")
    return -np.sum(density * np.log(np.maximum(density, 1e-300))) * step - 0.5 * np.log(2 * np.pi * np.e * spread**2)


@pytest.mark.parametrize("n", [1000, pytest.param(5000, marks=pytest.mark.slow)])
def test_curves_are_seen_as_by_nearest_neighbours(n):
    errors = []
    for seed, (shape, spread) in enumerate(CURVES.values()):
        rng = np.random.default_rng(seed)
        x, noise = rng.normal(size=(2, n, 1))
        y = (shape(x) + spread * noise).ravel()
        truth = information_of_curve(shape, spread)
        found = mutual_info_features(x, y, random_state=0)[0], mutual_info_regression(x, y, random_state=0)[0]
        errors.append(np.abs(np.array(found) - truth))
    worse = np.subtract(*np.transpose(errors))  # mostly the error of the sample, which both have
    assert worse.mean() < 2 * worse.std(ddof=1) / np.sqrt(len(worse)) and np.mean(errors, axis=0)[0] < 0.05


def test_weak_dependences_are_told_from_none():
    """Nearest neighbours alone vary by 0.015 nats here; what is weaker than that is a critic's to see."""
    found, of_nothing = 0, []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(2000, 40))
        y = X[:, :3].sum(1) * 0.2 + rng.normal(size=2000)
        values = mutual_info_features(X, y, random_state=0)
        found += (np.argsort(values)[-3:] < 3).sum()
        of_nothing.append(values[3:].mean())
    assert found >= 8 and np.mean(of_nothing) < 0.001


def test_zeros_and_rounded_values_and_classes():
    rng = np.random.default_rng(0)
    group = rng.integers(2, size=2000)
    on = rng.random(2000) < np.where(group, 0.7, 0.2)
    gene = np.where(on, rng.gamma(2, 1, 2000), 0.0)
    table = np.array([[0.15, 0.35], [0.4, 0.1]])
    truth = (table * np.log(table / table.sum(0) / table.sum(1, keepdims=True))).sum()
    shop = rng.integers(40, size=2000)
    frame = pd.DataFrame({"gene": gene, "same": group, "rounded": np.round(rng.normal(size=2000) + group, 1)})
    values = mutual_info_features(frame, group, random_state=0)
    spread = np.sqrt((table * np.log(table / table.sum(0) / table.sum(1, keepdims=True)) ** 2).sum() / 2000)
    assert values[0] == pytest.approx(truth, abs=3 * spread + 0.01)
    share = group.mean()
    assert values[1] == pytest.approx(-share * np.log(share) - (1 - share) * np.log(1 - share), abs=1e-3)
    assert 0.09 < values[2] < 0.14  # 0.111, by integration, ± 2 errors
    text = np.array([f"shop {i}" for i in shop])
    assert mutual_info_features(pd.DataFrame({"shop": text}), shop * 1.0 + rng.normal(size=2000), random_state=0) > 2.0


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
