"""The graph isomorphism network."""

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_dim.encoders import GIN, check_graph_encoder
from sklearn_dim.graphs import SparseMatrix


def test_a_layer_is_the_papers_formula():
    torch.manual_seed(0)
    gin, X, adjacency = GIN(4, 3, n_layers=1), torch.randn(6, 4), (torch.rand(6, 6) < 0.4).float()
    (layer,) = gin.layers
    with torch.no_grad():
        layer.epsilon.fill_(0.3)
        neighbors = torch.stack([sum((X[j] for j in range(6) if adjacency[i, j]), torch.zeros(4)) for i in range(6)])
        first = (1.3 * X + neighbors) @ layer.weight
        norm, _, linear, _, _ = layer.rest
        hidden = torch.relu((first - first.mean(0)) / (first.var(0, unbiased=False) + norm.eps).sqrt())
        second = hidden @ linear.weight.T + linear.bias
        expected = torch.relu((second - second.mean(0)) / (second.var(0, unbiased=False) + norm.eps).sqrt())
        torch.testing.assert_close(gin(X, adjacency), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("n_components, widths", [(9, [3, 3, 3]), (8, [2, 3, 3]), (2, [1, 1])])
def test_the_layers_share_the_components(n_components, widths):
    gin = check_graph_encoder(GIN(4, n_components), torch.eye(2), 4, n_components, "all columns")
    assert [layer.weight.shape[1] for layer in gin.layers] == widths


def test_every_layers_output_is_in_the_vector():
    torch.manual_seed(0)
    gin, X, adjacency = GIN(4, 6, n_layers=2).eval(), torch.randn(5, 4), torch.ones(5, 5)
    h = gin.layers[0](X, adjacency)
    torch.testing.assert_close(gin(X, adjacency), torch.cat([h, gin.layers[1](h, adjacency)], 1))


def test_sparse_features_and_adjacency_give_the_same():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((30, 8)) < 0.2, rng.normal(size=(30, 8)), 0).astype(np.float32)
    adjacency = (rng.random((30, 30)) < 0.1).astype(np.float32)
    gin = GIN(8, 6).eval()
    dense = gin(torch.tensor(X), torch.tensor(adjacency))
    edges = SparseMatrix(sparse.csr_matrix(adjacency))
    torch.testing.assert_close(gin(SparseMatrix(sparse.csr_matrix(X)), edges), dense)
    torch.testing.assert_close(gin(torch.tensor(X), edges), dense)


def test_a_sampled_batch_gives_what_the_whole_graph_does():
    torch.manual_seed(0)
    gin, X, adjacency = GIN(4, 6, n_layers=2).eval(), torch.randn(9, 4), torch.zeros(9, 9)
    for node in range(8):  # a path, of whose node 0 two hops reach nodes 1 and 2
        adjacency[node, node + 1] = adjacency[node + 1, node] = 1
    sampled = gin(X[:3], [adjacency[:2, :3], adjacency[:1, :2]])
    torch.testing.assert_close(sampled, gin(X, adjacency)[:1])
