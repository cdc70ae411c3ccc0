"""The fast path of Deep Graph Infomax, against autograd."""

import copy
import pickle

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
from sklearn_dim.objectives._fused import Memory, encode_both, is_faster, score

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


@pytest.mark.parametrize("kind", [torch.as_tensor, lambda X: sparse_matrix(X.numpy())], ids=["dense", "sparse"])
def test_the_gradient_by_hand_is_autograds(problem, kind):
    X, matrix, encoder, order = problem
    weigh = torch.randn(2 * N, WIDTH, dtype=torch.float64), torch.randn(WIDTH, dtype=torch.float64)

    def gradients(nodes, mean):
        loss = (weigh[0] * nodes).sum() + (weigh[1] * mean.square()).sum()
        return loss.detach(), *torch.autograd.grad(loss, list(encoder.parameters()))

    original = encoder(X, matrix)
    plain = gradients(torch.cat([original, encoder(X[order], matrix)]), original.mean(0))
    memory = Memory()
    assert is_faster(encoder.convolution, kind(X))
    for _ in range(2):  # the second time in memory that the first has used
        fused = gradients(*encode_both(encoder.convolution, kind(X), matrix, order, memory))
        for a, b in zip(fused, plain, strict=True):
            torch.testing.assert_close(a, b)


def test_scores_hand_their_gradient_over_in_memory(problem):
    X, matrix, encoder, order = problem
    direction, weigh = torch.randn(2, 2 * N, dtype=torch.float64)
    direction = direction[:WIDTH].requires_grad_()
    memory, inputs = Memory(), [*encoder.parameters(), direction]
    nodes, mean = encode_both(encoder.convolution, X, matrix, order, memory)
    fused = torch.autograd.grad((weigh * score(nodes, direction, memory)).sum() + mean.sum(), inputs)
    original = encoder(X, matrix)
    both = torch.cat([original, encoder(X[order], matrix)])
    plain = torch.autograd.grad((weigh * (both @ direction)).sum() + original.mean(0).sum(), inputs)
    for a, b in zip(fused, plain, strict=True):
        torch.testing.assert_close(a, b)


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
    product = model.memory.product
    model((batch(),))
    assert model.memory.product is product and product.shape == (N, WIDTH)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.memory.product.numel() == 0
    model.eval()
    assert model.memory.product.numel() == model.memory.nodes.numel() == model.memory.gradient.numel() == 0
