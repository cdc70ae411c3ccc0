"""Deep Graph Infomax (Veličković et al., ICLR 2019, eq. 1): node embeddings against the graph's summary."""

from collections.abc import Callable
from typing import Any, NamedTuple, Self, cast

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import Critic
from sklearn_dim.objectives._base import Information, Tables
from sklearn_dim.objectives._fused import Convolution, Memory, is_faster, score_both
from sklearn_dim.objectives._readout import readout

MAX_ENTRIES = 2**30  # of Â: the fast path numbers those of both graphs, in 32 bits


class Embedded(NamedTuple):
    """A batch as the critic sees it.

    Attributes
    ----------
    summary : Tensor of shape (n_graphs, d)
    nodes, negatives : Tensor of shape (n, d)
        Embeddings of the nodes and of what they are told from.
    graph_ids, negative_ids : Tensor of int of shape (n,)
        The graph whose summary each is compared with.
    """

    summary: Tensor
    nodes: Tensor
    negatives: Tensor
    graph_ids: Tensor
    negative_ids: Tensor


class NodeSummary(Information):
    """Information of a graph's summary with its nodes; nodes of a corrupted graph are the negatives.

    A batch is ``((X, adjacency, n_nodes, graph_ids, n_graphs),)``, a `graphs.GraphBatch`: the first ``n_nodes`` nodes
    count, and ``graph_ids`` says which of ``n_graphs`` graphs each belongs to.

    Parameters
    ----------
    encoder : Module
        (X, adjacency) → node embeddings (n, n_components). If it is a single ``convolution``, and the rest allows it,
        both graphs are encoded at once (`_fused.py`).
    critic : Critic
        T(summary, node).
    bound : Bound
    corrupt : callable or None
        (X, adjacency) → the inputs of both graphs. None pairs nodes with the summary of another of several graphs.
    readout : {"mean", "sum", "max"}, default="mean"
        The summary is the sigmoid of it.
    shuffles : bool, default=False
        Whether ``corrupt`` shuffles rows.
    """

    critic: Critic

    def __init__(
        self,
        encoder: nn.Module,
        critic: Critic,
        bound: Bound,
        corrupt: Callable | None,
        *,
        readout: str = "mean",
        shuffles: bool = False,
    ):
        super().__init__(critic, bound)
        self.encoder = encoder
        self.corrupt = corrupt
        self.readout = readout
        with torch.no_grad():
            is_linear = critic.direction(torch.zeros(1, critic.a_features)) is not None
        can_fuse = shuffles and readout == "mean" and is_linear and self.second is None
        self.memory = Memory() if can_fuse else None

    @property
    def divisible(self) -> list[nn.Module]:
        """The encoder, if it says how far neighbourhoods reach."""
        return [] if self.encoder.n_hops is None else [self.encoder]

    def train(self, mode: bool = True) -> Self:
        """Set the mode; out of training the fast path's memory is let go."""
        if self.memory is not None and not mode:
            self.memory.release()
        return super().train(mode)

    def forward(self, batch: tuple[Any]) -> dict[str, Tensor]:
        """Return the loss of a batch."""
        (graph,) = batch
        tables = self.fused_tables(graph)
        return {"node_summary": self.loss(self.tables(self.embed(graph)) if tables is None else tables)}

    def mutual_info(self, batch: tuple[Any], rows: Any = slice(None)) -> Tensor:
        """Return the information in nats of the nodes ``rows`` of a batch."""
        (graph,) = batch
        joint, marginal, _ = self.tables(self.embed(graph))
        return self.value(Tables(joint[:, rows], marginal[:, rows]))

    def embed(self, graph: Any) -> Embedded:
        """Encode a batch's nodes and their negatives."""
        X, adjacency, n_nodes, graph_ids, n_graphs = graph
        if self.corrupt is None:
            if n_graphs < 2:
                raise ValueError("corruption='other_graph' pairs nodes with another graph; pass a list of Graphs.")
            nodes = negatives = self.encoder(X, adjacency)[:n_nodes]
            negative_ids = (graph_ids + torch.randint_like(graph_ids, 1, n_graphs)) % n_graphs
        else:
            nodes, negatives = (self.encoder(*inputs)[:n_nodes] for inputs in self.corrupt(X, adjacency))
            negative_ids = graph_ids
        summary = torch.sigmoid(readout(self.readout, nodes, graph_ids, n_graphs))
        return Embedded(summary, nodes, negatives, graph_ids, negative_ids)

    def scores(self, critic: nn.Module, embedded: Embedded) -> tuple[Tensor, Tensor]:
        """Return the scores (1, n) of the nodes and of their negatives."""
        line = cast(Critic, critic).direction(embedded.summary)
        if line is None:
            joint = self.joint_scores(critic, embedded)
            return joint, of_graph(critic(embedded.summary, embedded.negatives), embedded.negative_ids)
        direction, offset = line  # which serve both graphs
        joint, marginal = (direction @ each.T + offset for each in (embedded.nodes, embedded.negatives))
        return of_graph(joint, embedded.graph_ids), of_graph(marginal, embedded.negative_ids)

    def joint_scores(self, critic: nn.Module, embedded: Embedded) -> Tensor:
        """Return the scores (1, n) of the nodes."""
        return of_graph(critic(embedded.summary, embedded.nodes), embedded.graph_ids)

    def fused_tables(self, graph: Any) -> Tables | None:
        """Return the scores (1, n) of a graph's nodes and of its shuffled graph's, both encoded at once.

        None where the fast path would be wrong or slow.
        """
        X, adjacency, _, _, n_graphs = graph
        memory, convolution = self.memory, cast("Convolution | None", self.encoder.convolution)
        if memory is None or convolution is None or n_graphs > 1 or isinstance(adjacency, list):
            return None
        if not is_faster(convolution, X) or adjacency.nnz >= MAX_ENTRIES:
            return None
        order = torch.randperm(X.shape[0])
        scores = score_both(convolution, X, adjacency, order, self._line, memory)
        return Tables(scores[None, : len(order)], scores[None, len(order) :])

    def _line(self, mean: Tensor) -> tuple[Tensor, Tensor]:
        """Return the direction (d,) and the offset by which the nodes score, of their mean (d,)."""
        direction, offset = cast(tuple[Tensor, Tensor], self.critic.direction(torch.sigmoid(mean[None])))
        return direction[0], offset


def of_graph(table: Tensor, graph_ids: Tensor) -> Tensor:
    """Return of scores (n_graphs, n_nodes) each node's with the graph ``graph_ids`` (n_nodes,), as (1, n_nodes)."""
    return table if len(table) == 1 else table.gather(0, graph_ids[None])
