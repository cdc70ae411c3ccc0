"""The fast path of Deep Graph Infomax, against autograd."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from sklearn_dim.bounds import make_bound
from sklearn_dim.critics import Bilinear, Separable
from sklearn_dim.encoders import GCN, SGC, as_graph_encoder
from sklearn_dim.graphs import GraphBatch, SparseMatrix, shuffle
from sklearn_dim.objectives import NodeSummary
from sklearn_dim.objectives._fused import COLUMNS, Memory, is_faster, score_both

N, N_FEATURES, WIDTH = 6, 9, 3


def sparse_matrix(dense):
    return SparseMatrix(sparse.csr_matrix(dense), torch.float64)


@pytest.fixture
def problem():
    """Return rows of features, a matrix, an encoder whose weights are no longer its first ones, and an order."""
    torch.manual_seed(0)
    matrix = sparse_matrix(sparse.random(N, N, 0.5, random_state=0))
    encoder = GCN(N_FEATURES, WIDTH).double()
    for weight in encoder.parameters():
        nn.init.normal_(weight, 0.3, 0.1)
    return torch.randn(N, N_FEATURES, dtype=torch.float64), matrix, encoder, torch.randperm(N)


KINDS = pytest.mark.parametrize("kind", [torch.as_tensor, lambda X: sparse_matrix(X.numpy())], ids=["dense", "sparse"])


def gradients(scores, inputs):
    """Return scores and the gradient of a loss that weighs each of them differently, but in every call alike."""
    weigh = torch.linspace(-1, 2, len(scores), dtype=scores.dtype)
    return scores.detach(), *torch.autograd.grad((weigh * scores.square()).sum(), inputs)


def fused_and_plain(X, matrix, encoder, order, kind, memory):
    """Return what `gradients` does of the fast path and of autograd; both score by a direction of the mean."""
    bend = torch.linspace(-1, 1, encoder.convolution[1].numel(), dtype=X.dtype).requires_grad_()
    inputs = [*encoder.parameters(), bend]

    def line(mean):
        return bend * torch.sigmoid(mean), mean.sum()

    fused = gradients(score_both(encoder.convolution, kind(X), matrix, order, line, memory), inputs)
    original = encoder(X, matrix)
    direction, offset = line(original.mean(0))
    plain = torch.cat([original, encoder(X[order], matrix)]) @ direction + offset
    return fused, gradients(plain, inputs)


@KINDS
def test_the_gradient_by_hand_is_autograds(problem, kind):
    memory = Memory()
    assert is_faster(problem[2].convolution, kind(problem[0]))
    for _ in range(2):  # the second time in memory that the first has used
        fused, plain = fused_and_plain(*problem, kind, memory)
        for a, b in zip(fused, plain, strict=True):
            torch.testing.assert_close(a, b)


@KINDS
@pytest.mark.parametrize("n", [2, 7])
@pytest.mark.parametrize("width", [1, COLUMNS - 1, COLUMNS, COLUMNS + 1, 2 * COLUMNS])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_blocks_of_columns_meet_at_their_edges(width, n, kind, dtype):
    torch.manual_seed(0)
    matrix = SparseMatrix(sparse.random(n, n, 0.5, random_state=0), dtype)
    encoder, X = GCN(2 * COLUMNS + 1, width).to(dtype), torch.randn(n, 2 * COLUMNS + 1, dtype=dtype)
    as_kind = kind if kind is torch.as_tensor else lambda X: SparseMatrix(sparse.csr_matrix(X.numpy()), dtype)
    fused, plain = fused_and_plain(X, matrix, encoder, torch.randperm(n), as_kind, Memory())
    for a, b in zip(fused, plain, strict=True):
        torch.testing.assert_close(
            a, b, rtol=0, atol=(1e-12 if dtype == torch.float64 else 1e-5) * b.abs().max().item()
        )


def test_no_cycle_keeps_the_embeddings_of_an_epoch(problem):
    """Memory that waits for the collector of cycles would be as large as several epochs."""
    X, matrix, encoder, order = problem
    memory = Memory()
    scores = score_both(encoder.convolution, X, matrix, order, lambda mean: (mean, mean.sum()), memory)
    held = weakref.ref(memory)
    gc.disable()
    try:
        del scores, memory
        assert held() is None
    finally:
        gc.enable()


def test_it_is_left_where_it_would_be_wrong_or_slow():
    wide, narrow = torch.zeros(2, 9), torch.zeros(2, 2)
    assert is_faster(GCN(9, 3).convolution, wide) and not is_faster(GCN(2, 3).convolution, narrow)
    flat = GCN(9, 3)
    nn.init.constant_(flat.layers[0].activation.weight, -0.1)
    assert not is_faster(flat.convolution, wide)


def summary(encoder=None, critic=None, bound="jsd", **options):
    encoder, critic = encoder or GCN(N_FEATURES, WIDTH), critic or Bilinear(WIDTH, WIDTH)
    return NodeSummary(encoder, critic, make_bound(bound), shuffle, **{"shuffles": True, **options})


def batch():
    matrix = SparseMatrix(sparse.random(N, N, 0.5, random_state=0, dtype=np.float32).tocsr())
    return GraphBatch(torch.randn(N, N_FEATURES), matrix, N, torch.zeros(N, dtype=int), 1)


def test_an_objective_takes_it_only_where_it_is_right():
    assert summary().fused_tables(batch()) is not None
    for other in (
        summary(encoder=GCN(N_FEATURES, WIDTH, n_layers=2)),
        summary(encoder=SGC(N_FEATURES, WIDTH)),
        summary(encoder=as_graph_encoder(nn.Identity(), "symmetric")),
        summary(critic=Separable(WIDTH, WIDTH)),
        summary(critic=Bilinear(WIDTH, WIDTH, clip=5.0)),
        summary(bound="flo"),
        summary(readout="sum"),
        summary(shuffles=False),
    ):
        assert other.fused_tables(batch()) is None
    assert summary().fused_tables(batch()._replace(n_graphs=2)) is None
    assert summary().fused_tables(batch()._replace(adjacency=[batch().adjacency])) is None


def test_the_memory_is_let_go_after_training():
    model = summary().train()
    model((batch(),))["node_summary"].backward()
    nodes = model.memory.nodes[0]
    model((batch(),))
    assert model.memory.nodes[0] is nodes and nodes.shape == (2 * N, WIDTH)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.memory.nodes == []
    model.eval()
    assert model.memory.nodes == [] and model.memory.direction.numel() == 0
