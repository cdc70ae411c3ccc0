"""Where a node stands in the graph of `fit`: who its neighbours are, and how much that can say."""

import zlib
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from sklearn_dim._warnings import warn
from sklearn_dim.encoders import even_rotation
from sklearn_dim.graphs import scale_to_unit_rows

MAX_NODES = 100_000  # of graphs whose positions are used: the encoder has a weight for each node
MAX_AXES, NODES_PER_AXIS = 256, 8
HELD_OUT, FEW = 0.1, 10  # share of the edges that are held out, and number from which they say anything
PROBE_AXES = 16
MAX_EDGES = 10_000  # that features are asked about
SURE = 0.1  # how far above ½ the share of held-out edges that are predicted must be for positions to count in full


class Positions:
    """The neighbours of a node as features, where these predict edges.

    Edges that come from communities, roles or hubs tell nodes apart by their neighbours; edges that are mostly chance
    do not, and would only add noise. So a tenth of the edges is held out, and what the others say about it decides.

    Attributes
    ----------
    share : float
        In [0, 1]: how much positions count.
    beside : float
        In [0, 1]: how much neighbours count beside a node's features in the encoder. Where features predict edges
        themselves they suffice, and neighbours would only tell nodes apart by their names.
    n_nodes : int
        Of the graph of `fit`.
    axes : ndarray of shape (n_nodes, n_axes)
        The leading right singular vectors of L L, L the adjacency with rows of unit length.
    mean : ndarray of shape (n_axes,)
        Of the positions in that graph; it stands for those in any other.
    """

    def fit(self, adjacency: sparse.csr_matrix, features: Any, *, one_graph: bool, random_state: int) -> Self:
        """Find out what positions are worth; ``one_graph`` says that all of it, and nothing else, is trained on."""
        self.n_nodes, self.share, self.beside, self.checksum = adjacency.shape[0], 0.0, 0.0, 0
        self.axes = np.zeros((self.n_nodes, 0), dtype=np.float32)
        self.mean = np.zeros(0, dtype=np.float32)
        if not one_graph or self.n_nodes > MAX_NODES or not adjacency.nnz:
            return self
        self.share = edge_share(adjacency, random_state)
        self.checksum = zlib.crc32(adjacency.indices)
        if self.share:
            self.beside = self.share * (1 - feature_share(features, adjacency, random_state))
            n_axes = max(1, min(MAX_AXES, self.n_nodes // NODES_PER_AXIS))
            scores, axes = two_hop_axes(unit_rows(adjacency), n_axes, random_state)
            self.axes = (axes @ even_rotation(scores.var(0))).astype(np.float32)
            self.mean = self._rows(adjacency).mean(0, dtype=np.float64)
        return self

    def known(self, adjacency: sparse.csr_matrix) -> bool:
        """Return whether this is the graph of `fit`, perhaps with more nodes at the end."""
        n = self.n_nodes
        return adjacency.shape[0] >= n and zlib.crc32(adjacency.indices[: adjacency.indptr[n]]) == self.checksum

    def warn_of_others(self, adjacency: sparse.csr_matrix) -> None:
        """Warn if positions count and this is another graph than that of `fit`."""
        if self.share and not self.known(adjacency):
            warn(
                "X is another graph than that of fit. What was learned of positions in that graph is left out: those "
                "columns hold their mean. To do without positions, fit on a list of graphs, or with inductive=True.",
            )

    def neighbors(self, adjacency: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return the neighbours of each node as features for the encoder, (n, n_nodes of the graph of `fit`)."""
        if not self.known(adjacency):
            return sparse.csr_matrix((adjacency.shape[0], self.n_nodes), dtype=np.float32)
        return self.beside * unit_rows(adjacency)[:, : self.n_nodes]

    def columns(self, adjacency: sparse.csr_matrix) -> np.ndarray:
        """Return the position of each node on the axes, rows of unit length (n, n_axes)."""
        return self._rows(adjacency) if self.known(adjacency) else np.tile(self.mean, (adjacency.shape[0], 1))

    def _rows(self, adjacency: sparse.csr_matrix) -> np.ndarray:
        rows = unit_rows(adjacency)
        return scale_to_unit_rows(rows @ (rows[:, : self.n_nodes] @ self.axes))


def unit_rows(adjacency: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the adjacency with rows of unit length."""
    return normalize(adjacency.astype(np.float32))


def both_ways(adjacency: sparse.csr_matrix) -> sparse.coo_matrix:
    """Return each edge once, whichever way it goes."""
    return sparse.triu(adjacency.maximum(adjacency.T), k=1).tocoo()


def edge_share(adjacency: sparse.csr_matrix, random_state: int) -> float:
    """Return how well the places of nodes predict edges, from 0, as well as chance, to 1.

    A tenth of the edges is held out. The two ends of an edge should be nearer to each other, by the cosine of their
    positions in the rest, than the same nodes paired at random; or always farther, where unlike nodes are joined, as
    buyers and goods are.
    """
    rng = np.random.default_rng(random_state)
    edges = both_ways(adjacency)
    held = rng.random(edges.nnz) < HELD_OUT
    ends = edges.row[~held], edges.col[~held]
    rest = sparse.csr_matrix((edges.data[~held], ends), shape=adjacency.shape)
    rest = rest + rest.T
    source, target = edges.row[held], edges.col[held]
    both = (np.diff(rest.indptr)[source] > 0) & (np.diff(rest.indptr)[target] > 0)
    if both.sum() < FEW:
        return 0.0
    places = two_hop_axes(unit_rows(rest), PROBE_AXES, random_state)[0]
    return agreement(places, source[both], target[both], rng)


def feature_share(features: Any, adjacency: sparse.csr_matrix, random_state: int) -> float:
    """Return how well features predict edges, as `edge_share` does of places; ``features`` may be read by rows only."""
    rng = np.random.default_rng(random_state)
    edges = both_ways(adjacency)
    if edges.nnz < FEW:
        return 0.0
    some = rng.choice(edges.nnz, min(edges.nnz, MAX_EDGES), replace=False)
    return agreement(features, edges.row[some], edges.col[some], rng)


def agreement(vectors: Any, source: np.ndarray, target: np.ndarray, rng: np.random.Generator) -> float:
    """Return how surely ends of edges are nearer, or farther, by their cosine than the same nodes paired at random.

    One standard error is subtracted from how often they are.
    """
    one, other = normalize(vectors[source]), normalize(vectors[target])
    near, chance = (_products(one, paired) for paired in (other, other[rng.permutation(len(source))]))
    ordered = np.sort(chance)
    # Ties count half: rows without words, or equal ones.
    below = np.searchsorted(ordered, near - 1e-6) + np.searchsorted(ordered, near + 1e-6, side="right")
    foreseen, error = below.mean() / (2 * len(chance)), 1 / np.sqrt(6 * len(source))
    # Ends of chance edges are a little farther apart than others, by up to 0.05: the edge between them is held out.
    clear = max(foreseen - 0.5, 0.5 - SURE - foreseen) - error
    return float(np.clip(clear / SURE, 0.0, 1.0))


def _products(one: Any, other: Any) -> np.ndarray:
    """Return the dot product of each row with the same row of another array or CSR matrix."""
    if sparse.issparse(one):
        return np.asarray(one.multiply(other).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", one, other)


def two_hop_axes(matrix: sparse.csr_matrix, n_axes: int, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Return U S (n, k) and V (n, k) of the leading singular values of L L, by a subspace iteration.

    Neither the product L L nor its transpose is made (Halko, Martinsson & Tropp, SIAM Review 2011, algorithm 4.4).
    """
    n, transposed = matrix.shape[0], matrix.T.tocsr()
    rng = np.random.default_rng(random_state)
    basis = rng.standard_normal((n, min(n_axes + 10, n))).astype(matrix.dtype)
    for _ in range(3):
        basis = transposed @ (transposed @ (matrix @ (matrix @ basis)))
        basis = np.linalg.qr(basis)[0]
    left, size, right = np.linalg.svd(matrix @ (matrix @ basis), full_matrices=False)
    axes = basis @ right.T[:, :n_axes]
    sign = np.where(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])] < 0, -1, 1).astype(axes.dtype)
    return (left * size)[:, :n_axes] * sign, axes * sign
