"""What `DGITransformer` takes X for: the nodes of a graph, and how their features enter the encoder."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler, normalize

from sklearn_dim.data import is_bag
from sklearn_dim.encoders import GraphEncoder
from sklearn_dim.graphs import Graph, NeighborBatches, normalized_adjacency, whole_graph


class Nodes(NamedTuple):
    """All nodes of a graph, and which of them are asked about.

    Attributes
    ----------
    features : ndarray or CSR matrix of shape (n_nodes, n_features)
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
    graph_ids : ndarray of int of shape (n_nodes,)
        For several graphs, which one each node belongs to; else 0.
    rows : ndarray of int
    """

    features: "np.ndarray | sparse.csr_matrix"
    adjacency: sparse.csr_matrix
    graph_ids: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, graph: Graph) -> "Nodes":
        """Return the nodes of a Graph."""
        return cls(graph.features, graph.adjacency, graph.parts, graph.rows)

    @classmethod
    def of_rows(cls, features, adjacency, first: int = 0) -> "Nodes":
        """Return plain rows as the nodes of one graph; those from ``first`` on are asked about."""
        n_nodes = features.shape[0]
        return cls(features, adjacency, np.zeros(n_nodes, dtype=int), np.arange(first, n_nodes))


class FeatureScale:
    """How features enter: bags of words as rows of unit sum (as published), all others as standardised columns.

    In the output bags of words are rows of unit length.
    """

    def fit(self, features) -> "FeatureScale":
        """Decide it by the features of the training nodes."""
        scaler = StandardScaler(with_mean=not sparse.issparse(features)).set_output(transform="default")
        self.scaler_ = None if is_bag(features) else scaler.fit(features)
        return self

    def for_encoder(self, features):
        """Return features as the encoder is given them."""
        return normalize(features, norm="l1") if self.scaler_ is None else self.scaler_.transform(features)

    def for_output(self, features):
        """Return features as the output holds them."""
        return normalize(features) if self.scaler_ is None else self.scaler_.transform(features)


def check_one_graph(corruption, critic) -> None:
    """Refuse parameters that need several graphs."""
    if corruption == "other_graph":
        raise ValueError(
            "corruption='other_graph' pairs nodes with another graph, but X is one graph. Give fit a list of Graphs, "
            "or use corruption='shuffle'."
        )
    if critic == "encode_and_dot":
        raise ValueError(
            "critic='encode_and_dot' normalises summaries by their mean and variance, but X is one graph, which has "
            "one summary. Give fit a list of Graphs, or use critic='separable'."
        )


def whole_batch(nodes: Nodes, scale: FeatureScale, encoder: GraphEncoder, **where):
    """Return all of a graph as one batch; ``where`` are dtype and device."""
    X, matrix = scale.for_encoder(nodes.features), normalized_adjacency(nodes.adjacency, encoder.normalization)
    return whole_graph(X, matrix, nodes.graph_ids, dense=encoder.n_hops is None, **where)


def sampled_batches(nodes: Nodes, scale: FeatureScale, encoder: GraphEncoder, *, batch_size, fan_out, device):
    """Return batches of nodes with a sample of their neighbourhoods."""
    hops = 2 if encoder.n_hops is None else encoder.n_hops  # two: as deep as such networks usually are
    return NeighborBatches(
        scale.for_encoder(nodes.features),
        normalized_adjacency(nodes.adjacency, encoder.normalization),
        nodes.graph_ids,
        batch_size=batch_size,
        fan_out=[fan_out] * hops,
        square=encoder.n_hops is None,
        dense=encoder.n_hops is None,
        device=device,
    )
