"""Readouts: the nodes' vectors of each graph made into one."""

from torch import Tensor

READOUTS = ("mean", "sum", "max")


def readout(kind: str, vectors: Tensor, parts: Tensor, n_parts: int) -> Tensor:
    """Return the mean, sum or maximum of each graph's rows.

    Parameters
    ----------
    kind : {"mean", "sum", "max"}
    vectors : Tensor of shape (n_nodes, width)
    parts : Tensor of int of shape (n_nodes,)
        The number of each node's graph.
    n_parts : int

    Returns
    -------
    Tensor of shape (n_parts, width)
        Zeros for a graph without nodes.
    """
    if n_parts == 1:
        whole = getattr(vectors, "amax" if kind == "max" else kind)
        return whole(0, keepdim=True)
    reduce = {"mean": "mean", "sum": "sum", "max": "amax"}[kind]
    blank = vectors.new_zeros(n_parts, vectors.shape[1])
    return blank.scatter_reduce(0, parts[:, None].expand_as(vectors), vectors, reduce, include_self=False)
