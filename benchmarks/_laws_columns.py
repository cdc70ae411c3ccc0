"""Laws of several columns, mixed and wide, and of columns that are independent."""

import numpy as np
import pandas as pd
from _law_tools import (
    Law,
    Noisy,
    Table,
    gaussian_log_ratio,
    gaussian_pair,
    normal_nodes,
    pair_information,
)
from scipy.stats import norm


def sign_product(noise: float) -> Law:
    """y is the product of two signs, and noise: no column alone says anything."""
    law = Noisy((np.array([-1.0, 1.0]), np.full(2, 0.5)), noise)

    def draw(rng, n):
        x = rng.normal(size=(n, 2))
        sign = np.sign(x).prod(1)
        return sign, sign + noise * rng.normal(size=n), x

    def users(_, y, x):
        return pd.DataFrame(x, columns=["left", "right"]), y

    return Law("product of two signs (2×1)", "columns", law.exact, draw, lambda s, y, _: law.log_ratio(s, y), users)


def mixed_columns() -> Law:
    """Number, flag and colour against a number that the first two make and a class that the colour makes."""
    z, weights = normal_nodes()
    share, slope, shift, noise = 0.3, 0.9, 1.5, 0.5
    nodes = np.append(slope * z, slope * z + shift), np.append((1 - share) * weights, share * weights)
    wide = np.hypot(slope, noise)
    number = Noisy(nodes, noise, lambda y: (1 - share) * norm.pdf(y, 0, wide) + share * norm.pdf(y, shift, wide))
    kinds = Table(np.array([[0.30, 0.05], [0.08, 0.22], [0.05, 0.10], [0.02, 0.18]]))

    def draw(rng, n):
        z, flag = rng.normal(size=n), rng.random(n) < share
        cell = rng.choice(8, n, p=kinds.joint.ravel())
        mean = slope * z + shift * flag
        return mean, mean + noise * rng.normal(size=n), cell // 2, cell % 2, z, flag

    def log_ratio(mean, y, i, j, *_):
        return number.log_ratio(mean, y) + kinds.log_ratio(i, j)

    def users(_, y, i, j, z, flag):
        x = pd.DataFrame({"size": z, "new": flag, "colour": np.array(["red", "blue", "green", "grey"])[i]})
        return x, pd.DataFrame({"price": y, "sold": np.array(["no", "yes"])[j]})

    return Law(
        "number, flag, colour × number, class (3×2)",
        "columns",
        lambda: number.exact() + kinds.exact(),
        draw,
        log_ratio,
        users,
    )


def slopes_by_class() -> Law:
    """A class and a number: the class decides which way the number acts."""
    weights, slope, noise = np.array([0.4, 0.35, 0.25]), np.array([1.5, -1.5, 0.2]), 0.5
    z, measure = normal_nodes()
    nodes = np.outer(slope, z).ravel(), np.outer(weights, measure).ravel()
    law = Noisy(
        nodes, noise, lambda y: sum(w * norm.pdf(y, 0, np.hypot(s, noise)) for w, s in zip(weights, slope, strict=True))
    )

    def draw(rng, n):
        which, z = rng.choice(3, n, p=weights), rng.normal(size=n)
        mean = slope[which] * z
        return mean, mean + noise * rng.normal(size=n), which, z

    def users(_, y, which, z):
        return pd.DataFrame({"dose": z, "group": np.array(["adult", "child", "none"])[which]}), pd.Series(
            y, name="effect"
        )

    return Law(
        "class and number × number (2×1)", "columns", law.exact, draw, lambda m, y, *_: law.log_ratio(m, y), users
    )


def low_rank(dx: int, dy: int, rho: tuple[float, ...], bent: bool = False) -> Law:
    """Many columns that hold few latent numbers, linearly or through ReLU, which loses nothing in so many columns.

    With ``dy`` = 1 the other side is the first latent number, and the other correlations must be 0.
    """
    k, fixed = len(rho), np.random.default_rng(dx)
    left, right = fixed.normal(size=(k, dx)), fixed.normal(size=(k, dy))

    def draw(rng, n):
        pairs = [gaussian_pair(rng, n, r) for r in rho]
        return tuple(np.array(side).T for side in zip(*pairs, strict=True))

    def log_ratio(u, v):
        return sum(gaussian_log_ratio(u[:, i], v[:, i], r) for i, r in enumerate(rho))

    def users(u, v):
        x, y = u @ left, v[:, 0] if dy == 1 else v @ right
        return pd.DataFrame(np.maximum(x, 0) if bent else x).add_prefix("c"), np.maximum(y, 0) if bent else y

    other = "number" if dy == 1 else f"{dy} columns"
    name = f"{dx} columns of {k} latents × {other}" + (", ReLU" if bent else "")
    return Law(name, "wide", lambda: pair_information(*rho), draw, log_ratio, users)


def wide_by_class() -> Law:
    """Thirty noisy columns about one latent number, against a class: the mean of the columns is all there is."""
    d, noise = 30, 2.0
    s = noise / np.sqrt(d)
    nodes = np.array([-0.8, 0.8]), np.full(2, 0.5)
    law = Noisy(nodes, s)  # mean of the columns given the class

    def draw(rng, n):
        which = rng.integers(2, size=n)
        x = 1.6 * which[:, None] - 0.8 + noise * rng.normal(size=(n, d))
        return 1.6 * which - 0.8, x.mean(1), which, x

    def users(_, mean, which, x):
        return x, np.array(["no", "yes"])[which]

    return Law("30 noisy columns × class", "wide", law.exact, draw, lambda c, m, *_: law.log_ratio(c, m), users)


def independent(name: str, draw_users) -> Law:
    """Columns that have nothing to do with each other; ``draw_users`` is (rng, n) → x, y."""

    def draw(rng, n):
        return rng.integers(2**31, size=1).repeat(n), np.arange(n)

    def users(seed, _):
        return draw_users(np.random.default_rng(seed[0]), len(seed))

    return Law(f"independent: {name}", "independent", lambda: 0.0, draw, lambda seed, _: np.zeros(len(seed)), users)


def _zeros(rng, n, share):
    return np.where(rng.random(n) < share, 0.0, rng.gamma(2.0, size=n))


INDEPENDENT = {
    "zeros × zeros": lambda rng, n: (pd.DataFrame({"a": _zeros(rng, n, 0.7)}), _zeros(rng, n, 0.5)),
    "one decimal × class": lambda rng, n: (pd.DataFrame({"a": rng.normal(size=n).round(1)}), rng.choice(["u", "v"], n)),
    "-999 × number": lambda rng, n: (
        pd.DataFrame({"a": np.where(rng.random(n) < 0.3, -999.0, rng.normal(size=n))}),
        rng.exponential(size=n),
    ),
    "flag of 2 % × flag of 10 %": lambda rng, n: (
        pd.DataFrame({"a": (rng.random(n) < 0.02).astype(int)}),
        (rng.random(n) < 0.1).astype(int),
    ),
    "text of 40 levels × text of 10": lambda rng, n: (
        pd.DataFrame({"a": [f"w{k}" for k in np.minimum(rng.zipf(1.5, n), 40)]}),
        pd.Series([f"t{k}" for k in rng.integers(10, size=n)]),
    ),
    "shop × class": lambda rng, n: (pd.DataFrame({"shop": rng.integers(45, size=n)}), rng.integers(3, size=n)),
    "counts × counts": lambda rng, n: (pd.DataFrame({"a": rng.poisson(3, n)}), rng.negative_binomial(2, 0.2, n)),
    "uniform × Cauchy": lambda rng, n: (pd.DataFrame({"a": rng.random(n)}), rng.standard_cauchy(n)),
    "mixed columns (3×2)": lambda rng, n: (
        pd.DataFrame({"a": rng.normal(size=n), "b": rng.choice(["p", "q", "r"], n), "c": rng.random(n) < 0.2}),
        pd.DataFrame({"d": rng.exponential(size=n), "e": rng.integers(4, size=n)}),
    ),
    "20 columns × class": lambda rng, n: (rng.normal(size=(n, 20)), rng.choice(["u", "v", "w"], n)),
    "ages × dates": lambda rng, n: (
        pd.DataFrame({"age": rng.integers(18, 90, n)}),
        pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(700, size=n), unit="D")),
    ),
}


LAWS = [
    sign_product(0.5),
    mixed_columns(),
    slopes_by_class(),
    low_rank(20, 1, (0.85, 0.0)),
    low_rank(20, 15, (0.9, 0.6)),
    wide_by_class(),
    *(independent(name, draw) for name, draw in INDEPENDENT.items()),
]

WIDE = [
    low_rank(60, 60, (0.9, 0.7)),
    low_rank(60, 60, (0.8, 0.8, 0.6), bent=True),
    low_rank(100, 2, (0.95, 0.5)),
    low_rank(50, 1, (0.8, 0.0, 0.0)),
]
