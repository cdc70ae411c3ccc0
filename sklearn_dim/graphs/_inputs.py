"""What estimators are given in place of a Graph: lists of them, and what has to become one first."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_dim.graphs._graph import Graph

# What other packages call a graph, by the module of its class, and what makes a Graph of it.
_OTHER_GRAPHS = {
    "networkx": "Graph.from_networkx(X)",
    "torch_geometric": "Graph.from_pyg(X)",
    "anndata": "Graph.from_anndata(X)",
    "mudata": "Graph.from_anndata(X[name of a modality])",
    "spatialdata": "Graph.from_anndata(X.tables[name of a table])",
    "dgl": "Graph(features, X.adj_external(scipy_fmt='csr'))",
    "igraph": "Graph(features, X.get_adjacency_sparse())",
    "torch_sparse": "Graph(features, X.to_scipy())",
}
# Names of arguments by which people give edges, in a call such as fit(X, adjacency=A).
_EDGES = ("adj", "edge", "graph", "connect", "neighbor", "neighbour", "affinity", "weight_matrix")


def graph_list(X: Any) -> Any:
    """Return a tuple, Series or array of Graphs as a list; all else as it is."""
    if isinstance(X, pd.Series):
        return list(X) if len(X) and isinstance(X.iloc[0], Graph) else X
    if isinstance(X, np.ndarray) and X.dtype == object and X.size and isinstance(X[(0,) * X.ndim], Graph):
        if X.ndim == 1:
            return list(X)
        raise TypeError(
            f"X is an array of shape {X.shape[:3]}…: NumPy has cut the Graphs into their nodes, as they are equally "
            "large. Give the list itself, X=[graph, graph, …]."
        )
    return list(X) if isinstance(X, tuple) and X and isinstance(X[0], Graph) else X


def as_graph(X: Any) -> Any:
    """Return a list of Graphs as their union, rows as they are, and refuse what is another kind of graph."""
    X = graph_list(X)
    if isinstance(X, list) and X and isinstance(X[0], Graph):
        return Graph.union(X)
    first = X[0] if isinstance(X, list) and X else X
    package = type(first).__module__.partition(".")[0]
    if package in _OTHER_GRAPHS:
        kind = f"{type(first).__name__} of {package}"
        article = "a list of" if first is not X else "an" if kind[0] in "AEIOU" else "a"
        cure = _OTHER_GRAPHS[package]
        if first is not X:
            cure = "Graph.from_anndata(X)" if package == "anndata" else f"[{cure.replace('X', 'each')} for each in X]"
        raise TypeError(
            f"X is {article} {kind}; expected a Graph, a list of Graphs, or plain rows. Make a Graph of "
            f"it first: {cure}."
        )
    if isinstance(X, tuple):
        raise TypeError(
            f"X is a tuple of {len(X)}; expected a Graph, a list of Graphs, or plain rows. For features and edges give "
            "Graph(features, adjacency)."
        )
    if isinstance(X, Iterable) and not any(hasattr(X, name) for name in ("__getitem__", "__array__", "shape")):
        raise TypeError(
            f"X is a {type(X).__name__}, which is read once; expected a Graph, a list of Graphs, or plain rows. Pass "
            "list(X) of Graphs; a DataLoader is not needed, as DGITransformer makes its own batches."
        )
    return X


def node_index(X: Any) -> pd.Index | None:
    """Return the names, or else the numbers, of the selected nodes of a Graph; None for plain rows."""
    if not isinstance(X, Graph):
        return None
    return pd.Index(X.rows) if X.node_names is None else X.node_names[X.rows]


def refuse_edges(y: Any) -> None:
    """Refuse an adjacency in the place of y: it would be ignored, and another graph be trained on."""
    shape = y.shape if sparse.issparse(y) else np.asarray(y).shape
    if sparse.issparse(y) or (len(shape) == 2 and shape[0] == shape[1] > 1):
        raise TypeError(
            f"y has shape {shape}, as an adjacency has, but y is ignored: the graph would be another one. Put nodes "
            "and edges into one X: fit(Graph(X, adjacency)), or Graph.from_edges(nodes, edges)."
        )


def refuse_arguments(names: Iterable[str]) -> None:
    """Refuse further arguments of `fit`: edges with the cure, all others by their names."""
    names = list(names)
    if not names:
        return
    if any(name == "A" or part in name.lower() for name in names for part in _EDGES):
        raise TypeError(
            f"fit takes no {', '.join(names)}: cross-validation would split only its rows. Pass nodes and edges "
            "as one X: Graph(X, adjacency), or Graph.from_edges(nodes, edges)."
        )
    reason = ": all nodes count alike in training" if "sample_weight" in names else ""
    raise TypeError(f"fit takes no {', '.join(names)}{reason}. Pass X alone, and y, which is ignored, in a pipeline.")
