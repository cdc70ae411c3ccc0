"""Graph: one immutable thing from many; its cutting, its matrices, its neighbours."""

import copy
import pickle

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from sklearn_dim.graphs import Graph, NeighborGraph, SparseMatrix, as_matrix, normalized_adjacency
from sklearn_dim.graphs._matrix import NARROW, _multiply_by_bags

PATH = np.array([[0, 1, 0], [1, 0, 2], [0, 2, 0]])


def test_a_graph_is_cut_like_any_x():
    graph = Graph(np.arange(6.0).reshape(3, 2), PATH)
    part = graph[np.array([2, 0])]
    assert len(part) == 2 and part.shape == (2, 2)
    assert part.features is graph.features and part.adjacency is graph.adjacency
    assert list(part.rows) == [2, 0] and list(part[[1]].rows) == [0]
    assert list(graph[[True, False, True]].rows) == [0, 2]
    assert list(graph[np.array([1]), ...].rows) == [1]
    with pytest.raises(IndexError, match="indexed by rows only"):
        graph[[0], 1]


def test_a_graph_is_immutable_and_shared_by_copies():
    graph = Graph(np.eye(3), PATH)
    assert copy.deepcopy(graph) is graph and copy.copy(graph) is graph
    with pytest.raises(AttributeError, match="immutable"):
        graph.rows = [0]
    again = pickle.loads(pickle.dumps(graph[[1, 2]]))
    assert list(again.rows) == [1, 2] and (again.adjacency != graph.adjacency).nnz == 0


def test_directions_loops_and_duplicates_are_defined():
    one_way = sparse.coo_matrix(([1.0, 1.0, 5.0], ([0, 0, 2], [1, 1, 2])), shape=(3, 3))
    np.testing.assert_array_equal(Graph(np.eye(3), one_way).adjacency.toarray(), [[0, 2, 0], [2, 0, 0], [0, 0, 0]])
    directed = Graph(np.eye(3), one_way, directed=True)
    np.testing.assert_array_equal(directed.adjacency.toarray(), [[0, 2, 0], [0, 0, 0], [0, 0, 0]])
    assert "1 edges" in repr(directed)


@pytest.mark.parametrize(
    "adjacency, message",
    [
        (np.ones((2, 2)), r"adjacency has shape \(2, 2\), but X has 3 rows; expected \(3, 3\).*from_edges"),
        (np.array([[0, 1], [1, 2]]), "from_edges"),
        (-PATH, "negative weights"),
        (np.where(PATH == 2, np.nan, PATH), "adjacency contains NaN"),
    ],
)
def test_a_bad_adjacency_is_refused(adjacency, message):
    with pytest.raises(ValueError, match=message):
        Graph(np.eye(3), adjacency)


def test_bad_features_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        Graph(np.full((3, 2), np.nan), PATH)
    with pytest.raises(ValueError, match="X of the Graph holds text"):
        Graph(pd.DataFrame({"word": ["a", "b", "c"]}), PATH)


def test_from_edges_names_nodes_by_the_index():
    nodes = pd.DataFrame({"f": [1.0, 2.0, 3.0]}, index=["a", "b", "c"])
    edges = pd.DataFrame({"source": ["a", "c"], "target": ["b", "b"], "w": [1.0, 2.0]})
    graph = Graph.from_edges(nodes, edges, weight="w")
    np.testing.assert_array_equal(graph.adjacency.toarray(), PATH)
    assert list(graph.names) == ["f"]
    with pytest.raises(ValueError, match="names 'z' in column 'source', which is not in the index"):
        Graph.from_edges(nodes, edges.replace("c", "z"))
    with pytest.raises(ValueError, match="no column 'from'"):
        Graph.from_edges(nodes, edges, source="from")


def test_from_networkx():
    graph = nx.path_graph(3)
    with pytest.raises(ValueError, match="no attribute 'x'"):
        Graph.from_networkx(graph)
    nx.set_node_attributes(graph, {i: [float(i), 1.0] for i in range(3)}, "x")
    graph.edges[1, 2]["weight"] = 2
    made = Graph.from_networkx(graph)
    np.testing.assert_array_equal(made.adjacency.toarray(), PATH)
    np.testing.assert_array_equal(made.features, [[0, 1], [1, 1], [2, 1]])


def test_from_pyg():
    data = pytest.importorskip("torch_geometric.data", reason="needs the extra [graph]").Data
    edges, weights = torch.tensor([[0, 1], [1, 2]]), torch.tensor([1.0, 2.0])
    both = Graph.from_pyg(data(x=torch.eye(3), edge_index=edges, edge_weight=weights))
    np.testing.assert_array_equal(both.adjacency.toarray(), PATH)
    kept = Graph.from_pyg(data(x=torch.eye(3), edge_index=edges), directed=True)
    np.testing.assert_array_equal(kept.adjacency.toarray(), [[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    there, back = SparseMatrix(kept.adjacency).edges
    assert torch.equal(there, edges) and torch.equal(back, torch.ones(2))


def test_normalized_adjacency_is_the_formula():
    looped = PATH + np.eye(3)
    root = np.diag(looped.sum(1) ** -0.5)
    np.testing.assert_allclose(normalized_adjacency(sparse.csr_matrix(PATH)).toarray(), root @ looped @ root)


def test_sparse_product_and_its_gradient():
    torch.manual_seed(0)
    dense = sparse.random(6, 4, 0.4, random_state=0).toarray()
    matrix = SparseMatrix(sparse.csr_matrix(dense), torch.float64)
    factor = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(matrix @ factor, torch.tensor(dense) @ factor)
    assert torch.autograd.gradcheck(lambda w: matrix @ w, factor)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_shuffled_columns_are_shuffled_rows_of_the_other_factor(dtype):
    torch.manual_seed(0)
    matrix = SparseMatrix(sparse.random(5, 7, 0.4, random_state=0).tocsr(), dtype)
    dense, gradient, order = torch.randn(7, 40, dtype=dtype), torch.randn(10, 40, dtype=dtype), torch.randperm(7)
    both = matrix.above_shuffled(order)
    torch.testing.assert_close(both @ dense, torch.cat([matrix @ dense, matrix @ dense[order]]))
    shuffled = torch.zeros(7, 40, dtype=dtype).index_add(0, order, matrix.transpose_times(gradient[5:]))
    torch.testing.assert_close(both.transpose_times(gradient), matrix.transpose_times(gradient[:5]) + shuffled)
    assert len(both) == 10 and both.nnz == 2 * matrix.nnz


@pytest.mark.parametrize("width", [1, NARROW - 1, NARROW, 3 * NARROW + 1])
@pytest.mark.parametrize("dense_rows", [0, 3], ids=["no entry", "empty rows"])
def test_products_are_the_same_by_either_routine(width, dense_rows):
    torch.manual_seed(0)
    dense = torch.zeros(6, 8)
    dense[1 : 1 + dense_rows] = torch.randn(dense_rows, 8)
    matrix, factor = SparseMatrix(sparse.csr_matrix(dense.numpy())), torch.randn(8, 2 * width)
    for other in (factor[:, :width], factor[:, width:].clone(), torch.randn(width, 8).T):  # strided, and transposed
        torch.testing.assert_close(matrix.times(other), dense @ other)
        torch.testing.assert_close(_multiply_by_bags(matrix.forward, other), dense @ other)
    wide = torch.randn(6, width)
    torch.testing.assert_close(matrix.transpose_times(wide), dense.T @ wide)


def test_density_decides_dense_or_sparse():
    assert isinstance(as_matrix(np.eye(50)), SparseMatrix)
    assert isinstance(as_matrix(sparse.csr_matrix(np.ones((5, 5)))), torch.Tensor)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_training_rows_get_their_training_neighbours_again(kind):
    X = kind(np.random.default_rng(0).normal(size=(30, 4)))
    graph = NeighborGraph(5).fit(X)
    _, extended = graph.attach(X[:7])
    assert extended.shape == (37, 37) and extended[:, 30:].nnz == 0
    for row in range(7):
        assert set(extended[30 + row].indices) == set(graph.adjacency_[row].indices)


def test_few_rows_have_fewer_neighbours():
    graph = NeighborGraph(10).fit(np.array([[0.0], [1.0]]))
    assert graph.adjacency_.nnz == 2
    assert graph.attach(np.array([[0.5]]))[1].nnz == 3


def test_kinds_of_normalising():
    A = sparse.csr_matrix(np.array([[0, 1, 0], [1, 0, 3], [0, 3, 0]]) * 1.0)
    A.resize(4, 4)  # and an isolated node
    mean = normalized_adjacency(A, "mean").toarray()
    np.testing.assert_allclose(mean, [[0, 1, 0, 0], [0.25, 0, 0.75, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    assert normalized_adjacency(A, "sum") is A


def test_a_union_holds_graphs_side_by_side():
    small = Graph(np.eye(2), [[0, 1], [1, 0]])
    large = Graph(sparse.csr_matrix(np.ones((3, 2))), PATH)
    union = Graph.union([small, large[[2, 0]]])
    np.testing.assert_array_equal(union.adjacency.toarray()[2:, 2:], PATH)
    assert union.adjacency[:2, 2:].nnz == 0 and sparse.issparse(union.features)
    assert list(union.rows) == [0, 1, 4, 2] and list(union.parts) == [0, 0, 1, 1, 1]
    assert len(union[[0]]) == 1 and union[[0]].parts is union.parts
    with pytest.raises(ValueError, match=r"graphs\[1\] has 3 features, but graphs\[0\] has 2"):
        Graph.union([small, Graph(np.eye(3), PATH)])
    with pytest.raises(TypeError, match=r"graphs\[0\] is a ndarray; expected a Graph"):
        Graph.union([np.eye(2)])
    with pytest.raises(ValueError, match="graphs is empty"):
        Graph.union([])


def test_the_induced_graph_has_only_its_own_edges():
    part = Graph(np.eye(3), PATH)[[2, 1]].induced()
    np.testing.assert_array_equal(part.adjacency.toarray(), [[0, 2], [2, 0]])
    np.testing.assert_array_equal(part.features, [[0, 0, 1], [0, 1, 0]])
    assert list(part.rows) == [0, 1]


def test_an_unknown_normalization_is_refused():
    with pytest.raises(ValueError, match=r"normalization='max' is unknown; use one of .*'symmetric', 'mean', 'sum'"):
        normalized_adjacency(sparse.csr_matrix(PATH), "max")
