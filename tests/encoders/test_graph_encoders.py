"""Encoders for graphs against their papers' formulas."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from sklearn_dim.encoders import GCN, SGC, GraphSAGE, TwoLayerGCN, as_graph_encoder, check_graph_encoder
from sklearn_dim.encoders._activation import PReLU
from sklearn_dim.graphs import SparseMatrix


@pytest.fixture
def graph():
    torch.manual_seed(0)
    dense = sparse.random(6, 6, 0.5, random_state=0).toarray().astype(np.float32)
    return torch.randn(6, 4), torch.tensor(dense), SparseMatrix(sparse.csr_matrix(dense))


def prelu(z):
    return torch.where(z > 0, z, 0.25 * z)


def filled(encoder):
    """Give biases values, which start as zeros."""
    for name, parameter in encoder.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)
    return encoder


@pytest.mark.parametrize("n_components", [3, 5], ids=["multiply first", "gather first"])
def test_gcn_is_the_papers_formula(graph, n_components):
    X, A, matrix = graph
    encoder = filled(GCN(4, n_components, n_layers=2))
    first, second = encoder.layers
    expected = prelu(A @ prelu(A @ X @ first.weight + first.bias) @ second.weight + second.bias)
    torch.testing.assert_close(encoder(X, matrix), expected)
    torch.testing.assert_close(encoder(X, A), expected)


def test_prelu_and_its_gradients_are_torchs():
    torch.manual_seed(0)
    ours, torchs = PReLU(), nn.PReLU()
    for slope in (0.25, -0.3):
        x = torch.randn(5, 4, requires_grad=True)
        for module in (ours, torchs):
            nn.init.constant_(module.weight, slope)
        both = [torch.autograd.grad((each(x) * x.detach().exp()).sum(), [x, each.weight]) for each in (ours, torchs)]
        torch.testing.assert_close(*both)
        torch.testing.assert_close(ours(x), torchs(x))


def test_sgc_propagates_before_it_is_nonlinear(graph):
    X, A, matrix = graph
    encoder = filled(SGC(4, 3, n_hops=3))
    torch.testing.assert_close(encoder(X, matrix), prelu(A @ A @ A @ X @ encoder.layer.weight + encoder.layer.bias))


def test_sage_keeps_a_nodes_own_features_apart(graph):
    X, A, matrix = graph
    encoder = filled(GraphSAGE(4, 3))
    H = X
    for layer, own in zip(encoder.layers, encoder.own, strict=True):
        H = prelu(H @ own + A @ H @ layer.weight + layer.bias)
    torch.testing.assert_close(encoder(X, matrix), H)


def test_two_convolutions_of_which_the_last_is_linear(graph):
    X, A, matrix = graph
    encoder = filled(TwoLayerGCN(4, 3, hidden=5))
    V, b, W = (parameter.detach().numpy() for parameter in (encoder.first, encoder.bias, encoder.second))
    x, a = X.numpy(), A.numpy()
    expected = a @ np.maximum(a @ x @ V + b, 0) @ W
    for adjacency in (matrix, A, [matrix, matrix]):
        np.testing.assert_allclose(encoder(X, adjacency).detach().numpy(), expected, atol=1e-5)
    with torch.no_grad():
        encoder.second.neg_()
    np.testing.assert_allclose(encoder(X, matrix).detach().numpy(), -expected, atol=1e-5)
    assert encoder.n_hops == len(encoder.steps) == 2
    assert TwoLayerGCN(4, 3).first.shape == (4, 128)


@pytest.mark.parametrize("make", [GCN, SGC, GraphSAGE, TwoLayerGCN])
def test_sparse_features_give_the_same(graph, make):
    X, A, matrix = graph
    X = X * (X > 0.3)
    encoder = filled(make(4, 3))
    torch.testing.assert_close(encoder(SparseMatrix(sparse.csr_matrix(X.numpy())), matrix), encoder(X, A))


def test_a_single_layer_is_a_convolution(graph):
    X, A, matrix = graph
    encoder = filled(GCN(4, 3))
    weight, bias, slope = encoder.convolution
    Z = A @ X @ weight + bias
    torch.testing.assert_close(encoder(X, matrix), torch.where(Z > 0, Z, slope * Z))
    assert GCN(4, 3, n_layers=2).convolution is None


def test_an_encoder_is_tried():
    pair = torch.eye(2)
    assert isinstance(check_graph_encoder(GCN(4, 3), pair, 4, 3, "three"), GCN)
    with pytest.raises(ValueError, match=r"\(n_nodes, 5\), five columns; GCN does not .* gave \(2, 3\)"):
        check_graph_encoder(GCN(4, 3), pair, 4, 5, "five columns")


def test_a_layer_of_torch_geometric_is_given_the_edges(graph):
    geometric = pytest.importorskip("torch_geometric.nn", reason="needs the extra [graph]")
    X, _, _ = graph
    A = sparse.csr_matrix(np.array([[0, 2, 0], [2, 0, 1], [0, 1, 0]], dtype=np.float32))
    encoder = as_graph_encoder(geometric.GCNConv(4, 3))
    looped = A.toarray() + np.eye(3)
    root = np.diag(looped.sum(1) ** -0.5)
    expected = torch.tensor(root @ looped @ root).float() @ X[:3] @ encoder.network.lin.weight.T
    torch.testing.assert_close(encoder(X[:3], SparseMatrix(A)), expected)
    mean = as_graph_encoder(geometric.SAGEConv(4, 3))  # takes no weights
    assert mean(X[:3], SparseMatrix(A)).shape == (3, 3)
    assert (mean.normalization, mean.n_hops) == ("sum", None)


class Sum(nn.Module):
    """A user's encoder."""

    def forward(self, X, adjacency):
        return adjacency @ X


def test_a_users_module_knows_no_hops_and_may_name_its_normalization(graph):
    X, A, matrix = graph
    wrapped = as_graph_encoder(Sum())
    assert (wrapped.normalization, wrapped.n_hops, wrapped.convolution) == ("symmetric", None, None)
    assert as_graph_encoder(Sum(), "sum").normalization == "sum"
    torch.testing.assert_close(wrapped(X, matrix), A @ X)
    named = Sum()
    named.normalization = "mean"
    assert as_graph_encoder(named, "sum").normalization == "mean"
    assert as_graph_encoder(wrapped, "sum") is wrapped
    ours = GCN(4, 3)
    assert as_graph_encoder(ours, "sum") is ours and ours.normalization == "symmetric"
