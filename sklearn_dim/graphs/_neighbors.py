"""A graph of plain rows: each has edges to its nearest training rows."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler


class NeighborGraph:
    """The k-nearest-neighbour graph of training rows, to which new rows attach.

    Edges are directed, from a row to its k nearest training rows (Euclidean, columns standardised). So a new row
    never changes the graph of the others, and the embedding of a row does not depend on the rows it is given with.

    Parameters
    ----------
    n_neighbors : int
        k; with fewer training rows, all others are neighbours.

    Attributes
    ----------
    X_ : {ndarray, CSR matrix} of shape (n_train, n_features)
        The training rows.
    adjacency_ : CSR matrix of shape (n_train, n_train)
        Their edges, of weight 1.
    """

    def __init__(self, n_neighbors: int):
        self.n_neighbors = n_neighbors

    def fit(self, X: Any) -> "NeighborGraph":
        """Build the graph of training rows X (n_train, n_features), dense or CSR."""
        self.scaler_ = StandardScaler(with_mean=not sparse.issparse(X)).set_output(transform="default").fit(X)
        self.X_ = X
        self.k_ = min(self.n_neighbors, X.shape[0] - 1)
        self.search_ = NearestNeighbors(n_neighbors=self.k_).fit(self.scaler_.transform(X))
        self.adjacency_ = self._edges(self.search_.kneighbors(return_distance=False))
        return self

    def __getstate__(self) -> dict:
        return {name: value for name, value in vars(self).items() if name != "search_"}

    def __setstate__(self, state: dict) -> None:
        vars(self).update(state)
        self.search_ = NearestNeighbors(n_neighbors=self.k_).fit(self.scaler_.transform(self.X_))

    def attach(self, X: Any) -> tuple[Any, sparse.csr_matrix]:
        """Return features and adjacency of the training rows followed by new rows X (n, n_features).

        A new row that equals a training row is given the neighbours of that row: not the row itself.
        """
        scaled = self.scaler_.transform(X)
        nearest = self.search_.kneighbors(scaled, n_neighbors=min(self.k_ + 1, self.X_.shape[0]), return_distance=False)
        kept = self._without_itself(X, nearest)
        features = sparse.vstack([self.X_, X]).tocsr() if sparse.issparse(X) else np.vstack([self.X_, X])
        edges = sparse.vstack([self.adjacency_, self._edges(kept)]).tocsr()
        edges.resize(features.shape[0], features.shape[0])
        return features, edges

    def _without_itself(self, X: Any, nearest: np.ndarray) -> np.ndarray:
        """Drop one neighbour of each row: the first one equal to it, else the farthest."""
        drop = np.full(len(nearest), nearest.shape[1] - 1)
        for column in range(nearest.shape[1] - 1, -1, -1):
            drop[_equal_rows(X, self.X_[nearest[:, column]])] = column
        keep = np.arange(nearest.shape[1])[None, :] != drop[:, None]
        return nearest[keep].reshape(len(nearest), -1)

    def _edges(self, neighbors: np.ndarray) -> sparse.csr_matrix:
        """Return edges from each row to its neighbours (n, k)."""
        rows, k = neighbors.shape
        pointers = np.arange(0, rows * k + 1, k)
        ones = np.ones(rows * k, dtype=np.float64)
        return sparse.csr_matrix((ones, neighbors.ravel(), pointers), shape=(rows, self.X_.shape[0]))


def _equal_rows(a: Any, b: Any) -> np.ndarray:
    """Return for each row of a whether it equals the same row of b."""
    if sparse.issparse(a):
        return np.asarray((a != b).sum(axis=1)).ravel() == 0
    return np.all(a == b, axis=1)
