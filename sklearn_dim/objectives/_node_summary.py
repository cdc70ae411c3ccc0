"""Deep Graph Infomax (Veličković et al., ICLR 2019, eq. 1): patch vectors against the graph's summary."""

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import TwoCritics
from sklearn_dim.objectives._readout import readout


class NodeSummary(nn.Module):
    """Information of a graph's summary with its nodes; nodes of a corrupted graph are the independent ones.

    A batch is ``((X, adjacency, n_nodes, parts, n_parts),)``, a `graphs.GraphBatch`: the first ``n_nodes`` nodes count,
    and ``parts`` says which of ``n_parts`` graphs each is of.

    Parameters
    ----------
    encoder : Module
        (X, adjacency) → patch vectors (n, n_components). One that `has_twin` encodes both graphs at once.
    critic : Module
        T(summary, patch).
    bound : Bound
    corrupt : callable or None
        (X, adjacency) → the inputs of both graphs. None pairs nodes with the summary of another of several graphs.
    readout : {"mean", "sum", "max"}, default="mean"
        The summary is the sigmoid of it.
    shuffles : bool, default=False
        Whether ``corrupt`` shuffles rows, which an encoder that `has_twin` can do by itself.
    """

    def __init__(self, encoder: nn.Module, critic: nn.Module, bound: Bound, corrupt, *, readout="mean", shuffles=False):
        super().__init__()
        self.encoder = encoder
        self.critic = critic
        self.bound = bound
        self.corrupt = corrupt
        self.readout = readout
        self.shuffles = shuffles

    def forward(self, batch) -> dict[str, Tensor]:
        """Return the loss of a batch."""
        (graph,) = batch
        tables = self.twin_tables(*graph[:2]) if self.is_twin(graph) else self.tables(graph)
        return {"node_summary": -self.bound.objective(*tables)}

    def mutual_info(self, batch, rows=slice(None)) -> Tensor:
        """Return the value in nats of the nodes ``rows`` of a batch."""
        joint, marginal, *_ = self.tables(*batch)
        return self.bound.value(joint[:, rows], marginal[:, rows])

    def tables(self, graph) -> tuple[Tensor, ...]:
        """Return the scores (1, n) of the nodes, of their independent twins, and a second critic's of the nodes."""
        X, adjacency, n_nodes, parts, n_parts = graph
        if self.corrupt is None:
            if n_parts < 2:
                raise ValueError("corruption='other_graph' pairs nodes with another graph; pass a list of Graphs.")
            patches, corrupted = self.encoder(X, adjacency)[:n_nodes], None
        else:
            patches, corrupted = (self.encoder(*inputs)[:n_nodes] for inputs in self.corrupt(X, adjacency))
        summary = torch.sigmoid(readout(self.readout, patches, parts, n_parts))
        joint = own(self.critic(summary, patches), parts)
        if corrupted is None:
            others = (parts + torch.randint_like(parts, 1, n_parts)) % n_parts
            marginal = own(self.critic(summary, patches), others)
        else:
            marginal = own(self.critic(summary, corrupted), parts)
        second = (own(self.critic.second(summary, patches), parts),) if isinstance(self.critic, TwoCritics) else ()
        return joint, marginal, *second

    def is_twin(self, graph) -> bool:
        """Whether the shortcut `twin_tables` gives the scores of a batch."""
        whole = graph.n_graphs == 1 and not isinstance(graph.adjacency, list)
        linear = hasattr(self.critic, "direction") and getattr(self.critic, "clip", None) is None
        plain = self.shuffles and self.readout == "mean" and linear
        return whole and plain and hasattr(self.encoder, "has_twin") and self.encoder.has_twin(graph.X)

    def twin_tables(self, X, adjacency) -> tuple[Tensor, Tensor]:
        """Return the scores (1, n) of the nodes and of the shuffled graph's, encoding both graphs at once."""
        order = torch.randperm(X.shape[0])
        patches, mean = self.encoder.twin(X, adjacency, order)
        direction, offset = self.critic.direction(torch.sigmoid(mean[None]))
        memory = adjacency.scratch("gradient", *patches.shape)
        scores = PatchScores.apply(patches, direction[0], memory) + offset
        return scores[None, : len(order)], scores[None, len(order) :]


class PatchScores(torch.autograd.Function):
    """patches · direction, whose gradient for the patches goes into memory that is there already."""

    @staticmethod
    def forward(ctx, patches, direction, memory):
        """Score patches (n, d) as (n,)."""
        ctx.save_for_backward(patches, direction)
        ctx.memory = memory
        return patches @ direction

    @staticmethod
    def backward(ctx, over_scores):
        """Return the gradients of patches and direction."""
        patches, direction = ctx.saved_tensors
        return torch.outer(over_scores, direction, out=ctx.memory), patches.T @ over_scores, None


def own(table: Tensor, parts: Tensor) -> Tensor:
    """Return of scores (n_graphs, n_nodes) each node's with the graph ``parts`` (n_nodes,), as (1, n_nodes)."""
    return table if len(table) == 1 else table.gather(0, parts[None])
