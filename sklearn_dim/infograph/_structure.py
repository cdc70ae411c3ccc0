"""How graphs hang together, in numbers that need no training: degrees, random walks that return, sizes."""

from typing import Self

import numpy as np
from scipy import sparse

from sklearn_dim.graphs import Graph, normalized_adjacency
from sklearn_dim.infograph._pools import Pool
from sklearn_dim.infograph._subtrees import DEPTH, subtree_labels

N_BINS = 8  # of each histogram
HALF_WALK = 3  # walks have up to twice as many steps
MAX_WALKS = 300  # nodes of a graph whose walks are followed
MAX_ENTRIES = 1_000_000  # of powers of the matrix of steps at a time: 12 MB for each power


class Structure:
    """Sizes, and means, deviations and histograms of what `node_numbers` says of each node.

    Attributes
    ----------
    edges : list of ndarray
        Where the bins of each histogram meet, about quantiles of the nodes at fit.
    """

    edges: list[np.ndarray]

    def fit(self, graphs: Graph, train: np.ndarray) -> Self:
        """Choose the bins from a union of graphs, of which ``train`` (n_graphs,) says which may be looked at."""
        self.edges = [bin_edges(column) for column in node_numbers(graphs)[train[graphs.parts]].T]
        return self

    def __call__(self, graphs: Graph) -> np.ndarray:
        """Return the numbers of each graph (n_graphs, n_numbers)."""
        pool, numbers = Pool(graphs.parts), node_numbers(graphs)
        degree, strength = np.diff(graphs.adjacency.indptr), np.asarray(graphs.adjacency.sum(1)).ravel()
        n_ends = pool.sum(degree[:, None])
        sizes = [np.log1p(pool.sizes), np.log1p(n_ends), n_ends / pool.sizes, np.log1p(pool.sum(strength[:, None]))]
        histograms = [
            np.log1p(pool.sum(np.eye(len(edges) + 1)[np.searchsorted(edges, column)]))
            for edges, column in zip(self.edges, numbers.T, strict=True)
        ]
        return np.hstack([*sizes, *pool.moments(numbers), *histograms])


def node_numbers(graphs: Graph) -> np.ndarray:
    """Return numbers of each node of a union (n_nodes, 8) that do not depend on the order of the nodes.

    The logarithms of degree and strength (sum of weights), the probabilities that a random walk is back after 2 to 6
    steps, and the logarithm of the neighbours' mean degree.
    """
    adjacency = graphs.adjacency
    degree, strength = np.diff(adjacency.indptr), np.asarray(adjacency.sum(1)).ravel()
    steps = normalized_adjacency(adjacency, "mean").astype(np.float64)
    followed, of_node = np.unique(representatives(graphs), return_inverse=True)
    n_entries = np.cumsum(np.bincount(graphs.parts)[graphs.parts[followed]])  # at most
    chunks = np.split(followed, np.flatnonzero(np.diff(n_entries // MAX_ENTRIES)) + 1)
    back = return_probabilities(steps, chunks)[of_node]
    return np.column_stack([np.log1p(degree), np.log1p(strength), back, np.log1p(steps @ degree)])


def representatives(graphs: Graph) -> np.ndarray:
    """Return the node whose random walks stand for those of each node: in graphs of up to `MAX_WALKS` nodes itself.

    Of larger graphs as many are taken, evenly in the order of their degrees and then of their subtrees, so that they
    depend on the order of the nodes only where subtrees are equal.
    """
    degree, parts = np.diff(graphs.adjacency.indptr), graphs.parts
    labels = subtree_labels(graphs.adjacency, np.zeros(len(parts), dtype=np.uint64), DEPTH)[-1]
    order = np.lexsort((labels, degree, parts))
    sizes = np.bincount(parts)
    start, n_nodes = np.repeat(np.cumsum(sizes) - sizes, sizes), np.repeat(sizes, sizes)
    rank = np.arange(len(parts)) - start
    middle = (2 * (rank * MAX_WALKS // n_nodes) + 1) * n_nodes // (2 * MAX_WALKS)  # of equally many of them
    chosen = np.empty_like(order)
    chosen[order] = order[start + np.where(n_nodes > MAX_WALKS, middle, rank)]
    return chosen


def return_probabilities(steps: sparse.csr_matrix, chunks: list[np.ndarray], half: int = HALF_WALK) -> np.ndarray:
    """Return entries of the diagonals of Pᵏ for k = 2, …, 2 ``half``, (n_selected, 2 half − 1), where P is ``steps``.

    ``chunks`` are numbers of nodes, as many arrays of them as there is memory for at a time. P²ᵃ and P²ᵃ⁺¹ need no
    powers above a + 1: the diagonal of AB are the sums of rows of A ∘ Bᵀ.
    """
    back = steps.T.tocsr()
    probabilities = []
    for rows in chunks:
        there, here = [steps[rows]], [back[rows]]
        for _ in range(half - 1):
            there.append(there[-1] @ steps)
            here.append(here[-1] @ back)
        products = [there[k // 2 - 1].multiply(here[k - k // 2 - 1]) for k in range(2, 2 * half + 1)]
        probabilities.append(np.column_stack([np.asarray(product.sum(1)).ravel() for product in products]))
    return np.vstack(probabilities)


def bin_edges(values: np.ndarray) -> np.ndarray:
    """Return at most `N_BINS` − 1 edges, half-way between two values: rounding errors move no value over an edge."""
    distinct = np.unique(values.round(6))
    quantiles = np.quantile(values.round(6), np.arange(1, N_BINS) / N_BINS, method="lower")
    below = np.unique(np.minimum(np.searchsorted(distinct, quantiles), len(distinct) - 2))
    return (distinct[below] + distinct[below + 1]) / 2 if len(distinct) > 1 else np.empty(0)
