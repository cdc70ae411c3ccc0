"""Laws of classes, flags and text, alone and against numbers."""

import numpy as np
import pandas as pd
from _law_tools import (
    Channel,
    Labelled,
    Law,
    Table,
    entropy,
    normal_nodes,
    quadrature,
    xlogy_ratio,
)
from scipy.special import expit
from scipy.stats import norm


def flag_and_copy(share: float, kept: float) -> Law:
    """A flag, and a copy that is drawn anew in some rows."""
    fresh = np.outer([1 - share, share], [1 - share, share])
    law = Table(kept * np.diag([1 - share, share]) + (1 - kept) * fresh)

    def draw(rng, n):
        flag = (rng.random(n) < share).astype(int)
        return flag, np.where(rng.random(n) < kept, flag, rng.random(n) < share).astype(int)

    def users(i, j):
        return pd.DataFrame({"flag": i}), j

    return Law(f"flag of {share:.0%} × its copy", "flags", law.exact, draw, law.log_ratio, users)


def flag_by_number(base: float, slope: float, share: str) -> Law:
    """A flag, logistic in a number."""

    def conditional(v, t):
        return expit(np.where(v == 1, 1, -1) * (base + slope * t))

    law = Channel(conditional, np.arange(2), normal_nodes())

    def draw(rng, n):
        t = rng.normal(size=n)
        return (rng.random(n) < expit(base + slope * t)).astype(int), t

    def users(v, t):
        return pd.DataFrame({"load": t}), pd.Series(v == 1, name="failed")

    return Law(f"number × boolean of about {share}", "flags", law.exact, draw, law.log_ratio, users)


def rare_flag_and_shift(share: float, shift: float) -> Law:
    """A rare boolean that moves a number."""
    likelihoods = [norm.pdf, lambda v: norm.pdf(v, shift)]
    law = Labelled([1 - share, share], likelihoods, spans=[(-9, 9 + shift)])

    def draw(rng, n):
        flag = (rng.random(n) < share).astype(int)
        return flag, shift * flag + rng.normal(size=n)

    def users(flag, v):
        return pd.DataFrame({"alarm": flag == 1}), pd.Series(v, name="pressure")

    return Law(f"boolean of {share:.0%} × number", "flags", law.exact, draw, law.log_ratio, users)


def long_tail(levels: int, power: float, error: float) -> Law:
    """Words with a long tail, against one of six topics, told wrongly now and then."""
    share = np.arange(1.0, levels + 1) ** -power
    share /= share.sum()
    topic = np.random.default_rng(levels).integers(6, size=levels)
    joint = np.full((levels, 6), error / 6)
    joint[np.arange(levels), topic] += 1 - error
    law = Table(share[:, None] * joint)

    def draw(rng, n):
        i = rng.choice(levels, n, p=share)
        return i, np.where(rng.random(n) < error, rng.integers(6, size=n), topic[i])

    def users(i, j):
        return pd.DataFrame({"word": [f"w{k}" for k in i]}), np.array([f"topic {k}" for k in j], dtype=object)

    return Law(f"text of {levels} levels × six topics", "text", law.exact, draw, law.log_ratio, users)


def city_to_state() -> Law:
    """A state is known from the city, both as text."""
    share = np.arange(1.0, 71.0) ** -1.1
    share /= share.sum()
    state = np.random.default_rng(50).integers(9, size=70)
    of_state = np.bincount(state, share, minlength=9)

    def draw(rng, n):
        i = rng.choice(70, n, p=share)
        return (i,)

    def users(i):
        return pd.DataFrame({"city": [f"City {k:02d}" for k in i]}), pd.Series(
            [f"S{state[k]}" for k in i], name="state"
        )

    return Law("city × state", "text", lambda: entropy(of_state), draw, lambda i: -np.log(of_state[state[i]]), users)


def text_by_number() -> Law:
    """Twelve makes of unequal frequency, as categories, against a price."""
    fixed = np.random.default_rng(12)
    weights = fixed.dirichlet(np.full(12, 2.0))
    centres, spreads = 1.5 * fixed.normal(size=12), fixed.uniform(0.3, 1.0, size=12)
    likelihoods = [lambda v, c=c, s=s: norm.pdf(v, c, s) for c, s in zip(centres, spreads, strict=True)]
    law = Labelled(weights, likelihoods, spans=[(-14, 14)])

    def draw(rng, n):
        which = rng.choice(12, n, p=weights)
        return which, centres[which] + spreads[which] * rng.normal(size=n)

    def users(which, v):
        return pd.DataFrame({"make": pd.Categorical([f"make {k}" for k in which])}), pd.Series(np.exp(v), name="price")

    return Law("categories of 12 levels × number", "text", law.exact, draw, law.log_ratio, users)


def classes_themselves(weights: tuple[float, ...]) -> Law:
    """Classes against themselves: their entropy."""
    share = np.array(weights)

    def draw(rng, n):
        return (rng.choice(len(share), n, p=share),)

    def users(i):
        return pd.DataFrame({"class": i}), i

    name = "/".join(f"{100 * w:g}" for w in weights)
    return Law(
        f"classes {name} × themselves", "classes", lambda: entropy(share), draw, lambda i: -np.log(share[i]), users
    )


def confused_classes() -> Law:
    """Eight classes against what a classifier says, in text and in numbers."""
    fixed = np.random.default_rng(8)
    weights = fixed.dirichlet(np.full(8, 1.5))
    law = Table(weights[:, None] * (0.75 * np.eye(8) + 0.25 * fixed.dirichlet(np.ones(8), size=8)))

    def draw(rng, n):
        cell = rng.choice(64, n, p=law.joint.ravel())
        return cell // 8, cell % 8

    def users(i, j):
        return pd.DataFrame({"truth": np.array(list("abcdefgh"))[i]}), j

    return Law("eight classes × what was said", "classes", law.exact, draw, law.log_ratio, users)


def classes_by_number(name, weights, centres, spreads) -> Law:
    """Normal numbers, each class with its own mean and variance."""
    weights, centres, spreads = (np.asarray(z, dtype=float) for z in (weights, centres, spreads))
    likelihoods = [lambda v, c=c, s=s: norm.pdf(v, c, s) for c, s in zip(centres, spreads, strict=True)]
    low, high = (centres - 9 * spreads).min(), (centres + 9 * spreads).max()
    law = Labelled(weights, likelihoods, spans=[(low, high)])

    def draw(rng, n):
        which = rng.choice(len(weights), n, p=weights)
        return which, centres[which] + spreads[which] * rng.normal(size=n)

    def users(which, v):
        return pd.DataFrame({"width": v}), pd.Series([f"kind {k}" for k in which])

    return Law(name, "classes", law.exact, draw, law.log_ratio, users)


def classes_in_a_plane() -> Law:
    """Three classes in two columns that differ in how the columns go together."""
    weights, rho = np.array([0.5, 0.3, 0.2]), np.array([0.9, -0.9, 0.0])

    def densities(a, b):
        s = np.sqrt(1 - rho**2)
        return [norm.pdf(a) * norm.pdf(b, r * a, t) for r, t in zip(rho, s, strict=True)]

    def exact():
        points, measure = quadrature(-8, 8, 120, 6)
        each = np.array(densities(points[:, None], points[None]))
        total = np.tensordot(weights, each, 1)
        return sum(w * measure @ xlogy_ratio(f, total) @ measure for w, f in zip(weights, each, strict=True))

    def draw(rng, n):
        which = rng.choice(3, n, p=weights)
        a, e = rng.normal(size=(2, n))
        return which, a, rho[which] * a + np.sqrt(1 - rho[which] ** 2) * e

    def log_ratio(which, a, b):
        each = np.array(densities(a, b))
        return np.log(each[which, np.arange(len(a))] / (weights @ each))

    def users(which, a, b):
        return pd.DataFrame({"a": a, "b": b}), np.array(["up", "down", "none"])[which]

    return Law("two columns × classes by their correlation", "classes", exact, draw, log_ratio, users)


LAWS = [
    flag_and_copy(0.5, 0.6),
    flag_and_copy(0.2, 0.8),
    flag_and_copy(0.04, 0.9),
    flag_and_copy(0.01, 0.95),
    flag_by_number(0.0, 2.0, "50 %"),
    rare_flag_and_shift(0.03, 3.0),
    long_tail(80, 1.2, 0.1),
    long_tail(25, 1.0, 0.4),
    city_to_state(),
    text_by_number(),
    classes_themselves((0.4, 0.3, 0.15, 0.1, 0.05)),
    classes_themselves((0.9, 0.1)),
    confused_classes(),
    classes_by_number("number × two classes by variance", (0.5, 0.5), (0, 0), (1, 0.3)),
    classes_by_number(
        "number × five unbalanced classes", (0.5, 0.3, 0.1, 0.07, 0.03), (0, 2, 4, -3, 7), (1, 0.5, 1, 1.5, 0.4)
    ),
    classes_by_number("number × 12 classes", np.arange(1, 13) / 78, 1.3 * np.arange(12), np.full(12, 0.6)),
    classes_in_a_plane(),
]
