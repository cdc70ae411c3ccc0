"""Graph encoders of one's own, torch_geometric's layers among them."""

import inspect

import torch
from torch import Tensor, nn


class EdgeIndexEncoder(nn.Module):
    """A module of signature (x, edge_index[, edge_weight]), as torch_geometric's, as one of (X, adjacency).

    Parameters
    ----------
    network : Module
        It is given the edges as they are, without loops: such layers normalise for themselves.
    """

    normalization = "sum"

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.weighted = "edge_weight" in inspect.signature(network.forward).parameters

    def forward(self, X: Tensor, adjacency) -> Tensor:
        """Return patch vectors (n, n_components)."""
        index, weight = adjacency.edges
        return self.network(X, index, edge_weight=weight) if self.weighted else self.network(X, index)


def as_graph_encoder(network: nn.Module) -> nn.Module:
    """Return a module of signature (X, adjacency): the network, or what calls it with the graph's edges."""
    names = inspect.signature(network.forward).parameters
    return EdgeIndexEncoder(network) if "edge_index" in names else network


def check_graph_encoder(network: nn.Module, adjacency, n_features: int, width: int, why: str) -> nn.Module:
    """Try the network on the graph of two nodes ``adjacency``, and return it; an error says ``why`` its width."""
    network.eval()
    try:
        with torch.no_grad():
            shape = tuple(network(torch.zeros(2, n_features), adjacency).shape)
    except (TypeError, RuntimeError, AttributeError, ValueError) as error:
        shape = f"raised: {error}"
    if shape != (2, width):
        raise ValueError(
            f"the encoder must map (X, adjacency) of {n_features} features to (n_nodes, {width}), {why}; "
            f"{type(network).__name__} does not (for two nodes it gave {shape})."
        )
    return network
