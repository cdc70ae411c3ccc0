"""Corruptions of a graph, whose nodes are the negatives of Deep Graph Infomax.

A corruption is a function (X, adjacency) → ((X, adjacency), (X', adjacency')): the graph, perhaps in a form that shares
products with the corrupted graph, and the corrupted graph. It draws from torch's generator.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sklearn_dim.graphs._matrix import MaskedColumns, SharedProducts, ShuffledRows, SparseMatrix

HIDDEN = 0.4  # probability of a column or an edge to be missing in a view; 0.2 to 0.5 are alike
DROPPED = 0.5  # probability of a feature or an edge to be dropped: with ½ there are most ways to corrupt a graph

Inputs = tuple[Any, Any]  # X, a tensor or a matrix that knows ``X @ weight``, and adjacency, a matrix or one per hop


def shuffle(X: Any, adjacency: Any) -> tuple[Inputs, Inputs]:
    """Shuffle the rows of X and keep the edges (Veličković et al., ICLR 2019, section 3.4)."""
    order = torch.randperm(X.shape[0], device=X.device)
    if isinstance(X, Tensor):
        return (X, adjacency), (X[order], adjacency)
    X = SharedProducts(X)
    return (X, adjacency), (ShuffledRows(X, order), adjacency)


def masked_shuffle(X: Any, adjacency: Any) -> tuple[Inputs, Inputs]:
    """Set a random half of the columns of X to zero in both graphs and double the others; then `shuffle`.

    These are the feature masks of Zhu et al., "Deep Graph Contrastive Representation Learning", 2020.
    """
    mask = (torch.rand(X.shape[1], device=X.device) >= DROPPED) / (1 - DROPPED)
    return shuffle(X * mask if isinstance(X, Tensor) else MaskedColumns(X, mask), adjacency)


def drop_features(X: Any, adjacency: Any) -> tuple[Inputs, Inputs]:
    """Set each entry of X to zero with probability ½."""
    return (X, adjacency), (thinned(X, DROPPED), adjacency)


def drop_edges(X: Any, adjacency: Any) -> tuple[Inputs, Inputs]:
    """Set each entry of the propagation matrix, loops included, to zero with probability ½."""
    if isinstance(adjacency, list):
        return (X, adjacency), (X, type(adjacency)(thinned(hop, DROPPED) for hop in adjacency))
    return (X, adjacency), (X, thinned(adjacency, DROPPED))


def graph_view(X: Any, adjacency: Any) -> Inputs:
    """Return a view of a graph: columns of X are hidden, edges are left out, and the others grow to make up for it.

    Every column and every entry of the propagation matrix is missing with probability 0.4 (Zhu et al., "Deep Graph
    Contrastive Representation Learning", 2020, section 3.2).
    """
    hops = adjacency if isinstance(adjacency, list) else [adjacency]
    sizes = [X.shape[1], *(hop.nnz for hop in hops)]
    mask, *weights = kept(sum(sizes), X.device).split(sizes)
    X = X * mask if isinstance(X, Tensor) else MaskedColumns(X, mask)
    views = [hop.weighted(each) for hop, each in zip(hops, weights, strict=True)]
    return X, type(adjacency)(views) if isinstance(adjacency, list) else views[0]


def kept(n: int, device: torch.device) -> Tensor:
    """Return n factors whose expectation is 1: 0 with probability 0.4, else 1 / 0.6."""
    return (torch.rand(n, device=device) >= HIDDEN) / (1 - HIDDEN)


def thinned(matrix: Any, probability: float) -> Any:
    """Return a tensor or a `SparseMatrix` with each entry set to zero with this probability."""
    if isinstance(matrix, SparseMatrix):
        return matrix.masked(torch.rand(matrix.nnz, device=matrix.device) >= probability)
    return matrix * (torch.rand(matrix.shape, device=matrix.device) >= probability)


CORRUPTIONS: dict[str, Callable[[Any, Any], tuple[Inputs, Inputs]]] = {
    "shuffle": shuffle,
    "masked_shuffle": masked_shuffle,
    "feature_dropout": drop_features,
    "edge_dropout": drop_edges,
}
