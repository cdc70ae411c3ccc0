"""Pairs (x, y) whose mutual information is known, most of them after Czyż et al., "Beyond Normal", NeurIPS 2023."""

import numpy as np
from scipy.special import digamma, gammaln


def gaussian(rng, n, d, correlations=()):
    """Independent standard normals but for the first pairs of columns."""
    x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    for i, rho in enumerate(correlations):
        y[:, i] = rho * x[:, i] + np.sqrt(1 - rho**2) * y[:, i]
    return x, y, -0.5 * float(np.log1p(-np.square(correlations)).sum())


def staircase(rng, n, truth, d=20, cubed=False):
    """d correlated pairs of ``truth`` nats in all; with ``cubed`` y is mixed linearly and cubed."""
    x, y, _ = gaussian(rng, n, d, [np.sqrt(1 - np.exp(-2 * truth / d))] * d)
    if cubed:
        y = (y @ np.random.default_rng(9).normal(size=(d, d))) ** 3
    return x, y, truth


def student(rng, n, d, freedom, correlations=()):
    """A joint Student distribution: rows of a Gaussian share a random scale."""
    x, y, truth = gaussian(rng, n, d, correlations)
    scale = np.sqrt(freedom / rng.chisquare(freedom, size=(n, 1)))

    def term(v):
        return gammaln(v / 2) - v / 2 * digamma(v / 2)

    return x * scale, y * scale, truth + term(freedom) + term(freedom + 2 * d) - 2 * term(freedom + d)


def additive(rng, n, width):
    """Uniform x, and y = x + uniform noise of ± width."""
    x = rng.random((n, 1))
    truth = width - np.log(2 * width) if width <= 0.5 else 1 / (4 * width)
    return x, x + rng.uniform(-width, width, size=(n, 1)), truth


def spiral(rng, n, d=3):
    """Gaussian pairs, x and y each turned in a plane by an angle that grows with their squared length."""
    x, y, truth = gaussian(rng, n, d, (0.8, 0.8))
    return _turned(x, 0, 1), _turned(y, 1, 2), truth


def _turned(x, i, j, speed=1 / 3):
    angle, out = speed * np.square(x).sum(1), x.copy()
    out[:, i] = np.cos(angle) * x[:, i] - np.sin(angle) * x[:, j]
    out[:, j] = np.sin(angle) * x[:, i] + np.cos(angle) * x[:, j]
    return out


def heavy_mixture(rng, n, d=4):
    """Gaussian pairs, each column through sinh, then rotated: tails that ranks of columns do not undo."""
    x, y, truth = gaussian(rng, n, d, (0.8, 0.6))
    turns = [np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0] for seed in (1, 2)]
    return np.sinh(x) @ turns[0], np.sinh(y) @ turns[1], truth


def function(f, d, noise, draws=2_000_000):
    """y = f(x) + noise; the truth is the entropy of y, from spacings of many draws, less that of the noise."""

    def draw(rng, n):
        x = rng.normal(size=(n, d))
        return x, f(x) + noise * rng.normal(size=n)

    def task(rng, n):
        _, many = draw(np.random.default_rng(5), draws // max(1, d // 4))
        return *draw(rng, n), spacing_entropy(many) - 0.5 * np.log(2 * np.pi * np.e * noise**2)

    return task


def spacing_entropy(values):
    """Vasicek's estimate of the entropy in nats, of many numbers."""
    values = np.sort(values)
    n, m = len(values), int(np.sqrt(len(values)))
    return float(np.log(values[m:] - values[:-m]).mean() + np.log(n + 1) - digamma(m))


def xor(rng, n, error=0.1):
    """A class that is the sign of a product, told wrongly with probability ``error``."""
    x = rng.normal(size=(n, 2))
    y = (x[:, 0] * x[:, 1] > 0) ^ (rng.random(n) < error)
    return x, y, np.log(2) + error * np.log(error) + (1 - error) * np.log(1 - error)


def classes(rng, n):
    """Three Gaussian blobs and the name of the blob; the truth by a million draws."""
    centres = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])

    def draw(rng, n):
        which = rng.integers(3, size=n)
        return which, centres[which] + rng.normal(size=(n, 2))

    which, x = draw(np.random.default_rng(9), 1_000_000)
    density = np.exp(-0.5 * ((x[:, None] - centres) ** 2).sum(2))
    truth = float(np.log(density[np.arange(len(x)), which] / density.mean(1)).mean())
    which, x = draw(rng, n)
    return x, np.array(["red", "green", "blue"])[which], truth


OTHERS = {
    "additive noise 0.1 (1×1)": lambda rng, n: additive(rng, n, 0.1),
    "additive noise 0.75 (1×1)": lambda rng, n: additive(rng, n, 0.75),
    "sin 3x + noise (1×1)": function(lambda x: np.sin(3 * x[:, 0]), 1, 0.3),
    "Student, 1 degree (2×2)": lambda rng, n: student(rng, n, 2, 1),
    "Student, 2 degrees (3×3)": lambda rng, n: student(rng, n, 3, 2, (0.8, 0.8)),
    "Student, 3 degrees (5×5)": lambda rng, n: student(rng, n, 5, 3, (0.8, 0.8)),
    "spiral (3×3)": spiral,
    "heavy tails, rotated (4×4)": heavy_mixture,
    "x₀x₁ + noise (2×1)": function(lambda x: x[:, 0] * x[:, 1], 2, 0.3),
    "|x|² + noise (3×1)": function(lambda x: np.square(x).sum(1), 3, 1.0),
    "|x| + noise (20×1)": function(lambda x: np.linalg.norm(x, axis=1), 20, 0.3),
    "Gaussian, two pairs (50×50)": lambda rng, n: gaussian(rng, n, 50, (0.8, 0.8)),
    "independent (5×5)": lambda rng, n: gaussian(rng, n, 5),
    "XOR of signs, classes (2×1)": xor,
    "three blobs, names (2×1)": classes,
}
