"""Laws of whole numbers: ages, codes, counts."""

import numpy as np
import pandas as pd
from _law_tools import (
    Channel,
    Law,
    Table,
    negative_binomial,
    normal_nodes,
    poisson,
)
from scipy.special import gammaln


def ages() -> Law:
    """Age in years against how one travels: the young walk, the middle-aged drive, the old ride the bus."""
    age = np.arange(16, 96)
    share = np.exp(-(((age - 40) / 30.0) ** 2))
    share /= share.sum()
    score = np.stack([-(age - 16) / 8.0, -(((age - 48) / 14.0) ** 2), (age - 70) / 6.0])
    given = np.exp(score) / np.exp(score).sum(0)
    law = Table(share[:, None] * given.T)

    def draw(rng, n):
        i = rng.choice(len(age), n, p=share)
        gumbel = score[:, i].T + rng.gumbel(size=(n, 3))
        return i, gumbel.argmax(1)

    def users(i, j):
        return pd.DataFrame({"age": age[i]}), pd.Series(np.array(["walks", "drives", "bus"])[j], name="travel")

    return Law("age in years × three classes", "ages and codes", law.exact, draw, law.log_ratio, users)


def shops(classes: int) -> Law:
    """A shop's number, which says nothing by its size, against what was bought there."""
    fixed = np.random.default_rng(404 + classes)
    share = 1 / np.arange(2.0, 47.0)
    share /= share.sum()
    given = fixed.dirichlet(np.full(classes, 0.6), size=45)
    numbers = fixed.permutation(45) + 100
    law = Table(share[:, None] * given)

    def draw(rng, n):
        i = rng.choice(45, n, p=share)
        return i, (rng.random((n, 1)) > given[i].cumsum(1)[:, :-1]).sum(1)

    def users(i, j):
        return pd.DataFrame({"shop": numbers[i]}), pd.Series(j, name="bought")

    return Law(f"shop's number × {classes} classes", "ages and codes", law.exact, draw, law.log_ratio, users)


def poisson_by_number() -> Law:
    """Visits, Poisson with a mean that grows with a number."""

    def conditional(k, t):
        return poisson(k, np.exp(0.7 + 0.6 * t))

    law = Channel(conditional, np.arange(400), normal_nodes(6))

    def draw(rng, n):
        t = rng.normal(size=n)
        return rng.poisson(np.exp(0.7 + 0.6 * t)), t

    def users(k, t):
        return pd.DataFrame({"visits": k}), pd.Series(np.exp(t), name="income")

    return Law("Poisson counts × number", "counts", law.exact, draw, law.log_ratio, users)


def negative_binomial_by_class() -> Law:
    """Reads of a gene, overdispersed, of two unequal classes."""
    weights, means, size = np.array([0.8, 0.2]), (4.0, 15.0), 1.5
    k = np.arange(1500)
    law = Table(weights[:, None] * np.array([negative_binomial(k, m, size) for m in means]))

    def draw(rng, n):
        which = (rng.random(n) < weights[1]).astype(int)
        return which, rng.poisson(rng.gamma(size, np.array(means)[which] / size))

    def users(which, k):
        return pd.DataFrame({"reads": k}), np.array(["sound", "tumour"])[which]

    return Law("overdispersed counts × class", "counts", law.exact, draw, law.log_ratio, users)


def shared_counts() -> Law:
    """Goods bought by one household, Poisson with means in proportion to the same gamma number."""
    shape, a, b = 1.2, 3.0, 8.0
    i, j = np.arange(300)[:, None], np.arange(600)[None]
    # Integral over the gamma number: negative multinomial.
    log = gammaln(shape + i + j) - gammaln(shape) - gammaln(i + 1.0) - gammaln(j + 1.0)
    log = log + i * np.log(a) + j * np.log(b) - (shape + i + j) * np.log1p(a + b)
    law = Table(np.exp(log))

    def draw(rng, n):
        g = rng.gamma(shape, size=n)
        return rng.poisson(a * g), rng.poisson(b * g)

    def users(i, j):
        return pd.DataFrame({"bread": i}), pd.Series(j, name="milk")

    return Law("counts × counts of one household", "counts", law.exact, draw, law.log_ratio, users)


def counts_of_noise() -> Law:
    """A large count, close to a number: photons against intensity."""
    points = np.linspace(5, 60, 4001)
    nodes = (points[1:] + points[:-1]) / 2, np.full(4000, 1 / 4000)
    law = Channel(poisson, np.arange(150), nodes)

    def draw(rng, n):
        t = rng.uniform(5, 60, size=n)
        return rng.poisson(t), t

    def users(k, t):
        return pd.DataFrame({"intensity": t}), k

    return Law("intensity × photons", "counts", law.exact, draw, law.log_ratio, users)


LAWS = [
    ages(),
    shops(2),
    shops(4),
    poisson_by_number(),
    negative_binomial_by_class(),
    shared_counts(),
    counts_of_noise(),
]
