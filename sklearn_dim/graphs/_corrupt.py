"""The corrupted twin of a graph, whose nodes are the independent ones.

A corruption is a function (X, adjacency) → ((X, adjacency), (X', adjacency')): the graph, perhaps in a form that shares
work with its twin, and the twin. It draws from torch's generator.
"""

import torch
from torch import Tensor

from sklearn_dim.graphs._matrix import MaskedColumns, SharedProducts, ShuffledRows, SparseMatrix

DROPPED = 0.5  # share of features or edges that a twin lacks


def shuffle(X, adjacency):
    """The rows of X change places, the edges stay (Veličković et al., ICLR 2019, section 3.4)."""
    order = torch.randperm(X.shape[0]).to(X.device)
    if isinstance(X, Tensor):
        return (X, adjacency), (X[order], adjacency)
    X = SharedProducts(X)
    return (X, adjacency), (ShuffledRows(X, order), adjacency)


def masked_shuffle(X, adjacency):
    """Half of the columns of X, chosen anew, are hidden from both graphs, the others doubled; then `shuffle`.

    The feature masks of later contrastive methods (Zhu et al., "Deep Graph Contrastive Representation Learning", 2020).
    """
    mask = (torch.rand(X.shape[1]).to(X.device) >= DROPPED) / (1 - DROPPED)
    return shuffle(X * mask if isinstance(X, Tensor) else MaskedColumns(X, mask), adjacency)


def drop_features(X, adjacency):
    """Each entry of X is zero with probability ½."""
    return (X, adjacency), (thinned(X, DROPPED), adjacency)


def drop_edges(X, adjacency):
    """Each entry of the propagation matrix, loops included, is zero with probability ½."""
    hops = [thinned(hop, DROPPED) for hop in adjacency] if isinstance(adjacency, list) else thinned(adjacency, DROPPED)
    return (X, adjacency), (X, hops)


def thinned(matrix, share: float):
    """Return a matrix without a random ``share`` of its entries."""
    if isinstance(matrix, SparseMatrix):
        return matrix.masked(torch.rand(matrix.nnz).to(matrix.device) >= share)
    return matrix * (torch.rand(matrix.shape).to(matrix.device) >= share)


CORRUPTIONS = {
    "shuffle": shuffle,
    "masked_shuffle": masked_shuffle,
    "feature_dropout": drop_features,
    "edge_dropout": drop_edges,
}
