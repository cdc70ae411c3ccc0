"""Corruptions: what the corrupted graph is."""

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_dim.graphs import CORRUPTIONS, SparseMatrix, as_matrix, graph_view, thinned
from sklearn_dim.graphs._batches import Hops

ADJACENCY = SparseMatrix(sparse.random(30, 30, 0.4, random_state=0, dtype=np.float32).tocsr())
WORDS = sparse.random(30, 40, 0.08, random_state=1, dtype=np.float32).tocsr()
KINDS = pytest.mark.parametrize("X", [as_matrix(WORDS), torch.tensor(WORDS.toarray())], ids=["sparse", "dense"])


@KINDS
def test_shuffling_moves_rows_and_keeps_edges(X):
    torch.manual_seed(0)
    (original, adjacency), (corrupted, same) = CORRUPTIONS["shuffle"](X, ADJACENCY)
    assert adjacency is same is ADJACENCY
    torch.manual_seed(0)
    order = torch.randperm(30)
    eye = torch.eye(40)
    torch.testing.assert_close(original @ eye, torch.tensor(WORDS.toarray()))
    torch.testing.assert_close(corrupted @ eye, torch.tensor(WORDS.toarray())[order])


@KINDS
def test_hidden_columns_are_hidden_from_both(X):
    torch.manual_seed(0)
    (original, _), (corrupted, _) = CORRUPTIONS["masked_shuffle"](X, ADJACENCY)
    torch.manual_seed(0)
    kept, order = torch.rand(40) >= 0.5, torch.randperm(30)
    masked = torch.tensor(WORDS.toarray()) * kept * 2
    torch.testing.assert_close(original @ torch.eye(40), masked)
    torch.testing.assert_close(corrupted @ torch.eye(40), masked[order])
    assert 0 < kept.sum() < 40


@KINDS
def test_dropped_features_are_zero_and_others_as_they_were(X):
    torch.manual_seed(0)
    _, (corrupted, adjacency) = CORRUPTIONS["feature_dropout"](X, ADJACENCY)
    dropped, before = corrupted @ torch.eye(40), torch.tensor(WORDS.toarray())
    assert adjacency is ADJACENCY and ((dropped == before) | (dropped == 0)).all()
    kept = (dropped != 0).sum() / WORDS.nnz
    assert abs(kept - 0.5) < 5 * 0.5 / np.sqrt(WORDS.nnz)


def test_dropped_edges_are_gone_both_ways():
    torch.manual_seed(0)
    _, (_, corrupted) = CORRUPTIONS["edge_dropout"](torch.eye(30), ADJACENCY)
    dense = corrupted @ torch.eye(30)
    before = ADJACENCY @ torch.eye(30)
    assert ((dense == before) | (dense == 0)).all() and 0 < corrupted.nnz < ADJACENCY.nnz
    torch.testing.assert_close(corrupted.transpose_times(torch.eye(30)), dense.T)
    assert len(CORRUPTIONS["edge_dropout"](None, [ADJACENCY, ADJACENCY])[1][1]) == 2
    assert thinned(ADJACENCY, 0.0).nnz == ADJACENCY.nnz


@KINDS
def test_a_view_hides_columns_and_leaves_out_edges(X):
    torch.manual_seed(0)
    seen, edges = graph_view(X, ADJACENCY)
    torch.manual_seed(0)
    columns, entries = torch.rand(40) >= 0.4, torch.rand(ADJACENCY.nnz) >= 0.4
    torch.testing.assert_close(seen @ torch.eye(40), torch.tensor(WORDS.toarray()) * columns / 0.6)
    expected = ADJACENCY.scipy().copy()
    expected.data *= entries.numpy() / 0.6
    torch.testing.assert_close(edges @ torch.eye(30), torch.tensor(expected.toarray()))
    torch.testing.assert_close(edges.transpose_times(torch.eye(30)), torch.tensor(expected.toarray().T))


def test_views_are_in_the_mean_what_is_there():
    torch.manual_seed(0)
    X, adjacency = torch.tensor(WORDS.toarray()), ADJACENCY @ torch.eye(30)
    n, sums = 2000, [torch.zeros_like(X), torch.zeros_like(adjacency)]
    for _ in range(n):
        seen, edges = graph_view(X, ADJACENCY)
        sums[0] += seen
        sums[1] += edges @ torch.eye(30)
    for total, truth in zip(sums, (X, adjacency), strict=True):
        error = truth.abs() * np.sqrt(0.4 / 0.6 / n)  # of a factor that is 0, or else 1 / 0.6
        assert ((total / n - truth).abs() <= 5 * error + 1e-5).all()


def test_every_hop_of_a_sample_has_its_own_view():
    torch.manual_seed(0)
    hops = Hops([ADJACENCY, ADJACENCY])
    _, (one, other) = graph_view(torch.eye(30), hops)
    assert isinstance(graph_view(torch.eye(30), hops)[1], Hops)
    kept_edges = [(hop @ torch.eye(30)) != 0 for hop in (one, other)]
    assert (kept_edges[0] != kept_edges[1]).any()
    for hop in kept_edges:
        assert abs(hop.sum() / ADJACENCY.nnz - 0.6) < 5 * np.sqrt(0.24 / ADJACENCY.nnz)


def test_weighted_entries_and_their_gradient():
    torch.manual_seed(0)
    rectangle = sparse.random(9, 14, 0.4, random_state=2, dtype=np.float64).tocsr()
    rectangle.sort_indices()
    matrix, factors = SparseMatrix(rectangle, torch.float64), torch.randn(rectangle.nnz, dtype=torch.float64)
    dense = torch.zeros(9, 14, dtype=torch.float64)
    rows = np.repeat(np.arange(9), np.diff(rectangle.indptr))
    dense[rows, rectangle.indices] = torch.tensor(rectangle.data) * factors
    Y = torch.randn(14, 3, dtype=torch.float64, requires_grad=True)
    weighted, G = matrix.weighted(factors), torch.randn(9, 3, dtype=torch.float64)
    torch.testing.assert_close(weighted @ Y, dense @ Y)
    torch.testing.assert_close(torch.autograd.grad(weighted @ Y, Y, G)[0], dense.T @ G)
    torch.testing.assert_close(weighted.transpose_times(G), dense.T @ G)
    np.testing.assert_allclose(weighted.scipy().toarray(), dense)
    torch.testing.assert_close(matrix @ Y, torch.tensor(rectangle.toarray()) @ Y)  # which is as it was
    some, others = [1, 4], [0, 3, 8]
    torch.testing.assert_close(weighted.part(np.array(some), np.array(others)) @ Y[:3], dense[some][:, others] @ Y[:3])
    twice = dense.clone()
    twice[rows, rectangle.indices] *= factors
    torch.testing.assert_close(weighted.weighted(factors) @ Y, twice @ Y)
