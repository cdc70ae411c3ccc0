"""Graphs: anything a user calls a graph → one immutable `Graph`; neighbours, products, corruption, batches."""

from sklearn_dim.graphs._batches import GraphBatch, NeighborBatches, whole_graph
from sklearn_dim.graphs._corrupt import CORRUPTIONS, shuffle, thinned
from sklearn_dim.graphs._graph import Graph, as_graph
from sklearn_dim.graphs._matrix import SparseMatrix, as_matrix
from sklearn_dim.graphs._neighbors import NeighborGraph
from sklearn_dim.graphs._normalize import normalized_adjacency
from sklearn_dim.graphs._whole_graphs import GraphBatches

__all__ = [
    "CORRUPTIONS",
    "Graph",
    "GraphBatch",
    "GraphBatches",
    "NeighborBatches",
    "NeighborGraph",
    "SparseMatrix",
    "as_graph",
    "as_matrix",
    "normalized_adjacency",
    "shuffle",
    "thinned",
    "whole_graph",
]
