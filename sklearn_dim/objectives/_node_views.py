"""Two views of a graph: what a node is in the one and in the other, against the other nodes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import Critic
from sklearn_dim.objectives._base import Information, Tables
from sklearn_dim.objectives._pairs import split_diagonal

MAX_NODES = 1024  # of a batch that are compared with each other: the table of scores has this number squared


class NodeViews(Information):
    """Information between the embeddings of a node in two views; the other nodes are the negatives.

    As Deep Graph Infomax it maximises what a node's embedding says about its graph; but instead of a summary, which all
    nodes share, a node's own surroundings are asked for (Zhu et al., "Deep Graph Contrastive Representation Learning",
    2020, eq. 1).

    A batch is ``((X, adjacency, n_nodes, graph_ids, n_graphs),)``, a `graphs.GraphBatch`.

    Parameters
    ----------
    encoder : Module
        (X, adjacency) → node embeddings (n, n_components).
    critic : Critic
        T(node, node).
    bound : Bound
    view : callable
        (X, adjacency) → a view of them, drawn anew with each call.
    """

    critic: Critic

    def __init__(self, encoder: nn.Module, critic: Critic, bound: Bound, view: Callable):
        super().__init__(critic, bound)
        self.encoder, self.view = encoder, view

    @property
    def divisible(self) -> list[nn.Module]:
        """The encoder, if it says how far neighbourhoods reach."""
        return [] if self.encoder.n_hops is None else [self.encoder]

    def embed(self, graph: Any) -> tuple[Tensor, Tensor]:
        """Return the embeddings (n_nodes, n_components) of a batch's own nodes in two views."""
        X, adjacency, n_nodes, *_ = graph
        views = (self.view(X, adjacency) for _ in range(2))
        one, other = (self.encoder(*view)[:n_nodes] for view in views)
        return one, other

    def scores(self, critic: nn.Module, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of each node with itself (n, 1) and with the other nodes (n, n − 1)."""
        joint, marginal = split_diagonal(critic(one, other))
        return joint[:, None], marginal

    def forward(self, batch: tuple[Any]) -> dict[str, Tensor]:
        """Return the loss of a batch."""
        return {"node_views": self.loss(self.tables(*self._some(*self.embed(batch[0]))))}

    def mutual_info(self, batch: tuple[Any], rows: Any = slice(None)) -> Tensor:
        """Return the information in nats of the nodes ``rows`` of a batch."""
        one, other = (view[rows] for view in self.embed(batch[0]))
        joint, marginal, _ = self.tables(*self._some(one, other))
        return self.value(Tables(joint, marginal))

    @staticmethod
    def _some(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """Return the same nodes of both views: all, or `MAX_NODES` of them at random."""
        if len(one) <= MAX_NODES:
            return one, other
        nodes = torch.randperm(len(one), device=one.device)[:MAX_NODES]
        return one[nodes], other[nodes]
