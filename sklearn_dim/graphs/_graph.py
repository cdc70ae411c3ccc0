"""The graph that the estimators take."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_dim._arguments import FLAG, checked
from sklearn_dim._warnings import warn
from sklearn_dim.graphs._checks import Parts, as_names, check_adjacency, check_features
from sklearn_dim.graphs._from_anndata import check_same_variables, read_anndata
from sklearn_dim.graphs._from_edges import file_named, read_edges
from sklearn_dim.graphs._from_networkx import read_networkx
from sklearn_dim.graphs._from_pyg import read_pyg
from sklearn_dim.graphs._owned import frozen
from sklearn_dim.graphs._stored import open_graph, save_graph
from sklearn_dim.graphs._structure import COMPARABLE, STRUCTURES, structure
from sklearn_dim.graphs._written import write_graph


@checked(directed=FLAG)
class Graph:
    """Nodes with features, and the edges between them: an X whose rows are nodes.

    Indexing (``graph[rows]``, as cross-validation does) selects rows and keeps the whole graph around them: unlabelled
    neighbours stay visible, as in the transductive setting of the papers. A Graph is immutable, so copies and clones
    share it.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_nodes, n_features), or None
        Node features. The index of a DataFrame names the nodes. None takes structural columns in their place, with a
        warning: the degree and the return probabilities of `with_structure`.
    adjacency : {array-like, sparse matrix, DataFrame, sparse tensor} of shape (n_nodes, n_nodes)
        Entry (i, j) is the weight of the edge from i to j, 0 for none. Duplicate entries are summed. Loops are dropped;
        an encoder that needs them adds them.
    directed : bool, default=False
        Whether edges keep their direction, so that a node gathers only from the nodes that its edges lead to. By
        default edges count both ways, with the larger of the two weights where these differ.

    Attributes
    ----------
    features : ndarray or CSR matrix of shape (n_nodes, n_features)
        Features of all nodes, read-only. They are a copy of X, unless X is a memory map or cannot be changed.
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Edges of all nodes, read-only.
    rows : ndarray of int of shape (n_selected,)
        Numbers of the selected nodes.
    names : ndarray of str of shape (n_features,), or None
        Names of the features, if X is a DataFrame.
    node_names : Index of shape (n_nodes,), or None
        Names of all nodes, if they have other names than their numbers.
    directed : bool
    parts : ndarray of int of shape (n_nodes,)
        In a `union`, the number of each node's graph; else zeros.
    structural : bool
        Whether X was None, so that all features are structural columns.
    shape : tuple (n_selected, n_features)
    dtype : numpy.dtype
        Type of the features.

    Raises
    ------
    ValueError
        If the shapes do not match, X holds text or complex numbers, a feature or weight is missing or infinite, or a
        weight is negative. The message names the node, the column or the edge.

    Warns
    -----
    UserWarning
        If X is None.

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
    node_names: pd.Index | None = None
    directed: bool
    parts: np.ndarray
    structural: bool = False

    def __init__(self, X: Any, adjacency: Any, *, directed: bool = False):
        self._fill(Parts(X, adjacency), directed)

    @classmethod
    def _of(cls, parts: Parts, directed: bool) -> "Graph":
        return cls.__new__(cls)._fill(parts, directed)

    def _fill(self, parts: Parts, directed: bool) -> "Graph":
        X, adjacency, names, node_names, graph_ids = parts
        if isinstance(X, pd.DataFrame):
            names = np.asarray(X.columns, dtype=object)
            node_names = as_names(X.index)
        elif node_names is None and isinstance(adjacency, pd.DataFrame):
            node_names = as_names(adjacency.index)
        n_nodes = None
        if X is not None:
            X = check_features(X, names, node_names)
            n_nodes = X.shape[0]
        adjacency = check_adjacency(adjacency, n_nodes, directed, node_names)
        n_nodes = adjacency.shape[0]
        graph_ids = np.zeros(n_nodes, dtype=int) if graph_ids is None else graph_ids
        structural = X is None
        if structural:
            X, names = _places(adjacency, graph_ids)
        return self._set(
            features=X,
            adjacency=adjacency,
            rows=np.arange(n_nodes),
            names=names,
            node_names=node_names,
            directed=directed,
            parts=graph_ids,
            structural=structural,
        )

    def _set(self, **values: Any) -> "Graph":
        self.__dict__.update(values)
        return self

    def _with(self, **values: Any) -> "Graph":
        return Graph.__new__(Graph)._set(**{**vars(self), **values})

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Graph is immutable; make a new one instead of setting {name!r}")

    @classmethod
    @checked(directed=FLAG)
    def from_edges(
        cls,
        nodes: pd.DataFrame | None,
        edges: pd.DataFrame | str | os.PathLike,
        *,
        source: str = "source",
        target: str = "target",
        weight: str | None = None,
        directed: bool = False,
    ) -> "Graph":
        """Make a graph from a table of nodes and a table of edges.

        Parameters
        ----------
        nodes : DataFrame, or None
            Features, one row per node; the index names the nodes. Rows of a polars or pyarrow table are numbered. None
            takes all nodes that the edges name, in the order in which they come, with structural columns for features.
        edges : DataFrame, str or path
            One row per edge: a table of pandas, polars or pyarrow, or a CSV file with commas and names in its first
            line. Edges between the same two nodes are summed.
        source, target : str
            Columns of ``edges`` with the names of the two nodes.
        weight : str, default=None
            Column of ``edges`` with the weights, 1 by default.
        directed : bool, default=False
            As in `Graph`.

        Raises
        ------
        ValueError
            If ``edges`` lacks a column, a name or a weight, or names a node that is not in the index; or if the index
            has a name twice.
        FileNotFoundError
            If there is no such file.

        Warns
        -----
        UserWarning
            If nodes is None.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn_dim import Graph
        >>> nodes = pd.DataFrame({"age": [31.0, 54.0, 28.0]}, index=["ada", "ben", "cem"])
        >>> pairs = {"source": ["ada", "ben"], "target": ["ben", "cem"]}
        >>> edges = pd.DataFrame(pairs | {"calls": [3, 1]})
        >>> Graph.from_edges(nodes, edges, weight="calls").node_names.tolist()
        ['ada', 'ben', 'cem']
        """
        with file_named(edges):
            return cls._of(read_edges(nodes, edges, source, target, weight), directed)

    @classmethod
    def from_networkx(cls, graph: Any, features: Any = "x", *, weight: str | None = "weight") -> "Graph":
        """Make a graph from one of networkx.

        Parameters
        ----------
        graph : networkx.Graph, DiGraph, MultiGraph or MultiDiGraph
            The edges of a directed graph keep their direction. The weights of parallel edges are summed.
        features : str, list of str, "all", DataFrame or None, default="x"
            The attributes of nodes that hold their features, numbers or sequences of as many numbers at each node; they
            are put side by side. "all" takes all attributes. Text is refused, as it is mostly a label or a name. A
            DataFrame has features of its own; its index names the nodes. None takes structural columns.
        weight : str or None, default="weight"
            The attribute of an edge that holds its weight, 1 where it is missing. None counts each edge 1.

        Raises
        ------
        ValueError
            If an attribute is missing at a node, is no number, or differs in length; or if a weight is no number. The
            message names the node or edge.

        Warns
        -----
        UserWarning
            If features is None.

        Examples
        --------
        >>> import networkx as nx
        >>> from sklearn_dim import Graph
        >>> graph = nx.path_graph(["a", "b", "c"])
        >>> nx.set_node_attributes(graph, {"a": 31, "b": 54, "c": 28}, "age")
        >>> Graph.from_networkx(graph, ["age"])
        Graph(3 nodes, 2 edges, 1 features)
        """
        return cls._of(read_networkx(graph, features, weight), graph.is_directed())

    @classmethod
    @checked(directed=FLAG)
    def from_pyg(cls, data: Any, *, directed: bool = False) -> "Graph | list[Graph]":
        """Make a graph from one of torch_geometric.

        There an edge is the path of a message: its target gathers from its source. So here it becomes an edge from
        target to source.

        Parameters
        ----------
        data : torch_geometric.data.Data or Batch
            With edge_index or adj_t, and perhaps x. Weights are edge_weight, else an edge_attr of one column. Without x
            the nodes get structural columns.
        directed : bool, default=False
            As in `Graph`.

        Returns
        -------
        Graph, or for a Batch a list of Graphs

        Raises
        ------
        TypeError
            If data is a HeteroData, or several Data.
        ValueError
            If edge_attr has several columns, as edges have no features here; or if edge_index names a node that is not
            there.

        Warns
        -----
        UserWarning
            If there is no x.
        """
        parts = read_pyg(data)
        graph = cls._of(parts, directed)
        return graph if parts.graph_ids is None else graph._separated()

    @classmethod
    @checked(directed=FLAG)
    def from_anndata(
        cls,
        adata: Any,
        *,
        layer: str | None = None,
        obsm: str | None = None,
        obsp: str = "connectivities",
        directed: bool = False,
    ) -> "Graph":
        """Make a graph from an AnnData: its observations are nodes, which ``obsp`` joins.

        Parameters
        ----------
        adata : AnnData, or list of AnnData
            One opened with ``backed="r"`` is read only as far as is needed. Several slides become a `union`.
        layer : str, default=None
            Take the features from this layer instead of ``adata.X``.
        obsm : str, default=None
            Take the features from this array of observations, such as "X_pca".
        obsp : str, default="connectivities"
            The weights of the edges; squidpy calls them "spatial_connectivities". Distances are refused, as a larger
            weight means a nearer node.
        directed : bool, default=False
            As in `Graph`.

        Raises
        ------
        ValueError
            If ``layer``, ``obsm`` or ``obsp`` are not there, or slides differ in their variables.
        """
        if not isinstance(adata, list | tuple):
            return cls._of(read_anndata(adata, layer, obsm, obsp), directed)
        check_same_variables(list(adata))
        return cls.union([cls._of(read_anndata(slide, layer, obsm, obsp), directed) for slide in adata])

    def with_structure(self, columns: Iterable[str] = STRUCTURES) -> "Graph":
        """Return the graph with columns added that say where a node stands in it.

        ============  ======================  =======================================================================
        "degree"      degree                  the logarithm of 1 + the sum of a node's weights
        "returns"     return_2 … return_6     the probability that a random walk is back after so many steps, which
                                              triangles, squares and other short cycles raise
        "axes"        axis_0 … axis_7         leading eigenvectors of the normalised adjacency, of unit mean square:
                                              nodes of a community lie together
        ============  ======================  =======================================================================

        The first two mean the same on every graph; axes do not, as their signs and order are those of one graph. So use
        axes only if `fit` and `transform` are given the same graph. Of a union each graph has its own columns. Return
        probabilities are exact up to 10⁹ for nodes times entries of the adjacency, and beyond estimated from the same
        64 probes each time.

        Parameters
        ----------
        columns : iterable of {"degree", "returns", "axes"}, default=("degree", "returns", "axes")

        Returns
        -------
        Graph

        Raises
        ------
        ValueError
            If a name is unknown.
        """
        columns = [columns] if isinstance(columns, str) else list(columns)
        if unknown := [column for column in columns if column not in STRUCTURES]:
            raise ValueError(f"columns has {unknown[0]!r}, which is unknown; use some of {STRUCTURES}.")
        if not columns:
            return self
        return self.with_columns(*structure(self.adjacency, self.parts, columns))

    def with_columns(self, values: Any, names: Iterable[str] | None = None) -> "Graph":
        """Return the graph with more features, beside those it has.

        Parameters
        ----------
        values : array-like of shape (n_nodes, n_added)
            Of all nodes, also those that are not selected.
        names : iterable of str, default=None
            Their names. Features without names are called x0, x1, and so on.

        Returns
        -------
        Graph

        Raises
        ------
        ValueError
            If the number of rows is not that of the nodes, or values are missing or infinite.
        """
        n_nodes, n_features = self.features.shape
        values = check_features(values, node_names=self.node_names).astype(self.features.dtype)
        if values.shape[0] != n_nodes:
            raise ValueError(
                f"values has {values.shape[0]} rows, but the Graph has {n_nodes} nodes. Give one for each."
            )
        own = [f"x{j}" for j in range(n_features)] if self.names is None else list(self.names)
        added = [f"x{n_features + j}" for j in range(values.shape[1])] if names is None else list(names)
        if sparse.issparse(self.features) or sparse.issparse(values):
            features = frozen(sparse.hstack([self.features, values], format="csr"))
        else:
            features = np.hstack([self.features, values])
            features.flags.writeable = False
        return self._with(features=features, names=np.asarray([*own, *added], dtype=object), structural=False)

    @classmethod
    def union(cls, graphs: Iterable["Graph"]) -> "Graph":
        """Join several graphs into one, without edges between them; the attribute ``parts`` tells them apart.

        Parameters
        ----------
        graphs : list, tuple, Series or array of Graph
            With the same number of features. Their selected nodes stay selected, in order. Nodes keep their names if
            all graphs have some.

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
            if graph.names is not None and graphs[0].names is not None and list(graph.names) != list(graphs[0].names):
                raise ValueError(
                    f"graphs[{number}] has features named {graph.names}, but graphs[0] has {graphs[0].names}. Give all "
                    "graphs the same names, in the same order."
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
            structural=all(graph.structural for graph in graphs),
            node_names=_joined([graph.node_names for graph in graphs]),
            directed=any(graph.directed for graph in graphs),
        )

    @classmethod
    @checked(directed=FLAG)
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
    @checked(check=FLAG)
    def open(cls, directory: Any, *, check: bool = False) -> "Graph":
        """Open a graph that `save` or `write` wrote, as memory maps: nothing is read until it is used.

        Parameters
        ----------
        directory : path-like
        check : bool, default=False
            Whether to read everything once and see that it is what was written, and a valid graph: for files that come
            from elsewhere or may be damaged. By default only shapes and types are looked at: all else was checked when
            the graph was written.

        Raises
        ------
        ValueError
            If the directory holds no graph, or a part is missing, damaged or of another version.
        """
        return cls.__new__(cls)._set(**open_graph(directory, check=check))

    def induced(self) -> "Graph":
        """Return the graph of only the selected nodes and the edges between them."""
        edges = self.adjacency[self.rows][:, self.rows]
        return self._with(
            features=self.features[self.rows],
            adjacency=edges,
            rows=np.arange(len(self)),
            parts=self.parts[self.rows],
            node_names=None if self.node_names is None else self.node_names[self.rows],
        )

    def _separated(self) -> list["Graph"]:
        """Return the graphs that this one joins."""
        order = np.argsort(self.parts, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(self.parts[order])) + 1)
        return [self[nodes].induced()._with(parts=np.zeros(len(nodes), dtype=int)) for nodes in groups]

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
        mask = np.asarray(key) if not isinstance(key, slice) else np.empty(0)
        if mask.dtype == bool and mask.shape != (len(self),):
            raise IndexError(f"the mask has shape {mask.shape}, but the Graph has {len(self)} rows. Give one for each.")
        try:
            rows = np.atleast_1d(self.rows[key])
        except IndexError as error:
            raise IndexError(f"the Graph has {len(self)} rows, numbered 0 to {len(self) - 1}: {error}.") from error
        return self._with(rows=rows)

    def __copy__(self) -> "Graph":
        return self

    def __deepcopy__(self, memo: dict) -> "Graph":
        return self

    def __setstate__(self, state: dict) -> None:
        self._set(**state)

    def __repr__(self) -> str:
        whole = self.features.shape[0]
        edges = self.adjacency.nnz if self.directed else self.adjacency.nnz // 2
        selected = "" if len(self) == whole else f"{len(self)} of "
        return f"Graph({selected}{whole} nodes, {edges} edges, {self.shape[1]} features)"


def _joined(names: Sequence[pd.Index | None]) -> pd.Index | None:
    named = [each for each in names if each is not None]
    return named[0].append(named[1:]) if len(named) == len(names) else None


def _places(adjacency: sparse.csr_matrix, graph_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return features for nodes that have none, and say so."""
    values, names = structure(adjacency, graph_ids, COMPARABLE)
    warn(
        f"the nodes have no features, so each is given columns of its place in the graph: {', '.join(names)}. Give "
        "X to have others, or add some by with_structure.",
    )
    values.flags.writeable = False
    return values, np.asarray(names, dtype=object)
