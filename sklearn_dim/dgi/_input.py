"""The input of `DGITransformer`: the nodes of a graph, and how their features are scaled."""

import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from sklearn.preprocessing import StandardScaler, normalize

from sklearn_dim.data import is_bag
from sklearn_dim.encoders import GraphEncoder
from sklearn_dim.graphs import (
    BUDGET,
    COMPARABLE,
    N_AXES,
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
                self.scaler_.partial_fit(rows)
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


class Places:
    """Adds structural columns to the features of a graph, if these tell no nodes apart, or if there were none.

    Degrees and return probabilities mean the same on every graph. Axes do not, but tell communities best: they are
    added if one graph is trained on as a whole, and are 0, their mean, on any other graph.
    """

    def __init__(self) -> None:
        self.columns: list[str] = []
        self.graph: tuple[int, int] | None = None

    def fit(self, graph: Graph, *, one_graph: bool) -> "Places":
        """Choose the columns for a graph; ``one_graph`` says that all of it, and nothing else, is trained on."""
        constant = are_constant(graph.features)
        self.columns = [*(COMPARABLE if constant else ()), *(("axes",) if one_graph else ())]
        if not constant and not graph.structural:
            self.columns = []
        self.graph = _checksum(graph)
        if constant:
            _warn_of_constants(graph, self.add(graph))
        return self

    def add(self, graph: Graph) -> Graph:
        """Return the graph with the columns added."""
        if "axes" not in self.columns or _checksum(graph) == self.graph:
            return graph.with_structure(self.columns)
        warnings.warn(
            "X is another graph than that of fit, where the nodes had no features of their own: axes of one graph mean "
            "nothing on another, so that only degrees and return probabilities are used. Fit on a list of both graphs.",
            stacklevel=5,
        )
        known = graph.with_structure([column for column in self.columns if column != "axes"])
        return known.with_columns(np.zeros((graph.adjacency.shape[0], N_AXES)))


def are_constant(features: Any) -> bool:
    """Return whether no feature differs between any two nodes."""
    if sparse.issparse(features):
        return not (features.max(axis=0) - features.min(axis=0)).nnz
    return bool(np.array_equal(features[0], features[-1]) and np.all(features == features[:1]))


def _checksum(graph: Graph) -> tuple[int, int]:
    return graph.adjacency.shape[0], zlib.crc32(graph.adjacency.indices)


def _warn_of_constants(before: Graph, after: Graph) -> None:
    what = "all features of the Graph are constant, which tells no two nodes apart"
    if are_constant(after.features):
        what += ", and so are their degrees and return probabilities: all embeddings will be equal"
    elif after.names is not None:
        what += f". Columns of their places in the graph are added: {', '.join(after.names[before.shape[1] :])}"
    warnings.warn(f"{what}. Give features that differ if you have any.", stacklevel=7)


def check_one_graph(corruption: Any, critic: Any) -> None:
    """Raise ValueError for parameters that need several graphs."""
    if corruption == "other_graph":
        raise ValueError(
            "corruption='other_graph' compares nodes with another graph, but X is one graph. Pass a list of Graphs, or "
            "use corruption='shuffle'."
        )
    if critic == "encode_and_dot":
        raise ValueError(
            "critic='encode_and_dot' normalises summaries by their mean and variance, but X is one graph, which has "
            "one summary. Pass a list of Graphs, or use critic='separable'."
        )


def whole_batch(nodes: Nodes, scale: FeatureScale, encoder: GraphEncoder, **options) -> GraphBatch:
    """Return the whole graph as one batch; ``options`` are dtype and device."""
    X, matrix = scale.for_encoder(nodes.features), normalized_adjacency(nodes.adjacency, encoder.normalization)
    return whole_graph(X, matrix, nodes.graph_ids, dense=encoder.n_hops is None, **options)


def sampled_batches(
    nodes: Nodes,
    scale: FeatureScale,
    encoder: GraphEncoder,
    *,
    batch_size: int,
    fan_out: int | None,
    device: str | torch.device,
) -> NeighborBatches:
    """Return batches of nodes with a sample of their neighbourhoods."""
    n_hops = 2 if encoder.n_hops is None else encoder.n_hops  # networks of unknown depth usually have two layers
    large = held_bytes(nodes.features, nodes.adjacency, 0) > BUDGET
    return NeighborBatches(
        ScaledRows(nodes.features, scale.for_encoder) if large else scale.for_encoder(nodes.features),
        PropagationMatrix(nodes.adjacency, encoder.normalization),
        nodes.graph_ids,
        batch_size=batch_size,
        fan_out=[fan_out] * n_hops,
        square=encoder.n_hops is None,
        dense=encoder.n_hops is None,
        device=device,
    )
