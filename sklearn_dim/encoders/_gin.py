"""The graph isomorphism network, which tells apart all graphs that the Weisfeiler–Lehman test does."""

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_dim._arguments import checked
from sklearn_dim.encoders._graph_base import GraphEncoder
from sklearn_dim.encoders._graphs import hops


@checked(n_features="[1, inf)", n_components="[1, inf)", n_layers="[1, inf)")
class GIN(GraphEncoder):
    """Layers MLP((1 + ε)h + A h), with their outputs concatenated (Xu et al., ICLR 2019, eq. 4.1 and 4.2).

    Parameters
    ----------
    n_features : int
        Columns of X.
    n_components : int
        Width of a node embedding, divided among the layers.
    n_layers : int, default=3
        Layers; at most as many as components.
    """

    normalization = "sum"

    def __init__(self, n_features: int, n_components: int, *, n_layers: int = 3):
        super().__init__()
        self.n_hops = n_layers = min(n_layers, n_components)
        widths = [(n_components + layer) // n_layers for layer in range(n_layers)]
        self.layers = nn.ModuleList(map(_Layer, [n_features, *widths], widths))

    def forward(self, X: Any, adjacency: Any) -> Tensor:
        """Return node embeddings (n_nodes, n_components)."""
        outputs = []
        for layer, hop in zip(self.layers, hops(adjacency, len(self.layers)), strict=True):
            X = layer(X, hop)
            outputs.append(X)
        return torch.cat([first(output, len(X)) for output in outputs], 1)


class _Layer(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.epsilon = nn.Parameter(torch.zeros(()))
        self.weight = nn.Parameter(nn.Linear(inputs, outputs).weight.detach().T.contiguous())
        self.rest = nn.Sequential(
            nn.BatchNorm1d(outputs), nn.ReLU(), nn.Linear(outputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()
        )

    def forward(self, h: Any, hop: Any) -> Tensor:
        """Return the next layer (n_targets, outputs) of the nodes that the rows of a hop gather for."""
        hW = h @ self.weight  # the MLP's first product comes before the sum instead of after it, as h may be sparse
        return self.rest((1 + self.epsilon) * first(hW, hop.shape[0]) + hop @ hW)


def first(rows: Tensor, n: int) -> Tensor:
    """Return the first n rows; a slice of them all would cost its gradient a copy."""
    return rows if len(rows) == n else rows[:n]
