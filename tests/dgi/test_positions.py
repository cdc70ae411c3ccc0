"""Positions of nodes: their axes, when they count, and what they are on other graphs."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import normalize

from sklearn_dim import DGITransformer, Graph
from sklearn_dim.dgi._positions import Positions, edge_share, feature_share, two_hop_axes, unit_rows


def random_graph(n=600, degree=8, seed=0):
    """Return a graph of Erdős and Rényi."""
    upper = sparse.random(n, n, degree / n, random_state=seed, data_rvs=np.ones)
    return symmetric(sparse.triu(upper, 1))


def symmetric(upper):
    return sparse.csr_matrix(upper.maximum(upper.T))


def blocks(n=300, inside=0.2, across=0.01, n_blocks=3, seed=0):
    rng, y = np.random.default_rng(seed), np.arange(n) % n_blocks
    upper = np.triu(rng.random((n, n)) < np.where(y[:, None] == y, inside, across), 1)
    return symmetric(sparse.csr_matrix(upper.astype(float))), y


def quick(**parameters):
    return DGITransformer(**{"n_components": 8, "max_iter": 2, "random_state": 0, **parameters})


def graph_of(adjacency, seed=0):
    return Graph(np.random.default_rng(seed).normal(size=(adjacency.shape[0], 5)), adjacency)


def parts(model, rows):
    """Return the columns of each block of the output."""
    ends = np.cumsum(list(model._widths.values()))
    return dict(zip(model._widths, np.split(rows, ends[:-1], axis=1), strict=True))


# The axes


@pytest.mark.parametrize("n", [12, 200])
def test_axes_are_the_singular_vectors_of_two_hops(n):
    matrix = unit_rows(blocks(n, inside=0.6, across=0.05)[0]).astype(np.float64)
    U, s, Vt = np.linalg.svd((matrix @ matrix).toarray())
    scores, axes = two_hop_axes(matrix, 3, random_state=0)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(scores, axis=0), s[:3], rtol=1e-6)
    np.testing.assert_allclose(np.abs(np.diag(Vt[:3] @ axes)), 1, atol=1e-4)
    np.testing.assert_allclose(scores, matrix @ (matrix @ axes), atol=1e-6)
    np.testing.assert_allclose(np.abs(np.diag(U[:, :3].T @ scores)), s[:3], rtol=1e-4)
    assert (axes[np.abs(axes).argmax(0), np.arange(3)] > 0).all()


def test_axes_of_a_directed_graph_are_those_of_its_product():
    matrix = normalize(sparse.random(15, 15, 0.4, random_state=0).tocsr())
    expected = np.linalg.svd((matrix @ matrix).toarray())
    scores, axes = two_hop_axes(matrix, 4, random_state=1)
    np.testing.assert_allclose(axes @ axes.T, expected[2][:4].T @ expected[2][:4], atol=1e-8)
    np.testing.assert_allclose(
        scores @ scores.T, (expected[0][:, :4] * expected[1][:4] ** 2) @ expected[0][:, :4].T, atol=1e-8
    )


def test_more_axes_than_nodes_are_not_made():
    scores, axes = two_hop_axes(unit_rows(blocks(6, 1.0, 0.5)[0]), 20, random_state=0)
    assert scores.shape == axes.shape == (6, 6)


# How much they count


@pytest.mark.parametrize("seed", range(5))
def test_edges_of_chance_are_not_foreseen(seed):
    assert edge_share(random_graph(seed=seed), seed) < 0.35
    assert edge_share(random_graph(degree=20, seed=seed), seed) < 0.35


def test_edges_of_chance_are_not_foreseen_in_the_mean():
    assert np.mean([edge_share(random_graph(1000, 10, seed), seed) for seed in range(8)]) < 0.08


@pytest.mark.parametrize("seed", range(3))
def test_nodes_of_like_degree_by_chance_say_nothing(seed):
    networkx = pytest.importorskip("networkx")
    adjacency = networkx.to_scipy_sparse_array(networkx.random_regular_graph(10, 800, seed=seed), dtype=float)
    assert edge_share(sparse.csr_matrix(adjacency), seed) < 0.35


@pytest.mark.parametrize("seed", range(5))
def test_edges_of_communities_are_foreseen(seed):
    assert edge_share(blocks(seed=seed)[0], seed) > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_edges_between_unlike_nodes_are_foreseen(seed):
    rng = np.random.default_rng(seed)
    kind = rng.integers(2, size=400)
    joined = np.triu((rng.random((400, 400)) < 0.1) & (kind[:, None] != kind), 1)
    assert edge_share(sparse.csr_matrix(joined | joined.T, dtype=float), seed) > 0.9


@pytest.mark.parametrize("words", [False, True])
def test_features_foresee_edges_if_neighbours_share_them(words):
    adjacency, kind = blocks(seed=0)
    rng = np.random.default_rng(0)
    alike, chance = (
        np.eye(kind.max() + 1)[kind] + 0.3 * rng.random((len(kind), kind.max() + 1)),
        rng.random((len(kind), 4)),
    )
    if words:
        alike, chance = sparse.csr_matrix(alike), sparse.csr_matrix(chance * (chance > 0.5))
    assert feature_share(alike, adjacency, 0) > 0.9
    assert feature_share(chance, adjacency, 0) < 0.35
    told = Positions().fit(adjacency, alike, one_graph=True, random_state=0)
    untold = Positions().fit(adjacency, chance, one_graph=True, random_state=0)
    assert told.share == untold.share > 0.9
    assert told.beside < 0.1 and untold.beside > 0.6


def test_few_edges_say_nothing():
    ring = sparse.csr_matrix(np.eye(20, k=1) + np.eye(20, k=-1))
    assert edge_share(ring, 0) == 0.0
    for empty in (sparse.csr_matrix((5, 5)), sparse.csr_matrix((1, 1))):
        positions = Positions().fit(empty, np.eye(empty.shape[0]), one_graph=True, random_state=0)
        assert positions.share == 0.0 and positions.axes.shape == (empty.shape[0], 0)


def test_the_share_is_decided_by_the_seed_and_not_by_weights_alone():
    adjacency, _ = blocks(150, 0.15, 0.1)
    assert edge_share(adjacency, 3) == edge_share(adjacency, 3)
    assert 0 <= edge_share(adjacency, 3) < edge_share(blocks(150, 0.3, 0.01)[0], 3) <= 1


def test_a_graph_too_large_has_no_positions(monkeypatch):
    adjacency, _ = blocks()
    monkeypatch.setattr("sklearn_dim.dgi._positions.MAX_NODES", 299)
    assert Positions().fit(adjacency, np.eye(adjacency.shape[0]), one_graph=True, random_state=0).share == 0.0


# The columns


def test_columns_are_unit_rows_on_axes_that_vary_alike():
    adjacency, _ = blocks()
    positions = Positions().fit(adjacency, np.eye(adjacency.shape[0]), one_graph=True, random_state=0)
    L = unit_rows(adjacency).toarray().astype(float)
    rows = L @ L @ positions.axes
    variances = rows.var(0)
    assert positions.axes.shape == (300, 300 // 8)
    assert variances.max() / variances.min() < 3  # by singular values alone it is more than 100
    s = np.linalg.svd(L @ L)[1]
    assert (s[0] / s[36]) ** 2 > 100
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(positions.columns(adjacency), rows, atol=1e-5)
    np.testing.assert_allclose(positions.mean, rows.mean(0), atol=1e-6)


def test_the_encoder_is_given_the_neighbours():
    adjacency, _ = blocks()
    graph = graph_of(adjacency)
    dgi = quick().fit(graph)
    share, X = dgi.position_share_, graph.features
    assert share > 0.9 and dgi.net_.module_.encoder.first.shape[0] == 5 + 300
    X = (X - X.mean(0)) / X.std(0) / np.sqrt(5)
    L = adjacency.toarray()
    expected = np.hstack([X, share * L / np.linalg.norm(L, axis=1, keepdims=True)])
    np.testing.assert_allclose(dgi._inputs(dgi._nodes(graph)).toarray(), expected, atol=1e-6)


def test_noise_leaves_no_trace_of_neighbours():
    graph = graph_of(random_graph(300, 4, seed=2))
    dgi = quick().fit(graph)
    assert dgi.position_share_ == 0.0 and "position" not in dgi._widths
    assert dgi.net_.module_.encoder.first.shape[0] == 5


@pytest.mark.parametrize("several", [True, False], ids=["a list", "inductive"])
def test_of_several_graphs_or_a_part_of_one_there_are_no_positions(several):
    graph, other = graph_of(blocks()[0]), graph_of(blocks(seed=1)[0], 1)
    dgi = quick().fit([graph, other]) if several else quick(inductive=True).fit(graph[:250])
    assert dgi.position_share_ == 0.0 and "position" not in dgi._widths
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(dgi.transform(other)).all()


# Other graphs


def test_on_another_graph_positions_are_at_their_mean():
    first, second = graph_of(blocks()[0]), graph_of(blocks(120, seed=1)[0], 1)
    dgi = quick(max_iter=10).fit(first)
    with pytest.warns(UserWarning, match="another graph than that of fit.*positions.*list of graphs") as caught:
        nodes = parts(dgi, dgi.transform(second))
    assert [warning.filename for warning in caught] == [__file__]
    np.testing.assert_allclose(nodes["position"], 0, atol=1e-5)
    assert nodes["code"].std(0).min() > 0 and all(np.isfinite(block).all() for block in nodes.values())
    with pytest.warns(UserWarning, match="another graph"):
        assert np.isfinite(dgi.score(second))
    encoder = dgi.net_.module_.encoder
    A = second.adjacency.toarray() + np.eye(120)
    A = A / np.sqrt(A.sum(1)[:, None] * A.sum(0))
    X = (second.features - first.features.mean(0)) / first.features.std(0) / np.sqrt(5)
    V, b, W = (each.detach().numpy().astype(float) for each in (encoder.first, encoder.bias, encoder.second))
    H = A @ np.maximum(A @ X @ V[:5] + b, 0) @ W
    H /= np.linalg.norm(H, axis=1, keepdims=True)
    np.testing.assert_allclose(nodes["code"], (H - dgi.mean_[:8]) / dgi.scale_[:8], atol=1e-3)


def test_the_same_graph_is_known_when_it_is_read_again():
    graph = graph_of(blocks()[0])
    dgi = quick().fit(graph)
    again = Graph(graph.features, sparse.coo_matrix(graph.adjacency.toarray()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(dgi.transform(again), dgi.transform(graph))
        np.testing.assert_array_equal(dgi.transform(graph[[7, 3]]), dgi.transform(graph)[[7, 3]])


def clusters(n, seed=0):
    rng = np.random.default_rng(seed)
    return 6 * np.eye(4)[np.arange(n) % 4] + rng.normal(size=(n, 4))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rows_that_come_later_have_positions_of_their_own(kind):
    X = clusters(200).astype(kind)
    dgi = quick().fit(X[:160])
    assert dgi.position_share_ > 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        together = dgi.transform(X[160:])
        alone = np.vstack([dgi.transform(X[[row]]) for row in range(160, 200)])
        assert dgi.transform(X[:160]).shape == dgi.fit_transform(X[:160]).shape
    assert together.dtype == kind
    np.testing.assert_allclose(alone, together, atol=1e-9 if kind == np.float64 else 1e-4)
    positions = parts(dgi, together)["position"]
    same = np.arange(40) % 4 == 0
    assert np.linalg.norm(positions[same].mean(0) - positions[~same].mean(0)) > positions[same].std()
