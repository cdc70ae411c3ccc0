"""What graphs have of each feature: sums, means and deviations over nodes, and over means of neighbours."""

from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from sklearn_dim.graphs import Graph, normalized_adjacency

MAX_FEATURES = 128  # more are reduced to as many axes


class Pool:
    """Sums over the nodes of each graph of a union.

    Parameters
    ----------
    parts : ndarray of int of shape (n_nodes,)
        The number of each node's graph.
    """

    def __init__(self, parts: np.ndarray):
        n_nodes = len(parts)
        self.matrix = sparse.csr_matrix((np.ones(n_nodes), (parts, np.arange(n_nodes))))
        self.sizes = np.diff(self.matrix.indptr)[:, None]

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Return the sums (n_graphs, n_columns) of values of nodes (n_nodes, n_columns)."""
        return self.matrix @ values

    def moments(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean and the standard deviation in each graph."""
        mean = self.sum(values) / self.sizes
        return mean, np.sqrt(self.sum((values - self.matrix.T @ mean) ** 2) / self.sizes)


class FeaturePools:
    """Sums, means and deviations of the features X, of PX and of P²X, and means of X ∘ PX; P takes neighbours' means.

    Attributes
    ----------
    axes : ndarray of shape (n_features, MAX_FEATURES) or None
        More features than `MAX_FEATURES` are reduced to their leading right singular vectors.
    """

    axes: np.ndarray | None

    def fit(self, graphs: Graph, features: Any, train: np.ndarray) -> Self:
        """Compute the axes from standardised features of a union; ``train`` says which graphs may be looked at."""
        self.axes = None
        if features.shape[1] > MAX_FEATURES:
            rows = features[train[graphs.parts]]
            self.axes = randomized_svd(rows, MAX_FEATURES, n_iter=2, random_state=0)[2].T.astype(np.float64)
        return self

    def __call__(self, graphs: Graph, features: Any) -> np.ndarray:
        """Return the numbers of each graph (n_graphs, n_numbers) from the standardised features of its nodes."""
        X = features if self.axes is None else features @ self.axes
        X = np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)
        pool, neighbors = Pool(graphs.parts), normalized_adjacency(graphs.adjacency, "mean").astype(np.float64)
        once = neighbors @ X
        around = [*pool.moments(once), *pool.moments(neighbors @ once), pool.moments(X * once)[0]]
        return np.hstack([np.arcsinh(pool.sum(X)), *pool.moments(X), *around])
