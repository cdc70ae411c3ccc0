"""The neural dependency measure: known total correlations, what does not change them, and errors."""

import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid
from scipy.stats import norm

from sklearn_dim.data import continuous_scores
from sklearn_dim.metrics import neural_dependency_measure


def correlated(n, d, rho, seed=0):
    """Return Gaussian rows of equal correlations, their total correlation and the spread of log p/Πpᵢ over rows."""
    rng = np.random.default_rng(seed)
    R = np.full((d, d), rho) + (1 - rho) * np.eye(d)
    truth = -np.linalg.slogdet(R)[1] / 2
    # log p/Πpᵢ is ½ zᵀ(I − R⁻¹)z + constant, whose variance is ½ tr[((I − R⁻¹)R)²] = ½ tr[(R − I)²].
    return rng.multivariate_normal(np.zeros(d), R, size=n), truth, np.sqrt(np.sum((R - np.eye(d)) ** 2) / 2)


def signs(n, seed=0):
    """Return three columns, independent in pairs: the last has the sign of the others' product. log 2 nats."""
    z = np.random.default_rng(seed).normal(size=(n, 3))
    z[:, 2] = np.abs(z[:, 2]) * np.sign(z[:, 0] * z[:, 1])
    return z


def square_and_noise():
    """Return the information in nats of x standard normal with x² + ½ε, by numerical integration."""
    x, y = np.linspace(-6, 6, 2001), np.linspace(-3, 30, 2001)
    density = np.array([trapezoid(norm.pdf(x) * norm.pdf(v, x**2, 0.5), x) for v in y])
    entropy = -trapezoid(density * np.log(density + 1e-300), y)
    return entropy - np.log(2 * np.pi * np.e * 0.25) / 2


@pytest.mark.parametrize("d, rho", [(2, 0.9), (5, 0.6), (5, 0.2)])
def test_gaussian_total_correlation_is_found(d, rho):
    codes, truth, spread = correlated(3000, d, rho)
    value = neural_dependency_measure(codes, random_state=0, max_iter=8)
    assert abs(value - truth) < 3 * spread / np.sqrt(3000) + 0.02


def test_what_fitting_many_correlations_costs_is_given_back():
    codes, truth, spread = correlated(1000, 40, 0.3)
    # 780 correlations fitted on 667 rows cost 780/1334 = 0.58 nats on rows unseen, and feign as much on rows seen.
    value = neural_dependency_measure(codes, random_state=0, max_iter=1)
    assert abs(value - truth) < 3 * spread / np.sqrt(1000) + 0.1


@pytest.mark.parametrize("n, d", [(2000, 5), (1000, 40), (300, 64)])
def test_independent_components_have_none(n, d):
    codes = np.random.default_rng(0).laplace(size=(n, d))
    assert abs(neural_dependency_measure(codes, random_state=0)) < (0.02 if n >= 1000 else 0.1)


def test_a_sign_of_a_product_is_found():
    # No pair of columns depends on each other; a discontinuity is found in part.
    value = neural_dependency_measure(signs(2000), random_state=0, cv=2, max_iter=20)
    assert 0.3 < value < np.log(2) + 0.03


def test_a_square_is_found():
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    value = neural_dependency_measure(np.c_[x, x**2 + 0.5 * rng.normal(size=2000)], random_state=0, max_iter=20)
    assert square_and_noise() == pytest.approx(0.80, abs=0.01)
    assert square_and_noise() - 0.15 < value < square_and_noise() + 0.06


def test_the_papers_definition_has_the_same_optimum():
    # DV between codes and codes with every column shuffled, scored by the true log-ratio of correlated Gaussians.
    codes, truth, _ = correlated(4000, 3, 0.4)
    rng = np.random.default_rng(1)
    R = np.full((3, 3), 0.4) + 0.6 * np.eye(3)
    gap = np.eye(3) - np.linalg.inv(R)

    def score(z):
        return 0.5 * np.einsum("ni,ij,nj->n", z, gap, z)

    shuffled = np.concatenate([np.column_stack([rng.permutation(c) for c in codes.T]) for _ in range(20)])
    published = score(codes).mean() - np.log(np.mean(np.exp(score(shuffled))))
    value = neural_dependency_measure(codes, random_state=0)
    assert value == pytest.approx(published, abs=0.03)
    assert published == pytest.approx(truth, abs=0.05)


def test_increasing_maps_of_components_change_nothing():
    codes, _, _ = correlated(300, 3, 0.5)
    mapped = np.column_stack([np.exp(codes[:, 0]), 7 * codes[:, 1] - 3, codes[:, 2] ** 3])
    few = {"random_state": 0, "max_iter": 2}
    assert neural_dependency_measure(mapped, **few) == neural_dependency_measure(codes, **few)


def test_discrete_components_share_information_too():
    rng = np.random.default_rng(0)
    bit = rng.integers(2, size=3000)
    value = neural_dependency_measure(
        np.c_[bit, np.where(rng.random(3000) < 0.1, 1 - bit, bit)], random_state=0, max_iter=10
    )
    truth = np.log(2) + 0.1 * np.log(0.1) + 0.9 * np.log(0.9)
    # Random ties make quadrants of even density, whose edges a smooth network blurs: it finds three quarters.
    assert 0.65 * truth < value < truth + 3 * np.sqrt(0.09) * np.log(9) / np.sqrt(3000)


def test_ties_are_broken_without_dependence():
    constant = np.zeros((400, 3))
    scores = continuous_scores(constant, 0)
    assert np.abs(np.corrcoef(scores.T) - np.eye(3)).max() < 4 / np.sqrt(400)
    assert np.allclose(np.sort(scores, axis=0)[:, 0], norm.ppf((np.arange(400) + 0.5) / 400), atol=1e-6)
    assert abs(neural_dependency_measure(constant, random_state=0, max_iter=1)) < 0.05


def test_one_component_depends_on_nothing():
    assert neural_dependency_measure(np.random.default_rng(0).normal(size=(50, 1))) == 0.0


def test_a_seed_decides_and_global_streams_stay():
    codes = signs(300)
    torch.manual_seed(3)
    np.random.seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, again = (neural_dependency_measure(codes, random_state=5, max_iter=2) for _ in range(2))
    assert first == again and isinstance(first, float)
    assert torch.equal(torch.get_rng_state(), before[0]) and (np.random.get_state()[1] == before[1]).all()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"cv": 1}, r"'cv' parameter .* int in the range \[2, inf\). Got 1"),
        ({"max_iter": 0}, r"'max_iter' .*Got 0"),
        ({"validation_fraction": 1.0}, r"'validation_fraction' .*Got 1.0"),
        ({"validation_fraction": 0.99}, "validation_fraction=0.99 leaves fewer than 2 .* Lower it"),
        ({"cv": 20}, "n_samples = 50, too few for cv=20: give at least 80 rows"),
        ({"device": "nowhere"}, "device='nowhere' cannot be used here"),
    ],
)
def test_errors_say_what_to_do(change, message):
    with pytest.raises(ValueError, match=message):
        neural_dependency_measure(np.random.default_rng(0).normal(size=(50, 2)), **change)


def test_missing_values_are_refused():
    codes = np.ones((50, 2))
    codes[3, 1] = np.nan
    with pytest.raises(ValueError, match="codes contains NaN"):
        neural_dependency_measure(codes)
