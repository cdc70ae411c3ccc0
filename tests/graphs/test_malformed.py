"""Malformed graphs: each is refused by a sentence that names the place and what to do."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from sklearn_dim.graphs import Graph

PATH = np.array([[0, 1, 0], [1, 0, 2], [0, 2, 0.0]])
EYE = np.eye(3)
NODES = pd.DataFrame({"f": [1.0, 2.0, 3.0]}, index=["a", "b", "c"])
EDGES = pd.DataFrame({"source": ["a", "c"], "target": ["b", "b"], "w": [1.0, 2.0]})


def put(matrix, value, dtype=float):
    changed = np.array(matrix, dtype=dtype)
    changed[1, 2] = value
    return changed


def of_networkx(features="x", weight=1, **attributes):
    graph = nx.path_graph(["a", "b", "c"])
    graph.edges["b", "c"]["weight"] = weight
    for name, values in attributes.items():
        nx.set_node_attributes(graph, dict(zip("abc", values, strict=True)), name)
    return Graph.from_networkx(graph, features)


def of_pyg(edges=((0, 1), (1, 2)), **attributes):
    data = pytest.importorskip("torch_geometric.data", reason="needs the extra [graph]")
    return Graph.from_pyg(data.Data(x=torch.eye(3), edge_index=torch.tensor(edges), **attributes))


def of_anndata(obsp="connectivities", *, layer=None, **there):
    adata = pytest.importorskip("anndata", reason="needs the extra [spatial]").AnnData(EYE)
    for name, matrix in there.items():
        adata.obsp[name] = sparse.csr_matrix(matrix)
    return Graph.from_anndata(adata, obsp=obsp, layer=layer)


MALFORMED = {
    # features
    "NaN": (lambda: Graph(NODES.assign(g=[1, np.nan, 2]), PATH), r"NaN at node 'b', column 'g'.*SimpleImputer"),
    "infinite": (lambda: Graph(put(EYE, -np.inf), PATH), r"infinity at node 1, column 2"),
    "sparse NaN": (lambda: Graph(sparse.csr_matrix(put(EYE, np.nan)), PATH), r"NaN at node 1, column 2"),
    "text": (
        lambda: Graph(NODES.assign(word=list("uvw")), PATH),
        r"text.*column 'word' is 'u' at node 'a'.*get_dummies",
    ),
    "objects": (lambda: Graph(put(EYE, {}, object), PATH), r"objects \(dict\).*column 2 is \{\} at node 1"),
    "complex": (lambda: Graph(EYE * 1j, PATH), r"X of the Graph holds complex numbers.*hstack"),
    "ragged": (lambda: Graph([[1, 2], [1, 2, 3], [1, 2]], PATH), r"ragged: node 1 has 3 features, but node 0 has 2"),
    "one dimension": (
        lambda: Graph(np.arange(3.0), PATH),
        r"shape \(3,\); expected \(n_nodes, n_features\).*reshape\(-1, 1\)",
    ),
    "three dimensions": (lambda: Graph(np.ones((3, 2, 2)), PATH), r"shape \(3, 2, 2\).*reshape\(len\(X\), -1\)"),
    "no nodes": (lambda: Graph(np.empty((0, 2)), np.empty((0, 0))), r"shape \(0, 2\): no nodes"),
    "no columns": (lambda: Graph(np.empty((3, 0)), PATH), r"shape \(3, 0\): no features.*X=None"),
    # edges
    "shape": (
        lambda: Graph(EYE, np.ones((2, 2))),
        r"adjacency has shape \(2, 2\), but X has 3 rows; expected \(3, 3\)",
    ),
    "edge_index": (
        lambda: Graph(EYE, np.array([[0, 1, 1, 2], [1, 0, 2, 1]])),
        r"shape \(2, 4\).*coo_matrix\(\(numpy.ones\(4\), edge_index",
    ),
    "not square": (
        lambda: Graph(None, np.ones((2, 3))),
        r"adjacency has shape \(2, 3\); expected \(n_nodes, n_nodes\)",
    ),
    "order of names": (
        lambda: Graph(NODES, pd.DataFrame(PATH, list("bac"), list("bac"))),
        r"not name the nodes.*adjacency\.loc",
    ),
    "NaN weight": (lambda: Graph(EYE, put(PATH, np.nan)), r"contains NaN: the edge from node 1 to node 2"),
    "infinite weight": (
        lambda: Graph(NODES, put(PATH, np.inf)),
        r"infinity.*from node 'b' to node 'c' has the weight inf",
    ),
    "weight beyond float32": (lambda: Graph(EYE, put(PATH, 1e39)), r"more than float32 holds.*from node 1 to node 2"),
    "negative weight": (
        lambda: Graph(NODES, -PATH),
        r"negative weights: the edge from node 'a' to node 'b' .* -1\.0, and 3 more",
    ),
    "text weight": (lambda: Graph(EYE, put(PATH, "x", object)), r"adjacency holds something that is not a number.*'x'"),
    "complex weight": (lambda: Graph(EYE, PATH * 1j), r"adjacency holds complex numbers.*abs\(adjacency\)"),
    # tables
    "unknown node": (
        lambda: Graph.from_edges(NODES, EDGES.replace("c", "z")),
        r"row 1 of edges names 'z' in column 'source'",
    ),
    "name twice": (lambda: Graph.from_edges(NODES.set_axis(list("abb")), EDGES), r"index of nodes has 'b' 2 times"),
    "no weight column": (
        lambda: Graph.from_edges(NODES, EDGES, weight="v"),
        r"no column 'v'; it has \['source', 'target', 'w'\]",
    ),
    "text in weights": (
        lambda: Graph.from_edges(NODES, EDGES.assign(w=["1", "x"]), weight="w"),
        r"row 0 of edges, the edge from 'a' to 'b', has the text '1'",
    ),
    "missing weight": (
        lambda: Graph.from_edges(NODES, EDGES.assign(w=[1, None]), weight="w"),
        r"row 1 .*from 'c' to 'b', has no weight",
    ),
    "missing end": (
        lambda: Graph.from_edges(NODES, EDGES.assign(target=["b", None])),
        r"row 1 of edges names no node in column 'target'",
    ),
    "no nodes at all": (lambda: Graph.from_edges(None, EDGES[:0]), r"edges is empty, and no nodes are given"),
    # networkx
    "attribute missing": (
        lambda: of_networkx(age=[1, 2, 3]),
        r"node 'a' has no attribute 'x'; its attributes are \['age'\]",
    ),
    "unequal lengths": (
        lambda: of_networkx(x=[[1, 2], [1, 2], [1]]),
        r"'x' has 1 numbers at node 'c', but 2 at node 'a'",
    ),
    "text attribute": (
        lambda: of_networkx("all", age=[1, 2, 3], club=list("uvw")),
        r"'club' of node 'a' is 'u'.*get_dummies",
    ),
    "None in an attribute": (lambda: of_networkx(x=[1, None, 3]), r"'x' of node 'b' is None; expected a number"),
    "NaN in an attribute": (lambda: of_networkx(x=[1, 2, np.nan]), r"NaN at node 'c', column 'x'"),
    "no row in the table": (lambda: of_networkx(NODES[:2]), r"features has no row for node 'c'"),
    "text at an edge": (
        lambda: of_networkx(weight="strong", x=[1, 2, 3]),
        r"edge from 'b' to 'c' has 'weight'='strong'",
    ),
    "None at an edge": (lambda: of_networkx(weight=None, x=[1, 2, 3]), r"edge from 'b' to 'c' has 'weight'=None"),
    "negative at an edge": (
        lambda: of_networkx(weight=-1, x=[1, 2, 3]),
        r"from node 'b' to node 'c' has the weight -1\.0",
    ),
    # torch_geometric
    "edge features": (lambda: of_pyg(edge_attr=torch.ones(2, 3)), r"edge_attr has 3 columns.*data\.edge_attr\[:, 0\]"),
    "too few weights": (
        lambda: of_pyg(edge_weight=torch.ones(1)),
        r"edge_weight has 1 weights, but edge_index has 2 edges",
    ),
    "no such node": (
        lambda: of_pyg([[0, 1], [1, 3]]),
        r"edge 1 of edge_index joins the nodes 1 and 3, but data has 3 nodes",
    ),
    # AnnData
    "no neighbours": (lambda: of_anndata(), r"obsp has no 'connectivities'; it has \[\].*pp\.neighbors"),
    "spatial neighbours": (lambda: of_anndata(spatial_connectivities=PATH), r"Give obsp='spatial_connectivities'"),
    "distances": (
        lambda: of_anndata("distances", distances=PATH, connectivities=PATH),
        r"are distances.*Give obsp='connectivities'",
    ),
    "no layer": (
        lambda: of_anndata(connectivities=PATH, layer="counts"),
        r"adata\.layers has no 'counts'; it has \[\]",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_graph_is_refused_where_it_is_wrong(name):
    make, sentence = MALFORMED[name]
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([True, False], r"the mask has shape \(2,\), but the Graph has 3 rows"),
        ([0, 7], r"the Graph has 3 rows, numbered 0 to 2: index 7"),
    ],
)
def test_rows_that_are_not_there_are_refused(rows, sentence):
    with pytest.raises(IndexError, match=sentence):
        Graph(EYE, PATH)[rows]


def test_a_file_without_the_columns_is_refused_by_its_name(tmp_path):
    (tmp_path / "edges.csv").write_text("from,to\na,b\n")
    with pytest.raises(
        ValueError, match=r"the file '.*edges\.csv' has no column 'source'; it has \['from', 'to'\].*sep="
    ):
        Graph.from_edges(NODES, tmp_path / "edges.csv")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: Graph.from_edges(NODES, [("a", "b")]),
            r"edges is a list; expected a DataFrame.*pandas\.DataFrame\(edges",
        ),
        (lambda: Graph.from_networkx(PATH), r"graph is a ndarray; expected a graph of networkx"),
        (lambda: Graph.from_pyg([1]), r"data is a list.*\[Graph\.from_pyg\(each\) for each in data\]"),
        (lambda: Graph.from_pyg(PATH), r"data is a ndarray; expected a Data"),
        (lambda: Graph.from_anndata(PATH), r"adata is a ndarray; expected an AnnData"),
    ],
)
def test_what_is_no_graph_is_refused_by_its_type(make, sentence):
    with pytest.raises(TypeError, match=sentence):
        make()


def test_graphs_of_several_kinds_of_nodes_are_refused():
    hetero = pytest.importorskip("torch_geometric.data", reason="needs the extra [graph]").HeteroData()
    hetero["user"].x = torch.eye(2)
    hetero["user", "likes", "user"].edge_index = torch.zeros(2, 1).long()
    with pytest.raises(TypeError, match=r"HeteroData, with nodes of the kinds \['user'\].*to_homogeneous"):
        Graph.from_pyg(hetero)


def test_slides_with_other_genes_are_refused():
    anndata = pytest.importorskip("anndata", reason="needs the extra [spatial]")
    one = anndata.AnnData(EYE, obsp={"connectivities": PATH})
    with pytest.raises(
        ValueError, match=r"adata\[1\]\.var_names are not those of adata\[0\]: it lacks '2'.*\[:, common\]"
    ):
        Graph.from_anndata([one, one[:, :2]])
    with pytest.raises(ValueError, match="has others, or has them in another order"):
        Graph.from_anndata([one, one[:, ::-1]])
