"""Counts of subtrees: the labels of Weisfeiler and Lehman (Shervashidze et al., JMLR 2011), which need no training."""

from typing import Any, Self

import numpy as np
from scipy import sparse

from sklearn_dim.graphs import Graph

DEPTH = 3  # of the subtrees
MIN_GRAPHS = 2  # that a label occurs in: one that occurs in a single graph compares it with no other
MAX_LABELS = 1000  # of each depth: the most common ones

# The constants of SplitMix64 (Steele et al., OOPSLA 2014).
_STEP, _FIRST, _SECOND = map(np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


class Subtrees:
    """Counts, in each graph, how many nodes have a label that was common at fit; all other labels are ignored.

    The label of depth 0 is the node's row of features; that of depth k stands for its label and the labels of its
    neighbours of depth k − 1. A second kind of labels begins with all nodes alike. Weights of edges do not matter.

    Attributes
    ----------
    vocabularies : list of ndarray of uint64
        The labels that are counted, of each depth, first with features and then without, sorted.
    """

    vocabularies: list[np.ndarray]

    def fit(self, graphs: Graph, train: np.ndarray) -> Self:
        """Choose the labels from a union of graphs, of which ``train`` (n_graphs,) says which may be looked at."""
        self.vocabularies = [_common(labels, graphs.parts, train) for labels in _all_labels(graphs)]
        return self

    def __call__(self, graphs: Graph) -> sparse.csr_matrix:
        """Return log(1 + count), (n_graphs, n_labels)."""
        n_graphs = graphs.parts.max() + 1
        counts = [
            _counts(labels, graphs.parts, known, n_graphs)
            for labels, known in zip(_all_labels(graphs), self.vocabularies, strict=True)
        ]
        return sparse.hstack(counts, format="csr").log1p()


def subtree_labels(adjacency: sparse.csr_matrix, labels: np.ndarray, depth: int) -> list[np.ndarray]:
    """Return labels of nodes (n_nodes,) of depth 0, 1, …, ``depth``, given those of depth 0.

    They are hashes of 64 bits: equal for nodes with equal subtrees, in whatever graph and order, and else different
    but for a chance of 1 in 10¹⁹ for each pair.
    """
    every = [labels]
    for _ in range(depth):
        sums = np.concatenate([[np.uint64(0)], np.cumsum(_mixed(labels)[adjacency.indices], dtype=np.uint64)])
        neighbors = sums[adjacency.indptr[1:]] - sums[adjacency.indptr[:-1]]  # exact, modulo 2⁶⁴
        labels = _mixed(_mixed(labels + _STEP) + neighbors)
        every.append(labels)
    return every


def feature_labels(features: Any) -> np.ndarray:
    """Return one label per row of features, equal for rows that are equal in float32."""
    labels = np.zeros(features.shape[0], dtype=np.uint64)
    if sparse.issparse(features):
        entries = features.tocoo()
        row, column, values = entries.row, entries.col, entries.data
    else:
        row, column = np.nonzero(features)
        values = features[row, column]
    bits = (values.astype(np.float32) + np.float32(0)).view(np.uint32).astype(np.uint64)
    named = _mixed(_mixed(column.astype(np.uint64)) + bits)
    np.add.at(labels, row, np.where(bits == 0, np.uint64(0), named))
    return labels


def _all_labels(graphs: Graph) -> list[np.ndarray]:
    named, alike = feature_labels(graphs.features), np.zeros(graphs.features.shape[0], dtype=np.uint64)
    return [labels for start in (named, alike) for labels in subtree_labels(graphs.adjacency, start, DEPTH)]


def _common(labels: np.ndarray, parts: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the labels that occur in most training graphs, sorted."""
    seen = train[parts]
    pairs = np.unique(np.stack([labels[seen], parts[seen].astype(np.uint64)]), axis=1)
    known, n_graphs = np.unique(pairs[0], return_counts=True)
    known, n_graphs = known[n_graphs >= MIN_GRAPHS], n_graphs[n_graphs >= MIN_GRAPHS]
    return np.sort(known[np.argsort(-n_graphs, kind="stable")[:MAX_LABELS]])


def _counts(labels: np.ndarray, parts: np.ndarray, known: np.ndarray, n_graphs: int) -> sparse.csr_matrix:
    """Return how many nodes of each graph have each of the known labels."""
    column = np.searchsorted(known, labels)
    found = np.isin(labels, known)
    entries = np.ones(found.sum()), (parts[found], column[found])
    return sparse.csr_matrix(entries, shape=(n_graphs, len(known)))


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """Return the finaliser of SplitMix64, a one-to-one map of 64 bits that looks like chance."""
    numbers = numbers + _STEP
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _FIRST
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _SECOND
    return numbers ^ (numbers >> np.uint64(31))
