"""Node–summary information against the paper's cross-entropy."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from sklearn_dim.bounds import make_bound
from sklearn_dim.critics import Bilinear, GroupDiscrimination
from sklearn_dim.encoders import GCN
from sklearn_dim.graphs import GraphBatch, SparseMatrix, shuffle
from sklearn_dim.objectives import NodeSummary, readout


def graph(n_features=4, parts=None):
    matrix = SparseMatrix(sparse.random(6, 6, 0.5, random_state=0, dtype=np.float32).tocsr())
    parts = torch.zeros(6, dtype=int) if parts is None else parts
    return GraphBatch(torch.randn(6, n_features), matrix, 6, parts, int(parts.max()) + 1)


@pytest.mark.parametrize("n_features", [3, 9], ids=["by autograd", "by hand"])
@pytest.mark.parametrize("critic", [Bilinear, GroupDiscrimination])
def test_it_is_the_papers_cross_entropy(n_features, critic):
    torch.manual_seed(0)
    model = NodeSummary(GCN(n_features, 5), critic(5, 5), make_bound("jsd"), shuffle, shuffles=True)
    batch = graph(n_features)
    assert (model.fused_tables(batch) is not None) == (n_features == 9)
    torch.manual_seed(5)
    loss = model((batch,))["node_summary"]
    torch.manual_seed(5)
    order = torch.randperm(6)
    nodes, corrupted = model.encoder(batch.X, batch.adjacency), model.encoder(batch.X[order], batch.adjacency)
    summary = torch.sigmoid(nodes.mean(0))
    vector = model.critic.weight @ summary if critic is Bilinear else model.critic.weight[0]
    scores = torch.cat([h @ vector + model.critic.bias for h in (nodes, corrupted)])
    labels = torch.cat([torch.ones(6), torch.zeros(6)])
    papers = 2 * bce(scores, labels) - 2 * np.log(2)
    torch.testing.assert_close(loss, papers, atol=1e-5, rtol=1e-5)
    both = (torch.autograd.grad(each, list(model.parameters()), allow_unused=True) for each in (loss, papers))
    for ours, theirs in zip(*both, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_second_critic_scores_the_graphs_own_nodes():
    torch.manual_seed(0)
    model = NodeSummary(GCN(4, 3), Bilinear(3, 3), make_bound("flo"), shuffle, shuffles=True)
    nn.init.normal_(model.second.weight)
    batch = graph()
    nodes = model.encoder(batch.X, batch.adjacency)
    joint, _, second = model.tables(model.embed(batch))
    summary = torch.sigmoid(nodes.mean(0, keepdim=True))
    torch.testing.assert_close(joint, model.critic(summary, nodes))
    torch.testing.assert_close(second, model.second(summary, nodes))
    model((batch,))["node_summary"].backward()
    assert all(weight.grad is not None for weight in (*model.critic.parameters(), *model.second.parameters()))


def test_of_several_graphs_each_has_its_summary():
    torch.manual_seed(0)
    parts = torch.tensor([0, 0, 1, 1, 1, 2])
    model = NodeSummary(GCN(4, 3), Bilinear(3, 3), make_bound("jsd"), None)
    batch = graph(parts=parts)
    H = model.encoder(batch.X, batch.adjacency)
    summaries = [torch.sigmoid(H[parts == part].mean(0)) for part in range(3)]
    every = torch.stack([H @ model.critic.weight @ s + model.critic.bias for s in summaries])
    joint, marginal, _ = model.tables(model.embed(batch))
    torch.testing.assert_close(joint[0], every[parts, torch.arange(6)])
    is_other = [any(torch.isclose(marginal[0, i], every[k, i]) for k in range(3) if k != parts[i]) for i in range(6)]
    assert all(is_other)


def test_nodes_that_only_lend_their_features_do_not_count():
    torch.manual_seed(0)
    model = NodeSummary(GCN(4, 3), Bilinear(3, 3), make_bound("jsd"), shuffle)
    part = graph()._replace(n_nodes=2, graph_ids=torch.zeros(2, dtype=int))
    assert model.tables(model.embed(part)).joint.shape == (1, 2)


@pytest.mark.parametrize("kind", ["mean", "sum", "max"])
def test_readouts(kind):
    vectors, parts = torch.tensor([[1.0, -3.0], [2.0, -5.0], [4.0, 0.5]]), torch.tensor([0, 0, 2])
    of = {"mean": lambda v: v.mean(0), "sum": lambda v: v.sum(0), "max": lambda v: v.max(0).values}[kind]
    torch.testing.assert_close(readout(kind, vectors, torch.zeros(3, dtype=int), 1), of(vectors)[None])
    expected = torch.stack([of(vectors[:2]), torch.zeros(2), vectors[2]])
    torch.testing.assert_close(readout(kind, vectors, parts, 3), expected)
