"""InfoGraph's objective, typed again pair by pair."""

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from sklearn_dim.bounds import BOUNDS, make_bound
from sklearn_dim.critics import Bilinear
from sklearn_dim.encoders import GIN
from sklearn_dim.objectives import GraphSummary

SIZES = [2, 1, 4]


def batch():
    """Three graphs side by side: an edge, a single node, a ring of four."""
    adjacency = torch.zeros(7, 7)
    for a, b in [(0, 1), (3, 4), (4, 5), (5, 6), (6, 3)]:
        adjacency[a, b] = adjacency[b, a] = 1
    return torch.tensor(SIZES), torch.randn(7, 3), adjacency


def graph_summary(readout="sum", bound="jsd"):
    torch.manual_seed(0)
    bound = make_bound(bound)
    return GraphSummary(GIN(3, 6), Bilinear(6, 6), bound, 6, readout)


@pytest.mark.parametrize("readout", ["sum", "mean", "max"])
def test_a_graphs_vector_reads_out_its_own_nodes(readout):
    nodes, graphs, _ = graph_summary(readout).encode(*batch())
    read = {"sum": lambda h: h.sum(0), "mean": lambda h: h.mean(0), "max": lambda h: h.max(0).values}[readout]
    expected = torch.stack([read(own) for own in nodes.split(SIZES)])
    torch.testing.assert_close(graphs, torch.log(expected + (expected.square() + 1).sqrt()))


def test_it_is_the_papers_loss():
    """The paper's eq. 4: softplus(−T) of a node with its own graph, softplus(T) with the others, mean over pairs."""
    model, (sizes, X, adjacency) = graph_summary(), batch()
    loss = model((sizes, X, adjacency))["graph_summary"]
    nodes, graphs, _ = model.encode(sizes, X, adjacency)
    graphs = (graphs - graphs.mean(0)) / (graphs.var(0, unbiased=False) + 1e-5).sqrt()
    owner, own, others = [0, 0, 1, 2, 2, 2, 2], [], []
    for i in range(7):
        for g in range(3):
            score = graphs[g] @ model.critic.weight @ nodes[i] + model.critic.bias
            (own if owner[i] == g else others).append(score)
    expected = softplus(-torch.stack(own)).mean() + softplus(torch.stack(others)).mean() - 2 * np.log(2)
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_tables_have_their_shapes_for_every_bound(name):
    model, graphs = graph_summary(bound=name), batch()
    joint, marginal, second = model.tables(*model.embed(graphs))
    assert joint.shape == (7, 1) and marginal.shape == (7, 2)
    if model.second is None:
        assert second is None
    else:
        torch.testing.assert_close(second, joint)  # a copy, until it is trained
    assert np.isfinite(model.mutual_info(graphs).item())
    model(graphs)["graph_summary"].backward()
    assert all(weight.grad.isfinite().all() for weight in model.critic.parameters())
