"""The features of graphs that need no training, against their definitions."""

from collections import Counter

import numpy as np
import pytest
from scipy import sparse

from sklearn_dim import Graph
from sklearn_dim.infograph._pools import MAX_FEATURES, FeaturePools
from sklearn_dim.infograph._structure import (
    MAX_WALKS,
    N_BINS,
    Structure,
    bin_edges,
    node_numbers,
    representatives,
    return_probabilities,
)
from sklearn_dim.infograph._subtrees import Subtrees, feature_labels, subtree_labels


def random_graphs(n_graphs=12, seed=0, directed=False):
    rng = np.random.default_rng(seed)
    graphs = []
    for n in [1, 2, *rng.integers(3, 12, size=n_graphs - 2)]:
        adjacency = (rng.random((n, n)) < 2.5 / n) * rng.exponential(size=(n, n))
        graphs.append(Graph(np.eye(2)[rng.integers(2, size=n)], adjacency, directed=directed))
    return graphs


def everything(graphs):
    return np.ones(len(graphs), dtype=bool)


# Subtrees


def nested(graph, node, depth):
    """Return the label of a node, spelled out."""
    if depth == 0:
        return tuple(graph.features[node])
    neighbors = graph.adjacency[node].indices
    below = sorted(nested(graph, other, depth - 1) for other in neighbors)
    return nested(graph, node, depth - 1), tuple(below)


@pytest.mark.parametrize("directed", [False, True])
def test_labels_are_equal_where_subtrees_are(directed):
    graphs = random_graphs(directed=directed)
    union = Graph.union(graphs)
    every = subtree_labels(union.adjacency, feature_labels(union.features), 3)
    for depth, labels in enumerate(every):
        spelled = [nested(graph, node, depth) for graph in graphs for node in range(len(graph))]
        assert len(set(spelled)) == len(set(labels.tolist())) == len(set(zip(spelled, labels.tolist(), strict=True)))


def test_counts_are_those_of_the_labels_that_two_graphs_share():
    graphs = random_graphs()
    union = Graph.union(graphs)
    found = np.expm1(Subtrees().fit(union, everything(graphs))(union).toarray())
    expected = []
    for alike in (False, True):
        kind = [Graph(0 * graph.features, graph.adjacency) for graph in graphs] if alike else graphs
        for depth in range(4):
            counts = [Counter(nested(graph, node, depth) for node in range(len(graph))) for graph in kind]
            shared = [label for label, n in Counter(label for count in counts for label in count).items() if n > 1]
            expected += [[count[label] for count in counts] for label in shared]
    assert found.shape == (len(graphs), len(expected))
    assert sorted(map(tuple, found.T.round().astype(int).tolist())) == sorted(map(tuple, expected))


def test_unseen_labels_and_held_out_graphs_add_none():
    graphs = random_graphs()
    train = np.arange(len(graphs)) < 6
    union = Graph.union(graphs)
    subtrees = Subtrees().fit(union, train)
    alone = Subtrees().fit(Graph.union(graphs[:6]), everything(graphs[:6]))
    for some, all_of_them in zip(subtrees.vocabularies, alone.vocabularies, strict=True):
        np.testing.assert_array_equal(some, all_of_them)
    unseen = Graph.union([Graph(np.full((4, 2), 9.0), np.ones((4, 4)))])
    n_nodes = np.flatnonzero(subtrees(unseen).toarray()[0])
    assert len(n_nodes) <= 4  # labels without features: the number of nodes, and degrees that were seen


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_rows_of_features_have_the_same_label_if_they_are_equal(kind):
    rows = np.array([[0, 1.5, 0], [0, 0, 1.5], [0, 1.5, 0], [0, 0, 0], [1.5, 1.5, 0], [-0.0, 0, 0], [0.1, 0, 0]])
    labels = feature_labels(kind(rows))
    _, where = np.unique(labels, return_inverse=True)
    _, expected = np.unique(rows + 0.0, axis=0, return_inverse=True)
    assert len(set(zip(where.tolist(), expected.ravel().tolist(), strict=True))) == len(set(labels.tolist())) == 5
    np.testing.assert_array_equal(labels, feature_labels(kind(rows.astype(np.float32))))
    np.testing.assert_array_equal(labels, feature_labels(rows))


# Structure


@pytest.mark.parametrize("directed", [False, True])
def test_walks_return_as_the_powers_say(directed):
    union = Graph.union(random_graphs(directed=directed))
    weights = union.adjacency.toarray().astype(float)
    steps = weights / np.maximum(weights.sum(1), 1e-30)[:, None]
    expected = [np.diag(np.linalg.matrix_power(steps, k)) for k in range(2, 7)]
    found = return_probabilities(sparse.csr_matrix(steps), np.array_split(np.arange(len(steps)), 5))
    np.testing.assert_allclose(found, np.transpose(expected), atol=1e-12)


def test_what_a_node_has(monkeypatch):
    union = Graph.union(random_graphs())
    weights = union.adjacency.toarray()
    degree, strength = (weights > 0).sum(1), weights.sum(1)
    around = [weights[node] @ degree / strength[node] if degree[node] else 0 for node in range(len(weights))]
    numbers = node_numbers(union)
    monkeypatch.setattr("sklearn_dim.infograph._structure.MAX_ENTRIES", 50)  # a chunk for every few nodes
    np.testing.assert_array_equal(node_numbers(union), numbers)
    np.testing.assert_allclose(numbers[:, [0, 1, -1]], np.log1p(np.column_stack([degree, strength, around])), rtol=1e-5)


def test_of_large_graphs_some_nodes_stand_for_those_of_like_degree():
    n = 3 * MAX_WALKS
    star = np.zeros((n, n), dtype=np.float32)
    star[0, 1:] = 1
    union = Graph.union([Graph(np.ones((3, 1)), np.ones((3, 3))), Graph(np.ones((n, 1)), star)])
    chosen = representatives(union)
    np.testing.assert_array_equal(chosen[:3], range(3))
    assert len(set(chosen[3:].tolist())) == MAX_WALKS and np.bincount(chosen[3:]).max() == 3
    back = node_numbers(union)[3:, 2:7]
    np.testing.assert_allclose(back[1:], np.tile([1 / (n - 1), 0] * 2 + [1 / (n - 1)], (n - 1, 1)), atol=1e-6)


def test_bins_part_the_nodes_at_fit_evenly_and_away_from_values():
    values = np.random.default_rng(0).permutation(800) / 800
    edges = bin_edges(values)
    assert len(edges) == N_BINS - 1
    np.testing.assert_array_equal(np.bincount(np.searchsorted(edges, values)), np.full(N_BINS, 100))
    some = np.array([1 / 3, 1 / 3 + 1e-15, 0.5, 0.5, 1.0])
    np.testing.assert_allclose(bin_edges(some), [(1 / 3 + 0.5) / 2, 0.75], atol=1e-6)
    assert bin_edges(np.ones(5)).size == 0


def test_histograms_hold_every_node_and_moments_are_those_of_numpy():
    graphs = random_graphs()
    union = Graph.union(graphs)
    structure = Structure().fit(union, everything(graphs))
    found, numbers = structure(union), node_numbers(union)
    n_bins = [len(edges) + 1 for edges in structure.edges]
    histograms = np.split(np.expm1(found[:, -sum(n_bins) :]), np.cumsum(n_bins)[:-1], axis=1)
    for counts in histograms:
        np.testing.assert_allclose(counts.sum(1), [len(graph) for graph in graphs])
    for row, graph in enumerate(graphs):
        own = numbers[union.parts == row]
        n_edges = graph.adjacency.nnz
        sizes = np.log1p(len(graph)), np.log1p(n_edges), n_edges / len(graph), np.log1p(graph.adjacency.sum())
        np.testing.assert_allclose(found[row, :4], sizes, rtol=1e-5)
        np.testing.assert_allclose(found[row, 4:20], [*own.mean(0), *own.std(0)], atol=1e-7)


# Features


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_features_are_pooled_as_numpy_does(kind):
    rng = np.random.default_rng(0)
    graphs = [Graph(rng.normal(size=(len(graph), 3)), graph.adjacency) for graph in random_graphs()]
    union = Graph.union(graphs)
    features = kind(union.features)
    found = FeaturePools().fit(union, features, everything(graphs))(union, features)
    for row, graph in enumerate(graphs):
        X, weights = graph.features, graph.adjacency.toarray()
        steps = weights / np.maximum(weights.sum(1), 1e-30)[:, None]
        once, twice = steps @ X, steps @ steps @ X
        moments = [part for Y in (X, once, twice) for part in (Y.mean(0), Y.std(0))]
        expected = np.concatenate([np.arcsinh(X.sum(0)), *moments, (X * once).mean(0)])
        np.testing.assert_allclose(found[row], expected, atol=1e-6)


def test_many_features_are_reduced_to_axes():
    rng = np.random.default_rng(0)
    graphs = [Graph(rng.normal(size=(20, 5)) @ rng.normal(size=(5, 300)), np.eye(20, k=1)) for _ in range(10)]
    union = Graph.union(graphs)
    pools = FeaturePools().fit(union, union.features, everything(graphs))
    assert pools.axes.shape == (300, MAX_FEATURES)
    projected = union.features @ pools.axes
    np.testing.assert_allclose(projected @ pools.axes.T, union.features, atol=1e-6)
    np.testing.assert_allclose(pools(union, union.features)[:, :128], np.arcsinh(projected.reshape(10, 20, -1).sum(1)))
