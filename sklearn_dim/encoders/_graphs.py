"""Encoders for graphs: (node features, normalised adjacency) in, patch vectors out."""

import torch
from torch import Tensor, nn


class GCN(nn.Module):
    """One graph convolution, PReLU(Â X W + b), with one shared slope (Veličković et al., ICLR 2019, eq. 3).

    Parameters
    ----------
    n_features : int
        Columns of X.
    n_components : int
        Width of a patch vector.
    """

    def __init__(self, n_features, n_components):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_features, n_components))
        self.bias = nn.Parameter(torch.zeros(n_components))
        self.activation = nn.PReLU(init=0.25)
        nn.init.xavier_uniform_(self.weight)

    def forward(self, X: Tensor, adjacency: Tensor) -> Tensor:
        """Return patch vectors (n, n_components)."""
        return self.from_product(X @ self.weight, adjacency)

    def from_product(self, XW: Tensor, adjacency: Tensor) -> Tensor:
        """Return patch vectors from X W, which a graph and its row-shuffled twin share: (X[perm])W = (X W)[perm]."""
        return self.activation(adjacency @ XW + self.bias)


def check_graph_encoder(network: nn.Module, n_features: int, n_components: int) -> nn.Module:
    """Try the network on a graph of two nodes, and return it."""
    network.eval()
    try:
        with torch.no_grad():
            shape = tuple(network(torch.zeros(2, n_features), torch.eye(2)).shape)
    except (TypeError, RuntimeError, AttributeError) as error:
        shape = f"raised: {error}"
    if shape != (2, n_components):
        raise ValueError(
            f"the encoder must map (X, adjacency) of {n_features} features to (n_nodes, {n_components}), n_components="
            f"{n_components} columns; {type(network).__name__} does not (for two nodes it gave {shape})."
        )
    return network
