"""Encoders made of graph convolutions; `GraphEncoder` says what they are given."""

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from sklearn_dim._arguments import checked
from sklearn_dim.encoders._activation import PReLU
from sklearn_dim.encoders._graph_base import GraphEncoder


@checked(n_features="[1, inf)", n_components="[1, inf)", n_layers="[1, inf)")
class GCN(GraphEncoder):
    """Graph convolutions PReLU(Â X W + b), each with one slope for all units (Veličković et al., ICLR 2019, eq. 3).

    Parameters
    ----------
    n_features : int
        Columns of X.
    n_components : int
        Width of a node embedding.
    n_layers : int, default=1
        Number of convolutions in a row; 1 is the paper's for graphs that are trained on as a whole.
    """

    normalization = "symmetric"

    def __init__(self, n_features: int, n_components: int, *, n_layers: int = 1):
        super().__init__()
        widths = itertools.pairwise([n_features, *[n_components] * n_layers])
        self.layers = nn.ModuleList(_Convolution(*pair) for pair in widths)
        self.n_hops = n_layers

    def forward(self, X: Any, adjacency: Any) -> Tensor:
        """Return node embeddings (n_nodes, n_components)."""
        return follow(self.steps, X, adjacency)

    @property
    def steps(self) -> list[Callable[[Any, Any], Tensor]]:
        """The layers."""
        return list(self.layers)

    @property
    def convolution(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """Weight, bias and slope, if there is one layer."""
        if len(self.layers) > 1:
            return None
        layer = cast(_Convolution, self.layers[0])
        return layer.weight, layer.bias, layer.activation.weight


@checked(n_features="[1, inf)", n_components="[1, inf)", hidden="[1, inf)")
class TwoLayerGCN(GraphEncoder):
    """Two graph convolutions, Â ReLU(Â X V + b) W (Kipf & Welling, "Variational Graph Auto-Encoders", 2016).

    The last is linear, so that an embedding's directions are all used.

    Parameters
    ----------
    n_features : int
        Columns of X.
    n_components : int
        Width of a node embedding.
    hidden : int, default=128
        Width of the first convolution.
    """

    normalization = "symmetric"
    n_hops = 2

    def __init__(self, n_features: int, n_components: int, *, hidden: int = 128):
        super().__init__()
        self.first, self.bias = _glorot(n_features, hidden), nn.Parameter(torch.zeros(hidden))
        self.second = _glorot(hidden, n_components)

    def forward(self, X: Any, adjacency: Any) -> Tensor:
        """Return node embeddings (n_nodes, n_components)."""
        return follow(self.steps, X, adjacency)

    @property
    def steps(self) -> list[Callable[[Any, Any], Tensor]]:
        """The two convolutions."""
        return [
            lambda X, hop: torch.relu(propagate(hop, X, self.first) + self.bias),
            lambda X, hop: propagate(hop, X, self.second),
        ]


@checked(n_features="[1, inf)", n_components="[1, inf)", n_hops="[0, inf)")
class SGC(GraphEncoder):
    """One convolution over several hops, PReLU(Âᵏ X W + b) (Wu et al., ICML 2019).

    Parameters
    ----------
    n_features : int
        Columns of X.
    n_components : int
        Width of a node embedding.
    n_hops : int, default=2
        k.
    """

    normalization = "symmetric"
    n_hops: int

    def __init__(self, n_features: int, n_components: int, *, n_hops: int = 2):
        super().__init__()
        self.layer = _Convolution(n_features, n_components)
        self.n_hops = n_hops

    def forward(self, X: Any, adjacency: Any) -> Tensor:
        """Return node embeddings (n_nodes, n_components)."""
        return self._activate(follow(self._products, X, adjacency))

    @property
    def steps(self) -> list[Callable[[Any, Any], Tensor]]:
        """The products, of which the last is followed by the activation."""
        *products, last = self._products
        return [*products, lambda X, hop: self._activate(last(X, hop))]

    @property
    def _products(self) -> list[Callable[[Any, Any], Tensor]]:
        others = [lambda X, hop: hop @ X] * (self.n_hops - 1)
        return [lambda X, hop: propagate(hop, X, self.layer.weight), *others]

    def _activate(self, X: Tensor) -> Tensor:
        return self.layer.activation(X + self.layer.bias)


@checked(n_features="[1, inf)", n_components="[1, inf)", n_layers="[1, inf)")
class GraphSAGE(GraphEncoder):
    """Layers PReLU(X V + M X W + b), M the mean over neighbours (Hamilton et al., NeurIPS 2017).

    It is what Deep Graph Infomax uses for graphs too large to train on as a whole, and for graphs unseen in training.

    Parameters
    ----------
    n_features : int
        Columns of X.
    n_components : int
        Width of a node embedding.
    n_layers : int, default=2
        Number of layers; 3 in Deep Graph Infomax.
    """

    normalization = "mean"

    def __init__(self, n_features: int, n_components: int, *, n_layers: int = 2):
        super().__init__()
        widths = list(itertools.pairwise([n_features, *[n_components] * n_layers]))
        self.layers = nn.ModuleList(_Convolution(*pair) for pair in widths)
        self.own = nn.ParameterList(_glorot(*pair) for pair in widths)
        self.n_hops = n_layers

    def forward(self, X: Any, adjacency: Any) -> Tensor:
        """Return node embeddings (n_nodes, n_components)."""
        return follow(self.steps, X, adjacency)

    @property
    def steps(self) -> list[Callable[[Any, Any], Tensor]]:
        """The layers, each with its weight for a node's own features."""
        return [partial(self._layer, *pair) for pair in zip(self.layers, self.own, strict=True)]

    @staticmethod
    def _layer(layer: nn.Module, own: Tensor, X: Any, hop: Any) -> Tensor:
        n = hop.shape[0]
        themselves = X[:n] @ own if isinstance(X, Tensor) else (X @ own)[:n]
        return layer(X, hop, themselves)


class _Convolution(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight = _glorot(inputs, outputs)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.activation = PReLU()

    def forward(self, X: Any, hop: Any, added: Tensor | None = None) -> Tensor:
        """Return PReLU(hop X W + b), with ``added`` inside if given."""
        gathered = propagate(hop, X, self.weight)
        return self.activation((gathered if added is None else added + gathered) + self.bias)


def _glorot(inputs: int, outputs: int) -> nn.Parameter:
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, outputs)))


def hops(adjacency: Any, n: int) -> list:
    """Return the matrices of n hops: those of a sampled batch, or n times that of the whole graph."""
    return adjacency if isinstance(adjacency, list) else [adjacency] * n


def follow(steps: list[Callable[[Any, Any], Tensor]], X: Any, adjacency: Any) -> Tensor:
    """Return X after functions (X, hop) → X, one for each hop."""
    for step, hop in zip(steps, hops(adjacency, len(steps)), strict=True):
        X = step(X, hop)
    return X


DENSE_SPEEDUP = 10  # multiplications of a dense product in the time of one of a sparse product, about


def propagate(hop: Any, X: Any, weight: Tensor) -> Tensor:
    """Return hop X W, computed in the cheaper order. X is a tensor, or only knows the product ``X @ weight``."""
    if not isinstance(X, Tensor):
        return hop @ (X @ weight)
    (n_targets, n_sources), (inputs, outputs) = hop.shape, weight.shape
    nnz = math.prod(hop.shape) if isinstance(hop, Tensor) else hop.nnz
    gather_first = nnz * inputs + n_targets * inputs * outputs / DENSE_SPEEDUP
    multiply_first = nnz * outputs + n_sources * inputs * outputs / DENSE_SPEEDUP
    return (hop @ X) @ weight if gather_first < multiply_first else hop @ (X @ weight)
