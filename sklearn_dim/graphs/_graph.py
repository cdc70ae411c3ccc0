"""The one graph that the estimators take."""

from functools import partial

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import check_array


class Graph:
    """Nodes with features, and their adjacency: an X whose rows are nodes.

    Cutting it (``graph[rows]``, as cross-validation does) selects rows and keeps the whole graph around them:
    unlabelled neighbours stay visible, the transductive setting of the papers. A Graph is immutable, so copies
    and clones share it.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_nodes, n_features)
        Node features.
    adjacency : {array-like, sparse matrix} of shape (n_nodes, n_nodes)
        Entry (i, j) is the weight of the edge from i to j, 0 for none. Loops are dropped: an encoder that wants
        them adds them.
    directed : bool, default=False
        Keep directions: a node gathers only from the nodes its edges lead to. By default an edge given one way counts
        both ways, with the larger of the two weights where they differ.

    Attributes
    ----------
    features : ndarray or CSR matrix of shape (n_nodes, n_features)
        Features of all nodes.
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Edges of all nodes.
    rows : ndarray of int
        The nodes selected.
    parts : ndarray of int of shape (n_nodes,), or None
        For a `union`, which of the graphs each node is of.
    shape : tuple (n_selected, n_features)

    Raises
    ------
    ValueError
        If the shapes do not match, or a feature or weight is missing, infinite, or (a weight) negative.

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

    def __init__(self, X, adjacency, *, directed=False):
        names = np.asarray(X.columns, dtype=object) if isinstance(X, pd.DataFrame) else None
        X = _check_features(X)
        adjacency = _check_adjacency(adjacency, X.shape[0], directed)
        self._set(
            features=X, adjacency=adjacency, rows=np.arange(X.shape[0]), names=names, directed=directed, parts=None
        )

    def _set(self, **values):
        self.__dict__.update(values)
        return self

    def _with(self, **values):
        return Graph.__new__(Graph)._set(**{**vars(self), **values})

    def __setattr__(self, name, value):
        raise AttributeError(f"a Graph is immutable; make a new one instead of setting {name!r}")

    @classmethod
    def from_edges(cls, nodes, edges, *, source="source", target="target", weight=None, directed=False):
        """Return the graph of two DataFrames.

        Parameters
        ----------
        nodes : DataFrame
            Features, a row a node; its index names the nodes.
        edges : DataFrame
            A row an edge.
        source, target : str
            Columns of ``edges`` with the names of its two nodes.
        weight : str, default=None
            Column with the edge's weight, 1 by default.
        directed : bool, default=False
            As in `Graph`.
        """
        ends = []
        for column in (source, target):
            if column not in edges:
                raise ValueError(f"edges has no column {column!r}; it has {list(edges.columns)}. Name it in the call.")
            place = nodes.index.get_indexer(edges[column])
            if (place < 0).any():
                unknown = edges[column].iloc[int(np.argmax(place < 0))]
                raise ValueError(f"edges[{column!r}] names {unknown!r}, which is not in the index of nodes.")
            ends.append(place)
        weights = np.ones(len(edges)) if weight is None else edges[weight].to_numpy(dtype=float)
        n = len(nodes)
        return cls(nodes, sparse.csr_matrix((weights, tuple(ends)), shape=(n, n)), directed=directed)

    @classmethod
    def from_networkx(cls, graph, features="x", *, weight="weight"):
        """Return the graph of a networkx graph whose nodes carry their features as the attribute ``features``."""
        import networkx as nx

        missing = [node for node, data in graph.nodes(data=True) if features not in data]
        if missing:
            raise ValueError(
                f"node {missing[0]!r} has no attribute {features!r}; name the one that holds its features."
            )
        X = np.array([np.atleast_1d(data[features]) for _, data in graph.nodes(data=True)], dtype=float)
        return cls(X, nx.to_scipy_sparse_array(graph, weight=weight), directed=graph.is_directed())

    @classmethod
    def from_pyg(cls, data, *, directed=False):
        """Return the graph of a torch_geometric ``Data`` with x, edge_index and perhaps edge_weight.

        There an edge is the way of a message: its target gathers from its source, so it becomes an edge from target
        to source here.
        """
        ends = data.edge_index.flip(0).cpu().numpy()
        given = getattr(data, "edge_weight", None)
        weights = np.ones(ends.shape[1]) if given is None else given.cpu().numpy().astype(float)
        n = data.num_nodes
        return cls(data.x.cpu().numpy(), sparse.csr_matrix((weights, ends), shape=(n, n)), directed=directed)

    @classmethod
    def union(cls, graphs):
        """Return several graphs as one, side by side, whose attribute ``parts`` tells them apart.

        Parameters
        ----------
        graphs : sequence of Graph
            With the same number of features. Their selected nodes are selected, in order.

        Raises
        ------
        ValueError
            If there is none, or features differ in number.
        TypeError
            If one is not a Graph.
        """
        graphs = list(graphs)
        for place, graph in enumerate(graphs):
            if not isinstance(graph, Graph):
                raise TypeError(f"graphs[{place}] is a {type(graph).__name__}; expected a Graph(X, adjacency).")
            if graph.shape[1] != graphs[0].shape[1]:
                raise ValueError(
                    f"graphs[{place}] has {graph.shape[1]} features, but graphs[0] has {graphs[0].shape[1]}; give all "
                    "graphs the same features."
                )
        if not graphs:
            raise ValueError("graphs is empty; give at least one Graph.")
        sizes = [graph.features.shape[0] for graph in graphs]
        starts = np.cumsum([0, *sizes[:-1]])
        some_sparse = any(sparse.issparse(graph.features) for graph in graphs)
        stack = partial(sparse.vstack, format="csr") if some_sparse else np.vstack
        return graphs[0]._with(
            features=stack([graph.features for graph in graphs]),
            adjacency=sparse.block_diag([graph.adjacency for graph in graphs], format="csr"),
            rows=np.concatenate([start + graph.rows for start, graph in zip(starts, graphs, strict=True)]),
            parts=np.repeat(np.arange(len(graphs)), sizes),
            directed=any(graph.directed for graph in graphs),
        )

    def induced(self):
        """Return the graph of the selected nodes alone, with the edges between them."""
        parts = None if self.parts is None else self.parts[self.rows]
        edges = self.adjacency[self.rows][:, self.rows]
        rows = np.arange(len(self))
        return self._with(features=self.features[self.rows], adjacency=edges, rows=rows, parts=parts)

    @property
    def shape(self):
        """Number of selected nodes, and of features."""
        return len(self.rows), self.features.shape[1]

    @property
    def dtype(self):
        """Type of the features."""
        return self.features.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, key):
        if isinstance(key, tuple):  # graph[rows, ...], as scikit-learn's indexing asks
            key, *rest = key
            if any(part is not Ellipsis and part != slice(None) for part in rest):
                raise IndexError("a Graph is cut by rows only; select features before making it")
        rows = np.atleast_1d(self.rows[key])
        return self._with(rows=rows)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __setstate__(self, state):
        self.__dict__.update(state)

    def __repr__(self):
        whole = self.features.shape[0]
        edges = self.adjacency.nnz if self.directed else self.adjacency.nnz // 2
        selected = "" if len(self) == whole else f"{len(self)} of "
        return f"Graph({selected}{whole} nodes, {edges} edges, {self.shape[1]} features)"


def _check_features(X):
    """Return valid features, dense or CSR."""
    try:
        return check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32], input_name="X of the Graph")
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(f"X of the Graph holds text, but features are numbers ({error}). Encode it first.") from error


def _check_adjacency(adjacency, n_nodes: int, directed: bool) -> sparse.csr_matrix:
    """Return a valid adjacency as CSR, without loops, and symmetric unless directed."""
    shape = np.shape(adjacency)
    if len(shape) != 2 or shape != (n_nodes, n_nodes):
        raise ValueError(
            f"adjacency has shape {shape}, but X has {n_nodes} rows; expected ({n_nodes}, {n_nodes}), a row and a "
            "column a node. A list of edges goes through Graph.from_edges."
        )
    adjacency = check_array(adjacency, accept_sparse="csr", dtype=np.float32, input_name="adjacency")
    adjacency = sparse.csr_matrix(adjacency, copy=True)
    adjacency.sum_duplicates()
    if adjacency.nnz and adjacency.data.min() < 0:
        raise ValueError(f"adjacency has negative weights (least {adjacency.data.min()}); weights must be at least 0.")
    adjacency = sparse.csr_matrix(adjacency - sparse.diags(adjacency.diagonal()))
    adjacency.eliminate_zeros()
    return adjacency if directed else adjacency.maximum(adjacency.T).tocsr()
