"""Scores of features: time by the number of columns, errors against known answers, and an exclusive or.

python benchmarks/features.py            # minutes; --quick for one seed
"""

import argparse
import time
import warnings
from functools import partial

import numpy as np
from scipy.integrate import trapezoid
from scipy.stats import norm
from sklearn.feature_selection import SelectKBest, f_classif, mutual_info_classif, mutual_info_regression

from sklearn_dim import mutual_info_features

SHAPES = {
    "y = x² + noise": (np.square, 0.5),
    "y = sin 3x + noise": (lambda x: np.sin(3 * x), 0.3),
    "y = sin 6x + noise": (lambda x: np.sin(6 * x), 0.3),
    "y = x³ − 2x + noise": (lambda x: x**3 - 2 * x, 0.5),
    "y = [x > 0.3] + noise": (lambda x: (x > 0.3) * 1.0, 0.3),
    "y = |x| + noise": (np.abs, 0.3),
    "y = eˣ + noise": (np.exp, 0.5),
    "y = tanh 3x + noise": (lambda x: np.tanh(3 * x), 0.2),
    "y = cos 4x + noise": (lambda x: np.cos(4 * x), 0.3),
    "y = x⁴/4 + noise": (lambda x: x**4 / 4, 0.5),
}


def times(n_samples):
    """Print CPU and wall seconds for 10 and for 100 columns, the best of three runs."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 100))
    y = X[:, 0] + rng.normal(size=n_samples)
    mutual_info_features(X[:, :2], y, max_iter=1, random_state=0)
    runs = []
    for _ in range(3):
        for p in (10, 100):
            start = time.process_time(), time.perf_counter()
            mutual_info_features(X[:, :p], y, random_state=0)
            runs.append((time.process_time() - start[0], time.perf_counter() - start[1]))
    seconds = np.min(runs[::2], axis=0), np.min(runs[1::2], axis=0)
    (cpu_10, wall_10), (cpu_100, wall_100) = seconds
    print(
        f"n = {n_samples}: 10 columns {wall_10:.2f} s, 100 columns {wall_100:.2f} s, ratio {wall_100 / wall_10:.2f} "
        f"(CPU {cpu_10:.2f} s, {cpu_100:.2f} s, {cpu_100 / cpu_10:.2f})",
        flush=True,
    )


def smooth_truth(shape, spread):
    """Return I(x; shape(x) + spread·noise) in nats, x standard normal, by quadrature."""
    centres = shape(norm.ppf((np.arange(4000) + 0.5) / 4000))
    grid = np.linspace(centres.min() - 6 * spread, centres.max() + 6 * spread, 2000)
    density = np.mean([norm.pdf(grid, part[:, None], spread).mean(0) for part in np.split(centres, 40)], axis=0)
    entropy = -trapezoid(density * np.log(np.maximum(density, 1e-300)), grid)
    return entropy - 0.5 * np.log(2 * np.pi * np.e * spread**2)


def problems(n_samples, seed):
    """Yield name, x, y, the truth in nats, and scikit-learn's estimator."""
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=(2, n_samples))
    for rho in (0.5, 0.7, 0.9):
        y = rho * x + np.sqrt(1 - rho**2) * noise
        yield f"Gaussian, ρ = {rho}", x, y, -0.5 * np.log(1 - rho**2), mutual_info_regression
    yield "independent", x, noise, 0.0, mutual_info_regression
    for name, (shape, spread) in SHAPES.items():
        yield name, x, shape(x) + spread * noise, smooth_truth(shape, spread), mutual_info_regression
    label = rng.integers(3, size=n_samples)
    between = norm.pdf(np.linspace(-8, 12, 4000), np.array([0, 2, 4])[:, None])
    mixture = between.mean(0)
    truth = trapezoid((between * np.log((between + 1e-300) / (mixture + 1e-300))).mean(0), dx=20 / 3999)
    yield "three classes", 2 * label + noise, label, truth, mutual_info_classif
    other = np.where(rng.random(n_samples) < 0.3, rng.integers(3, size=n_samples), label)
    p = 0.1 / 3 + 0.7 / 3 * np.eye(3)
    yield (
        "discrete and discrete",
        other,
        label,
        (p * np.log(9 * p)).sum(),
        partial(mutual_info_classif, discrete_features=True),
    )


def errors(n_samples, seeds):
    """Print mean errors and mean absolute errors beside scikit-learn's."""
    found: dict[str, list] = {}
    truths = {}
    for seed in range(seeds):
        for name, x, y, truth, theirs in problems(n_samples, seed):
            ours = mutual_info_features(x[:, None], y, random_state=seed)[0]
            known = {} if "discrete" in name else {"random_state": seed}
            found.setdefault(name, []).append((ours - truth, theirs(x[:, None], y, **known)[0] - truth))
            truths[name] = truth
    print(f"\nn = {n_samples}, {seeds} seeds    truth | ours: mean, absolute error | scikit-learn: the same")
    for name, rows in found.items():
        mean, absolute = np.mean(rows, axis=0), np.abs(rows).mean(axis=0)
        print(
            f"{name:24} {truths[name]:7.3f} | {mean[0]:+.3f} {absolute[0]:.3f} | {mean[1]:+.3f} {absolute[1]:.3f}",
            flush=True,
        )
    ours, theirs = np.abs([found[name] for name in SHAPES]).mean(axis=(0, 1))
    print(f"the {len(SHAPES)} curves: mean absolute error {ours:.4f} | {theirs:.4f}", flush=True)


def exclusive_or(n_columns, n_samples=2000, seeds=3):
    """Print how many of the pair's two columns each filter finds."""
    scores = {
        "correlation filter": lambda seed: f_classif,
        "default": lambda seed: partial(mutual_info_features, random_state=seed),
        "jointly": lambda seed: partial(mutual_info_features, random_state=seed, jointly=True),
    }
    found = dict.fromkeys(scores, 0)
    for seed in range(seeds):
        X = np.random.default_rng(seed).normal(size=(n_samples, n_columns))
        y = X[:, 0] * X[:, 1] > 0
        for name, score in scores.items():
            found[name] += SelectKBest(score(seed), k=2).fit(X, y).get_support()[:2].sum()
    print(
        f"y = [x0·x1 > 0], {n_columns} columns: " + ", ".join(f"{k} {v}/{2 * seeds}" for k, v in found.items()),
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore")
    for n in (1000, 2000, 5000):
        times(n)
    for n in (1000, 2000, 5000):
        errors(n, 1 if quick else 5)
    print()
    for p in (10, 20, 30):
        exclusive_or(p, seeds=1 if quick else 3)
