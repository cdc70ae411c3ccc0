"""Laws of continuous columns: bounded and skewed, periodic, heavy-tailed, mixtures."""

import numpy as np
import pandas as pd
from _law_tools import (
    Law,
    Noisy,
    normal_nodes,
    pair_information,
    quadrature,
    xlogy_ratio,
)
from scipy.special import digamma, gammaln, ive, ndtr
from scipy.stats import exponnorm, norm, vonmises

HALF = np.log(2 * np.pi * np.e) / 2  # entropy of a standard normal


def noisy_copy(name, nodes, marginal, draw_x, noise, kind="bounded") -> Law:
    """y = x + normal noise, for points and probabilities of x."""
    law = Noisy(nodes, noise, marginal)

    def draw(rng, n):
        x = draw_x(rng, n)
        return x, x + noise * rng.normal(size=n)

    def users(x, y):
        return pd.DataFrame({"sensor": x}), pd.Series(y, name="other sensor")

    return Law(f"{name} × itself, noise {noise:g}", kind, law.exact, draw, law.log_ratio, users)


def noisy_uniform(noise: float) -> Law:
    """A uniform number and a slightly noisy copy."""
    points, weights = quadrature(0, 1, int(4 / noise))
    marginal = lambda y: ndtr(y / noise) - ndtr((y - 1) / noise)  # noqa: E731
    return noisy_copy("uniform", (points, weights), marginal, lambda rng, n: rng.random(n), noise)


def noisy_exponential(noise: float) -> Law:
    """An exponential number and a slightly noisy copy."""
    points, weights = quadrature(0, 30, int(60 / noise), 8)

    def marginal(y):
        return exponnorm.pdf(y, 1 / noise, scale=noise)

    return noisy_copy(
        "exponential", (points, weights * np.exp(-points)), marginal, lambda rng, n: rng.exponential(size=n), noise
    )


def noisy_lognormal(noise: float) -> Law:
    """A lognormal number and a slightly noisy copy."""
    z, weights = normal_nodes(6, 800)
    return noisy_copy(
        "lognormal", (np.exp(0.7 * z), weights), None, lambda rng, n: np.exp(0.7 * rng.normal(size=n)), noise
    )


def noisy_beta(noise: float) -> Law:
    """A share that is mostly near 0 or 1 (beta ½, ½), and a slightly noisy copy."""
    u, weights = quadrature(0, 1, int(4 / noise))
    return noisy_copy("beta", (np.sin(np.pi * u / 2) ** 2, weights), None, lambda rng, n: rng.beta(0.5, 0.5, n), noise)


def wave(frequency: float, noise: float, width: float) -> Law:
    """y = sin(frequency · x) + noise, x uniform over a width."""
    x, weights = quadrature(-width / 2, width / 2, 300)
    law = Noisy((np.sin(frequency * x), weights / width), noise)

    def draw(rng, n):
        x = rng.uniform(-width / 2, width / 2, size=n)
        return x, np.sin(frequency * x) + noise * rng.normal(size=n)

    def users(x, y):
        return pd.DataFrame({"time": x}), pd.Series(y, name="signal")

    def log_ratio(x, y):
        return law.log_ratio(np.sin(frequency * x), y)

    return Law(f"sin {frequency:g}x, noise {noise:g}", "periodic", law.exact, draw, log_ratio, users)


def hours() -> Law:
    """The hour of the day, 0 to 23, against a load with two peaks."""
    hour = np.arange(24)
    curve = np.cos(2 * np.pi * (hour - 18) / 24) + 0.6 * np.cos(4 * np.pi * (hour - 8) / 24)
    law = Noisy((curve, np.full(24, 1 / 24)), 0.4)

    def draw(rng, n):
        i = rng.integers(24, size=n)
        return i, curve[i] + 0.4 * rng.normal(size=n)

    def users(i, y):
        return pd.DataFrame({"hour": i}), pd.Series(y, name="load")

    return Law("hour of the day × number", "periodic", law.exact, draw, lambda i, y: law.log_ratio(curve[i], y), users)


def directions(columns: bool) -> Law:
    """Two directions on a circle, in degrees or as cosine and sine, that differ by von Mises noise."""
    kappa = 6.0

    def exact():
        ratio = ive(1, kappa) / ive(0, kappa)
        return kappa * ratio - np.log(ive(0, kappa)) - kappa

    def draw(rng, n):
        x = rng.uniform(0, 2 * np.pi, size=n)
        return x, (x + rng.vonmises(0, kappa, size=n)) % (2 * np.pi)

    def log_ratio(x, y):
        return vonmises.logpdf(y - x, kappa) + np.log(2 * np.pi)

    def users(x, y):
        if columns:
            return pd.DataFrame({"cos": np.cos(x), "sin": np.sin(x)}), np.degrees(y)
        return pd.DataFrame({"wind": np.degrees(x)}), pd.Series(np.degrees(y), name="waves")

    shape = "cosine and sine" if columns else "degrees"
    return Law(f"direction in {shape} × direction", "periodic", exact, draw, log_ratio, users)


def student(dx: int, dy: int, freedom: float, correlations=()) -> Law:
    """A joint Student distribution: rows of a Gaussian share a random scale."""
    d = dx + dy
    rho = np.array(correlations)

    def term(v):
        return gammaln(v / 2) - v / 2 * digamma(v / 2)

    def exact():
        ends = term(freedom) + term(freedom + d) - term(freedom + dx) - term(freedom + dy)
        return pair_information(*rho) + ends

    def draw(rng, n):
        x, y = rng.normal(size=(n, dx)), rng.normal(size=(n, dy))
        for i, r in enumerate(rho):
            y[:, i] = r * x[:, i] + np.sqrt(1 - r**2) * y[:, i]
        scale = np.sqrt(freedom / rng.chisquare(freedom, size=(n, 1)))
        return x * scale, y * scale

    def density(square, k):  # the log, of k columns, but for the determinant
        ends = gammaln((freedom + k) / 2) - gammaln(freedom / 2) - k / 2 * np.log(freedom * np.pi)
        return ends - (freedom + k) / 2 * np.log1p(square / freedom)

    def log_ratio(x, y):
        a, b = np.square(x).sum(1), np.square(y).sum(1)
        k = len(rho)
        u, v = x[:, :k], y[:, :k]
        both = a + b + ((rho**2 * (u**2 + v**2) - 2 * rho * u * v) / (1 - rho**2)).sum(1)
        return density(both, d) - density(a, dx) - density(b, dy) - 0.5 * np.log1p(-(rho**2)).sum()

    def users(x, y):
        return x, y.ravel() if dy == 1 else y

    return Law(
        f"Student, {freedom:g} {'degree' if freedom == 1 else 'degrees'} ({dx}×{dy})",
        "tails",
        exact,
        draw,
        log_ratio,
        users,
    )


def mixture_pair() -> Law:
    """Two numbers from three clouds of different correlation, size and place."""
    weights, centres = np.array([0.5, 0.3, 0.2]), np.array([[0.0, 0.0], [3.0, 1.0], [-1.0, 4.0]])
    spreads, rho = np.array([[1.0, 1.0], [0.5, 1.5], [1.5, 0.5]]), np.array([0.8, -0.7, 0.0])

    def densities(x, y):
        joint = left = right = 0
        for w, (a, b), (s, t), r in zip(weights, centres, spreads, rho, strict=True):
            p = norm.pdf(x, a, s)
            joint = joint + w * p * norm.pdf(y, b + r * t / s * (x - a), t * np.sqrt(1 - r**2))
            left, right = left + w * p, right + w * norm.pdf(y, b, t)
        return joint, left, right

    def exact():
        points, measure = quadrature(-13, 14, 160, 6)
        joint, left, right = densities(points[:, None], points[None])
        return measure @ xlogy_ratio(joint, left * right) @ measure

    def draw(rng, n):
        which = rng.choice(3, n, p=weights)
        u, v = rng.normal(size=(2, n))
        v = rho[which] * u + np.sqrt(1 - rho[which] ** 2) * v
        return tuple((centres[which] + spreads[which] * np.column_stack([u, v])).T)

    def log_ratio(x, y):
        joint, left, right = densities(x, y)
        return np.log(joint / (left * right))

    return Law("three clouds (1×1)", "mixtures", exact, draw, log_ratio, lambda x, y: (pd.DataFrame({"x": x}), y))


def bimodal() -> Law:
    """Two columns with four clouds, against a number with noise that follows one of them."""
    centres = np.array([-3.0, -1.0, 1.0, 3.0])
    z, weights = normal_nodes()
    nodes = (centres[:, None] + 0.3 * z).ravel(), np.tile(weights / 4, 4)
    law = Noisy(nodes, 0.4, lambda y: norm.pdf(y[:, None], centres, 0.5).mean(1))

    def draw(rng, n):
        x = centres[rng.integers(4, size=n)] + 0.3 * rng.normal(size=n)
        return x, x + 0.4 * rng.normal(size=n), rng.choice(centres, n) + 0.3 * rng.normal(size=n)

    def users(x, y, other):
        return pd.DataFrame({"x": x, "other": other}), y

    return Law(
        "four clouds and another column (2×1)", "mixtures", law.exact, draw, lambda x, y, _: law.log_ratio(x, y), users
    )


LAWS = [
    noisy_uniform(0.02),
    noisy_uniform(0.3),
    noisy_exponential(0.03),
    noisy_lognormal(0.1),
    noisy_beta(0.05),
    wave(3, 0.25, 2 * np.pi),
    wave(6, 0.3, 2.5),
    hours(),
    directions(columns=False),
    directions(columns=True),
    student(1, 1, 1, (0.5,)),
    student(2, 2, 2, (0.6,)),
    student(3, 1, 1.5),
    student(5, 5, 4, (0.7, 0.5)),
    mixture_pair(),
    bimodal(),
]
