"""Structural columns for graphs whose features tell no nodes apart."""

import zlib
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_dim._warnings import warn
from sklearn_dim.graphs import COMPARABLE, N_AXES, Graph


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
        warn(
            "X is another graph than that of fit, where the nodes had no features of their own: axes of one graph mean "
            "nothing on another, so that only degrees and return probabilities are used. Fit on a list of both graphs.",
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
    warn(f"{what}. Give features that differ if you have any.")
