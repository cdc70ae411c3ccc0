"""Batches of whole graphs."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.linalg import block_diag

from sklearn_dim.graphs import Graph, GraphBatches


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_a_batch_is_its_graphs_side_by_side(kind):
    rng = np.random.default_rng(0)
    sizes = [3, 1, 4, 2]
    pieces = [(rng.normal(size=(n, 2)), np.triu(rng.random((n, n)), 1)) for n in sizes]
    union = Graph.union([Graph(kind(X), edges, directed=True) for X, edges in pieces])
    picks = [(torch.tensor([2, 0]),), (torch.tensor([1, 3, 2]),)]
    batches = GraphBatches(union.features, union.adjacency, np.array(sizes), picks)
    assert len(batches) == 2
    for (own, X, adjacency), (chosen,) in zip(batches, picks, strict=True):
        chosen = [pieces[number] for number in chosen]
        np.testing.assert_array_equal(own, [len(X) for X, _ in chosen])
        np.testing.assert_allclose(X, np.vstack([X for X, _ in chosen]), rtol=1e-6)
        expected = block_diag(*[edges for _, edges in chosen])
        np.testing.assert_allclose(adjacency @ torch.eye(len(X)), expected, rtol=1e-6)
        assert adjacency.shape == expected.shape
