"""Encoders for graphs: (node features, adjacency) in, patch vectors out.

``adjacency`` is what a convolution multiplies with, normalised as the encoder's ``normalization`` says: one square
matrix for a whole graph, or for a sampled batch a list with a matrix a hop, outermost first. Those are rectangular:
row i gathers for node i, and the first nodes of a hop's columns are the nodes of its rows.
"""

import itertools

import torch
from torch import Tensor, nn

from sklearn_dim.encoders._activation import PReLU


class GCN(nn.Module):
    """Graph convolutions, PReLU(Â X W + b) each, with one shared slope (Veličković et al., ICLR 2019, eq. 3).

    Parameters
    ----------
    n_features : int
        Columns of X.
    n_components : int
        Width of a patch vector.
    n_layers : int, default=1
        Convolutions, one behind the other; 1 is the paper's for graphs that are trained on as a whole.
    """

    normalization = "symmetric"

    def __init__(self, n_features, n_components, *, n_layers=1):
        super().__init__()
        widths = itertools.pairwise([n_features, *[n_components] * n_layers])
        self.layers = nn.ModuleList(_Convolution(*pair) for pair in widths)
        self.n_hops = n_layers

    def forward(self, X, adjacency) -> Tensor:
        """Return patch vectors (n, n_components)."""
        for layer, hop in zip(self.layers, hops(adjacency, self.n_hops), strict=True):
            X = layer.activation(propagate(hop, X, layer.weight) + layer.bias)
        return X

    @property
    def convolution(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """Weight, bias and slope, if there is a single layer: its output is PReLU(Â X weight + bias)."""
        layer, *deeper = self.layers
        return None if deeper else (layer.weight, layer.bias, layer.activation.weight)


class SGC(nn.Module):
    """One convolution over several hops, PReLU(Âᵏ X W + b) (Wu et al., ICML 2019).

    Parameters
    ----------
    n_features, n_components : int
    n_hops : int, default=2
        k.
    """

    normalization = "symmetric"

    def __init__(self, n_features, n_components, *, n_hops=2):
        super().__init__()
        self.layer = _Convolution(n_features, n_components)
        self.n_hops = n_hops

    def forward(self, X, adjacency) -> Tensor:
        """Return patch vectors (n, n_components)."""
        first, *others = hops(adjacency, self.n_hops)
        X = propagate(first, X, self.layer.weight)
        for hop in others:
            X = hop @ X
        return self.layer.activation(X + self.layer.bias)


class GraphSAGE(nn.Module):
    """Layers PReLU(X V + M X W + b), M the mean over neighbours (Hamilton et al., NeurIPS 2017).

    What Deep Graph Infomax uses for graphs that are too large to train on as a whole, and for graphs never seen.

    Parameters
    ----------
    n_features, n_components : int
    n_layers : int, default=2
        The paper's has 3.
    """

    normalization = "mean"

    def __init__(self, n_features, n_components, *, n_layers=2):
        super().__init__()
        widths = list(itertools.pairwise([n_features, *[n_components] * n_layers]))
        self.layers = nn.ModuleList(_Convolution(*pair) for pair in widths)
        self.own = nn.ParameterList(_glorot(*pair) for pair in widths)
        self.n_hops = n_layers

    def forward(self, X, adjacency) -> Tensor:
        """Return patch vectors (n, n_components)."""
        for layer, own, hop in zip(self.layers, self.own, hops(adjacency, self.n_hops), strict=True):
            n = hop.shape[0]
            itself = X[:n] @ own if isinstance(X, Tensor) else (X @ own)[:n]
            X = layer.activation(itself + propagate(hop, X, layer.weight) + layer.bias)
        return X


class _Convolution(nn.Module):
    """The parameters of a convolution."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight = _glorot(inputs, outputs)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.activation = PReLU()


def _glorot(inputs: int, outputs: int) -> nn.Parameter:
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, outputs)))


def hops(adjacency, n: int) -> list:
    """Return the matrices of n hops: those of a sampled batch, or n times the whole graph's."""
    return adjacency if isinstance(adjacency, list) else [adjacency] * n


def propagate(hop, X, weight: Tensor) -> Tensor:
    """Return hop X W, in the order that is cheaper. X is a tensor, or has only the product ``X @ weight``."""
    if not isinstance(X, Tensor):
        return hop @ (X @ weight)
    (n_targets, n_sources), (inputs, outputs) = hop.shape, weight.shape
    nnz = getattr(hop, "nnz", n_targets * n_sources)
    # A dense product does a multiplication in about a tenth of the time of a sparse one.
    gather_first = nnz * inputs + n_targets * inputs * outputs / 10
    multiply_first = nnz * outputs + n_sources * inputs * outputs / 10
    return (hop @ X) @ weight if gather_first < multiply_first else hop @ (X @ weight)
