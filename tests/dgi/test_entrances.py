"""What DGITransformer is given: names of nodes, no features, neighbours by other means."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsTransformer, RadiusNeighborsTransformer

from sklearn_dim import DGITransformer, Graph, GraphInfomaxTransformer
from sklearn_dim.dgi._input import Nodes
from sklearn_dim.graphs import NeighborGraph


def quick(**parameters):
    return DGITransformer(**{"n_components": 8, "max_iter": 3, "random_state": 0, **parameters})


def two_blocks(n=400, inside=0.1, across=0.02, seed=1):
    rng, y = np.random.default_rng(seed), np.arange(n) % 2
    upper = np.triu(rng.random((n, n)) < np.where(y[:, None] == y, inside, across), 1)
    return sparse.csr_matrix((upper | upper.T).astype(float)), y


# Names


def named(letters, seed=0):
    rng = np.random.default_rng(seed)
    n = len(letters)
    nodes = pd.DataFrame(rng.normal(size=(n, 3)), index=list(letters), columns=["u", "v", "w"])
    return Graph(nodes, np.eye(n, k=1))


def test_frames_have_the_names_of_nodes():
    graph, other = named("abcdefgh"), named("klm", 1)
    dgi = quick().set_output(transform="pandas").fit(graph)
    frame = dgi.transform(graph)
    assert list(frame.index) == list("abcdefgh") and list(frame.columns) == list(dgi.get_feature_names_out())
    pd.testing.assert_frame_equal(dgi.transform(graph[[5, 2]]), frame.loc[["f", "c"]])
    pd.testing.assert_frame_equal(dgi.fit_transform(graph), frame)
    for graphs in ([graph, other], (graph, other), pd.Series([graph, other], index=[7, 3])):
        assert list(dgi.transform(graphs).index) == list("abcdefghklm")


def test_frames_of_unnamed_nodes_have_their_numbers():
    graph = Graph(np.random.default_rng(0).normal(size=(6, 2)), np.eye(6, k=1))
    dgi = quick().set_output(transform="pandas").fit(graph)
    assert list(dgi.transform(graph[[5, 2]]).index) == [5, 2]
    rows = pd.DataFrame(graph.features, index=list("abcdef"))
    assert list(quick().set_output(transform="pandas").fit_transform(rows).index) == list("abcdef")
    assert isinstance(quick().fit_transform(graph), np.ndarray)


def test_a_series_of_graphs_is_a_list_of_them():
    graphs = [named("abcd", seed) for seed in range(6)]
    series = pd.Series(graphs, index=np.arange(6) + 10)
    for estimator in (quick(), GraphInfomaxTransformer(4, max_iter=1, random_state=0)):
        np.testing.assert_array_equal(estimator.fit_transform(series), clone(estimator).fit_transform(graphs))


# No features


@pytest.mark.parametrize(
    ("X", "said"),
    [(np.ones((400, 2)), "constant.*degree, return_2.*axis_0"), (None, "no features")],
    ids=["constant", "none"],
)
def test_blocks_are_told_apart_without_features(X, said):
    adjacency, y = two_blocks()
    with pytest.warns(UserWarning, match=said):
        nodes = DGITransformer(max_iter=30, random_state=0).fit_transform(Graph(X, adjacency))
    assert cross_val_score(LogisticRegression(), nodes, y).mean() > 0.95


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_columns_are_added_at_fit_and_in_transform(kind):
    adjacency, _ = two_blocks(60)
    graph = Graph(kind(np.ones((60, 2))), adjacency)
    with pytest.warns(UserWarning, match="all features of the Graph are constant"):
        dgi = quick().fit(graph)
    assert dgi.structure_ == ["degree", "returns", "axes"] and dgi.n_features_in_ == 2
    expected = quick().fit_transform(graph.with_structure())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = pickle.loads(pickle.dumps(dgi))
        np.testing.assert_array_equal(again.transform(graph[[3, 1]]), dgi.transform(graph)[[3, 1]])
        np.testing.assert_allclose(dgi.transform(graph), expected, atol=1e-5)
        assert quick().fit(Graph(np.random.default_rng(0).normal(size=(60, 1)), adjacency)).structure_ == []


@pytest.mark.filterwarnings("ignore:(the nodes have no|all) features")
def test_axes_of_one_graph_are_not_those_of_another():
    first, second = (Graph(None, two_blocks(60, seed=seed)[0]) for seed in (0, 1))
    dgi = quick().fit(first)
    assert dgi.structure_ == ["axes"]
    with pytest.warns(UserWarning, match="another graph than that of fit.*list of both"):
        new = dgi.transform(second)
    blocks = dgi._output().blocks(Nodes.of(second.with_columns(np.zeros((60, 8)))))
    np.testing.assert_allclose(new, (np.hstack(list(blocks.values())) - dgi.mean_) / dgi.scale_, atol=1e-5)
    assert quick().fit([first, second]).structure_ == []
    assert quick(inductive=True).fit(first[:40]).structure_ == []
    ones = [Graph(np.ones((60, 1)), graph.adjacency) for graph in (first, second)]
    assert quick().fit(ones).structure_ == ["degree", "returns"]


def test_nodes_that_nothing_tells_apart_are_said_to_be_equal():
    ring = np.eye(5, k=1) + np.eye(5, k=4)
    ones = Graph(np.ones((5, 1)), ring)
    with pytest.warns(UserWarning, match="so are their degrees and return probabilities"):
        quick().fit([ones, ones])


# Neighbours of plain rows


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_a_transformer_finds_the_neighbours_that_a_number_does(kind):
    X = kind(np.random.default_rng(0).normal(size=(40, 3)))
    number, other = NeighborGraph(5).fit(X), NeighborGraph(KNeighborsTransformer(n_neighbors=5)).fit(X)
    assert (number.adjacency_ != other.adjacency_).nnz == 0
    attached = other.attach(X[:7])[1]
    assert (attached[40:, :40] != number.adjacency_[:7]).nnz == 0 and attached[:, 40:].nnz == 0
    assert attached[:40].nnz == other.adjacency_.nnz


@pytest.mark.parametrize(
    "search",
    [KNeighborsTransformer(n_neighbors=4, metric="cosine"), RadiusNeighborsTransformer(radius=2.0)],
    ids=["cosine", "radius"],
)
def test_rows_are_embedded_one_by_one_with_any_neighbours(search):
    X = np.random.default_rng(0).normal(size=(50, 3))
    dgi = quick(n_neighbors=search).fit(X[:40])
    assert not hasattr(search, "n_features_in_") and clone(dgi).n_neighbors is not search
    together = dgi.transform(X)
    np.testing.assert_allclose(
        np.vstack([dgi.transform(X[[i]]) for i in (3, 41, 49)]), together[[3, 41, 49]], atol=1e-9
    )
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(dgi)).transform(X), together)
    np.testing.assert_allclose(dgi.transform(X[:40]), dgi.fit_transform(X[:40]), atol=1e-9)


def test_nested_parameters_can_be_searched():
    dgi = quick(n_neighbors=KNeighborsTransformer()).set_params(n_neighbors__n_neighbors=2)
    X = np.random.default_rng(0).normal(size=(20, 3))
    assert dgi.fit(X).neighbors_.adjacency_.nnz == 40


@pytest.mark.slow  # numba compiles it for most of a minute
def test_approximate_neighbours():
    pynndescent = pytest.importorskip("pynndescent")
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    dgi = quick(n_neighbors=pynndescent.PyNNDescentTransformer(n_neighbors=5, random_state=0)).fit(X)
    assert dgi.neighbors_.adjacency_.nnz == 300
    assert dgi.transform(X[:5]).shape == (5, 8)


def test_what_finds_no_neighbours_is_refused():
    with pytest.raises(
        TypeError, match=r"n_neighbors=PCA\(\) returns a ndarray of shape \(5, 3\).*KNeighborsTransformer"
    ):
        quick(n_neighbors=PCA()).fit(np.random.default_rng(0).normal(size=(5, 3)))


# What is refused


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("sample_weight", r"fit takes no sample_weight: all nodes count alike in training"),
        ("edge_index", r"fit takes no edge_index: cross-validation would split only.*Graph\(X, adjacency\)"),
        ("colour", r"fit takes no colour\. Pass X alone"),
    ],
)
def test_further_arguments_are_refused(argument, sentence):
    with pytest.raises(TypeError, match=sentence) as caught:
        quick().fit(np.eye(3), **{argument: np.ones(3)})
    assert argument == "edge_index" or "Graph(" not in str(caught.value)


def test_anndata_is_refused_with_what_takes_it():
    adata = pytest.importorskip("anndata", reason="needs the extra [spatial]").AnnData(np.eye(3))
    for X in (adata, [adata, adata]):
        with pytest.raises(TypeError, match=r"AnnData of anndata; expected a Graph.*Graph\.from_anndata\(X\)"):
            quick().fit(X)
