"""A graph of plain rows: each has edges to its nearest training rows."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler


class NeighborGraph:
    """The nearest-neighbour graph of training rows, to which new rows attach.

    Edges are directed, from a row to its nearest training rows (columns standardised). So a new row never changes the
    graph of the others, and the embedding of a row does not depend on the rows it is given with.

    Parameters
    ----------
    n_neighbors : int or transformer
        Number of neighbours by Euclidean distance; with fewer training rows, all others are neighbours. Or a
        transformer of rows to a sparse matrix of their neighbours among the training rows, such as
        `sklearn.neighbors.KNeighborsTransformer` or `pynndescent.PyNNDescentTransformer`, of which a clone is fitted.
        Each entry of its output is an edge of weight 1, whatever its value; those from a row to itself are dropped.

    Attributes
    ----------
    X_ : {ndarray, CSR matrix} of shape (n_train, n_features)
        The training rows.
    adjacency_ : CSR matrix of shape (n_train, n_train)
        Their edges, of weight 1.

    Raises
    ------
    TypeError
        If the transformer returns something else than a sparse matrix with a column for each training row.
    """

    def __init__(self, n_neighbors: Any):
        self.n_neighbors = n_neighbors

    def fit(self, X: Any) -> "NeighborGraph":
        """Build the graph of training rows X (n_train, n_features), dense or CSR."""
        self.scaler_ = StandardScaler(with_mean=not sparse.issparse(X)).set_output(transform="default").fit(X)
        self.X_ = X
        if self._counts:
            self.k_ = min(self.n_neighbors, X.shape[0] - 1)
            self.search_ = NearestNeighbors(n_neighbors=self.k_).fit(self.scaler_.transform(X))
            self.adjacency_ = self._edges(self.search_.kneighbors(return_distance=False))
        else:
            self.search_ = clone(self.n_neighbors)
            neighbors = self._checked(self.search_.fit_transform(self.scaler_.transform(X)), X.shape[0])
            self.adjacency_ = _ones(neighbors, neighbors.row != neighbors.col)
        return self

    @property
    def _counts(self) -> bool:
        return not hasattr(self.n_neighbors, "fit_transform")

    def __getstate__(self) -> dict:
        return {name: value for name, value in vars(self).items() if name != "search_" or not self._counts}

    def __setstate__(self, state: dict) -> None:
        vars(self).update(state)
        if self._counts:
            self.search_ = NearestNeighbors(n_neighbors=self.k_).fit(self.scaler_.transform(self.X_))

    def attach(self, X: Any) -> tuple[Any, sparse.csr_matrix]:
        """Return features and adjacency of the training rows followed by new rows X (n, n_features).

        A new row that equals a training row is given the neighbours of that row: not the row itself.
        """
        edges = self._nearest(X) if self._counts else self._transformed(X)
        features = sparse.vstack([self.X_, X]).tocsr() if sparse.issparse(X) else np.vstack([self.X_, X])
        edges = sparse.vstack([self.adjacency_, edges]).tocsr()
        edges.resize(features.shape[0], features.shape[0])
        return features, edges

    def _nearest(self, X: Any) -> sparse.csr_matrix:
        """Return edges from new rows to their nearest training rows."""
        k, scaled = min(self.k_ + 1, self.X_.shape[0]), self.scaler_.transform(X)
        nearest = self.search_.kneighbors(scaled, n_neighbors=k, return_distance=False)
        return self._edges(self._without_itself(X, nearest))

    def _transformed(self, X: Any) -> sparse.csr_matrix:
        """Return edges from new rows to the training rows that the transformer finds."""
        found = self._checked(self.search_.transform(self.scaler_.transform(X)), X.shape[0])
        same = np.flatnonzero(_equal_rows(X[found.row], self.X_[found.col]))
        keep = np.ones(found.nnz, dtype=bool)
        keep[same[np.unique(found.row[same], return_index=True)[1]]] = False  # the first one equal to it
        return _ones(found, keep)

    def _checked(self, found: Any, n_rows: int) -> sparse.coo_matrix:
        if not sparse.issparse(found) or found.shape != (n_rows, self.X_.shape[0]):
            raise TypeError(
                f"n_neighbors={self.n_neighbors!r} returns a {type(found).__name__} of shape {np.shape(found)} for "
                f"{n_rows} rows; expected a sparse matrix of shape {(n_rows, self.X_.shape[0])}, a column for each "
                "training row. Give a number, or a transformer such as sklearn.neighbors.KNeighborsTransformer()."
            )
        return sparse.coo_matrix(found)

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


def _ones(found: sparse.coo_matrix, keep: np.ndarray) -> sparse.csr_matrix:
    """Return some entries of a matrix, each as 1."""
    rows, columns = found.row[keep], found.col[keep]
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=found.shape)


def _equal_rows(a: Any, b: Any) -> np.ndarray:
    """Return for each row of a whether it equals the same row of b."""
    if sparse.issparse(a):
        return np.asarray((a != b).sum(axis=1)).ravel() == 0
    return np.all(a == b, axis=1)
