"""Nearest neighbours against known answers."""

import time
from functools import lru_cache

import numpy as np
import pytest
from scipy.signal import fftconvolve
from scipy.special import ndtri
from scipy.stats import gamma, norm, poisson

from sklearn_dim.mine._neighbors import neighbor_contributions

N = 2000
MIDDLES = (np.arange(100_000) + 0.5) / 100_000


def table_information(p):
    """Return the information of a table of probabilities."""
    p = p / p.sum()
    product = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    return float((p * np.log(np.maximum(p, 1e-300) / np.maximum(product, 1e-300))).sum())


def noisy_information(values, spread):
    """Return I(v; v + spread·noise), where v is any of ``values``, by integration."""
    edges = np.linspace(values.min() - 8 * spread, values.max() + 8 * spread, 40_001)
    step = edges[1] - edges[0]
    parts = np.histogram(values, bins=edges)[0] / len(values)
    reach = np.arange(-int(8 * spread / step), int(8 * spread / step) + 1) * step
    density = fftconvolve(parts, norm.pdf(reach, 0, spread), mode="same")
    return -np.sum(density * np.log(np.maximum(density, 1e-300))) * step - 0.5 * np.log(2 * np.pi * np.e * spread**2)


def rounded(step, rho):
    """Return the table of two normal numbers of correlation rho, both rounded."""
    cells = np.arange(-int(6 / step), int(6 / step) + 1) * step
    table = np.zeros((len(cells), len(cells)))
    spread = np.sqrt(1 - rho**2)
    for within in (np.arange(20) - 9.5) / 20 * step:
        x = cells[:, None] + within
        upper, lower = (norm.cdf(cells + half, rho * x, spread) for half in (step / 2, -step / 2))
        table += norm.pdf(x) * (upper - lower)
    return table


@lru_cache
def laws(seed=0, n=N):
    """Return, by name, x, y, the truth, what the estimate may lack beside noise, and which sides are discrete."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    u, e, group, three = rng.random(n), rng.exponential(size=n), rng.integers(2, size=n), rng.integers(3, size=n)
    result = {
        f"Gaussian {rho}": (x, rho * x + np.sqrt(1 - rho**2) * z, -0.5 * np.log(1 - rho**2), 0.0) for rho in (0.4, 0.97)
    }
    result["independent"] = x, z, 0.0, 0.0
    for spread in (0.03, 0.01):
        result[f"uniform + {spread}"] = u, u + spread * z, noisy_information(MIDDLES, spread), 0.01
    result["exponential + 0.01"] = e, e + 0.01 * z, noisy_information(-np.log(MIDDLES), 0.01), 0.06
    result["lognormal + 0.2"] = np.exp(x), np.exp(x) + 0.2 * z, noisy_information(np.exp(ndtri(MIDDLES)), 0.2), 0.02
    result["sin 6x"] = x, np.sin(6 * x) + 0.3 * z, noisy_information(np.sin(6 * ndtri(MIDDLES)), 0.3), 0.02
    result["x³ − 2x"] = x, x**3 - 2 * x + z, noisy_information(ndtri(MIDDLES) ** 3 - 2 * ndtri(MIDDLES), 1.0), 0.02

    on = rng.random(n) < np.where(group, 0.7, 0.2)
    table = np.array([[0.3, 0.7], [0.8, 0.2]])
    result["zeros, class"] = np.where(on, rng.gamma(2, 1, n), 0.0), group, table_information(table), 0.0
    missing = rng.random(n) < 0.3
    result["−999"] = np.where(missing, -999, x), 0.6 * x + 0.8 * z, -0.7 * 0.5 * np.log(1 - 0.36), 0.0
    a = rng.random(n) < 0.5
    b = np.where(rng.random(n) < 0.6, a, rng.random(n) < 0.5)
    both = np.exp(x) * a, np.exp(0.6 * x + 0.8 * z) * b
    result["zeros, zeros"] = *both, table_information(np.array([[4, 1], [1, 4]])) - 0.4 * 0.5 * np.log(1 - 0.36), 0.0
    grid, half = np.linspace(-8, 8, 2001), np.linspace(0, 9, 1501)
    weights = norm.pdf(grid) / norm.pdf(grid).sum()
    censored = np.c_[norm.cdf(-grid), norm.pdf(half, grid[:, None], 1) * (half[1] - half[0])]
    result["censored"] = x, np.maximum(x + z, 0), table_information(weights[:, None] * censored), 0.01
    cells = np.arange(-80, 120) / 10
    by_group = np.array([norm.cdf(cells + 0.05, m) - norm.cdf(cells - 0.05, m) for m in (0, 1.3)])
    result["rounded, class"] = np.round(z + 1.3 * group, 1), group, table_information(by_group), 0.0
    for step in (0.1, 0.5):
        pair = (np.round(v / step) * step for v in (x, 0.8 * x + 0.6 * z))
        result[f"rounded to {step}, both"] = *pair, table_information(rounded(step, 0.8)), 0.01
    rate = rng.gamma(2, 1, n)
    counts = poisson.pmf(np.arange(60), gamma(2).ppf(MIDDLES[::50])[:, None])
    result["rate, count"] = rate, rng.poisson(rate), table_information(counts), 0.01
    age = np.floor(18 + 62 * u)
    bought = 1 / (1 + np.exp(-(np.arange(18, 80) - 45) / 5))
    sold = rng.random(n) < bought[age.astype(int) - 18]
    result["age in years, class"] = age, sold, table_information(np.array([bought, 1 - bought])), 0.0
    flat = np.linspace(-8, 14, 4001)
    share, centre = np.array([0.6, 0.38, 0.02]), np.array([0, 2, 5])
    kind = rng.choice(3, size=n, p=share)
    truth = table_information(share[:, None] * norm.pdf(flat, centre[:, None]))
    result["rare class"] = centre[kind] + z, kind, truth, 0.01
    result["classes of few rows"] = x, np.minimum((rng.pareto(1, size=n) * 3).astype(int), 400), 0.0, 0.02
    plane = np.stack(np.meshgrid(np.linspace(-6, 8, 301), np.linspace(-6, 8, 301)), axis=-1).reshape(-1, 2)
    corners = np.array([[0, 0], [2, 0], [0, 2]])
    blobs = np.array([norm.pdf(plane - corner).prod(1) for corner in corners])
    result["blobs"] = corners[three] + rng.normal(size=(n, 2)), three, table_information(blobs), 0.0
    X = rng.normal(size=(n, 2))
    result["two columns"] = X, X.sum(1) + z, 0.5 * np.log(3), 0.02
    truth = table_information(np.eye(3) * 0.7 / 3 + 0.1 / 3)
    result["class, class"] = three, np.where(rng.random(n) < 0.3, rng.integers(3, size=n), three), truth, 0.0
    # Within each class the columns are independent or correlated: x alone, or the class alone, says nothing.
    mixed = np.c_[group, x], np.where(group, 0.9 * x + np.sqrt(0.19) * z, z)
    result["class and number"] = *mixed, -0.25 * np.log(0.19), 0.02
    return result


CLASSES = {  # which columns of x and of y are classes
    **dict.fromkeys(("zeros, class", "rounded, class", "age in years, class", "rare class"), ([False], [True])),
    "classes of few rows": ([False], [True]),
    "blobs": ([False, False], [True]),
    "class, class": ([True], [True]),
    "class and number": ([True, False], [False]),
}


def contributions(name, law, **options):
    x_discrete, y_discrete = CLASSES.get(name, (None, None))
    return neighbor_contributions(law[0], law[1], x_discrete=x_discrete, y_discrete=y_discrete, **options)


@pytest.mark.parametrize("name", laws(n=10))
def test_a_law(name):
    law = laws()[name]
    values = contributions(name, law)
    # Neighbours share rows, so the spread over rows understates the error somewhat where there is little to know.
    error = values.std(ddof=1) / np.sqrt(N)
    assert abs(values.mean() - law[2]) < 3 * error + law[3] + 2 / N
    x_discrete, y_discrete = CLASSES.get(name, (None, None))
    swapped = neighbor_contributions(law[1], law[0], x_discrete=y_discrete, y_discrete=x_discrete)
    np.testing.assert_array_equal(swapped, values)
    order = np.random.default_rng(1).permutation(N)
    np.testing.assert_array_equal(contributions(name, (law[0][order], law[1][order])), values[order])


def test_monotone_maps_change_nothing():
    x, y, *_ = laws()["zeros, zeros"]
    for other in (x**3, np.log(x + 0.1), np.unique(x, return_inverse=True)[1]):
        np.testing.assert_array_equal(neighbor_contributions(other, y), neighbor_contributions(x, y))


def test_two_discrete_sides_are_a_table_less_its_bias():
    rng = np.random.default_rng(0)
    x = rng.integers(6, size=N)
    y = np.where(rng.random(N) < 0.5, x % 3, rng.integers(3, size=N))
    counts = np.zeros((6, 3))
    np.add.at(counts, (x, y), 1)
    bias = ((counts > 0).sum() - 6 - 3 + 1) / (2 * N)
    values = neighbor_contributions(x, y, x_discrete=[True], y_discrete=[True])
    assert values.mean() == pytest.approx(table_information(counts) - bias, abs=5 / counts.min() / N)


def test_copies_are_data():
    """Twelve copies of each row are a distribution on so many points: its information is the logarithm of them."""
    x = np.repeat(np.random.default_rng(0).normal(size=100), 12)
    assert neighbor_contributions(x, x).mean() == pytest.approx(np.log(100), abs=0.06)


def test_few_rows_and_constants():
    assert neighbor_contributions([1.0], [2.0]) == pytest.approx([0])
    x = np.arange(6.0)
    assert np.isfinite(neighbor_contributions(x, x)).all()
    assert neighbor_contributions(x, np.ones(6)).mean() == pytest.approx(0, abs=1e-12)
    assert neighbor_contributions(x, x, y_discrete=[True]) == pytest.approx(np.zeros(6))  # each alone in its class


def test_a_million_rows():
    rng = np.random.default_rng(0)
    x = np.maximum(rng.normal(size=1_000_000), 0)
    start = time.process_time()
    values = neighbor_contributions(x, x + rng.normal(size=len(x)))
    assert time.process_time() - start < 20 and 0.1 < values.mean() < 0.3
