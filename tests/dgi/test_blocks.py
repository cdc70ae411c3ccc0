"""The blocks of DGITransformer's output against their formulas."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_dim import DGITransformer, Graph
from sklearn_dim.datasets import make_community_graph
from sklearn_dim.dgi._blocks import WEIGHTS, degree_columns
from sklearn_dim.graphs import normalized_adjacency
from sklearn_dim.persistence import load, save


def quick(**parameters):
    return DGITransformer(**{"n_components": 8, "max_iter": 2, "random_state": 0, **parameters})


def graph(n=240, d=12, degree=16.0, words=False):
    X, adjacency, _ = make_community_graph(n, d, degree=degree, random_state=0)
    return Graph(sparse.csr_matrix(np.maximum(X - 4, 0)) if words else X, adjacency)


def parts(model, rows):
    """Return the columns of each block of the output."""
    ends = np.cumsum(list(model._widths.values()))
    return dict(zip(model._widths, np.split(rows, ends[:-1], axis=1), strict=True))


def unit(rows):
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)


def centered(rows, length):
    rows = rows - rows.mean(0)
    return rows * length / np.sqrt(np.square(rows).sum(1).mean())


# What they are


@pytest.mark.parametrize("words", [False, True])
def test_each_block_is_what_it_says(words):
    one = graph(words=words)
    dgi = quick().fit(one)
    share = dgi.position_share_
    assert 0 < share <= 1
    A, X = normalized_adjacency(one.adjacency).toarray(), np.asarray(one.features.todense() if words else one.features)
    X = unit(X) if words else (X - X.mean(0)) / X.std(0)
    far = X
    for _ in range(10):
        far = 0.9 * A @ far + 0.1 * X
    L = unit(one.adjacency.toarray())
    beside = dgi._positions.beside
    seen = torch.tensor(np.hstack([X if words else X / np.sqrt(12), *([beside * L] if beside else [])])).float()
    with torch.no_grad():
        H = dgi.net_.module_.encoder(seen, torch.tensor(A).float()).double().numpy()
    row = unit if words else np.asarray
    blocks = {"code": unit(H), "input": X, "near": row(A @ X), "far": row(far)}
    blocks |= {"position": unit(L @ L @ dgi._positions.axes), "degree": degree_columns(one.adjacency)}
    weights = {name: WEIGHTS[name] * (share if name == "position" else 1) for name in blocks}
    output = parts(dgi, dgi.transform(one))
    assert list(output) == list(blocks)
    for name, block in blocks.items():
        length = 2.5 * np.sqrt(weights[name] / sum(weights.values()))
        np.testing.assert_allclose(output[name], centered(block, length), atol=2e-4, err_msg=name)
        assert np.sqrt(np.square(output[name]).sum(1).mean()) == pytest.approx(length, abs=1e-4)
    assert np.sqrt(np.square(np.hstack(list(output.values()))).sum(1).mean()) == pytest.approx(2.5, abs=1e-4)


def test_wide_features_are_put_on_axes_that_vary_alike(monkeypatch):
    monkeypatch.setattr("sklearn_dim.dgi._blocks.MAX_AXES", 6)
    one = graph(d=12)
    dgi = quick().fit(one)
    A, X = normalized_adjacency(one.adjacency).toarray(), (one.features - one.features.mean(0)) / one.features.std(0)
    for axes, rows in ((dgi._fixed.own_axes, X), (dgi._fixed.smoothed_axes, A @ X)):
        np.testing.assert_allclose(axes.T @ axes, np.eye(6), atol=1e-5)
        leading = np.linalg.svd(rows)[2][:6].T
        caught = np.linalg.norm(rows @ axes) / np.linalg.norm(rows @ leading)
        assert 0.99 < caught < 1 + 1e-6
    output = parts(dgi, dgi.transform(one))
    for name, bound in (("input", 1.2), ("near", 2.0), ("position", 4.0)):
        variances = output[name].var(0)
        assert variances.max() / variances.min() < bound, name
    A_X = A @ X
    scores = A_X @ np.linalg.svd(A_X)[2][:6].T
    assert scores.var(0).max() / scores.var(0).min() > 2.0
    np.testing.assert_allclose(
        output["input"], centered(X @ dgi._fixed.own_axes, np.linalg.norm(output["input"]) / 240**0.5), atol=1e-4
    )


def test_a_standard_scaler_behind_does_no_harm(monkeypatch):
    monkeypatch.setattr("sklearn_dim.dgi._blocks.MAX_AXES", 16)
    X, adjacency, y = make_community_graph(300, 64, degree=10.0, noise=3.0, random_state=0)
    one = Graph(X, adjacency)
    nodes = DGITransformer(16, max_iter=10, random_state=0).fit_transform(one)
    plain, scaled = LogisticRegression(max_iter=500), make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    accuracy = [cross_val_score(model, nodes, y, cv=5).mean() for model in (plain, scaled)]
    assert accuracy[0] > 0.9 and accuracy[1] > accuracy[0] - 0.05


# Degrees


def test_degrees_by_hand():
    path = sparse.csr_matrix(np.eye(3, k=1) + np.eye(3, k=-1))
    columns = degree_columns(path)
    end, middle = np.log(2), np.log(3)
    half = (end + middle) / 2
    np.testing.assert_allclose(columns[:, 0], [end, middle, end])
    np.testing.assert_allclose(columns[:, 1], [middle, end, middle])
    np.testing.assert_allclose(columns[:, 2], [end, middle, end])
    np.testing.assert_allclose(columns[:, 3], [middle, end, middle])
    np.testing.assert_allclose(columns[:, 4], 0, atol=1e-7)
    star = sparse.csr_matrix(np.array([[0, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 1], [1, 0, 1, 0.0]]))
    neighbours = np.log1p([1, 2, 2])
    np.testing.assert_allclose(degree_columns(star)[0, [0, 1, 4]], [np.log(4), neighbours.mean(), neighbours.std()])
    assert half < middle


def test_degrees_and_page_rank_are_those_of_networkx():
    networkx = pytest.importorskip("networkx")
    g = networkx.erdos_renyi_graph(80, 0.2, seed=0)
    networkx.set_edge_attributes(g, {edge: 1 + 0.5 * (sum(edge) % 3) for edge in g.edges}, "weight")
    adjacency = sparse.csr_matrix(networkx.to_scipy_sparse_array(g, dtype=float))
    columns = degree_columns(adjacency)
    np.testing.assert_allclose(columns[:, 0], np.log1p([d for _, d in g.degree(weight="weight")]))
    rank = networkx.pagerank(g, alpha=0.85, tol=1e-12)
    np.testing.assert_allclose(np.exp(columns[:, 5]) / 80, list(rank.values()), rtol=1e-4)


def test_page_rank_follows_the_edges_of_a_directed_graph():
    networkx = pytest.importorskip("networkx")
    g = networkx.gnp_random_graph(60, 0.3, seed=0, directed=True)
    adjacency = sparse.csr_matrix(networkx.to_scipy_sparse_array(g, dtype=float))
    rank = networkx.pagerank(g, alpha=0.85, tol=1e-12)
    np.testing.assert_allclose(np.exp(degree_columns(adjacency)[:, 5]) / 60, list(rank.values()), rtol=1e-3)


def test_isolated_nodes_have_finite_degrees():
    adjacency = sparse.csr_matrix((4, 4))
    np.testing.assert_allclose(degree_columns(adjacency), [[0, 0, 0, 0, 0, np.log(0.15)]] * 4)


# Rows, widths and names


def test_names_say_which_block_a_column_is_of():
    dgi = quick().fit(graph())
    names = [name.removeprefix("dgitransformer_") for name in dgi.get_feature_names_out()]
    widths = dgi._widths
    assert widths == {"code": 8, "input": 12, "near": 12, "far": 12, "position": 30, "degree": 6}
    expected = [f"code{i}" for i in range(8)] + [f"input{i}" for i in range(12)]
    expected += [f"smoothed{i}" for i in range(24)] + [f"structure{i}" for i in range(36)]
    assert names == expected and dgi.transform(graph()).shape == (240, 80)


@pytest.mark.parametrize("words", [False, True])
def test_rows_do_not_depend_on_which_are_selected(words):
    one = graph(words=words)
    rows = np.array([200, 3, 3, 17])
    dgi = quick().fit(one[rows])
    np.testing.assert_array_equal(dgi.transform(one[rows]), dgi.transform(one)[rows])
    np.testing.assert_array_equal(dgi.transform(one), quick().fit_transform(one))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_types_are_kept(kind):
    one = graph()
    assert quick().fit_transform(Graph(one.features.astype(kind), one.adjacency)).dtype == kind
    rows = one.features.astype(kind)
    dgi = quick().fit(rows)
    assert dgi.transform(rows[:7]).dtype == kind and dgi.position_share_ > 0


@pytest.mark.parametrize("d", [1, 5])
def test_narrow_features_keep_their_size(d):
    X, adjacency, _ = make_community_graph(120, d, degree=12.0, random_state=0)
    dgi = quick().fit(Graph(X, adjacency))
    output = parts(dgi, dgi.transform(Graph(X, adjacency)))
    assert output["input"].shape == (120, d)
    for column in range(d):  # unit rows would make of one column its sign
        assert abs(np.corrcoef(output["input"][:, column], X[:, column])[0, 1]) > 0.999999


def test_constant_columns_are_zero_and_do_no_harm():
    one = graph(d=4)
    X = one.features.copy()
    X[:, 2] = 7.0
    dgi = quick().fit(Graph(X, one.adjacency))
    output = parts(dgi, dgi.transform(Graph(X, one.adjacency)))
    for name in ("input", "near", "far"):
        np.testing.assert_allclose(output[name][:, 2], 0, atol=1e-6)
    assert np.isfinite(dgi.transform(Graph(X, one.adjacency))).all()


def test_isolated_nodes_and_nodes_without_words():
    one = graph(words=True)
    adjacency, X = one.adjacency.tolil(), one.features.tolil()
    adjacency[:10], adjacency[:, :10] = 0, 0
    X[5:15] = 0
    lonely = Graph(sparse.csr_matrix(X), sparse.csr_matrix(adjacency))
    dgi = quick().fit(lonely)
    nodes = dgi.transform(lonely)
    assert np.isfinite(nodes).all() and nodes[:5].std(0).max() > 0
    output = parts(dgi, nodes * dgi.scale_ + dgi.mean_)
    np.testing.assert_allclose(output["input"][5:15], 0, atol=1e-6)
    np.testing.assert_allclose(output["near"][5:10], 0, atol=1e-6)
    np.testing.assert_allclose(output["position"][:10], 0, atol=1e-6)
    np.testing.assert_allclose(output["near"][:5], output["input"][:5], atol=1e-6)


def test_fewer_nodes_than_axes():
    rng = np.random.default_rng(0)
    adjacency = sparse.csr_matrix(np.eye(20, k=1) + np.eye(20, k=-1))
    for X in (rng.normal(size=(20, 300)), sparse.random(20, 300, 0.05, random_state=0, format="csr")):
        dgi = quick().fit(Graph(X, adjacency))
        output = dgi.transform(Graph(X, adjacency))
        assert np.isfinite(output).all() and dgi._widths["input"] == dgi._widths["far"] == 19
        assert np.sqrt(np.square(output).sum(1).mean()) == pytest.approx(2.5, abs=1e-4)


def test_two_nodes_are_enough():
    two = Graph(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([[0, 1], [1, 0]]))
    assert np.isfinite(quick().fit_transform(two)).all()


# Copies


def test_copies_pickles_and_files_say_the_same(tmp_path):
    pytest.importorskip("safetensors")
    one, other = graph(words=True), graph(90, words=True)
    dgi = quick().fit(one)
    save(dgi, tmp_path)
    for again in (pickle.loads(pickle.dumps(dgi)), load(tmp_path), clone(dgi).fit(one)):
        np.testing.assert_array_equal(again.transform(one), dgi.transform(one))
        assert again.position_share_ == dgi.position_share_ > 0
        assert list(again.get_feature_names_out()) == list(dgi.get_feature_names_out())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.testing.assert_array_equal(again.transform(other), dgi.transform(other))
