"""Information of nodes in two views, against direct formulas."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn
from torch.nn.functional import cosine_similarity

from sklearn_dim.bounds import make_bound
from sklearn_dim.critics import Bilinear, Cosine
from sklearn_dim.encoders import TwoLayerGCN
from sklearn_dim.graphs import GraphBatch, SparseMatrix, graph_view
from sklearn_dim.objectives import NodeViews

N = 7


def batch(n_nodes=N, dtype=torch.float32):
    matrix = SparseMatrix(sparse.random(N, N, 0.5, random_state=0).tocsr(), dtype)
    return GraphBatch(torch.randn(N, 4, dtype=dtype), matrix, n_nodes, torch.zeros(n_nodes, dtype=int), 1)


def model_and_batch(n_nodes=N, bound="infonce", critic=Cosine):
    torch.manual_seed(0)
    return NodeViews(TwoLayerGCN(4, 3), critic(3, 3), make_bound(bound), graph_view), batch(n_nodes)


def two_views(model, graph):
    """Return the embeddings in the views that the model draws next."""
    state = torch.get_rng_state()
    views = [graph_view(graph.X, graph.adjacency) for _ in range(2)]
    torch.set_rng_state(state)
    return [model.encoder(*view)[: graph.n_nodes] for view in views]


@pytest.mark.parametrize("n_nodes", [N, 4], ids=["all nodes", "others lend their features"])
def test_the_loss_is_the_papers(n_nodes):
    model, graph = model_and_batch(n_nodes)
    one, other = two_views(model, graph)
    scores = torch.stack([torch.stack([cosine_similarity(a, b, dim=0) / 0.5 for b in other]) for a in one])
    anchors = [scores[i, i] - scores[i].exp().sum().log() for i in range(n_nodes)]
    expected = -torch.stack(anchors).mean() - np.log(n_nodes)
    torch.testing.assert_close(model((graph,))["node_views"], expected, atol=1e-6, rtol=1e-5)


def test_views_differ_and_are_drawn_anew():
    model, graph = model_and_batch()
    one, other = model.embed(graph)
    assert not torch.allclose(one, other)
    assert model((graph,))["node_views"] != model((graph,))["node_views"]


def test_any_bound_and_critic_scores_all_pairs():
    model, graph = model_and_batch(bound="dv", critic=Bilinear)
    one, other = two_views(model, graph)
    table = model.critic(one, other)
    off = ~torch.eye(N, dtype=bool)
    expected = table[off].exp().mean().log() - table.diagonal().mean()
    torch.testing.assert_close(model((graph,))["node_views"], expected, atol=1e-6, rtol=1e-5)


def test_the_information_of_some_nodes_is_among_them():
    model, graph = model_and_batch()
    one, other = two_views(model, graph)
    rows = torch.tensor([5, 0, 2])
    table = model.critic(one[rows], other[rows])
    expected = [  # the log-ratio of InfoNCE is normalised for each anchor
        table[i, i] - np.log(np.mean([table[i, j].exp().item() for j in range(3) if j != i])) for i in range(3)
    ]
    with torch.no_grad():
        torch.testing.assert_close(
            model.mutual_info((graph,), rows), torch.stack(expected).mean(), atol=1e-6, rtol=1e-5
        )


def test_of_many_nodes_some_are_compared_the_same_in_both_views(monkeypatch):
    monkeypatch.setattr("sklearn_dim.objectives._node_views.MAX_NODES", 5)
    model, _ = model_and_batch()
    nodes = torch.eye(N)
    one, other = model._some(nodes, nodes)
    assert torch.equal(one, other) and one.shape == (5, N) and (one.sum(0) <= 1).all()
    joint, marginal, _ = model.tables(one, other)
    assert joint.shape == (5, 1) and marginal.shape == (5, 4)
    torch.testing.assert_close(joint, torch.full((5, 1), 2.0))
    assert (marginal == 0).all()
    assert torch.equal(model._some(nodes[:5], nodes[:5])[0], nodes[:5])


def test_gradients_are_those_of_the_loss():
    model, graph = model_and_batch()[0].double(), batch(dtype=torch.float64)
    nn.init.normal_(model.encoder.bias)  # at 0 a node without neighbours in a view is at a kink
    weights = list(model.parameters())
    state = torch.get_rng_state()
    gradients = torch.autograd.grad(model((graph,))["node_views"], weights)
    step = 1e-6
    for weight, gradient in zip(weights, gradients, strict=True):
        direction = torch.randn_like(weight)
        losses = []
        for sign in (1, -1):
            with torch.no_grad():
                weight += sign * step * direction
                torch.set_rng_state(state)
                losses.append(model((graph,))["node_views"].item())
                weight -= sign * step * direction
        assert (losses[0] - losses[1]) / (2 * step) == pytest.approx((gradient * direction).sum().item(), abs=1e-6)


def test_only_an_encoder_of_known_depth_is_divided():
    model, _ = model_and_batch()
    assert model.divisible == [model.encoder]
    model.encoder.n_hops = None
    assert model.divisible == [] and isinstance(model.encoder, nn.Module)
