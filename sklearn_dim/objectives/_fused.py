"""The fast path of Deep Graph Infomax: the scores of a graph and of its shuffled graph, their gradient by hand.

An epoch is P = X W, H = PReLU(Â P + b), H' = PReLU(Â P[order] + b) and the scores of H and H'. One product X W serves
both graphs, and one product with Â above Â with shuffled columns makes H above H'. Columns depend on each other only
through the scores, so that all else is done for some columns at a time, in the processor's cache.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu_

Convolution = tuple[Tensor, Tensor, Tensor]
COLUMNS = 128  # of a block


def is_faster(convolution: Convolution, X: Any) -> bool:
    """Whether `score_both` is right (a positive slope), and worth it: on a CPU, with a product X W worth sharing."""
    weight, _, slope = convolution
    n_features, width = weight.shape
    narrow = isinstance(X, Tensor) and n_features <= width
    return not narrow and X.device.type == "cpu" and slope.item() > 0


def score_both(
    convolution: Convolution, X: Any, adjacency: Any, order: Tensor, line: Callable[[Tensor], tuple[Tensor, Tensor]]
) -> Tensor:
    """Return the scores of a graph's nodes and, after them, those of the shuffled graph's.

    Parameters
    ----------
    convolution : tuple of Tensor
        Weight (n_features, d), bias (d,), and slope (1,) of the PReLU.
    X : Tensor or SparseMatrix of shape (n, n_features)
    adjacency : SparseMatrix of shape (n, n)
    order : Tensor of int of shape (n,)
        The shuffled graph has the rows X[order].
    line : callable
        Mean (d,) of the graph's embeddings → direction (d,) and offset (): a node scores node · direction + offset.

    Returns
    -------
    scores : Tensor of shape (2n,)
    """
    kept = _Kept()
    nodes, mean = _EncodeBoth.apply(*convolution, X, adjacency.above_shuffled(order), kept)
    direction, offset = line(mean)
    return _Score.apply(nodes, direction, kept) + offset


class _Kept:
    """What the forward pass keeps: embeddings (2n, COLUMNS) of each block of columns, and the direction."""

    nodes: list[Tensor]
    direction: Tensor


class _EncodeBoth(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weight, bias, slope, X, both, kept):  # type: ignore[no-untyped-def]
        """Convolve both graphs; return their mean, and as a place for the gradient of the scores an empty (2n,)."""
        ctx.X, ctx.both, ctx.kept, ctx.slope = X, both, kept, slope.item()
        kept.nodes = []
        for W, b in zip(weight.split(COLUMNS, 1), bias.split(COLUMNS), strict=True):
            kept.nodes.append(leaky_relu_(both.times(_times(X, W)).add_(b), ctx.slope))
        mean = torch.cat([H[: len(H) // 2].mean(0) for H in kept.nodes])
        return weight.new_empty(len(both)), mean

    @staticmethod
    def backward(ctx, over_scores, over_mean):  # type: ignore[no-untyped-def]
        """Return the gradients of weight, bias and slope."""
        n = len(over_scores) // 2
        over_weight, over_bias, over_slope = [], [], 0
        directions, means = ctx.kept.direction.split(COLUMNS), (over_mean / n).split(COLUMNS)
        for H, direction, mean in zip(ctx.kept.nodes, directions, means, strict=True):
            G = torch.outer(over_scores, direction)
            G[:n].add_(mean)
            torch.ops.aten.leaky_relu_backward.grad_input(G, H, ctx.slope, True, grad_input=G)
            # Where Z = H / slope < 0 the slope's gradient is that of the embedding times Z.
            over_slope += torch.dot(G.view(-1), H.clamp_(max=0).view(-1)) / ctx.slope**2
            over_bias.append(G.sum(0))
            over_weight.append(_transpose_times(ctx.X, ctx.both.transpose_times(G)))
        return torch.cat(over_weight, 1), torch.cat(over_bias), over_slope.view(1), None, None, None


class _Score(torch.autograd.Function):
    @staticmethod
    def forward(ctx, nodes, direction, kept):  # type: ignore[no-untyped-def]
        """Multiply."""
        ctx.kept, kept.direction = kept, direction.detach()  # whose graph leads to kept
        scores = torch.zeros_like(nodes)
        for H, part in zip(kept.nodes, direction.split(COLUMNS), strict=True):
            scores.addmv_(H, part)
        return scores

    @staticmethod
    def backward(ctx, over_scores):  # type: ignore[no-untyped-def]
        """Return the gradients of the scores and of the direction."""
        return over_scores, torch.cat([over_scores @ H for H in ctx.kept.nodes]), None


def _times(X: Any, weight: Tensor) -> Tensor:
    return X @ weight if isinstance(X, Tensor) else X.times(weight)


def _transpose_times(X: Any, product: Tensor) -> Tensor:
    return X.T @ product if isinstance(X, Tensor) else X.transpose_times(product)
