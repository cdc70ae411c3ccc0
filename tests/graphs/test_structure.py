"""Structural columns against their definitions."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_dim.graphs import Graph
from sklearn_dim.graphs._structure import log_degree, return_probabilities, spectral_axes


def random_graph(n=60, p=0.1, seed=0, directed=False):
    A = sparse.random(n, n, p, random_state=seed).toarray()
    np.fill_diagonal(A, 0)
    return sparse.csr_matrix(A if directed else np.maximum(A, A.T))


@pytest.mark.parametrize("directed", [False, True])
def test_return_probabilities_are_the_diagonal_of_powers(directed):
    A = random_graph(directed=directed)
    dense = A.toarray()
    dense[3] = 0
    if not directed:
        dense[:, 3] = 0
    A = sparse.csr_matrix(dense)
    degree = dense.sum(1)
    P = np.divide(dense, degree[:, None], out=np.zeros_like(dense), where=degree[:, None] > 0)
    expected = np.stack([np.diag(np.linalg.matrix_power(P, k)) for k in (2, 3, 4, 5, 6)], axis=1)
    np.testing.assert_allclose(return_probabilities(A, exact=True), expected, atol=1e-12)
    assert (expected[3] == 0).all()


def test_probes_estimate_return_probabilities():
    A = random_graph(400, 0.02)
    exact, estimate = (return_probabilities(A, exact=kind)[:, ::2] for kind in (True, False))  # even steps
    relative = estimate / exact - 1
    assert np.sqrt(np.square(relative).mean()) == pytest.approx(np.sqrt(2 / 64), rel=0.25)
    np.testing.assert_array_equal(estimate, return_probabilities(A, exact=False)[:, ::2])


@pytest.mark.parametrize("n", [40, 150])
def test_axes_are_eigenvectors(n):
    A = random_graph(n)
    looped = A.toarray() + np.eye(n)
    root = np.diag(looped.sum(1) ** -0.5)
    normalized = root @ looped @ root
    axes = spectral_axes(A)
    np.testing.assert_allclose(np.square(axes).mean(0), 1)
    values = np.linalg.eigvalsh(normalized)[::-1][1:9]
    np.testing.assert_allclose(normalized @ axes, axes * values, atol=1e-3)
    assert (axes.max(0) >= -axes.min(0)).all()


def test_small_graphs_have_fewer_axes():
    pair = spectral_axes(sparse.csr_matrix([[0, 1.0], [1, 0]]))
    np.testing.assert_allclose(np.abs(pair[:, 0]), 1)
    assert pair.shape == (2, 8) and (pair[:, 1:] == 0).all()
    assert (spectral_axes(sparse.csr_matrix((1, 1))) == 0).all()


def test_columns_are_added_with_names():
    A = random_graph(20)
    graph = Graph(np.ones((20, 1)), A).with_structure()
    assert (
        list(graph.names[:3]) == ["x0", "degree", "return_2"]
        and graph.names[-1] == "axis_7"
        and graph.shape == (20, 15)
    )
    np.testing.assert_allclose(graph.features[:, [1]], log_degree(graph.adjacency))
    only = Graph(sparse.identity(20, format="csr"), A).with_structure("degree")
    assert sparse.issparse(only.features) and only.shape == (20, 21)
    with pytest.raises(ValueError, match="'pagerank', which is unknown; use some of"):
        graph.with_structure(["pagerank"])
    with pytest.raises(ValueError, match="values has 3 rows, but the Graph has 20 nodes"):
        graph.with_columns(np.eye(3))
    assert list(graph.with_columns(np.ones((20, 1)), ["one"]).names[-2:]) == ["axis_7", "one"]


def test_each_graph_of_a_union_has_its_own_columns():
    graphs = [Graph(np.ones((n, 1)), random_graph(n, seed=n)) for n in (12, 30)]
    joined = Graph.union(graphs).with_structure()
    apart = [graph.with_structure().features for graph in graphs]
    np.testing.assert_allclose(joined.features, np.vstack(apart), atol=1e-12)
    order = np.random.default_rng(0).permutation(42)
    mixed = Graph.union(graphs)[order].induced().with_structure(["degree", "returns"])
    np.testing.assert_allclose(mixed.features, joined.features[order, :7], atol=1e-12)
