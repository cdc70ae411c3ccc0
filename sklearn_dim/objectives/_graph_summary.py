"""InfoGraph (Sun et al., ICLR 2020, eq. 4): the vectors of nodes against those of whole graphs."""

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import TwoCritics
from sklearn_dim.objectives._readout import readout


class GraphSummary(nn.Module):
    """Information of a node with its own graph; the other graphs of the batch are the independent ones.

    A batch is ``(sizes, X, adjacency)``: graphs side by side, and how many nodes each has.

    Parameters
    ----------
    encoder : Module
        (X, adjacency) → node vectors (n_nodes, n_components).
    critic : Module
        T(node, graph).
    bound : Bound
    n_components : int
    readout : {"sum", "mean", "max"}, default="sum"
        How the vectors of a graph's nodes become the graph's.
    """

    def __init__(self, encoder: nn.Module, critic: nn.Module, bound: Bound, n_components: int, readout: str = "sum"):
        super().__init__()
        self.encoder = encoder
        self.critic = critic
        self.bound = bound
        self.readout = readout
        # Sums grow with the graphs; the critic sees them on one scale.
        self.scale = nn.BatchNorm1d(n_components, affine=False)

    def encode(self, sizes: Tensor, X: Tensor, adjacency) -> tuple[Tensor, Tensor]:
        """Return the vectors of nodes (n_nodes, n_components) and of graphs (n_graphs, n_components)."""
        nodes = self.encoder(X, adjacency)
        return nodes, torch.asinh(readout(self.readout, nodes, owners(sizes), len(sizes)))

    def tables(self, batch) -> tuple[Tensor, ...]:
        """Return each node's scores with its own graph (n_nodes, 1) and with the others (n_nodes, n_graphs − 1).

        A second critic's scores with its own graph come third.
        """
        sizes = batch[0]
        nodes, graphs = self.encode(*batch)
        graphs = self.scale(graphs)
        own = owners(sizes)[:, None]
        table = self.critic(nodes, graphs)
        others = torch.ones_like(table, dtype=torch.bool).scatter_(1, own, False)
        tables = table.gather(1, own), table[others].view(len(nodes), -1)
        if isinstance(self.critic, TwoCritics):
            tables += (self.critic.second(nodes, graphs).gather(1, own),)
        return tables

    def forward(self, batch) -> dict[str, Tensor]:
        """Return the loss of a batch (sizes, X, adjacency)."""
        return {"graph_summary": -self.bound.objective(*self.tables(batch))}

    def mutual_info(self, batch) -> Tensor:
        """Return the batch's value in nats."""
        return self.bound.value(*self.tables(batch))


def owners(sizes: Tensor) -> Tensor:
    """Return the number of each node's graph (n_nodes,)."""
    return torch.arange(len(sizes), device=sizes.device).repeat_interleave(sizes)
