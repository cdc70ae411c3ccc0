"""Checks of what a Graph is made of; every message names the node, edge or column."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.utils import check_array

from sklearn_dim.graphs._arrays import in_file
from sklearn_dim.graphs._owned import frozen, kept, kept_matrix
from sklearn_dim.graphs._stored_checks import check_edges


class Parts(NamedTuple):
    """What another package's graph consists of.

    Attributes
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n_nodes, n_features), or None
    adjacency : sparse matrix of shape (n_nodes, n_nodes)
    names : ndarray of str of shape (n_features,), or None
    node_names : Index of shape (n_nodes,), or None
    graph_ids : ndarray of int of shape (n_nodes,), or None
        The number of each node's graph, if there are several.
    """

    X: Any
    adjacency: Any
    names: np.ndarray | None = None
    node_names: pd.Index | None = None
    graph_ids: np.ndarray | None = None


def as_names(index: Any) -> pd.Index | None:
    """Return names of nodes, or None if they are only counted."""
    if index is None:
        return None
    index = index if isinstance(index, pd.Index) else pd.Index(index, tupleize_cols=False)
    return None if index.equals(pd.RangeIndex(len(index))) else index


def label(number: int, node_names: pd.Index | None) -> str:
    """Return how a message calls a node: by its name, or by its number."""
    if node_names is None:
        return str(number)
    name = node_names[number]
    return repr(name.item() if isinstance(name, np.generic) else name)


def to_scipy(matrix: torch.Tensor) -> Any:
    """Return a tensor as an array, or a sparse one as a COO matrix."""
    matrix = matrix.detach().cpu()
    if matrix.dtype == torch.bfloat16:  # which NumPy does not have
        matrix = matrix.float()
    if matrix.layout == torch.strided:
        return matrix.resolve_conj().numpy()
    matrix = matrix.to_sparse_coo().coalesce()
    return sparse.coo_matrix((matrix.values().numpy(), matrix.indices().numpy()), shape=tuple(matrix.shape))


def check_features(X: Any, names: np.ndarray | None = None, node_names: pd.Index | None = None) -> Any:
    """Return features as a valid array or CSR matrix that nobody else can change."""
    given = X
    X = to_scipy(X) if isinstance(X, torch.Tensor) else X
    if not sparse.issparse(X) and not isinstance(X, pd.DataFrame):
        X = _as_array(X)
    _check_shape(X)
    if isinstance(X, np.ndarray) and X.dtype.kind == "c":
        raise ValueError(
            "X of the Graph holds complex numbers, but features are real. Give their two parts as columns: "
            "numpy.hstack([X.real, X.imag])."
        )
    try:
        X = check_array(
            X, accept_sparse="csr", dtype=[np.float64, np.float32], ensure_all_finite=False, input_name="X of the Graph"
        )
    except (TypeError, ValueError) as error:
        raise _no_number(X, node_names) or error from error
    _check_finite(X, names, node_names)
    return kept_matrix(X, given) if sparse.issparse(X) else kept(X, given)


def _as_array(X: Any) -> np.ndarray:
    try:
        return np.asarray(X)
    except ValueError as error:
        lengths = [np.size(row) for row in X]
        other = next((i for i, length in enumerate(lengths) if length != lengths[0]), 0)
        raise ValueError(
            f"X of the Graph is ragged: node {other} has {lengths[other]} features, but node 0 has {lengths[0]}. Give "
            "all nodes the same features."
        ) from error


def _check_shape(X: Any) -> None:
    if len(X.shape) != 2:
        cure = "For one feature of each node give X.reshape(-1, 1)."
        if len(X.shape) > 2:
            cure = "Put all features of a node into one row: X.reshape(len(X), -1)."
        raise ValueError(f"X of the Graph has shape {X.shape}; expected (n_nodes, n_features). {cure}")
    if not X.shape[0]:
        raise ValueError(f"X of the Graph has shape {X.shape}: no nodes. Give at least one.")
    if not X.shape[1]:
        raise ValueError(
            f"X of the Graph has shape {X.shape}: no features. Give X=None for columns of the nodes' places in the "
            "graph, such as their degree."
        )


def _no_number(X: Any, node_names: pd.Index | None) -> ValueError | None:
    """Return an error that names the first entry of X that is no number."""
    for column, values in pd.DataFrame(X).items():
        numbers = pd.to_numeric(values.map(lambda value: value if np.isscalar(value) else str(value)), errors="coerce")
        for position in np.flatnonzero((numbers.isna() & values.notna()).to_numpy())[:1]:
            value = values.iloc[position]
            held = "text" if isinstance(value, str) else f"objects ({type(value).__name__})"
            return ValueError(
                f"X of the Graph holds {held}, but features are numbers: column {column!r} is {value!r} at node "
                f"{label(position, node_names)}. Encode it first, as pandas.get_dummies does, or leave the column out."
            )
    return None


def _check_finite(X: Any, names: np.ndarray | None, node_names: pd.Index | None) -> None:
    values: np.ndarray = X.data if sparse.issparse(X) else X
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):  # no second array of the size of X
            return
    if sparse.issparse(X):
        X = X.tocoo()
        at = np.flatnonzero(~np.isfinite(X.data))
        rows, columns, bad = X.row[at], X.col[at], X.data[at]
    else:
        rows, columns = np.nonzero(~np.isfinite(X))
        bad = X[rows, columns]
    if not len(bad):
        return
    column = columns[0] if names is None else repr(names[columns[0]])
    more = f" (one of {len(bad)} such values)" if len(bad) > 1 else ""
    raise ValueError(
        f"X of the Graph contains {'NaN' if np.isnan(bad[0]) else 'infinity'} at node "
        f"{label(rows[0], node_names)}, column {column}{more}. Fill such values first, for example with "
        "sklearn.impute.SimpleImputer."
    )


def check_adjacency(
    adjacency: Any, n_nodes: int | None, directed: bool, node_names: pd.Index | None = None
) -> sparse.csr_matrix:
    """Return a valid adjacency as a new CSR matrix, without loops, and symmetric unless directed.

    ``n_nodes`` is None if there are no features to count.
    """
    if isinstance(adjacency, pd.DataFrame):
        _check_order(adjacency, node_names)
        adjacency = adjacency.to_numpy()
    elif isinstance(adjacency, torch.Tensor):
        adjacency = to_scipy(adjacency)
    elif not sparse.issparse(adjacency):
        adjacency = np.asarray(adjacency)
    _check_square(adjacency, n_nodes)
    if _is_ready(adjacency, directed):
        return adjacency
    if adjacency.dtype.kind == "c":
        raise ValueError("adjacency holds complex numbers, but weights are real. Give their sizes: abs(adjacency).")
    try:
        with np.errstate(over="ignore"):  # becomes an infinite weight, which is refused
            adjacency = sparse.csr_matrix(
                adjacency if sparse.issparse(adjacency) else adjacency.astype(np.float32), dtype=np.float32, copy=True
            )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"adjacency holds something that is not a number ({error}). Give the weight of each edge, 0 for none."
        ) from error
    adjacency.sum_duplicates()
    _check_weights(adjacency, node_names)
    adjacency = sparse.csr_matrix(adjacency - sparse.diags(adjacency.diagonal()))
    adjacency.eliminate_zeros()
    adjacency = adjacency if directed else adjacency.maximum(adjacency.T).tocsr()
    adjacency.sum_duplicates()  # sorts, which scipy could not do once the arrays are frozen
    return frozen(adjacency)


def _is_ready(adjacency: Any, directed: bool) -> bool:
    """Whether an adjacency consists of memory maps that need no change; others are copied into memory."""
    if not (sparse.issparse(adjacency) and adjacency.format == "csr" and in_file(adjacency.data)):
        return False
    try:
        check_edges(adjacency, directed=directed)
    except ValueError:
        return False
    return adjacency.dtype == np.float32


def _check_order(adjacency: pd.DataFrame, node_names: pd.Index | None) -> None:
    """Refuse a table whose rows or columns are named in another order than the nodes."""
    for axis, names in (("index", as_names(adjacency.index)), ("columns", as_names(adjacency.columns))):
        if names is not None and node_names is not None and not names.equals(node_names):
            raise ValueError(
                f"the {axis} of adjacency does not name the nodes in their order ({list(node_names[:3])}, …). "
                "Put it in that order: adjacency.loc[X.index, X.index]."
            )


def _check_square(adjacency: Any, n_nodes: int | None) -> None:
    shape = adjacency.shape
    if n_nodes is None and (len(shape) != 2 or shape[0] != shape[1] or not shape[0]):
        raise ValueError(
            f"adjacency has shape {shape}; expected (n_nodes, n_nodes), one row and one column per node. "
            "For a table of edges use Graph.from_edges(None, edges)."
        )
    if n_nodes is None or shape == (n_nodes, n_nodes):
        return
    start = f"adjacency has shape {shape}, but X has {n_nodes} rows; expected ({n_nodes}, {n_nodes})"
    if len(shape) == 2 and 2 in shape and adjacency.dtype.kind in "iu":
        edges = "edge_index" if shape[0] == 2 else "edges.T"
        raise ValueError(
            f"{start}. It seems to list edges by the numbers of their two nodes. Make a matrix of them: "
            f"scipy.sparse.coo_matrix((numpy.ones({max(shape)}), {edges}), shape=({n_nodes}, {n_nodes})). For a table "
            "of edges use Graph.from_edges."
        )
    raise ValueError(f"{start}, one row and one column per node. For a list of edges use Graph.from_edges.")


def _check_weights(adjacency: sparse.csr_matrix, node_names: pd.Index | None) -> None:
    bad = np.flatnonzero(~((adjacency.data >= 0) & np.isfinite(adjacency.data)))
    if not len(bad):
        return
    row = int(np.searchsorted(adjacency.indptr, bad[0], side="right")) - 1
    weight = float(adjacency.data[bad[0]])
    if np.isnan(weight):
        what, cure = "contains NaN", "Fill it, or leave the edge out."
    elif np.isinf(weight) and weight > 0:
        what, cure = "contains infinity, or more than float32 holds", "Give smaller weights, or leave the edge out."
    else:
        what, cure = "has negative weights", "A weight is at least 0, and larger the nearer the two nodes are."
    more = f", and {len(bad) - 1} more like it" if len(bad) > 1 else ""
    raise ValueError(
        f"adjacency {what}: the edge from node {label(row, node_names)} to node "
        f"{label(adjacency.indices[bad[0]], node_names)} has the weight {weight}{more}. {cure}"
    )
