"""The graph that the estimators take."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import check_array

from sklearn_dim.graphs._arrays import in_file
from sklearn_dim.graphs._checks import check_edges
from sklearn_dim.graphs._stored import open_graph, save_graph
from sklearn_dim.graphs._written import write_graph


class Graph:
    """Nodes with features, and the edges between them: an X whose rows are nodes.

    Indexing (``graph[rows]``, as cross-validation does) selects rows and keeps the whole graph around them: unlabelled
    neighbours stay visible, as in the transductive setting of the papers. A Graph is immutable, so copies and clones
    share it.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_nodes, n_features)
        Node features.
    adjacency : {array-like, sparse matrix} of shape (n_nodes, n_nodes)
        Entry (i, j) is the weight of the edge from i to j, 0 for none. Loops are dropped; an encoder that needs them
        adds them.
    directed : bool, default=False
        Whether edges keep their direction, so that a node gathers only from the nodes that its edges lead to. By
        default edges count both ways, with the larger of the two weights where these differ.

    Attributes
    ----------
    features : ndarray or CSR matrix of shape (n_nodes, n_features)
        Features of all nodes.
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Edges of all nodes.
    rows : ndarray of int of shape (n_selected,)
        Numbers of the selected nodes.
    names : ndarray of str of shape (n_features,), or None
        Names of the features, if X is a DataFrame.
    directed : bool
    parts : ndarray of int of shape (n_nodes,)
        In a `union`, the number of each node's graph; else zeros.
    shape : tuple (n_selected, n_features)
    dtype : numpy.dtype
        Type of the features.

    Raises
    ------
    ValueError
        If the shapes do not match, a feature or weight is missing or infinite, or a weight is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dim import Graph
    >>> graph = Graph(np.eye(3), [[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> graph
    Graph(3 nodes, 2 edges, 3 features)
    >>> graph[[0, 2]].shape
    (2, 3)
    """

    ndim = 2
    features: Any
    adjacency: sparse.csr_matrix
    rows: np.ndarray
    names: np.ndarray | None
    directed: bool
    parts: np.ndarray

    def __init__(self, X: Any, adjacency: Any, *, directed: bool = False):
        names = np.asarray(X.columns, dtype=object) if isinstance(X, pd.DataFrame) else None
        X = _check_features(X)
        adjacency = _check_adjacency(adjacency, X.shape[0], directed)
        self._set(
            features=X,
            adjacency=adjacency,
            rows=np.arange(X.shape[0]),
            names=names,
            directed=directed,
            parts=np.zeros(X.shape[0], dtype=int),
        )

    def _set(self, **values: Any) -> "Graph":
        self.__dict__.update(values)
        return self

    def _with(self, **values: Any) -> "Graph":
        return Graph.__new__(Graph)._set(**{**vars(self), **values})

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Graph is immutable; make a new one instead of setting {name!r}")

    @classmethod
    def from_edges(
        cls,
        nodes: pd.DataFrame,
        edges: pd.DataFrame,
        *,
        source: str = "source",
        target: str = "target",
        weight: str | None = None,
        directed: bool = False,
    ) -> "Graph":
        """Make a graph from two DataFrames.

        Parameters
        ----------
        nodes : DataFrame
            Features, one row per node; the index names the nodes.
        edges : DataFrame
            One row per edge.
        source, target : str
            Columns of ``edges`` with the names of the two nodes.
        weight : str, default=None
            Column of ``edges`` with the weights, 1 by default.
        directed : bool, default=False
            As in `Graph`.

        Raises
        ------
        ValueError
            If ``edges`` lacks a column, or names a node that is not in the index.
        """
        ends = []
        for column in (source, target):
            if column not in edges:
                raise ValueError(f"edges has no column {column!r}; it has {list(edges.columns)}. Name it in the call.")
            position = nodes.index.get_indexer(edges[column])
            if (position < 0).any():
                unknown = edges[column].iloc[int(np.argmax(position < 0))]
                raise ValueError(f"edges[{column!r}] names {unknown!r}, which is not in the index of nodes.")
            ends.append(position)
        weights = np.ones(len(edges)) if weight is None else edges[weight].to_numpy(dtype=float)
        n = len(nodes)
        return cls(nodes, sparse.csr_matrix((weights, tuple(ends)), shape=(n, n)), directed=directed)

    @classmethod
    def from_networkx(cls, graph: Any, features: str = "x", *, weight: str = "weight") -> "Graph":
        """Make a graph from one of networkx.

        Parameters
        ----------
        graph : networkx.Graph or DiGraph
            The edges of a DiGraph keep their direction.
        features : str, default="x"
            The attribute of each node that holds its features, a number or a sequence of numbers.
        weight : str, default="weight"
            The attribute of an edge that holds its weight, 1 where it is missing.

        Raises
        ------
        ValueError
            If a node has no such attribute.
        """
        import networkx as nx

        missing = [node for node, data in graph.nodes(data=True) if features not in data]
        if missing:
            raise ValueError(
                f"node {missing[0]!r} has no attribute {features!r}; pass the name of the one that holds its features."
            )
        X = np.array([np.atleast_1d(data[features]) for _, data in graph.nodes(data=True)], dtype=float)
        return cls(X, nx.to_scipy_sparse_array(graph, weight=weight), directed=graph.is_directed())

    @classmethod
    def from_pyg(cls, data: Any, *, directed: bool = False) -> "Graph":
        """Make a graph from one of torch_geometric.

        There an edge is the path of a message: its target gathers from its source. So here it becomes an edge from
        target to source.

        Parameters
        ----------
        data : torch_geometric.data.Data
            With x, edge_index and perhaps edge_weight.
        directed : bool, default=False
            As in `Graph`.
        """
        ends = data.edge_index.flip(0).cpu().numpy()
        weights = np.ones(ends.shape[1]) if data.edge_weight is None else data.edge_weight.cpu().numpy().astype(float)
        n = data.num_nodes
        return cls(data.x.cpu().numpy(), sparse.csr_matrix((weights, ends), shape=(n, n)), directed=directed)

    @classmethod
    def union(cls, graphs: Sequence["Graph"]) -> "Graph":
        """Join several graphs into one, without edges between them; the attribute ``parts`` tells them apart.

        Parameters
        ----------
        graphs : sequence of Graph
            With the same number of features. Their selected nodes stay selected, in order.

        Raises
        ------
        ValueError
            If there are none, or their numbers of features differ.
        TypeError
            If one is not a Graph.
        """
        graphs = list(graphs)
        for number, graph in enumerate(graphs):
            if not isinstance(graph, Graph):
                raise TypeError(f"graphs[{number}] is a {type(graph).__name__}; expected a Graph(X, adjacency).")
            if graph.shape[1] != graphs[0].shape[1]:
                raise ValueError(
                    f"graphs[{number}] has {graph.shape[1]} features, but graphs[0] has {graphs[0].shape[1]}; give all "
                    "graphs the same features."
                )
        if not graphs:
            raise ValueError("graphs is empty; give at least one Graph.")
        sizes = [graph.features.shape[0] for graph in graphs]
        starts = np.cumsum([0, *sizes[:-1]])
        features = [graph.features for graph in graphs]
        some_sparse = any(map(sparse.issparse, features))
        return graphs[0]._with(
            features=sparse.vstack(features, format="csr") if some_sparse else np.vstack(features),
            adjacency=sparse.block_diag([graph.adjacency for graph in graphs], format="csr"),
            rows=np.concatenate([start + graph.rows for start, graph in zip(starts, graphs, strict=True)]),
            parts=np.repeat(np.arange(len(graphs)), sizes),
            directed=any(graph.directed for graph in graphs),
        )

    @classmethod
    def write(
        cls,
        directory: Any,
        *,
        features: Iterable[Any],
        edges: Iterable[Any],
        n_nodes: int,
        directed: bool = False,
        names: Sequence[str] | None = None,
    ) -> "Graph":
        """Write a graph that is given in chunks, and open it: neither features nor edges need fit into memory.

        Parameters
        ----------
        directory : path-like
            A new or empty directory. Beside the graph it holds the edges once more while they are sorted.
        features : iterable of arrays or CSR matrices of shape (n, n_features)
            The nodes in order. float32 and float64 stay as they are; other numbers become float64.
        edges : iterable of tuple (source, target) or (source, target, weight)
            Arrays of the same length, in any order; nodes are numbered from 0, and weights are 1 by default. As in
            `Graph` an edge that is given twice has the sum of its weights, and loops are dropped.
        n_nodes : int
        directed : bool, default=False
            As in `Graph`.
        names : sequence of str, default=None
            Names of the features.

        Returns
        -------
        Graph
            As `Graph.open` returns it.

        Raises
        ------
        ValueError
            If the directory is not empty, or a chunk is not valid: the message names it. The directory is then empty.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from sklearn_dim import Graph
        >>> parts = np.ones((2, 3), dtype=np.float32), np.zeros((1, 3), dtype=np.float32)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Graph.write(folder, features=parts, edges=[([0, 1], [1, 2])], n_nodes=3)
        Graph(3 nodes, 2 edges, 3 features)
        """
        write_graph(directory, features, edges, n_nodes=n_nodes, directed=directed, names=names)
        return cls.open(directory)

    def save(self, directory: Any) -> None:
        """Write the graph to a directory, for `Graph.open`.

        Parameters
        ----------
        directory : path-like
            A new or empty directory.

        Raises
        ------
        ValueError
            If the directory is not empty.
        TypeError
            If a feature's name is not text.
        """
        save_graph(directory, **vars(self))

    @classmethod
    def open(cls, directory: Any, *, check: bool = False) -> "Graph":
        """Open a graph that `save` or `write` wrote, as memory maps: nothing is read until it is used.

        Parameters
        ----------
        directory : path-like
        check : bool, default=False
            Whether to read everything once and see that it is a valid graph, as one that comes from elsewhere may
            not be. By default only shapes and types are looked at: all else was checked when the graph was written.

        Raises
        ------
        ValueError
            If the directory holds no graph, or a part is missing, damaged or of another version.
        """
        return cls.__new__(cls)._set(**open_graph(directory, check=check))

    def induced(self) -> "Graph":
        """Return the graph of only the selected nodes and the edges between them."""
        edges = self.adjacency[self.rows][:, self.rows]
        rows = np.arange(len(self))
        return self._with(features=self.features[self.rows], adjacency=edges, rows=rows, parts=self.parts[self.rows])

    @property
    def shape(self) -> tuple[int, int]:
        """Number of selected nodes and number of features."""
        return len(self.rows), self.features.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """Type of the features."""
        return self.features.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> "Graph":
        if isinstance(key, tuple):  # graph[rows, ...], as scikit-learn's indexing asks
            key, *rest = key
            if any(part is not Ellipsis and part != slice(None) for part in rest):
                raise IndexError("a Graph is indexed by rows only; select features before making it")
        rows = np.atleast_1d(self.rows[key])
        return self._with(rows=rows)

    def __copy__(self) -> "Graph":
        return self

    def __deepcopy__(self, memo: dict) -> "Graph":
        return self

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        whole = self.features.shape[0]
        edges = self.adjacency.nnz if self.directed else self.adjacency.nnz // 2
        selected = "" if len(self) == whole else f"{len(self)} of "
        return f"Graph({selected}{whole} nodes, {edges} edges, {self.shape[1]} features)"


# What other packages call a graph, by the module of its class, and what makes a Graph of it.
_OTHER_GRAPHS = {
    "networkx": "Graph.from_networkx(X)",
    "torch_geometric": "Graph.from_pyg(X)",
    "anndata": 'Graph(X.X, X.obsp["connectivities"])',
    "scanpy": 'Graph(X.X, X.obsp["connectivities"])',
    "dgl": "Graph(features, X.adj_external(scipy_fmt='csr'))",
    "igraph": "Graph(features, X.get_adjacency_sparse())",
}


def as_graph(X: Any) -> Any:
    """Return a list of Graphs as their union, rows as they are, and refuse what is another kind of graph."""
    if isinstance(X, list | tuple) and X and isinstance(X[0], Graph):
        return Graph.union(X)
    package = type(X).__module__.partition(".")[0]
    if package in _OTHER_GRAPHS:
        raise TypeError(
            f"X is a {type(X).__name__} of {package}; expected a Graph, a list of Graphs, or plain rows. Make a Graph "
            f"of it first: {_OTHER_GRAPHS[package]}."
        )
    if isinstance(X, tuple):
        raise TypeError(
            f"X is a tuple of {len(X)}; expected a Graph, a list of Graphs, or plain rows. For features and edges give "
            "Graph(features, adjacency)."
        )
    return X


def refuse_edges(y: Any) -> None:
    """Refuse an adjacency in the place of y: it would be ignored, and another graph be trained on."""
    shape = y.shape if sparse.issparse(y) else np.asarray(y).shape
    if sparse.issparse(y) or (len(shape) == 2 and shape[0] == shape[1] > 1):
        raise TypeError(
            f"y has shape {shape}, as an adjacency has, but y is ignored: the graph would be another one. Put nodes "
            "and edges into one X: fit(Graph(X, adjacency)), or Graph.from_edges(nodes, edges)."
        )


def _check_features(X: Any) -> Any:
    """Return features as a valid array or CSR matrix."""
    try:
        return check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32], input_name="X of the Graph")
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(f"X of the Graph holds text, but features are numbers ({error}). Encode it first.") from error


def _check_adjacency(adjacency: Any, n_nodes: int, directed: bool) -> sparse.csr_matrix:
    """Return a valid adjacency as a CSR matrix, without loops, and symmetric unless directed."""
    shape = np.shape(adjacency)
    if len(shape) != 2 or shape != (n_nodes, n_nodes):
        raise ValueError(
            f"adjacency has shape {shape}, but X has {n_nodes} rows; expected ({n_nodes}, {n_nodes}), one row and "
            "one column per node. For a list of edges use Graph.from_edges."
        )
    if _is_ready(adjacency, directed):
        return adjacency
    adjacency = check_array(adjacency, accept_sparse="csr", dtype=np.float32, input_name="adjacency")
    adjacency = sparse.csr_matrix(adjacency, copy=True)
    adjacency.sum_duplicates()
    if adjacency.nnz and adjacency.data.min() < 0:
        raise ValueError(
            f"adjacency has negative weights (minimum {adjacency.data.min()}); weights must be at least 0."
        )
    adjacency = sparse.csr_matrix(adjacency - sparse.diags(adjacency.diagonal()))
    adjacency.eliminate_zeros()
    return adjacency if directed else adjacency.maximum(adjacency.T).tocsr()


def _is_ready(adjacency: Any, directed: bool) -> bool:
    """Whether an adjacency consists of memory maps that need no change; others are copied into memory."""
    if not (sparse.issparse(adjacency) and adjacency.format == "csr" and in_file(adjacency.data)):
        return False
    try:
        check_edges(adjacency, directed=directed)
    except ValueError:
        return False
    return adjacency.dtype == np.float32
