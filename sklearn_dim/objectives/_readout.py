"""Readouts: the node embeddings of each graph made into one."""

from collections.abc import Callable

from torch import Tensor

READOUTS = ("mean", "sum", "max")


def readout(kind: str, nodes: Tensor, graph_ids: Tensor, n_graphs: int) -> Tensor:
    """Return the mean, sum or maximum of each graph's rows.

    Parameters
    ----------
    kind : {"mean", "sum", "max"}
    nodes : Tensor of shape (n_nodes, width)
    graph_ids : Tensor of int of shape (n_nodes,)
        The number of each node's graph.
    n_graphs : int

    Returns
    -------
    Tensor of shape (n_graphs, width)
        Zeros for a graph without nodes.
    """
    if n_graphs == 1:
        whole: dict[str, Callable[..., Tensor]] = {"mean": nodes.mean, "sum": nodes.sum, "max": nodes.amax}
        return whole[kind](0, keepdim=True)
    reduce = "amax" if kind == "max" else kind
    blank = nodes.new_zeros(n_graphs, nodes.shape[1])
    return blank.scatter_reduce(0, graph_ids[:, None].expand_as(nodes), nodes, reduce, include_self=False)
