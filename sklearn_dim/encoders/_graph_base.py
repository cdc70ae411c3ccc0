"""What an encoder of graphs is: the protocol, and the wrappers of users' modules."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class GraphEncoder(nn.Module):
    """The protocol of a graph encoder: ``forward(X, adjacency)`` returns one embedding per node.

    ``adjacency`` is what a convolution multiplies with (``adjacency @ dense``), normalised as ``normalization`` says.
    For a whole graph it is one square matrix, for a sampled batch a list with one matrix per hop, outermost first.
    Those are rectangular: row i gathers for node i, and the nodes of the rows come first among those of the columns.

    Attributes
    ----------
    normalization : {"symmetric", "mean", "sum"}, default="symmetric"
        A kind of `sklearn_dim.graphs.normalized_adjacency`.
    n_hops : int or None, default=None
        Number of hops that an embedding depends on. With None the encoder knows no hops: it is given X as a dense
        tensor, and for a sampled batch one square matrix over all of its nodes.
    convolution : tuple of Tensor or None
        The parameters (weight, bias, slope) of an encoder that is PReLU(adjacency X weight + bias) and nothing else,
        which Deep Graph Infomax computes faster than autograd would. None, the default, for all others.
    steps : list of callable or None
        The encoder as functions (X, hop) → X of one hop each, to be applied one after the other, so that all nodes of
        a large graph are encoded hop by hop. None, the default, for an encoder that is not made so.
    """

    normalization: str = "symmetric"
    n_hops: int | None = None

    @property
    def convolution(self) -> tuple[Tensor, Tensor, Tensor] | None:
        """Weight, bias and slope of an encoder that is a single convolution, else None."""
        return None

    @property
    def steps(self) -> list[Callable[[Any, Any], Tensor]] | None:
        """The encoder as functions of one hop each, or None."""
        return None

    @property
    def name(self) -> str:
        """What messages call this encoder."""
        return type(self).__name__

    def forward(self, X: Any, adjacency: Any) -> Tensor:
        """Return node embeddings (n_nodes, n_components); in a sampled batch its own nodes come first."""
        raise NotImplementedError(f"{self.name} has no forward(X, adjacency) that returns node embeddings.")


class UserGraphEncoder(GraphEncoder):
    """A user's module of signature (X, adjacency) as a `GraphEncoder`.

    Parameters
    ----------
    network : Module
        Its attribute ``normalization``, if it has one, says what ``adjacency`` should be.
    normalization : str, default="symmetric"
        For networks without that attribute.
    """

    def __init__(self, network: nn.Module, normalization: str = "symmetric"):
        super().__init__()
        self.network = network
        # By name, as a module of the user's need not be one of our classes.
        self.normalization = getattr(network, "normalization", normalization)

    @property
    def name(self) -> str:
        """What messages call this encoder: the user's class."""
        return type(self.network).__name__

    def forward(self, X: Tensor, adjacency: Any) -> Tensor:
        """Return node embeddings (n_nodes, n_components)."""
        return self.network(X, adjacency)


class EdgeIndexEncoder(UserGraphEncoder):
    """A module of signature (x, edge_index[, edge_weight]), such as torch_geometric's, as a `GraphEncoder`.

    Parameters
    ----------
    network : Module
        It is given the edges as they are, without loops, as such layers normalise them by themselves.
    """

    def __init__(self, network: nn.Module):
        super().__init__(network)
        self.normalization = "sum"
        self.weighted = "edge_weight" in inspect.signature(network.forward).parameters

    def forward(self, X: Tensor, adjacency: Any) -> Tensor:
        """Return node embeddings (n_nodes, n_components)."""
        index, weight = adjacency.edges
        if self.weighted:
            return self.network(X, index, edge_weight=weight)
        return self.network(X, index[:, weight != 0] if adjacency.has_zeros else index)


def as_graph_encoder(network: nn.Module, normalization: str = "symmetric") -> GraphEncoder:
    """Return a `GraphEncoder` as it is, and any other module wrapped as one.

    Parameters
    ----------
    network : Module
        Of signature (X, adjacency), or (x, edge_index[, edge_weight]).
    normalization : str, default="symmetric"
        For a module of signature (X, adjacency) that has no attribute of this name.
    """
    if isinstance(network, GraphEncoder):
        return network
    if "edge_index" in inspect.signature(network.forward).parameters:
        return EdgeIndexEncoder(network)
    return UserGraphEncoder(network, normalization)


def check_graph_encoder(network: GraphEncoder, adjacency: Any, n_features: int, width: int, why: str) -> GraphEncoder:
    """Call an encoder on a graph of two nodes and return it.

    Parameters
    ----------
    network : GraphEncoder
        It is left in eval mode.
    adjacency : matrix of shape (2, 2)
    n_features : int
        Columns of X.
    width : int
        Width that the embeddings should have.
    why : str
        What the message says about that width.

    Raises
    ------
    ValueError
        If the call fails, or returns another shape.
    """
    network.eval()
    try:
        with torch.no_grad():
            shape = tuple(network(torch.zeros(2, n_features), adjacency).shape)
        outcome = f"gave {shape}"
    except (TypeError, RuntimeError, AttributeError, ValueError) as error:
        shape, outcome = None, f"raised: {error}"
    if shape != (2, width):
        raise ValueError(
            f"the encoder must map (X, adjacency) of {n_features} features to (n_nodes, {width}), {why}; "
            f"{network.name} does not (for two nodes it {outcome})."
        )
    return network
