"""InfoGraph (Sun et al., ICLR 2020, eq. 4): the embeddings of nodes against those of whole graphs."""

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import Critic
from sklearn_dim.objectives._base import Information
from sklearn_dim.objectives._readout import readout

Batch = tuple[Tensor, Tensor, Any]


class GraphSummary(Information):
    """Information of a node with its own graph; the other graphs of the batch are the negatives.

    A batch is ``(sizes, X, adjacency)``: graphs side by side, and how many nodes each has.

    Parameters
    ----------
    encoder : Module
        (X, adjacency) → node embeddings (n_nodes, n_components).
    critic : Critic
        T(node, graph).
    bound : Bound
    n_components : int
    readout : {"sum", "mean", "max"}, default="sum"
        How the embeddings of a graph's nodes become the graph's.
    """

    def __init__(self, encoder: nn.Module, critic: Critic, bound: Bound, n_components: int, readout: str = "sum"):
        super().__init__(critic, bound)
        self.encoder = encoder
        self.readout = readout
        # Sums grow with the graphs; the critic sees them on one scale.
        self.scale = nn.BatchNorm1d(n_components, affine=False)

    def encode(self, sizes: Tensor, X: Tensor, adjacency: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return the embeddings of nodes (n_nodes, n_components) and of graphs (n_graphs, n_components).

        Third is the number of each node's graph (n_nodes,).
        """
        nodes = self.encoder(X, adjacency)
        own = graph_ids(sizes, len(nodes))
        return nodes, torch.asinh(readout(self.readout, nodes, own, len(sizes))), own

    def scores(self, critic: nn.Module, nodes: Tensor, graphs: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Return each node's scores with its own graph (n_nodes, 1) and with the others (n_nodes, n_graphs − 1)."""
        table, own = critic(nodes, graphs), own[:, None]
        others = torch.arange(len(graphs) - 1, device=own.device)
        return table.gather(1, own), table.gather(1, others + (others >= own))

    def joint_scores(self, critic: nn.Module, nodes: Tensor, graphs: Tensor, own: Tensor) -> Tensor:
        """Return each node's scores with its own graph (n_nodes, 1)."""
        return critic(nodes, graphs).gather(1, own[:, None])

    def embed(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return a batch as `tables` takes it: nodes, graphs on one scale, and the number of each node's graph."""
        nodes, graphs, own = self.encode(*batch)
        return nodes, self.scale(graphs), own

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss of a batch."""
        return {"graph_summary": self.loss(self.tables(*self.embed(batch)))}

    def mutual_info(self, batch: Batch) -> Tensor:
        """Return the batch's information in nats."""
        return self.value(self.tables(*self.embed(batch)))


def graph_ids(sizes: Tensor, n_nodes: int) -> Tensor:
    """Return the number of each node's graph (n_nodes,); nobody waits to be told how many nodes there are."""
    return torch.arange(len(sizes), device=sizes.device).repeat_interleave(sizes, output_size=n_nodes)
