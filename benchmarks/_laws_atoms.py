"""Laws of numbers that repeat: zeros, missing values as a number, censoring, rounding."""

import numpy as np
import pandas as pd
from _law_tools import (
    Channel,
    Labelled,
    Law,
    Noisy,
    Table,
    gaussian_log_ratio,
    gaussian_pair,
    interval_probability,
    normal_nodes,
    pair_information,
    poisson,
)
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr
from scipy.stats import gamma, lognorm, norm


def zeros_by_class() -> Law:
    """Three cell types that differ in how often a gene is on, and in how much."""
    weights, on, shapes = np.array([0.6, 0.3, 0.1]), np.array([0.15, 0.55, 0.9]), np.array([1.5, 2.0, 4.0])

    def likelihood(k):
        return lambda v: np.where(v == 0, 1 - on[k], on[k] * gamma.pdf(v, shapes[k]))

    law = Labelled(weights, [likelihood(k) for k in range(3)], [0.0], [(0, 0.01), (0.01, 60)])

    def draw(rng, n):
        which = rng.choice(3, n, p=weights)
        return which, np.where(rng.random(n) < on[which], rng.gamma(shapes[which]), 0.0)

    def users(which, v):
        return pd.DataFrame({"expression": v}), np.array(["stem", "nerve", "blood"])[which]

    return Law("gene with zeros × three cell types", "zeros", law.exact, draw, law.log_ratio, users)


def zeros_by_number() -> Law:
    """Spending, 70 % zeros and a lognormal rest, against a score that both parts move."""
    on, shift, slope, noise = 0.3, 1.0, 0.8, 0.7
    # y given x is normal about 0 where x is zero, about shift + slope·log x elsewhere.
    z, weights = normal_nodes()
    nodes = np.append(shift + slope * z, 0.0), np.append(on * weights, 1 - on)
    wide = np.hypot(slope, noise)
    law = Noisy(nodes, noise, lambda y: (1 - on) * norm.pdf(y, 0, noise) + on * norm.pdf(y, shift, wide))

    def draw(rng, n):
        z, bought = rng.normal(size=n), rng.random(n) < on
        mean = np.where(bought, shift + slope * z, 0.0)
        return mean, mean + noise * rng.normal(size=n), np.where(bought, np.exp(z), 0.0)

    def users(mean, y, spent):
        return pd.DataFrame({"spent": spent}), pd.Series(y, name="score")

    return Law("spending, 70 % zeros, × score", "zeros", law.exact, draw, lambda m, y, _: law.log_ratio(m, y), users)


def zeros_on_both() -> Law:
    """Rain at two stations: dry 60 % and 45 %, amounts correlated where both have some."""
    joint, rho = np.array([[0.38, 0.22], [0.07, 0.33]]), 0.75
    flags = Table(joint)

    def draw(rng, n):
        cell = rng.choice(4, n, p=joint.ravel())
        return cell // 2, cell % 2, *gaussian_pair(rng, n, rho)

    def log_ratio(a, b, u, v):
        return flags.log_ratio(a, b) + a * b * gaussian_log_ratio(u, v, rho)

    def users(a, b, u, v):
        return pd.DataFrame({"here": a * np.exp(u)}), pd.Series(b * gamma.ppf(ndtr(v), 2.0), name="there")

    def exact():
        return flags.exact() + joint[1, 1] * pair_information(rho)

    return Law("rain × rain, zeros on both sides", "zeros", exact, draw, log_ratio, users)


def zero_inflated_counts() -> Law:
    """Two genes, counted with dropouts; the cell type is all that they share."""
    weights, means = np.array([0.5, 0.3, 0.2]), np.array([[1.0, 12.0], [6.0, 3.0], [15.0, 1.0]])
    k = np.arange(70)

    def given(mean, dropout):
        return np.where(k == 0, dropout, 0.0) + (1 - dropout) * poisson(k, mean)

    joint = sum(w * np.outer(given(a, 0.3), given(b, 0.1)) for w, (a, b) in zip(weights, means, strict=True))
    law = Table(joint)

    def draw(rng, n):
        which = rng.choice(3, n, p=weights)
        counts = rng.poisson(means[which])
        counts[rng.random((n, 2)) < (0.3, 0.1)] = 0
        return np.minimum(counts[:, 0], 69), np.minimum(counts[:, 1], 69)

    def users(a, b):
        return pd.DataFrame({"gene": a}), pd.Series(b, name="other gene")

    return Law("counts with dropouts × the same", "zeros", law.exact, draw, law.log_ratio, users)


def missing_by_class() -> Law:
    """-999 where a laboratory did not measure, which it does more often for the healthy."""
    weights, missing, centres = np.array([0.7, 0.3]), np.array([0.4, 0.1]), np.array([0.0, 1.2])

    def likelihood(k):
        return lambda v: np.where(v == -999, missing[k], (1 - missing[k]) * norm.pdf(v, centres[k]))

    law = Labelled(weights, [likelihood(0), likelihood(1)], [-999.0], [(-9, 11)])

    def draw(rng, n):
        ill = (rng.random(n) < weights[1]).astype(int)
        value = centres[ill] + rng.normal(size=n)
        return ill, np.where(rng.random(n) < missing[ill], -999.0, value)

    def users(ill, v):
        return pd.DataFrame({"marker": v}), pd.Series(ill, name="ill")

    return Law("marker, missing as -999, × ill", "missing", law.exact, draw, law.log_ratio, users)


def missing_at_random(code: float, share: float, rho: float) -> Law:
    """A number replaced by a code in some rows, whatever the rest."""

    def draw(rng, n):
        return *gaussian_pair(rng, n, rho), rng.random(n) < share

    def log_ratio(x, y, gone):
        return np.where(gone, 0.0, gaussian_log_ratio(x, y, rho))

    def users(x, y, gone):
        return pd.DataFrame({"reading": np.where(gone, code, 20 + 3 * x)}), y

    name = f"reading, {share:.0%} missing as {code:g}, × number"
    return Law(name, "missing", lambda: (1 - share) * pair_information(rho), draw, log_ratio, users)


def censored(limit: float, rho: float) -> Law:
    """A concentration below a limit of detection is given as the limit."""
    s = np.sqrt(1 - rho**2)

    def atom(y):  # log p(at the limit | y) / p(at the limit)
        return log_ndtr((limit - rho * y) / s) - log_ndtr(limit)

    def exact():
        def seen(x):
            return norm.pdf(x) * (-np.log(s) + (s**2 + (rho * x) ** 2 - 1) / 2)

        def unseen(y):
            return norm.pdf(y) * ndtr((limit - rho * y) / s) * atom(y)

        return quad(seen, limit, 12)[0] + quad(unseen, -12, 12)[0]

    def draw(rng, n):
        return gaussian_pair(rng, n, rho)

    def log_ratio(x, y):
        return np.where(x > limit, gaussian_log_ratio(x, y, rho), atom(y))

    def users(x, y):
        return pd.DataFrame({"concentration": np.exp(np.maximum(x, limit))}), pd.Series(y, name="response")

    return Law(f"censored, {ndtr(limit):.0%} at the limit, × number", "censored", exact, draw, log_ratio, users)


def censored_by_class() -> Law:
    """Survival times of two treatments, cut at the end of a study, as a law of the treatment."""
    weights, rates, end = np.array([0.5, 0.5]), np.array([1.0, 0.35]), 2.0

    def likelihood(k):
        return lambda t: np.where(t == end, np.exp(-rates[k] * end), rates[k] * np.exp(-rates[k] * t))

    law = Labelled(weights, [likelihood(0), likelihood(1)], [end], [(0, end)])

    def draw(rng, n):
        arm = rng.integers(2, size=n)
        return arm, np.minimum(rng.exponential(1 / rates[arm]), end)

    def users(arm, t):
        return pd.DataFrame({"arm": np.array(["drug", "none"])[1 - arm]}), pd.Series(t, name="years")

    return Law("treatment × years, cut at 2", "censored", law.exact, draw, law.log_ratio, users)


def rounded(name: str, step: float, rho: float) -> Law:
    """A number rounded to multiples of ``step`` (its sd is 1) against one that is not."""
    s, reach = np.sqrt(1 - rho**2), int(np.ceil(6 / step))

    def conditional(k, t):
        return interval_probability(((k - 0.5) * step - rho * t) / s, ((k + 0.5) * step - rho * t) / s)

    law = Channel(conditional, np.arange(-reach, reach + 1), normal_nodes(6, 400))

    def draw(rng, n):
        x, y = gaussian_pair(rng, n, rho)
        return np.rint(x / step).astype(int), y

    def users(k, y):
        return pd.DataFrame({"length": np.round(170 + 10 * step * k, 6)}), pd.Series(y, name="mass")

    return Law(name, "rounded", law.exact, draw, law.log_ratio, users)


def both_rounded() -> Law:
    """Two thermometers that show one decimal: the same temperature, but for their errors."""
    step, spread, noise = 0.1, 0.6, 0.12
    k = np.arange(-45, 46)
    t, weights = normal_nodes(7, 400)

    def bins(noise):
        return interval_probability(
            ((k[:, None] - 0.5) * step - spread * t) / noise, ((k[:, None] + 0.5) * step - spread * t) / noise
        )

    law = Table((bins(noise) * weights) @ bins(noise).T + 1e-300)

    def draw(rng, n):
        both = spread * rng.normal(size=(n, 1)) + noise * rng.normal(size=(n, 2))
        return tuple(np.rint(both / step).astype(int).T + 45)

    def users(a, b):
        return pd.DataFrame({"first": np.round(36.8 + step * (a - 45), 1)}), np.round(36.8 + step * (b - 45), 1)

    return Law("thermometer × thermometer, one decimal", "rounded", law.exact, draw, law.log_ratio, users)


def heaped() -> Law:
    """Blood pressure in whole numbers, six of ten rounded to tens by the reader, against a score."""
    spread, rho, share = 15.0, 0.7, 0.6
    s = np.sqrt(1 - rho**2)

    def band(v, t, half):
        return interval_probability(((v - half) / spread - rho * t) / s, ((v + half) / spread - rho * t) / s)

    def conditional(v, t):
        return (1 - share) * band(v, t, 0.5) + np.where(v % 10 == 0, share * band(v, t, 5.0), 0.0)

    law = Channel(conditional, np.arange(-90, 91), normal_nodes(6))

    def draw(rng, n):
        x, y = gaussian_pair(rng, n, rho)
        step = np.where(rng.random(n) < share, 10, 1)
        return (step * np.rint(spread * x / step)).astype(int), y

    def users(v, y):
        return pd.DataFrame({"systolic": v + 130}), pd.Series(y, name="risk score")

    return Law("blood pressure, heaped at tens, × number", "rounded", law.exact, draw, law.log_ratio, users)


def rounded_by_class() -> Law:
    """Grades in halves, of three schools of unequal size."""
    weights, centres, spreads = np.array([0.55, 0.3, 0.15]), np.array([0.0, 0.9, -0.6]), np.array([1.0, 0.6, 1.4])
    k = np.arange(-16, 17)
    bins = [
        interval_probability(((k - 0.5) / 2 - c) / s, ((k + 0.5) / 2 - c) / s)
        for c, s in zip(centres, spreads, strict=True)
    ]
    law = Table(weights[:, None] * np.array(bins) + 1e-300)

    def draw(rng, n):
        which = rng.choice(3, n, p=weights)
        return which, np.rint(2 * (centres[which] + spreads[which] * rng.normal(size=n))).astype(int) + 16

    def users(which, k):
        return pd.DataFrame({"grade": 4 + (k - 16) / 2}), pd.Series(np.array(["north", "south", "east"])[which])

    return Law("grades in halves × three schools", "rounded", law.exact, draw, law.log_ratio, users)


def two_zero_columns() -> Law:
    """Two columns with zeros against a class that only the zeros tell, both together more than each."""
    error = 0.1
    law = Table(np.array([[1 - error, error], [error, 1 - error]]) / 2)

    def draw(rng, n):
        on = rng.integers(2, size=(n, 2))
        j = (on[:, 0] ^ on[:, 1]) ^ (rng.random(n) < error)
        return on[:, 0] ^ on[:, 1], j.astype(int), on * lognorm.rvs(0.8, size=(n, 2), random_state=rng)

    def users(i, j, v):
        return pd.DataFrame(v, columns=["left", "right"]), j

    return Law("two columns with zeros × class", "zeros", law.exact, draw, lambda i, j, _: law.log_ratio(i, j), users)


LAWS = [
    zeros_by_class(),
    zeros_by_number(),
    zeros_on_both(),
    zero_inflated_counts(),
    two_zero_columns(),
    missing_by_class(),
    missing_at_random(-999, 0.25, 0.85),
    missing_at_random(0, 0.5, 0.6),
    censored(-0.4, 0.8),
    censored(1.0, 0.9),
    censored_by_class(),
    rounded("length, one decimal, × number", 0.1, 0.9),
    rounded("length in coarse steps × number", 1.0, 0.7),
    both_rounded(),
    heaped(),
    rounded_by_class(),
]
