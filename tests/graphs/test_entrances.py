"""Graphs from other packages, and what becomes of names, weights and memory."""

import pickle
import warnings

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from sklearn_dim.graphs import Graph, graph_list

PATH = np.array([[0, 1, 0], [1, 0, 2], [0, 2, 0.0]])
NODES = pd.DataFrame({"f": [1.0, 2.0, 3.0]}, index=["a", "b", "c"])


def dense(graph):
    return graph.adjacency.toarray()


# What a Graph is made of


@pytest.mark.parametrize(
    "kind",
    [
        sparse.coo_matrix, sparse.csc_matrix, sparse.csr_array, pd.DataFrame, np.ndarray.tolist,
        lambda A: A.astype(int), lambda A: torch.tensor(A), lambda A: torch.tensor(A).to_sparse(),
        lambda A: torch.tensor(A).to_sparse_csr(), lambda A: sparse.csr_matrix(A.astype(np.int8)),
    ],
)  # fmt: skip
def test_an_adjacency_comes_in_many_kinds(kind):
    np.testing.assert_array_equal(dense(Graph(np.eye(3), kind(PATH))), PATH)


def test_features_come_in_many_kinds():
    for X in (
        torch.eye(3, requires_grad=True),
        sparse.csc_matrix(np.eye(3)),
        torch.eye(3).bfloat16(),
        np.eye(3, dtype=bool),
    ):
        features = Graph(X, PATH).features
        np.testing.assert_array_equal(features.toarray() if sparse.issparse(features) else features, np.eye(3))
    np.testing.assert_array_equal(Graph(torch.eye(3).to_sparse(), PATH).features.toarray(), np.eye(3))


@pytest.mark.parametrize("kind", [np.array, sparse.csr_matrix, pd.DataFrame, torch.tensor])
def test_what_happens_to_the_callers_arrays_does_not_touch_the_graph(kind):
    X, A = kind(np.ones((3, 2))), sparse.csr_matrix(PATH)
    graph = Graph(X, A)
    if sparse.issparse(X):
        X.data[0] = 7
    elif isinstance(X, pd.DataFrame):
        X.iloc[0, 0] = 7
    else:
        X[0, 0] = 7
    A.data[:] = 9
    features = graph.features.toarray() if sparse.issparse(graph.features) else graph.features
    np.testing.assert_array_equal(features, np.ones((3, 2)))
    np.testing.assert_array_equal(dense(graph), PATH)


def test_the_arrays_of_a_graph_are_read_only():
    graph = Graph(np.eye(3), PATH)
    with pytest.raises(ValueError, match="read-only"):
        graph.features[0, 0] = 2
    with pytest.raises(ValueError, match="read-only"):
        graph.adjacency.data[0] = 2
    with pytest.raises(ValueError, match="read-only"):
        Graph(sparse.identity(3, format="csr"), PATH).features.data[0] = 2


def test_memory_maps_and_constants_are_not_copied(tmp_path):
    np.save(tmp_path / "X.npy", np.eye(3))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert np.shares_memory(Graph(mapped, PATH).features, mapped)
    constant = np.eye(3)
    constant.flags.writeable = False
    assert np.shares_memory(Graph(constant, PATH).features, constant)
    changeable = np.eye(3)
    view = changeable.view()
    view.flags.writeable = False
    assert not np.shares_memory(Graph(view, PATH).features, changeable)


def test_names_of_nodes_are_kept():
    graph = Graph(NODES, PATH)
    assert list(graph.node_names) == ["a", "b", "c"]
    assert list(graph[[2, 0]].induced().node_names) == ["c", "a"]
    assert list(pickle.loads(pickle.dumps(graph)).node_names) == ["a", "b", "c"]
    assert list(Graph.union([graph, graph[[1]]]).node_names) == ["a", "b", "c"] * 2
    assert Graph.union([graph, Graph(NODES.reset_index(drop=True), PATH)]).node_names is None
    assert list(Graph(np.eye(3), pd.DataFrame(PATH, list("abc"), list("abc"))).node_names) == ["a", "b", "c"]


def test_lists_of_graphs_come_in_many_kinds():
    small, large = Graph(np.eye(2), [[0, 1], [1, 0]]), Graph(np.ones((3, 2)), PATH)
    array = np.empty(2, dtype=object)
    array[:] = [small, large]
    for graphs in ((small, large), pd.Series([small, large], index=[7, 3]), array):
        assert graph_list(graphs) == [small, large]
        assert Graph.union(graphs).features.shape == (5, 2)
    with pytest.raises(TypeError, match="NumPy has cut the Graphs into their nodes"):
        graph_list(np.array([small, small], dtype=object))
    renamed = NODES.rename(columns={"f": "g"})
    with pytest.raises(ValueError, match=r"graphs\[1\] has features named \['g'\], but graphs\[0\] has \['f'\]"):
        Graph.union([Graph(NODES, PATH), Graph(renamed, PATH)])


# Two tables


def test_edges_alone_name_their_nodes():
    edges = pd.DataFrame({"source": ["c", "a"], "target": ["b", "b"], "w": [2, 1]})
    with pytest.warns(UserWarning, match=r"no features, so each is given columns.*degree, return_2"):
        graph = Graph.from_edges(None, edges, weight="w")
    assert list(graph.node_names) == ["c", "b", "a"] and graph.names[0] == "degree" and graph.structural
    np.testing.assert_array_equal(dense(graph), PATH[::-1, ::-1])
    np.testing.assert_allclose(graph.features[:, 0], np.log1p([2, 3, 1]))


def test_edges_of_a_file_keep_the_names_of_nodes(tmp_path):
    (tmp_path / "edges.csv").write_text("source,target,w\n007,1,1\n1,2,2\n")
    nodes = NODES.set_axis(["007", "1", "2"])
    np.testing.assert_array_equal(dense(Graph.from_edges(nodes, tmp_path / "edges.csv", weight="w")), PATH)
    numbered = NODES.set_axis([7, 1, 2])
    np.testing.assert_array_equal(dense(Graph.from_edges(numbered, str(tmp_path / "edges.csv"), weight="w")), PATH)


@pytest.mark.parametrize("package", ["polars", "pyarrow"])
def test_tables_of_other_packages(package):
    table = {"polars": "DataFrame", "pyarrow": "table"}[package]
    make = getattr(pytest.importorskip(package), table)
    edges = make({"source": [0, 2], "target": [1, 1], "w": [1.0, 2.0]})
    graph = Graph.from_edges(make({"f": [1.0, 2.0, 3.0]}), edges, weight="w")
    np.testing.assert_array_equal(dense(graph), PATH)
    assert list(graph.names) == ["f"] and graph.node_names is None


# networkx


def people():
    graph = nx.path_graph(["a", "b", "c"])
    graph.edges["b", "c"]["weight"] = 2
    nx.set_node_attributes(graph, {"a": 31, "b": 54, "c": 28}, "age")
    nx.set_node_attributes(graph, {node: np.arange(2) + i for i, node in enumerate("abc")}, "place")
    return graph


@pytest.mark.parametrize("features", ["all", ["age", "place"]])
def test_several_attributes_are_put_side_by_side(features):
    graph = Graph.from_networkx(people(), features)
    assert list(graph.names) == ["age", "place_0", "place_1"] and list(graph.node_names) == ["a", "b", "c"]
    np.testing.assert_array_equal(graph.features, [[31, 0, 1], [54, 1, 2], [28, 2, 3]])
    np.testing.assert_array_equal(dense(graph), PATH)


def test_features_may_be_a_table_of_nodes():
    graph = Graph.from_networkx(people(), NODES.loc[["c", "a", "b"]])
    np.testing.assert_array_equal(graph.features.ravel(), [1, 2, 3])
    assert list(graph.names) == ["f"]


def test_no_features_and_no_weights():
    with pytest.warns(UserWarning, match="no features"):
        graph = Graph.from_networkx(people(), None, weight=None)
    np.testing.assert_array_equal(dense(graph), PATH > 0)


def test_weights_of_parallel_edges_are_summed():
    several = nx.MultiGraph([("a", "b", {"weight": 0.5}), ("b", "a", {"weight": 0.5}), ("b", "c"), ("c", "b")])
    nx.set_node_attributes(several, 1.0, "x")
    np.testing.assert_array_equal(dense(Graph.from_networkx(several)), PATH)
    one_way = nx.MultiDiGraph([("a", "b"), ("a", "b")])
    nx.set_node_attributes(one_way, 1.0, "x")
    np.testing.assert_array_equal(dense(Graph.from_networkx(one_way)), [[0, 2], [0, 0]])


# torch_geometric


def data(**attributes):
    made = pytest.importorskip("torch_geometric.data", reason="needs the extra [graph]").Data
    return made(**{"x": torch.eye(3), "edge_index": torch.tensor([[0, 1], [1, 2]]), **attributes})


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_an_edge_attribute_of_one_column_is_the_weight(shape):
    weights = torch.tensor([1.0, 2.0], requires_grad=True).reshape(shape)
    graph = Graph.from_pyg(data(edge_attr=weights, x=torch.eye(3, requires_grad=True)))
    np.testing.assert_array_equal(dense(graph), PATH)
    both = data(edge_attr=torch.ones(2, 5), edge_weight=weights.reshape(-1))
    np.testing.assert_array_equal(dense(Graph.from_pyg(both)), PATH)


def test_adj_t_has_the_targets_as_rows():
    expected = dense(Graph.from_pyg(data(), directed=True))
    transposed = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0.0]])

    class SparseTensor:  # as that of torch_sparse
        def coo(self):
            row, column = transposed.nonzero().T
            return row, column, None

        def sizes(self):
            return [3, 3]

    for adj_t in (transposed.to_sparse(), transposed.to_sparse_csr(), SparseTensor()):
        graph = Graph.from_pyg(data(edge_index=None, adj_t=adj_t), directed=True)
        np.testing.assert_array_equal(dense(graph), expected)


def test_no_x_gives_structural_columns():
    with pytest.warns(UserWarning, match="no features"):
        graph = Graph.from_pyg(data(x=None, num_nodes=4))
    assert graph.shape == (4, 6) and graph.structural


def test_a_batch_becomes_several_graphs():
    batch = pytest.importorskip("torch_geometric.data", reason="needs the extra [graph]").Batch
    first, second = data(), data(edge_index=torch.tensor([[0], [2]]), x=2 * torch.eye(3))
    graphs = Graph.from_pyg(batch.from_data_list([first, second]))
    for graph, each in zip(graphs, (first, second), strict=True):
        np.testing.assert_array_equal(graph.features, each.x)
        np.testing.assert_array_equal(dense(graph), dense(Graph.from_pyg(each)))
        assert not graph.parts.any()
    without = batch.from_data_list([data(x=None, num_nodes=3), data(x=None, num_nodes=3)])
    with pytest.warns(UserWarning, match="no features"):
        one, other = Graph.from_pyg(without)
    np.testing.assert_array_equal(one.features, other.features)


# AnnData


class Observations:
    """What an AnnData has, as far as it is read: for where anndata is not installed."""

    def __init__(self, X, names):
        self.X, self.obs_names, self.var_names = X, pd.Index(names), pd.Index(["gene1", "gene2"])
        self.layers, self.obsm = {"counts": np.ones(X.shape)}, {"X_pca": np.eye(len(names))}
        self.obsp = {"spatial_connectivities": sparse.csr_matrix(PATH[: len(names), : len(names)])}


def test_what_looks_like_an_anndata_is_read():
    one = Observations(sparse.csr_matrix(np.arange(6.0).reshape(3, 2)), ["spot1", "spot2", "spot3"])
    two = Observations(np.ones((2, 2)), ["spot4", "spot5"])
    graph = Graph.from_anndata([one, two], obsp="spatial_connectivities")
    np.testing.assert_array_equal(graph.features.toarray(), [[0, 1], [2, 3], [4, 5], [1, 1], [1, 1]])
    np.testing.assert_array_equal(dense(graph)[:3, :3], PATH)
    assert list(graph.parts) == [0, 0, 0, 1, 1] and list(graph.names) == ["gene1", "gene2"]
    assert list(graph.node_names) == ["spot1", "spot2", "spot3", "spot4", "spot5"]
    of_layer = Graph.from_anndata(one, layer="counts", obsp="spatial_connectivities")
    np.testing.assert_array_equal(of_layer.features, np.ones((3, 2)))
    of_axes = Graph.from_anndata(one, obsm="X_pca", obsp="spatial_connectivities")
    np.testing.assert_array_equal(of_axes.features, np.eye(3))
    with pytest.raises(ValueError, match=r"obsp has no 'connectivities'.*Give obsp='spatial_connectivities'"):
        Graph.from_anndata(one)
    two.var_names = two.var_names[::-1]
    with pytest.raises(ValueError, match=r"adata\[1\]\.var_names are not those of adata\[0\]"):
        Graph.from_anndata([one, two], obsp="spatial_connectivities")


@pytest.fixture
def slide():
    anndata = pytest.importorskip("anndata", reason="needs the extra [spatial]")
    made = anndata.AnnData(
        sparse.csr_matrix(np.arange(6.0).reshape(3, 2)),
        obs=pd.DataFrame(index=pd.Index(["spot1", "spot2", "spot3"], dtype=object)),
        var=pd.DataFrame(index=pd.Index(["gene1", "gene2"], dtype=object)),
        layers={"counts": np.ones((3, 2))},
        obsm={"X_pca": np.eye(3)},
    )
    made.obsp["connectivities"] = sparse.csr_matrix(PATH)
    return made


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, np.asarray])
def test_observations_are_nodes(slide, kind):
    slide.X = kind(slide.X.toarray())
    graph = Graph.from_anndata(slide)
    features = graph.features.toarray() if sparse.issparse(graph.features) else graph.features
    np.testing.assert_array_equal(features, np.arange(6.0).reshape(3, 2))
    np.testing.assert_array_equal(dense(graph), PATH)
    assert list(graph.node_names) == ["spot1", "spot2", "spot3"] and list(graph.names) == ["gene1", "gene2"]


def test_layers_and_arrays_of_observations(slide):
    np.testing.assert_array_equal(Graph.from_anndata(slide, layer="counts").features, np.ones((3, 2)))
    pca = Graph.from_anndata(slide, obsm="X_pca")
    np.testing.assert_array_equal(pca.features, np.eye(3))
    assert list(pca.names) == ["X_pca_0", "X_pca_1", "X_pca_2"]
    with pytest.raises(ValueError, match="two sources of features"):
        Graph.from_anndata(slide, layer="counts", obsm="X_pca")
    slide.X = None
    with pytest.raises(ValueError, match=r"adata\.X is None.*\['counts'\].*\['X_pca'\]"):
        Graph.from_anndata(slide)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, np.asarray])
def test_a_slide_in_a_file(slide, kind, tmp_path):
    anndata = pytest.importorskip("anndata", reason="needs the extra [spatial]")
    slide.X = kind(slide.X.toarray())
    slide.write_h5ad(tmp_path / "slide.h5ad")
    backed = anndata.read_h5ad(tmp_path / "slide.h5ad", backed="r")
    for given, expected in ((backed, slide), (backed[[2, 0]], slide[[2, 0]])):
        graph, other = Graph.from_anndata(given), Graph.from_anndata(expected)
        assert abs(graph.features - other.features).sum() == 0 and (graph.adjacency != other.adjacency).nnz == 0
    backed.file.close()


def test_several_slides_are_parts_of_one_graph(slide):
    graph = Graph.from_anndata([slide, slide[:2]])
    assert list(graph.parts) == [0, 0, 0, 1, 1] and len(graph.node_names) == 5
    np.testing.assert_array_equal(dense(graph)[3:, 3:], PATH[:2, :2])


def test_nothing_is_said_of_graphs_with_features(slide):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Graph.from_anndata(slide)
        Graph.from_networkx(people(), "age")
        Graph(NODES, PATH)


NO_TABLES = {
    "is no CSV file that can be read": [
        b"",
        b"\xff\xfe\x00",
        b"a,b\n1,2\n3,4,5\n",
        b'a,b\n"1,2\n',
        bytes(range(256)) * 20,
    ],
    "has no column 'source'": [b"a,b\n1,2\n"],
    "is empty": [b"source,target\n"],
    "names no node in column 'target'": [b"source,target\n1,\n"],
}


@pytest.mark.parametrize(
    "why, content", [(why, content) for why, contents in NO_TABLES.items() for content in contents]
)
def test_a_file_that_is_no_table_of_edges_is_named(tmp_path, why, content):
    path = tmp_path / "edges.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=why) as caught:
        Graph.from_edges(None, path)
    assert str(path) in str(caught.value)


def test_a_weight_that_is_none_is_named_with_the_file(tmp_path):
    (tmp_path / "edges.csv").write_text("source,target,w\na,b,-1\n")
    with pytest.raises(ValueError, match=r"the file '\S+edges.csv': .*negative|the file '\S+edges.csv': .*-1"):
        Graph.from_edges(None, tmp_path / "edges.csv", weight="w")
