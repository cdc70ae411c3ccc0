"""Neighbour sampling: what a batch holds, and that it is right in expectation."""

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_dim.encoders import GCN, SGC, GraphSAGE
from sklearn_dim.graphs import CORRUPTIONS, NeighborBatches, SparseMatrix, take_nodes, whole_graph
from sklearn_dim.training import Batches

N = 40
GRAPH_IDS = np.zeros(N, dtype=int)


@pytest.fixture
def matrix():
    return sparse.random(N, N, 0.3, random_state=0, dtype=np.float32).tocsr()


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)


def batches(X, matrix, **options):
    return NeighborBatches(X, matrix, GRAPH_IDS, **{"batch_size": 7, "fan_out": [None, None], **options})


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize("encoder", [GCN(5, 3, n_layers=2), GraphSAGE(5, 3)], ids=["gcn", "sage"])
def test_all_neighbours_give_what_the_whole_graph_gives(X, matrix, encoder, square):
    whole = encoder(torch.tensor(X), SparseMatrix(matrix))
    nodes = np.array([3, 30, 17])
    batch = batches(X, matrix, square=square).batch(nodes, np.random.default_rng(0))
    assert batch.n_nodes == 3 and isinstance(batch.adjacency, list) != square
    torch.testing.assert_close(encoder(batch.X, batch.adjacency)[:3], whole[nodes])


def test_an_epoch_has_every_node_once_in_even_batches(X, matrix):
    sampler = NeighborBatches(np.arange(N * 1.0)[:, None], matrix, GRAPH_IDS, batch_size=13, fan_out=[2])
    torch.manual_seed(0)
    epoch = [batch.X[: batch.n_nodes, 0] for (batch,) in sampler]
    assert [len(nodes) for nodes in epoch] == [10, 10, 10, 10] and len(sampler) == 4
    assert sorted(torch.cat(epoch).tolist()) == list(range(N))
    torch.manual_seed(0)
    assert all(torch.equal(a, b.X[: b.n_nodes, 0]) for a, (b,) in zip(epoch, sampler, strict=True))


def test_a_sample_is_bounded_and_right_in_expectation(X, matrix):
    sampler, rng = batches(X, matrix, fan_out=[4]), np.random.default_rng(0)
    nodes = np.arange(6)
    draws = []
    for _ in range(300):
        batch = sampler.batch(nodes, rng)
        (hop,) = batch.adjacency
        assert hop.nnz <= 4 * len(nodes) and batch.X.shape[0] <= 5 * len(nodes)
        draws.append((hop @ batch.X).numpy())
    error = np.mean(draws, axis=0) - (matrix @ X)[:6]
    assert (np.abs(error) <= 5 * np.std(draws, axis=0) / np.sqrt(len(draws)) + 1e-6).all()


def test_isolated_nodes_and_sparse_rows(matrix):
    matrix = matrix.tolil()
    matrix[:5] = 0
    words = sparse.random(N, 50, 0.05, random_state=1, dtype=np.float32).tocsr()
    batch = batches(words, matrix.tocsr(), fan_out=[3, 3]).batch(np.arange(5), np.random.default_rng(0))
    assert batch.X.shape == (5, 50) and GCN(50, 3, n_layers=2)(batch.X, batch.adjacency).shape == (5, 3)


def test_the_whole_graph_is_a_batch(X, matrix):
    batch = whole_graph(X, matrix, GRAPH_IDS, dtype=torch.float64)
    assert batch.X.dtype == batch.adjacency.dtype == torch.float64 and batch.n_nodes == N


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("encoder", [GCN, GraphSAGE, SGC], ids=["gcn", "sage", "sgc"])
def test_a_part_of_a_sample_has_the_embeddings_of_the_whole(X, matrix, encoder, words):
    X = sparse.random(N, 50, 0.05, random_state=1, dtype=np.float32).tocsr() if words else X
    batch = batches(X, matrix, fan_out=[3, 2]).batch(np.arange(5, 15), np.random.default_rng(0))
    encoder = encoder(X.shape[1], 3, **({"n_layers": 2} if encoder is GCN else {}))
    own = torch.tensor([7, 8, 9])
    for inputs in (pair for corrupt in CORRUPTIONS.values() for pair in corrupt(batch.X, batch.adjacency)):
        rows, hops = inputs[1].part(inputs[0], own)
        assert hops[-1].shape[0] == 3 and rows.shape[0] == hops[0].shape[1] <= inputs[0].shape[0]
        torch.testing.assert_close(encoder(rows, hops), encoder(*inputs)[own])


def test_shares_of_an_epoch_are_its_batches(X, matrix):
    sampler = NeighborBatches(np.arange(N * 1.0)[:, None], matrix, GRAPH_IDS, batch_size=13, fan_out=[2])
    halves = [sampler.shared(lambda n, device, h=h: torch.arange(n).tensor_split(2)[h]) for h in range(2)]
    epochs = []
    for part in (sampler, *halves):
        torch.manual_seed(0)
        epochs.append([batch.X[: batch.n_nodes, 0].tolist() for (batch,) in part])
    whole, first, second = epochs
    assert [a + b for a, b in zip(first, second, strict=True)] == whole
    assert sampler.n_rows == N and len(halves[0]) == len(sampler) and isinstance(sampler, Batches)


def test_rows_of_maps_come_in_the_order_asked_for(tmp_path, X):
    np.save(tmp_path / "X.npy", X)
    nodes = np.array([9, 2, 30, 2])
    np.testing.assert_array_equal(take_nodes(np.load(tmp_path / "X.npy", mmap_mode="r"), nodes), X[nodes])


def test_an_epoch_may_see_some_of_the_nodes_others_each_time():
    features, adjacency = np.arange(100.0)[:, None], sparse.csr_matrix((100, 100), dtype=np.float32)
    batches = NeighborBatches(
        features, adjacency, np.zeros(100, dtype=int), batch_size=10, fan_out=[2], dense=True, max_batches=3
    )
    torch.manual_seed(0)
    seen = [np.concatenate([batch.X.numpy().ravel() for (batch,) in batches]) for _ in range(2)]
    assert len(batches) == 3
    assert all(len(np.unique(nodes)) == 30 for nodes in seen)
    assert set(seen[0]) != set(seen[1])
