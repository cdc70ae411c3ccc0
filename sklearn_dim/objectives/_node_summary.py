"""Deep Graph Infomax (Veličković et al., ICLR 2019, eq. 1): patch vectors against the graph's summary."""

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import TwoCritics


class NodeSummary(nn.Module):
    """Information of a graph's summary with its nodes; nodes of a shuffled graph are the independent ones.

    A batch is ``((X, adjacency),)``.

    Parameters
    ----------
    encoder : Module
        (X, adjacency) → patch vectors (n, n_components). With a method ``from_product`` X W is computed
        once for both graphs.
    critic : Module
        T(summary, patch).
    bound : Bound
    """

    def __init__(self, encoder: nn.Module, critic: nn.Module, bound: Bound):
        super().__init__()
        self.encoder = encoder
        self.critic = critic
        self.bound = bound

    def tables(self, batch) -> tuple[Tensor, ...]:
        """Return the scores (1, n) of the graph's nodes, of the shuffled graph's, and a second critic's of nodes."""
        patches, corrupted = self.encode_both(*batch[0])
        summary = torch.sigmoid(patches.mean(0, keepdim=True))
        tables = self.critic(summary, patches), self.critic(summary, corrupted)
        return (*tables, self.critic.second(summary, patches)) if isinstance(self.critic, TwoCritics) else tables

    def encode_both(self, X, adjacency) -> tuple[Tensor, Tensor]:
        """Return patch vectors of the graph and of its twin with the rows of X shuffled."""
        order = torch.randperm(X.shape[0], device=adjacency.device)
        if hasattr(self.encoder, "from_product"):
            XW = X @ self.encoder.weight
            return self.encoder.from_product(XW, adjacency), self.encoder.from_product(XW[order], adjacency)
        return self.encoder(X, adjacency), self.encoder(X[order], adjacency)

    def forward(self, batch) -> dict[str, Tensor]:
        """Return the loss of a batch ((X, adjacency),)."""
        return {"node_summary": -self.bound.objective(*self.tables(batch))}

    def mutual_info(self, batch, rows=slice(None)) -> Tensor:
        """Return the value in nats of the nodes ``rows`` of a batch."""
        joint, marginal, *_ = self.tables(batch)
        return self.bound.value(joint[:, rows], marginal[:, rows])
