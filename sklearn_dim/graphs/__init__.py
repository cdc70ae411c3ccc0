"""Graphs: the immutable `Graph` that users make, and its normalised adjacency, corruptions, products and batches.

====================== ====================================================================
`_graph.py`            the Graph
`_checks.py`           its features and edges, checked
`_stored.py`           graphs in a directory, opened as memory maps (`_written.py`, `_arrays.py`, `_edge_files.py`,
                       `_stored_checks.py`)
`_owned.py`            arrays that nobody else can change
`_from_….py`           two tables, networkx, torch_geometric, AnnData: what a Graph is made of
`_inputs.py`           lists of Graphs, and what is no Graph
`_structure.py`        columns of the nodes' places in their graph
`_neighbors.py`        a graph of plain rows
`_normalize.py`        the matrices that convolutions multiply with
`_matrix.py`           their products in torch
`_corrupt.py`          corrupted graphs
`_propagate.py`        work over all nodes in bounded memory
`_batches.py`          batches of nodes
`_whole_graphs.py`     batches of graphs
====================== ====================================================================
"""

from sklearn_dim.graphs._batches import GraphBatch, NeighborBatches, take_nodes, whole_graph
from sklearn_dim.graphs._corrupt import CORRUPTIONS, graph_view, shuffle, thinned
from sklearn_dim.graphs._graph import Graph
from sklearn_dim.graphs._inputs import as_graph, graph_list, node_index, refuse_arguments, refuse_edges
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
from sklearn_dim.graphs._structure import COMPARABLE, N_AXES
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
