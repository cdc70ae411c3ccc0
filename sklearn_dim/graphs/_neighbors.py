"""A graph for plain rows: each points to its nearest training rows."""

import numpy as np
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler


class NeighborGraph:
    """The k-nearest-neighbour graph of training rows, to which new rows attach.

    Edges are directed, from a row to its k nearest training rows (Euclidean, columns standardised), so a new
    row never changes the graph of the others: what a row gets does not depend on what it comes with.

    Parameters
    ----------
    n_neighbors : int
        k; fewer where there are fewer rows.
    """

    def __init__(self, n_neighbors: int):
        self.n_neighbors = n_neighbors

    def fit(self, X) -> "NeighborGraph":
        """Build the graph of the rows X (n, n_features), dense or CSR."""
        self.scaler_ = StandardScaler(with_mean=not sparse.issparse(X)).set_output(transform="default").fit(X)
        self.X_ = X
        self.k_ = min(self.n_neighbors, X.shape[0] - 1)
        self.search_ = NearestNeighbors(n_neighbors=self.k_).fit(self.scaler_.transform(X))
        self.adjacency_ = self._edges(self.search_.kneighbors(return_distance=False))
        return self

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "search_"}

    def __setstate__(self, state):
        vars(self).update(state)
        self.search_ = NearestNeighbors(n_neighbors=self.k_).fit(self.scaler_.transform(self.X_))

    def attach(self, X):
        """Return features and adjacency of the training rows followed by the rows X.

        A row equal to a training row takes that one's place among its neighbours.
        """
        places = self.scaler_.transform(X)
        nearest = self.search_.kneighbors(places, n_neighbors=min(self.k_ + 1, self.X_.shape[0]), return_distance=False)
        kept = self._without_own(X, nearest)
        stack = sparse.vstack if sparse.issparse(X) else np.vstack
        features = stack([self.X_, X])
        edges = sparse.vstack([self.adjacency_, self._edges(kept)]).tocsr()
        edges.resize(features.shape[0], features.shape[0])
        return (features.tocsr() if sparse.issparse(features) else features), edges

    def _without_own(self, X, nearest):
        """Drop one neighbour of each row: the first equal to it, else the farthest."""
        drop = np.full(len(nearest), nearest.shape[1] - 1)
        for column in range(nearest.shape[1] - 1, -1, -1):
            drop[_equal_rows(X, self.X_[nearest[:, column]])] = column
        keep = np.arange(nearest.shape[1])[None, :] != drop[:, None]
        return nearest[keep].reshape(len(nearest), -1)

    def _edges(self, neighbors) -> sparse.csr_matrix:
        rows, k = neighbors.shape
        pointers = np.arange(0, rows * k + 1, k)
        ones = np.ones(rows * k, dtype=np.float64)
        return sparse.csr_matrix((ones, neighbors.ravel(), pointers), shape=(rows, self.X_.shape[0]))


def _equal_rows(a, b) -> np.ndarray:
    """Return for each pair of rows whether they are the same."""
    if sparse.issparse(a):
        return np.asarray((a != b).sum(axis=1)).ravel() == 0
    return (a == b).all(axis=1)
