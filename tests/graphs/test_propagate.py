"""Work over all nodes in parts: what comes out is what comes out all at once."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from sklearn_dim.datasets import make_community_graph
from sklearn_dim.encoders import GCN, GIN, SGC, GraphSAGE
from sklearn_dim.encoders._graph_base import UserGraphEncoder
from sklearn_dim.graphs import (
    PropagationMatrix,
    SparseMatrix,
    encoded,
    leading_axes,
    normalized_adjacency,
    propagated,
    scale_to_unit_rows,
)

N = 60
KINDS = ["symmetric", "mean", "sum"]


@pytest.fixture
def adjacency():
    """A graph with weights, some nodes of which have no neighbour."""
    A = make_community_graph(N, 3, degree=5.0, random_state=0)[1].tolil()
    A[:3] = A[:, :3] = 0
    A = A.tocsr()
    weights = np.random.default_rng(1).uniform(0.5, 2, size=(N, N)).astype(np.float32)
    return A.multiply(weights + weights.T).tocsr()


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(N, 7)).astype(np.float32)


def words():
    return sparse.random(N, 30, 0.05, random_state=1, dtype=np.float32).tocsr()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("entries", [2**22, 9])
def test_scalings_around_the_adjacency_are_the_normalised_matrix(monkeypatch, adjacency, kind, entries):
    monkeypatch.setattr("sklearn_dim.graphs._normalize.ENTRIES", entries)
    matrix, expected = PropagationMatrix(adjacency, kind), normalized_adjacency(adjacency, kind)
    rows = np.repeat(np.arange(N), matrix.lengths(np.arange(N)))
    positions = np.concatenate([np.arange(n) for n in matrix.lengths(np.arange(N))])
    columns, values = matrix.entries(rows, positions)
    np.testing.assert_array_equal(columns, expected.indices)  # in the same order, and with the same bits
    np.testing.assert_array_equal(values, expected.data)
    dense = torch.randn(N, 4, dtype=torch.float64)
    torch.testing.assert_close(
        matrix @ dense, torch.tensor(expected.toarray().astype(float)) @ dense, atol=1e-6, rtol=0
    )


def test_an_unknown_kind_is_refused(adjacency):
    with pytest.raises(ValueError, match="normalization='max' is unknown"):
        PropagationMatrix(adjacency, "max")


def page_rank(vectors, matrix, teleport, steps):
    """The formula again, of dense matrices in double precision."""
    spread = vectors
    for _ in range(steps):
        spread = (1 - teleport) * matrix @ spread + teleport * vectors
    return spread


@pytest.mark.parametrize("block_bytes", [2**28, 16 * N * 2, 1])
@pytest.mark.parametrize("as_map", [False, True])
def test_columns_are_smoothed_in_blocks_as_all_at_once(tmp_path, adjacency, X, block_bytes, as_map):
    expected = page_rank(X.astype(float), normalized_adjacency(adjacency).toarray().astype(float), 0.2, 6)
    np.save(tmp_path / "X.npy", X)
    vectors = np.load(tmp_path / "X.npy", mmap_mode="r") if as_map else torch.tensor(X)
    for matrix in (SparseMatrix(normalized_adjacency(adjacency)), PropagationMatrix(adjacency)):
        np.testing.assert_allclose(propagated(vectors, matrix, 0.2, 6, block_bytes=block_bytes), expected, atol=1e-5)


def test_blocks_have_the_bits_of_the_whole_and_may_replace_it(adjacency, X):
    matrix = SparseMatrix(normalized_adjacency(adjacency))
    whole = propagated(X, matrix, 0.1, 10)
    wide = np.hstack([X, X])
    assert propagated(wide[:, 7:], matrix, 0.1, 10, block_bytes=1, out=wide[:, 7:]) is not None
    np.testing.assert_allclose(wide[:, 7:], whole, atol=1e-6)
    np.testing.assert_array_equal(wide[:, :7], X)
    np.testing.assert_array_equal(propagated(X, matrix, 0.1, 0), X)


def test_rows_are_scaled_in_place(X):
    X[4] = 0
    rows = X.copy()
    assert scale_to_unit_rows(rows, n_numbers=20) is rows
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    np.testing.assert_allclose(rows, X / np.where(lengths > 0, lengths, 1), atol=1e-6)


class Neighbours(nn.Module):
    """A user's module of one hop, that needs a list of hops where the batch is a sample."""

    def forward(self, X, adjacency):
        (hop,) = adjacency if isinstance(adjacency, list) else [adjacency]
        return torch.tanh(hop @ X)


def one_hop():
    encoder = UserGraphEncoder(Neighbours())
    encoder.n_hops = 1
    return encoder


ENCODERS = {
    "gcn": lambda p: GCN(p, 5),
    "gcn of three": lambda p: GCN(p, 5, n_layers=3),
    "sage": lambda p: GraphSAGE(p, 5),
    "sgc": lambda p: SGC(p, 5),
    "gin": lambda p: GIN(p, 5, n_layers=2),
    "own": lambda p: one_hop(),
}


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("rows_per_chunk", [None, 7])
def test_nodes_are_encoded_in_chunks_as_all_at_once(adjacency, X, name, rows_per_chunk):
    encoder = ENCODERS[name](7).eval()
    expected = encoder(torch.tensor(X), SparseMatrix(normalized_adjacency(adjacency, encoder.normalization)))
    matrix = PropagationMatrix(adjacency, encoder.normalization)
    found = encoded(encoder, X, matrix, rows_per_chunk=rows_per_chunk)
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-5)
    out = np.zeros((N, found.shape[1] + 1), dtype=np.float32)
    encoded(encoder, X, matrix, rows_per_chunk=rows_per_chunk, out=out[:, 1:])
    np.testing.assert_array_equal(out[:, 1:], found)


@pytest.mark.parametrize("name", ["gcn", "sage"])
def test_sparse_rows_are_encoded_in_chunks(adjacency, name):
    encoder = ENCODERS[name](30)
    matrix = normalized_adjacency(adjacency, encoder.normalization)
    expected = encoder(SparseMatrix(words()), SparseMatrix(matrix)).detach().numpy()
    found = encoded(encoder, words(), PropagationMatrix(adjacency, encoder.normalization), rows_per_chunk=11)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_encoder_of_unknown_depth_is_refused(adjacency, X):
    with pytest.raises(ValueError, match="Neighbours does not say how many hops"):
        encoded(UserGraphEncoder(Neighbours()), X, PropagationMatrix(adjacency))


@pytest.mark.parametrize("narrow", [1024, 3])  # 3: by subspace iteration
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_axes_are_the_singular_vectors(monkeypatch, adjacency, X, kind, narrow):
    monkeypatch.setattr("sklearn_dim.graphs._propagate.NARROW", narrow)
    rows = X * np.arange(1, 8) ** 2 if kind == "dense" else words()
    dense = normalized_adjacency(adjacency) @ (rows if kind == "dense" else rows.toarray()).astype(float)
    expected = np.linalg.svd(dense)[2][:2].T
    axes = leading_axes(rows, PropagationMatrix(adjacency), 2, rows_per_chunk=13)
    assert axes.shape == expected.shape
    overlap = np.abs(np.sum(axes * expected, 0))
    np.testing.assert_allclose(overlap, 1, atol=1e-5 if narrow > 3 or kind == "dense" else 5e-3)
    assert (axes[np.abs(axes).argmax(0), [0, 1]] > 0).all()
