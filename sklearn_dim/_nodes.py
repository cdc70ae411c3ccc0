"""What `DGITransformer` takes X for: the nodes of a graph."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from sklearn_dim._sklearn import check_nodes, check_numbers
from sklearn_dim.graphs import Graph, NeighborGraph, as_graph


class Nodes(NamedTuple):
    """All nodes of a graph, and which of them are asked about.

    Attributes
    ----------
    features : ndarray or CSR matrix of shape (n_nodes, n_features)
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
    parts : ndarray of int of shape (n_nodes,)
        Of several graphs the number of each node's own, else 0.
    rows : ndarray of int
    """

    features: "np.ndarray | sparse.csr_matrix"
    adjacency: sparse.csr_matrix
    parts: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, graph: Graph) -> "Nodes":
        """Return the nodes of a Graph."""
        return cls(graph.features, graph.adjacency, graph.parts, graph.rows)


def training_nodes(estimator, X, *, reset: bool) -> Nodes:
    """Return the nodes to train on; for plain rows set the estimator's ``neighbors_``, their graph."""
    X = as_graph(X)
    if not (isinstance(X, Graph) and X.parts.max() > 0):
        _check_one_graph(estimator)
    if not isinstance(X, Graph):
        X = check_numbers(estimator, X, reset=reset, ensure_min_samples=2)
        estimator.neighbors_ = NeighborGraph(estimator.n_neighbors).fit(X)
        n_nodes = X.shape[0]
        return Nodes(X, estimator.neighbors_.adjacency_, np.zeros(n_nodes, dtype=int), np.arange(n_nodes))
    check_nodes(estimator, X, reset=reset)
    X = X.induced() if estimator.inductive else X
    if X.features.shape[0] < 2:
        raise ValueError("a Graph needs at least two nodes, to compare one with others; got n_samples = 1.")
    estimator.neighbors_ = None
    return Nodes.of(X)


def _check_one_graph(estimator) -> None:
    """Refuse parameters that want several graphs."""
    if estimator.corruption == "other_graph":
        raise ValueError(
            "corruption='other_graph' pairs nodes with another graph, but X is one graph. Give fit a list of Graphs, "
            "or use corruption='shuffle'."
        )
    if estimator.critic == "encode_and_dot":
        raise ValueError(
            "critic='encode_and_dot' normalises summaries by their mean and variance, but X is one graph, which has "
            "one summary. Give fit a list of Graphs, or use critic='separable'."
        )


def nodes_to_encode(estimator, X) -> Nodes:
    """Return the nodes of X's graph; plain rows are attached to the graph of those trained on."""
    check_is_fitted(estimator)
    X = as_graph(X)
    if isinstance(X, Graph):
        check_nodes(estimator, X, reset=False)
        return Nodes.of(X)
    X = check_numbers(estimator, X, reset=False)
    if estimator.neighbors_ is None:
        raise ValueError(
            "DGITransformer was fitted on a Graph, but X has plain rows, which have no place in it. Pass a Graph "
            "that holds the new nodes and their edges."
        )
    features, adjacency = estimator.neighbors_.attach(X)
    n_nodes = features.shape[0]
    return Nodes(features, adjacency, np.zeros(n_nodes, dtype=int), np.arange(n_nodes - X.shape[0], n_nodes))
