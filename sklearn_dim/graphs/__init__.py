"""Graphs: the immutable `Graph` that users make, and its normalised adjacency, corruptions, products and batches."""

from sklearn_dim.graphs._batches import GraphBatch, NeighborBatches, take_nodes, whole_graph
from sklearn_dim.graphs._corrupt import CORRUPTIONS, shuffle, thinned
from sklearn_dim.graphs._graph import Graph, as_graph, refuse_edges
from sklearn_dim.graphs._matrix import SparseMatrix, as_matrix
from sklearn_dim.graphs._neighbors import NeighborGraph
from sklearn_dim.graphs._normalize import PropagationMatrix, normalized_adjacency
from sklearn_dim.graphs._propagate import (
    BUDGET,
    encoded,
    held_bytes,
    leading_axes,
    propagated,
    scale_to_unit_rows,
)
from sklearn_dim.graphs._whole_graphs import GraphBatches

# For users; what else is imported above is for the estimators.
__all__ = [
    "CORRUPTIONS",
    "Graph",
    "NeighborGraph",
    "PropagationMatrix",
    "SparseMatrix",
    "encoded",
    "normalized_adjacency",
    "propagated",
]
