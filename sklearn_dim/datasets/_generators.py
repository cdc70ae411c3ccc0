"""Data whose answer is known."""

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state


def make_gaussian_pair(n_samples=1000, n_features=1, *, mutual_info=1.0, random_state=None):
    """Return jointly Gaussian x and y with a given I(x; y).

    Parameters
    ----------
    n_samples : int, default=1000
    n_features : int, default=1
        Columns of x, and of y. Column i of y is correlated with column i of x, all equally.
    mutual_info : float, default=1.0
        I(x; y) in nats.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    x, y : ndarray of shape (n_samples, n_features)

    Examples
    --------
    >>> from sklearn_dim.datasets import make_gaussian_pair
    >>> x, y = make_gaussian_pair(100, 3, mutual_info=2.0, random_state=0)
    >>> x.shape, y.shape
    ((100, 3), (100, 3))
    """
    random = check_random_state(random_state)
    rho = np.sqrt(-np.expm1(-2 * mutual_info / n_features))  # I = −½ n_features log(1 − ρ²)
    x = random.normal(size=(n_samples, n_features))
    return x, rho * x + np.sqrt(1 - rho**2) * random.normal(size=x.shape)


def make_community_graph(
    n_samples=300, n_features=32, *, n_communities=3, degree=8.0, mixing=0.2, noise=2.0, random_state=None
):
    """Return a stochastic block model: communities of equal size with noisy features.

    Parameters
    ----------
    n_samples : int, default=300
        Nodes.
    n_features : int, default=32
        Features of a node: its community's centre, a standard normal vector, plus noise.
    n_communities : int, default=3
    degree : float, default=8.0
        Mean number of neighbours.
    mixing : float in [0, 1], default=0.2
        Share of a node's edges that lead to other communities.
    noise : float, default=2.0
        Standard deviation of the features about the centre.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    adjacency : CSR matrix of shape (n_samples, n_samples)
    y : ndarray of shape (n_samples,)
        The community.

    Examples
    --------
    >>> from sklearn_dim import Graph
    >>> from sklearn_dim.datasets import make_community_graph
    >>> X, adjacency, y = make_community_graph(60, random_state=0)
    >>> Graph(X, adjacency).shape
    (60, 32)
    """
    random = check_random_state(random_state)
    y = random.permutation(np.arange(n_samples) % n_communities)
    same = y[:, None] == y[None, :]
    inside, outside = same.sum() - n_samples, (~same).sum()
    chance = np.where(
        same, (1 - mixing) * degree * n_samples / max(inside, 1), mixing * degree * n_samples / max(outside, 1)
    )
    upper = np.triu(random.random_sample(same.shape) < chance, 1)
    X = random.normal(size=(n_communities, n_features))[y] + noise * random.normal(size=(n_samples, n_features))
    return X, sparse.csr_matrix((upper | upper.T).astype(np.float32)), y
