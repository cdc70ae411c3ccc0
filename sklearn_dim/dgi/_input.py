"""The input of `DGITransformer`: the nodes of a graph, and how their features are scaled."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from sklearn.preprocessing import StandardScaler, normalize

from sklearn_dim.data import is_bag, refuse_extremes
from sklearn_dim.dgi._positions import Positions
from sklearn_dim.encoders import GraphEncoder
from sklearn_dim.graphs import (
    BUDGET,
    Graph,
    GraphBatch,
    NeighborBatches,
    PropagationMatrix,
    held_bytes,
    normalized_adjacency,
    take_nodes,
    whole_graph,
)


class Nodes(NamedTuple):
    """All nodes of a graph, and the selection of them that `transform` returns.

    Attributes
    ----------
    features : ndarray or CSR matrix of shape (n_nodes, n_features)
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
    graph_ids : ndarray of int of shape (n_nodes,)
        The graph that each node belongs to.
    rows : ndarray of int
        The selected nodes.
    """

    features: np.ndarray | sparse.csr_matrix
    adjacency: sparse.csr_matrix
    graph_ids: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, graph: Graph) -> "Nodes":
        return cls(graph.features, graph.adjacency, graph.parts, graph.rows)

    @classmethod
    def of_rows(cls, features: Any, adjacency: sparse.csr_matrix, first: int = 0) -> "Nodes":
        """Return plain rows as the nodes of one graph, with those from ``first`` on selected."""
        n_nodes = features.shape[0]
        return cls(features, adjacency, np.zeros(n_nodes, dtype=int), np.arange(first, n_nodes))


class ScaledRows:
    """Features that are scaled where they are indexed, so that they may stay in a file.

    Parameters
    ----------
    features : ndarray or CSR matrix of shape (n_nodes, n_features)
    scale : callable
        Rows → scaled rows.
    """

    def __init__(self, features: Any, scale: Callable[[Any], Any]):
        self.features, self.scale = features, scale
        self.shape, self.dtype = features.shape, features.dtype

    def __getitem__(self, rows: Any) -> Any:
        return self.scale(take_nodes(self.features, rows) if isinstance(rows, np.ndarray) else self.features[rows])


class FeatureScale:
    """Scales features: rows of bags of words to unit sum (as published), all others by standardising the columns.

    In the output, rows of bags of words have unit length instead.
    """

    def fit(self, features: Any) -> "FeatureScale":
        """Find out from the training nodes whether features are bags of words, or else their mean and scale."""
        self.scaler_ = None
        if not is_bag(features):
            self.scaler_ = StandardScaler(with_mean=not sparse.issparse(features)).set_output(transform="default")
            for rows in _blocks(features):
                with np.errstate(over="ignore", invalid="ignore"):
                    self.scaler_.partial_fit(rows)
            refuse_extremes(self.scaler_)
        return self

    def for_encoder(self, features: Any) -> Any:
        """Return the features, scaled for the encoder."""
        return normalize(features, norm="l1") if self.scaler_ is None else self.scaler_.transform(features)

    def for_output(self, features: Any) -> Any:
        """Return the features, scaled for the output."""
        return normalize(features) if self.scaler_ is None else self.scaler_.transform(features)


def _blocks(features: Any) -> Iterator[Any]:
    """Yield features some rows at a time, up to a million rows of 64 columns all at once."""
    step = len(range(features.shape[0])) if sparse.issparse(features) else max(1, BUDGET // 4 // features.shape[1])
    for first in range(0, features.shape[0], step):
        yield features[first : first + step]


def check_one_graph(corruption: Any, critic: Any) -> None:
    """Raise ValueError for parameters that need several graphs."""
    if corruption == "other_graph":
        raise ValueError(
            "corruption='other_graph' compares nodes with another graph, but X is one graph. Pass a list of Graphs, or "
            "use corruption='views'."
        )
    if critic == "encode_and_dot":
        raise ValueError(
            "critic='encode_and_dot' normalises summaries by their mean and variance, but X is one graph, which has "
            "one summary. Pass a list of Graphs, or use critic='separable'."
        )


class EncoderInput:
    """What an encoder is given of each node.

    Parameters
    ----------
    scale : FeatureScale
    positions : Positions, default=None
        With them the neighbours of a node stand beside its features: rows of unit length, or for features other than
        words of about unit length, beside those of the adjacency.
    """

    def __init__(self, scale: FeatureScale, positions: Positions | None = None):
        self.scale, self.positions = scale, positions

    def n_columns(self, n_features: int) -> int:
        """Return how many columns a node with so many features has."""
        return n_features + (0 if self.neighbors is None else self.neighbors.n_nodes)

    @property
    def neighbors(self) -> Positions | None:
        """What gives the neighbours that stand beside the features, or None if none do."""
        return self.positions if self.positions is not None and self.positions.beside else None

    def features(self, features: Any) -> Any:
        """Return the features, scaled."""
        if self.positions is None:
            return self.scale.for_encoder(features)
        rows = self.scale.for_output(features)
        return rows if self.scale.scaler_ is None else rows / rows.shape[1] ** 0.5

    def __call__(self, nodes: Nodes) -> Any:
        """Return an array or CSR matrix of shape (n_nodes, n_columns)."""
        rows = self.features(nodes.features)
        if self.neighbors is None:
            return rows
        return sparse.hstack([sparse.csr_matrix(rows), self.neighbors.neighbors(nodes.adjacency)], format="csr")


def whole_batch(nodes: Nodes, inputs: EncoderInput, encoder: GraphEncoder, **options) -> GraphBatch:
    """Return the whole graph as one batch; ``options`` are dtype and device."""
    X, matrix = inputs(nodes), normalized_adjacency(nodes.adjacency, encoder.normalization)
    return whole_graph(X, matrix, nodes.graph_ids, dense=encoder.n_hops is None, **options)


def sampled_batches(
    nodes: Nodes,
    inputs: EncoderInput,
    encoder: GraphEncoder,
    *,
    batch_size: int,
    fan_out: int | None,
    device: str | torch.device,
    max_batches: int | None = None,
) -> NeighborBatches:
    """Return batches of nodes with a sample of their neighbourhoods."""
    n_hops = 2 if encoder.n_hops is None else encoder.n_hops  # networks of unknown depth usually have two layers
    large = held_bytes(nodes.features, nodes.adjacency, 0) > BUDGET and inputs.neighbors is None
    return NeighborBatches(
        ScaledRows(nodes.features, inputs.features) if large else inputs(nodes),
        PropagationMatrix(nodes.adjacency, encoder.normalization),
        nodes.graph_ids,
        batch_size=batch_size,
        fan_out=[fan_out] * n_hops,
        square=encoder.n_hops is None,
        dense=encoder.n_hops is None,
        device=device,
        max_batches=max_batches,
    )
