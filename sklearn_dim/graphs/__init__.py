"""Graphs: anything a user calls a graph → one immutable `Graph`; neighbours, normalising, batches, sparse products."""

from sklearn_dim.graphs._batches import GraphBatches
from sklearn_dim.graphs._graph import Graph
from sklearn_dim.graphs._matrix import SparseMatrix, as_matrix
from sklearn_dim.graphs._neighbors import NeighborGraph
from sklearn_dim.graphs._normalize import normalized_adjacency

__all__ = ["Graph", "GraphBatches", "NeighborGraph", "SparseMatrix", "as_matrix", "normalized_adjacency"]
