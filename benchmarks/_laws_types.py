"""Laws of types as users have them, of booleans together, and of copies of rows."""

import decimal

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
    normal_nodes,
    pair_information,
)
from scipy.special import expit
from scipy.stats import norm


def codes(text: bool) -> Law:
    """Thirty district codes that say nothing by their size, as text or as integers, against a number."""
    fixed = np.random.default_rng(30)
    centres = 1.2 * fixed.normal(size=30)
    likelihoods = [lambda v, c=c: norm.pdf(v, c, 0.5) for c in centres]
    law = Labelled(np.full(30, 1 / 30), likelihoods, spans=[(-9, 9)])

    def draw(rng, n):
        which = rng.integers(30, size=n)
        return which, centres[which] + 0.5 * rng.normal(size=n)

    def users(which, v):
        return pd.DataFrame({"district": which.astype(str) if text else which}), pd.Series(v, name="rent")

    written = "text" if text else "integers"
    return Law(f"30 codes as {written} × number", "types", law.exact, draw, law.log_ratio, users)


def pair_in(name: str, rho: float, users) -> Law:
    """A Gaussian pair, in some type of column."""

    def draw(rng, n):
        return gaussian_pair(rng, n, rho)

    def log_ratio(x, y):
        return gaussian_log_ratio(x, y, rho)

    return Law(name, "types", lambda: pair_information(rho), draw, log_ratio, users)


def object_columns(x, y):
    """Numbers in columns of objects, beside none of text."""
    return pd.DataFrame({"a": x.astype(object)}), pd.Series(y.astype(object), name="b")


def decimals(x, y):
    """Amounts of money as Decimal."""
    return pd.DataFrame({"paid": [decimal.Decimal(f"{v:.6f}") for v in x]}), y


def two_series(x, y):
    """What everybody writes first: one Series against another."""
    return pd.Series(x, name="a"), pd.Series(y, name="b")


def nullable(x, y):
    """The nullable numbers of pandas, none missing."""
    return pd.DataFrame({"a": pd.array(x, dtype="Float64")}), pd.Series(pd.array(y, dtype="Float64"), name="b")


def dates() -> Law:
    """Days of three years against a temperature that goes with the season and a trend."""
    day = np.arange(1096)
    curve = 1.5 * np.cos(2 * np.pi * day / 365.25) + day / 1000
    law = Noisy((curve, np.full(1096, 1 / 1096)), 0.5)

    def draw(rng, n):
        i = rng.integers(1096, size=n)
        return i, curve[i] + 0.5 * rng.normal(size=n)

    def users(i, y):
        days = pd.Timestamp("2022-01-01") + pd.to_timedelta(i, unit="D")
        return pd.DataFrame({"day": days}), pd.Series(y, name="temperature")

    return Law("dates × number", "types", law.exact, draw, lambda i, y: law.log_ratio(curve[i], y), users)


def flags_and_parity() -> Law:
    """Three booleans and their parity, told wrongly in 8 of 100 rows: no column alone says anything."""
    error = 0.08
    law = Table(np.array([[1 - error, error], [error, 1 - error]]) / 2)

    def draw(rng, n):
        bits = rng.integers(2, size=(n, 3))
        parity = bits.sum(1) % 2
        return parity, (parity ^ (rng.random(n) < error)).astype(int), bits

    def users(i, j, bits):
        return pd.DataFrame(bits == 1, columns=["left", "middle", "right"]), pd.Series(j, name="odd")

    return Law("parity of three booleans", "columns", law.exact, draw, lambda i, j, _: law.log_ratio(i, j), users)


def copied_rows(copies: int) -> Law:
    """Subjects that are in the table several times, every time the same."""
    rho = 0.6

    def draw(rng, n):
        who = np.arange(n) % max(n // copies, 1)
        x, y = gaussian_pair(rng, who.max() + 1, rho)
        order = rng.permutation(n)
        return who[order], x[who[order]], y[who[order]]

    return Law(
        f"every row {copies} times",
        "copies",
        lambda: pair_information(rho),
        draw,
        lambda _, x, y: gaussian_log_ratio(x, y, rho),
        lambda _, x, y: (pd.DataFrame({"x": x}), y),
        lambda who, *_: who,
    )


def subjects() -> Law:
    """Ten visits of each subject: x is the subject's but for noise, and so is the class."""
    share, spread = 0.7, np.sqrt(1 - 0.7)  # of the variance of x the subject explains 0.7
    s = np.sqrt(share)
    law = Channel(
        lambda v, t: expit(np.where(v == 1, 1, -1) * 3 * t), np.arange(2), normal_nodes()
    )  # the class by the subject's number, in each visit anew
    t, weights = normal_nodes(panels=60)

    def given(v, x):  # the subject's number given x is normal about s·x with sd spread
        return law.conditional(np.asarray(v)[..., None], s * np.asarray(x)[..., None] + spread * t) @ weights

    table = Channel(given, np.arange(2), normal_nodes(7, 40))

    def draw(rng, n):
        who = np.arange(n) // 10
        own = rng.normal(size=who.max() + 1)[who]
        order = rng.permutation(n)
        x = s * own + spread * rng.normal(size=n)
        return (rng.random(n) < expit(3 * own)).astype(int)[order], x[order], who[order]

    def log_ratio(v, x, _):
        return np.concatenate([table.log_ratio(a, b) for a, b in _blocks(v, x)])

    def users(v, x, _):
        return pd.DataFrame({"dose": x}), pd.Series(v, name="pain")

    return Law("ten visits of each subject", "copies", table.exact, draw, log_ratio, users, lambda v, x, who: who)


def _blocks(*arrays, size=5000):
    """Cut arrays into blocks of rows."""
    return [tuple(a[k : k + size] for a in arrays) for k in range(0, len(arrays[0]), size)]


LAWS = [
    codes(text=True),
    codes(text=False),
    pair_in("numbers in columns of objects", 0.75, object_columns),
    pair_in("Decimal × number", 0.7, decimals),
    pair_in("one Series × another", 0.8, two_series),
    pair_in("nullable numbers", 0.65, nullable),
    dates(),
    flags_and_parity(),
    copied_rows(4),
    subjects(),
]
