"""What a law of `_laws` is, and the integrals and sums that its truth takes."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammaln, ndtr
from scipy.stats import norm

Function = Callable[..., Any]


@dataclass
class Law:
    """A pair (x, y) whose mutual information is known.

    Parameters
    ----------
    name, kind : str
        What the columns are; the kind is what results are averaged by.
    exact : callable
        () → the information in nats, by closed form, sums or quadrature.
    draw : callable
        (rng, n) → a tuple of arrays of n rows, the variables as mathematics has them.
    log_ratio : callable
        (*variables) → log p(x, y) / (p(x) p(y)) of each row. Its mean over many draws is the check of ``exact``, and
        the error of that mean is that of an oracle.
    users : callable
        (*variables) → (x, y) as users have them: frames, Series, objects, text.
    groups : callable, default=None
        (*variables) → which rows are copies of each other or belong together; None if rows are independent.
    """

    name: str
    kind: str
    exact: Function
    draw: Function
    log_ratio: Function
    users: Function
    groups: Function | None = None

    @functools.cached_property
    def truth(self) -> float:
        """The mutual information in nats."""
        return float(self.exact())

    def sample(self, rng: np.random.Generator, n: int) -> tuple[Any, Any]:
        """Return x and y, shuffled."""
        return self.users(*self.draw(rng, n))

    def sample_with_groups(self, rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        """Return x, y and the groups of the rows, None if rows are independent."""
        variables = self.draw(rng, n)
        return *self.users(*variables), None if self.groups is None else self.groups(*variables)

    def check(self, rng: np.random.Generator, n: int = 100_000) -> tuple[float, float]:
        """Return the mean of the exact log-ratio over n draws, and its standard error over groups."""
        variables = self.draw(rng, n)
        values = pd.Series(self.log_ratio(*variables))
        if self.groups is not None:
            values = values.groupby(self.groups(*variables)).mean()
        return float(values.mean()), float(values.std() / np.sqrt(len(values)))

    @functools.cached_property
    def _spread(self) -> float:
        return self.check(np.random.default_rng(77))[1] * np.sqrt(100_000)

    def oracle_error(self, n: int) -> float:
        """Return the standard error of the mean exact log-ratio of n rows: the least error there is."""
        return self._spread / float(np.sqrt(n))


def sorted_rows(*tables: Any, by: int) -> list[Any]:
    """Return the tables with rows sorted by all columns of one of them; None stays None."""
    key = pd.DataFrame(tables[by]).reset_index(drop=True)
    key.columns = range(key.shape[1])
    order = key.sort_values(list(key), kind="stable").index.to_numpy()
    return [None if t is None else t.iloc[order] if hasattr(t, "iloc") else t[order] for t in tables]


def quadrature(low: float, high: float, panels: int = 100, order: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Return points and weights of Gauss and Legendre's rule on equal panels."""
    points, weights = np.polynomial.legendre.leggauss(order)
    edges = np.linspace(low, high, panels + 1)
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    return (middle[:, None] + half[:, None] * points).ravel(), (half[:, None] * weights).ravel()


def normal_nodes(reach: float = 8.5, panels: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Return points, and weights that sum to one, for means over a standard normal."""
    points, weights = quadrature(-reach, reach, panels)
    return points, weights * norm.pdf(points)


def xlogy_ratio(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return p log(p / q), 0 where p is."""
    p, q = np.broadcast_arrays(p, q)
    out = np.zeros(p.shape)
    there = p > 0
    out[there] = p[there] * np.log(p[there] / q[there])
    return out


def entropy(p: np.ndarray) -> float:
    """Return the entropy of probabilities."""
    return -float(xlogy_ratio(np.asarray(p, dtype=float), np.ones(1)).sum())


class Table:
    """Two discrete variables, coded 0, 1, … , with their joint probabilities."""

    def __init__(self, joint: np.ndarray):
        self.joint = joint / joint.sum()

    def exact(self) -> float:
        """H(x) + H(y) − H(x, y)."""
        return entropy(self.joint.sum(1)) + entropy(self.joint.sum(0)) - entropy(self.joint)

    def log_ratio(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Log of the joint over the product of marginals."""
        product = np.outer(self.joint.sum(1), self.joint.sum(0))
        return np.log(self.joint[i, j] / product[i, j])


class Labelled:
    """A class, and a number whose distribution it decides.

    Each likelihood is a function of the number: the probability where it is one of ``atoms``, else the density.
    ``spans`` are the intervals on which there are densities.
    """

    def __init__(
        self,
        weights: Sequence[float] | np.ndarray,
        likelihoods: Sequence[Function],
        atoms: Sequence[float] | np.ndarray = (),
        spans: Sequence[tuple[float, float]] = (),
    ):
        self.weights, self.likelihoods, self.atoms, self.spans = np.asarray(weights), likelihoods, atoms, spans

    def exact(self) -> float:
        """Sum over classes and atoms, integral over spans."""
        rules = [(np.asarray(self.atoms, dtype=float), np.ones(len(self.atoms)))]
        rules += [quadrature(low, high, 400) for low, high in self.spans]
        total = 0.0
        for points, measure in rules:
            each = np.array([f(points) for f in self.likelihoods])
            total += (xlogy_ratio(each, self.weights @ each) * measure).sum(1) @ self.weights
        return total

    def log_ratio(self, which: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Log of the likelihood over that of all classes."""
        each = np.array([f(value) for f in self.likelihoods])
        return np.log(each[which, np.arange(len(value))] / (self.weights @ each))


class Channel:
    """A discrete variable given a continuous one, t: p(v | t), and points and probabilities for means over t."""

    def __init__(self, conditional: Function, values: np.ndarray, nodes: tuple[np.ndarray, np.ndarray]):
        self.conditional, self.values, (self.points, self.weights) = conditional, np.asarray(values), nodes

    @functools.cached_property
    def _given(self) -> np.ndarray:
        return self.conditional(self.values[:, None], self.points[None])

    @functools.cached_property
    def marginal(self) -> np.ndarray:
        """p(v) of all values."""
        return self._given @ self.weights

    def exact(self) -> float:
        """Mean over t of the divergence of p(v | t) from p(v)."""
        return float((xlogy_ratio(self._given, self.marginal[:, None]) @ self.weights).sum())

    def log_ratio(self, v: np.ndarray, t: np.ndarray) -> np.ndarray:
        """log p(v | t) / p(v)."""
        return np.log(self.conditional(v, t) / self.marginal[np.searchsorted(self.values, v)])


class Noisy:
    """y = f + normal noise, for points and probabilities of f; f is what x decides of y."""

    def __init__(self, nodes: tuple[np.ndarray, np.ndarray], noise: float, marginal: Function | None = None):
        (self.points, self.weights), self.noise, self.closed = nodes, noise, marginal

    @functools.cached_property
    def _density(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        low, high = self.points.min() - 9 * self.noise, self.points.max() + 9 * self.noise
        y, measure = quadrature(low, high, max(200, int((high - low) / self.noise / 2)), 8)
        order = np.argsort(self.points)
        points, weights, density = self.points[order], self.weights[order], np.zeros(len(y))
        for k in range(0, len(y), 64):  # only points within reach count
            a, b = np.searchsorted(points, (y[k : k + 64].min() - 9 * self.noise, y[k : k + 64].max() + 9 * self.noise))
            density[k : k + 64] = norm.pdf(y[k : k + 64, None], points[None, a:b], self.noise) @ weights[a:b]
        return y, measure, density

    def exact(self) -> float:
        """h(y) − h(noise)."""
        _, measure, density = self._density
        return (
            float(-(xlogy_ratio(density, np.ones(1)) * measure).sum())
            - 0.5 * np.log(2 * np.pi * np.e)
            - np.log(self.noise)
        )

    def log_ratio(self, f: np.ndarray, y: np.ndarray) -> np.ndarray:
        """log p(y | f) / p(y), p(y) by its closed form if there is one."""
        if self.closed is not None:
            marginal = np.log(self.closed(y))
        else:
            grid, _, density = self._density
            marginal = np.interp(y, grid, np.log(np.maximum(density, 1e-300)))
        return norm.logpdf(y, f, self.noise) - marginal


def pair_information(*rho: float) -> float:
    """Information of Gaussian pairs of the given correlations."""
    return -0.5 * float(np.log1p(-np.square(rho)).sum())


def gaussian_pair(rng: np.random.Generator, n: int, rho: float) -> tuple[np.ndarray, np.ndarray]:
    """Return two standard normals of correlation rho."""
    x = rng.normal(size=n)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)


def gaussian_log_ratio(x: np.ndarray, y: np.ndarray, rho: float) -> np.ndarray:
    """Log-ratio of two standard normals of correlation rho."""
    return norm.logpdf(y, rho * x, np.sqrt(1 - rho**2)) - norm.logpdf(y)


def interval_probability(low: Any, high: Any) -> np.ndarray:
    """Return the probability of (low, high) under a standard normal, exact in both tails."""
    low, high = np.broadcast_arrays(low, high)
    flip = low > 0
    low, high = np.where(flip, -high, low), np.where(flip, -low, high)
    return ndtr(high) - ndtr(low)


def poisson(k: Any, mean: Any) -> np.ndarray:
    """Return the probability of k under a Poisson law."""
    return np.exp(k * np.log(mean) - mean - gammaln(k + 1.0))


def negative_binomial(k: Any, mean: Any, size: float) -> np.ndarray:
    """Return the probability of k under a Poisson law whose mean is gamma with shape ``size``."""
    log = gammaln(k + size) - gammaln(size) - gammaln(k + 1.0)
    return np.exp(log + size * np.log(size / (size + mean)) + k * np.log(mean / (size + mean)))
