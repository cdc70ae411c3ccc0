"""Corruptions: what the corrupted graph is."""

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_dim.graphs import CORRUPTIONS, SparseMatrix, as_matrix, thinned

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
