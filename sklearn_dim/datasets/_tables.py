"""Tables whose structure is known."""

import numpy as np
from sklearn.utils import check_random_state


def make_grouped_features(
    n_samples=1000, *, n_factors=6, group_size=8, n_nuisance=2, n_noise=0, n_classes=4, noise=1.0, curved=0.5,
    linear=True, shuffle=True, random_state=None,
):  # fmt: skip
    """Return a table with redundant groups of columns: each group sees one latent factor.

    A column is its factor, or a curve of it, plus noise, in a unit of its own. The class depends on the factors only,
    so whatever a classifier learns from a column it could learn from the others of its group.

    Parameters
    ----------
    n_samples : int, default=1000
    n_factors : int, default=6
        Independent standard normal factors that the class depends on.
    group_size : int, default=8
        Columns that see a factor.
    n_nuisance : int, default=2
        Further factors, each with its group, that the class does not depend on.
    n_noise : int, default=0
        Columns of noise alone.
    n_classes : int, default=4
    noise : float, default=1.0
        Standard deviation of the noise, for signals of unit variance.
    curved : float in [0, 1], default=0.5
        Chance of a column to see a curve of its factor: its square, a wave, a step or its exponential.
    linear : bool, default=True
        Whether the class is the largest of linear functions of the factors; else of a random ReLU network's outputs.
    shuffle : bool, default=True
        Whether the columns are in random order; else groups lie side by side.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, (n_factors + n_nuisance) * group_size + n_noise)
    y : ndarray of shape (n_samples,)
        The class.
    groups : ndarray of shape (n_features,)
        The factor that a column sees; those of nuisance come last, and -1 is noise.

    Examples
    --------
    >>> from sklearn_dim.datasets import make_grouped_features
    >>> X, y, groups = make_grouped_features(100, random_state=0)
    >>> X.shape, y.shape, groups.shape
    ((100, 64), (100,), (64,))
    """
    random = check_random_state(random_state)
    factors = random.normal(size=(n_samples, n_factors + n_nuisance))
    groups = np.append(np.repeat(np.arange(factors.shape[1]), group_size), np.full(n_noise, -1))
    if shuffle:
        groups = random.permutation(groups)
    seen = [np.zeros(n_samples) if group < 0 else _seen(random, factors[:, group], curved) for group in groups]
    X = np.column_stack(seen) + np.where(groups < 0, 1.0, noise) * random.normal(size=(n_samples, len(groups)))
    units = np.exp(random.normal(size=len(groups)))
    y = _scores(random, factors[:, :n_factors], n_classes, linear).argmax(1)
    return units * (X + random.normal(size=len(groups))), y, groups


def _seen(random, factor, curved):
    """Return what a column sees of its factor, of about zero mean and unit variance."""
    sign, place = random.choice([-1.0, 1.0]), random.normal()
    if random.uniform() >= curved:
        return sign * factor
    moved = factor + 0.5 * place
    curve = random.randint(4)
    bent = [np.square(moved), np.sin(2 * moved), np.tanh(4 * moved), np.exp(moved)][curve]
    return sign * (bent - bent.mean()) / max(bent.std(), 1e-12)


def _scores(random, factors, n_classes, linear, hidden=16):
    """Return a score a class; functions of the factors that are alike for all classes."""
    if not linear:
        turns = 2 * random.normal(size=(factors.shape[1], hidden)) / np.sqrt(factors.shape[1])
        factors = np.maximum(factors @ turns + random.normal(size=hidden), 0)
        factors = (factors - factors.mean(0)) / np.maximum(factors.std(0), 1e-12)
    return factors @ random.normal(size=(factors.shape[1], n_classes))
