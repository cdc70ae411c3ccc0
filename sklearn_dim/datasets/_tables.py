"""A generator of tables with a known structure."""

import numpy as np
from sklearn.utils import check_random_state

from sklearn_dim._arguments import FLAG, checked


@checked(
    n_samples="[1, inf)",
    n_factors="[1, inf)",
    group_size="[1, inf)",
    n_nuisance="[0, inf)",
    n_noise="[0, inf)",
    n_classes="[1, inf)",
    noise="[0, inf)",
    curved="[0, 1]",
    linear=FLAG,
    shuffle=FLAG,
)
def make_grouped_features(
    n_samples: int = 1000,
    *,
    n_factors: int = 6,
    group_size: int = 8,
    n_nuisance: int = 2,
    n_noise: int = 0,
    n_classes: int = 4,
    noise: float = 1.0,
    curved: float = 0.5,
    linear: bool = True,
    shuffle: bool = True,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a table with redundant groups of columns, where each group depends on one latent factor.

    A column is its factor, or a nonlinear function of it, plus noise, on a random scale. The class depends only on the
    factors, so whatever a classifier learns from a column it could learn from the others of its group.

    Parameters
    ----------
    n_samples : int, default=1000
    n_factors : int, default=6
        Independent standard normal factors that the class depends on.
    group_size : int, default=8
        Columns per factor.
    n_nuisance : int, default=2
        Further factors, each with its group of columns, that the class does not depend on.
    n_noise : int, default=0
        Columns of nothing but noise.
    n_classes : int, default=4
    noise : float, default=1.0
        Standard deviation of the noise, for signals of unit variance.
    curved : float in [0, 1], default=0.5
        Probability that a column is a nonlinear function of its factor: square, sine, smooth step or exponential.
    linear : bool, default=True
        Whether the class is the argmax of linear functions of the factors; else of a random ReLU network's outputs.
    shuffle : bool, default=True
        Whether the columns are in random order; else the columns of a group are next to each other.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, (n_factors + n_nuisance) * group_size + n_noise)
    y : ndarray of shape (n_samples,)
        The class.
    groups : ndarray of shape (n_features,)
        The number of each column's factor; nuisance factors have the last numbers, and -1 means noise.

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
    signals = [np.zeros(n_samples) if group < 0 else _signal(random, factors[:, group], curved) for group in groups]
    X = np.column_stack(signals) + np.where(groups < 0, 1.0, noise) * random.normal(size=(n_samples, len(groups)))
    scales = np.exp(random.normal(size=len(groups)))
    y = _scores(random, factors[:, :n_factors], n_classes, linear).argmax(1)
    return scales * (X + random.normal(size=len(groups))), y, groups


def _signal(random: np.random.RandomState, factor: np.ndarray, curved: float) -> np.ndarray:
    """Return a column without its noise: a function of its factor, with about zero mean and unit variance."""
    sign, shift = random.choice([-1.0, 1.0]), random.normal()
    if random.uniform() >= curved:
        return sign * factor
    shifted = factor + 0.5 * shift  # so that the square is not an even function of the factor
    function = random.randint(4)
    values = [np.square(shifted), np.sin(2 * shifted), np.tanh(4 * shifted), np.exp(shifted)][function]
    return sign * (values - values.mean()) / max(values.std(), 1e-12)


def _scores(
    random: np.random.RandomState, factors: np.ndarray, n_classes: int, linear: bool, hidden: int = 16
) -> np.ndarray:
    """Return scores (n_samples, n_classes), the same kind of random function of the factors for every class."""
    if not linear:
        weights = 2 * random.normal(size=(factors.shape[1], hidden)) / np.sqrt(factors.shape[1])
        factors = np.maximum(factors @ weights + random.normal(size=hidden), 0)
        factors = (factors - factors.mean(0)) / np.maximum(factors.std(0), 1e-12)
    return factors @ random.normal(size=(factors.shape[1], n_classes))
