"""Graphs of torch_geometric."""

from typing import Any

import numpy as np
from scipy import sparse

from sklearn_dim.graphs._checks import Parts, to_scipy


def read_pyg(data: Any) -> Parts:
    """Return the parts of a Data of torch_geometric."""
    if hasattr(data, "to_homogeneous") and hasattr(data, "edge_types"):
        raise TypeError(
            f"data is a HeteroData, with nodes of the kinds {list(data.node_types)} and edges of the kinds "
            f"{list(data.edge_types)}; a Graph has one kind of each. Give Graph.from_pyg(data.to_homogeneous()), which "
            "joins kinds with equally many features."
        )
    if isinstance(data, list | tuple) or hasattr(data, "get_summary"):
        raise TypeError(
            f"data is a {type(data).__name__}; expected one Data of torch_geometric. Make a list of them: "
            "[Graph.from_pyg(each) for each in data]."
        )
    if not hasattr(data, "edge_index") and not hasattr(data, "adj_t"):
        raise TypeError(
            f"data is a {type(data).__name__}; expected a Data of torch_geometric, with edge_index or adj_t."
        )
    x = getattr(data, "x", None)
    X = None if x is None else to_scipy(x)
    graph_ids = None if getattr(data, "batch", None) is None else to_scipy(data.batch)
    n_nodes = data.num_nodes if x is None else x.shape[0]
    if getattr(data, "edge_index", None) is None and getattr(data, "adj_t", None) is None:
        raise ValueError(
            "data has neither edge_index nor adj_t, so no edges. Set data.edge_index, of shape (2, n_edges)."
        )
    if getattr(data, "edge_index", None) is None:
        return Parts(X, _transposed(data.adj_t), graph_ids=graph_ids)
    ends = to_scipy(data.edge_index)[::-1]
    _check_ends(ends, n_nodes)
    adjacency = sparse.coo_matrix((_weights(data, ends.shape[1]), ends), shape=(n_nodes, n_nodes))
    return Parts(X, adjacency, graph_ids=graph_ids)


def _transposed(adj_t: Any) -> Any:
    """Return an adj_t, whose row i has the nodes that node i gathers from, as our adjacency has."""
    if not hasattr(adj_t, "coo"):
        return to_scipy(adj_t)
    row, column, value = adj_t.coo()  # of torch_sparse
    values = np.ones(len(row)) if value is None else to_scipy(value).astype(float)
    return sparse.coo_matrix((values, (to_scipy(row), to_scipy(column))), shape=tuple(adj_t.sizes()))


def _check_ends(ends: np.ndarray, n_nodes: int) -> None:
    if ends.ndim != 2 or len(ends) != 2:
        raise ValueError(
            f"edge_index has shape {ends.shape}; expected (2, n_edges). Give edge_index.T if it is the other way."
        )
    if (bad := ((ends < 0) | (ends >= n_nodes)).any(axis=0)).any():
        edge = int(bad.argmax())
        raise ValueError(
            f"edge {edge} of edge_index joins the nodes {ends[1, edge]} and {ends[0, edge]}, but data has {n_nodes} "
            f"nodes, numbered 0 to {n_nodes - 1}. Add rows to x, or drop the edge."
        )


def _weights(data: Any, n_edges: int) -> np.ndarray:
    name = "edge_attr" if getattr(data, "edge_weight", None) is None else "edge_weight"
    weights = getattr(data, name, None)
    if weights is None:
        return np.ones(n_edges)
    weights = to_scipy(weights)
    if weights.ndim > 1 and weights.shape[1] != 1:
        raise ValueError(
            f"{name} has {weights.shape[1]} columns, but an edge of a Graph has one weight and no features. Choose one "
            f"column, data.edge_weight = data.{name}[:, 0], or count all edges alike: data.edge_weight = "
            f"torch.ones({n_edges})."
        )
    if weights.size != n_edges:
        raise ValueError(f"{name} has {weights.size} weights, but edge_index has {n_edges} edges. Give one for each.")
    return weights.reshape(-1).astype(float)
