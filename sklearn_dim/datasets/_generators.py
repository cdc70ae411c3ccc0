"""Generators whose answer is known: Gaussian pairs and communities."""

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from sklearn_dim._arguments import checked


@checked(n_samples="[1, inf)", n_features="[1, inf)", mutual_info="[0, inf)")
def make_gaussian_pair(
    n_samples: int = 1000,
    n_features: int = 1,
    *,
    mutual_info: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return jointly Gaussian x and y with a given mutual information I(x; y).

    Parameters
    ----------
    n_samples : int, default=1000
    n_features : int, default=1
        Columns of x, and of y. Column i of y is correlated with column i of x, with the same correlation for all i.
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


@checked(
    n_samples="[1, inf)",
    n_features="[1, inf)",
    n_communities="[1, inf)",
    degree="[0, inf)",
    mixing="[0, 1]",
    noise="[0, inf)",
)
def make_community_graph(
    n_samples: int = 300,
    n_features: int = 32,
    *,
    n_communities: int = 3,
    degree: float = 8.0,
    mixing: float = 0.2,
    noise: float = 2.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, sparse.csr_matrix, np.ndarray]:
    """Return a graph drawn from a stochastic block model: communities of equal size, with noisy features.

    The probability of an edge depends only on whether its two nodes are in the same community, so a few nodes may have
    no neighbours. Time and memory are linear in the numbers of nodes and edges.

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
        Fraction of a node's edges that lead to other communities.
    noise : float, default=2.0
        Standard deviation of the noise.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    adjacency : CSR matrix of shape (n_samples, n_samples)
    y : ndarray of shape (n_samples,)
        The community.

    Raises
    ------
    ValueError
        If more edges are asked for, within communities or between them, than there are pairs of nodes.

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
    ends = _draw_edges(random, y, inside=(1 - mixing) * degree, outside=mixing * degree)
    half = sparse.coo_matrix((np.ones(ends.shape[1], dtype=np.float32), ends), shape=(n_samples, n_samples)).tocsr()
    X = random.normal(size=(n_communities, n_features))[y] + noise * random.normal(size=(n_samples, n_features))
    return X, half + half.T, y


def _draw_edges(random: np.random.RandomState, y: np.ndarray, *, inside: float, outside: float) -> np.ndarray:
    """Return the ends (2, n_edges) of distinct edges.

    ``inside`` and ``outside`` are the mean numbers of a node's neighbours inside and outside its community.
    """
    sizes = np.bincount(y)
    members, starts = np.argsort(y, kind="stable"), np.cumsum(sizes) - sizes

    block, pair = _draw_pairs(random, sizes * (sizes - 1) // 2, inside * len(y) / 2, "within")
    n = sizes[block]
    first = pair % n
    second = (first + 1 + pair // n) % n  # on a circle: the next node, the second next, … until all pairs are numbered
    within = starts[block] + [first, second]

    a, b = np.triu_indices(len(sizes), 1)
    block, pair = _draw_pairs(random, sizes[a] * sizes[b], outside * len(y) / 2, "between")
    a, b = a[block], b[block]
    between = [starts[a] + pair % sizes[a], starts[b] + pair // sizes[a]]
    return members[np.hstack([within, between])]


def _draw_pairs(
    random: np.random.RandomState, pairs: np.ndarray, n_edges: float, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of nodes, each with the same probability.

    Parameters
    ----------
    random : RandomState
    pairs : ndarray of int of shape (n_blocks,)
        Number of pairs in each block.
    n_edges : float
        Mean number of pairs drawn.
    where : {"within", "between"}
        What the message says about them.

    Returns
    -------
    block, pair : ndarray of int of shape (n_drawn,)
        The block of each pair, and its number within that block.
    """
    total = int(pairs.sum())
    if n_edges > total:
        raise ValueError(
            f"degree and mixing ask for {n_edges:.0f} edges {where} communities, but there are only {total} pairs of "
            "nodes. Decrease degree, or change mixing, n_communities or n_samples."
        )
    drawn = _distinct(random, random.binomial(total, n_edges / max(total, 1)), total)
    block = np.searchsorted(np.cumsum(pairs), drawn, side="right")
    return block, drawn - (np.cumsum(pairs) - pairs)[block]


def _distinct(random: np.random.RandomState, n: int, limit: int) -> np.ndarray:
    """Return n distinct numbers below ``limit``, all choices of them with the same probability."""
    if n > limit / 2:
        return np.delete(np.arange(limit), _distinct(random, limit - n, limit))
    drawn = np.empty(0, dtype=np.int64)
    while len(drawn) < n:
        drawn = np.union1d(drawn, random.randint(limit, size=n - len(drawn), dtype=np.int64))
    return drawn
