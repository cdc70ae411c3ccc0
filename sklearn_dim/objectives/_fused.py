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
COLUMNS = 64  # of a block


class Memory:
    """The embeddings of an epoch, in the same place in each: new pages cost more than what is written there.

    Attributes
    ----------
    nodes : list of Tensor of shape (2n, COLUMNS)
        The embeddings of the graph's nodes, and below them those of the shuffled graph, by blocks of columns.
    direction : Tensor of shape (d,)
        What they are multiplied by to be scored.
    """

    def __init__(self) -> None:
        self.release()

    def release(self) -> None:
        """Let the memory go."""
        self.nodes: list[Tensor] = []
        self.direction = torch.empty(0)

    def reserve(self, n_rows: int, like: Tensor) -> list[Tensor]:
        """Return room for nodes of the width and type of a bias, which is that of the last call if it fits."""
        shapes = [(n_rows, len(part)) for part in like.split(COLUMNS)]
        if [H.shape for H in self.nodes] != shapes or self.nodes[0].dtype != like.dtype:
            self.nodes = [like.new_empty(shape) for shape in shapes]
        return self.nodes

    def __deepcopy__(self, memo: dict) -> "Memory":
        return Memory()  # a copy of an objective computes in memory of its own

    def __reduce__(self) -> tuple:
        return Memory, ()


def is_faster(convolution: Convolution, X: Any) -> bool:
    """Whether `score_both` is right (a positive slope), and worth it: on a CPU, with a product X W worth sharing."""
    weight, _, slope = convolution
    n_features, width = weight.shape
    narrow = isinstance(X, Tensor) and n_features <= width
    return not narrow and X.device.type == "cpu" and slope.item() > 0


def score_both(
    convolution: Convolution,
    X: Any,
    adjacency: Any,
    order: Tensor,
    line: Callable[[Tensor], tuple[Tensor, Tensor]],
    memory: Memory,
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
    memory : Memory
        Overwritten by the next call, so that the gradient has to be asked for before.

    Returns
    -------
    scores : Tensor of shape (2n,)
    """
    places, mean = _EncodeBoth.apply(*convolution, X, adjacency.above_shuffled(order), memory)
    direction, offset = line(mean)
    return _Score.apply(places, direction, memory) + offset


class _EncodeBoth(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weight, bias, slope, X, both, memory):  # type: ignore[no-untyped-def]
        """Convolve both graphs; return an empty (2n,), whose gradient is that of the scores, and the graph's mean."""
        ctx.X, ctx.both, ctx.memory, ctx.slope = X, both, memory, slope.item()
        nodes = memory.reserve(len(both), bias)
        for H, W, b in zip(nodes, weight.split(COLUMNS, 1), bias.split(COLUMNS), strict=True):
            leaky_relu_(torch.add(both.times(_times(X, W)), b, out=H), ctx.slope)
        return bias.new_empty(len(both)), torch.cat([H[: len(both) // 2].mean(0) for H in nodes])

    @staticmethod
    def backward(ctx, over_scores, over_mean):  # type: ignore[no-untyped-def]
        """Return the gradients of weight, bias and slope."""
        n, memory = len(over_scores) // 2, ctx.memory
        over_weight, over_bias, over_slope = over_mean.new_empty(ctx.X.shape[1], len(over_mean)), [], 0
        rows = memory.direction.split(COLUMNS), (over_mean / n).split(COLUMNS)
        for H, over_W, direction, mean in zip(memory.nodes, over_weight.split(COLUMNS, 1), *rows, strict=True):
            G = torch.outer(over_scores, direction)
            G[:n].add_(mean)
            torch.ops.aten.leaky_relu_backward.grad_input(G, H, ctx.slope, True, grad_input=G)
            # Where Z = H / slope < 0 the slope's gradient is that of the embedding times Z.
            over_slope += torch.dot(G.view(-1), H.clamp_(max=0).view(-1)) / ctx.slope**2
            over_bias.append(G.sum(0))
            over_W.copy_(_transpose_times(ctx.X, ctx.both.transpose_times(G)))
        return over_weight, torch.cat(over_bias), over_slope.view(1), None, None, None


class _Score(torch.autograd.Function):
    @staticmethod
    def forward(ctx, places, direction, memory):  # type: ignore[no-untyped-def]
        """Multiply."""
        ctx.memory, memory.direction = memory, direction.detach()  # whose graph leads to the memory
        scores = torch.zeros_like(places)
        for H, part in zip(memory.nodes, direction.split(COLUMNS), strict=True):
            scores.addmv_(H, part)
        return scores

    @staticmethod
    def backward(ctx, over_scores):  # type: ignore[no-untyped-def]
        """Return the gradients of the scores and of the direction."""
        return over_scores, torch.cat([H.T @ over_scores for H in ctx.memory.nodes]), None


def _times(X: Any, weight: Tensor) -> Tensor:
    return X @ weight if isinstance(X, Tensor) else X.times(weight)


def _transpose_times(X: Any, product: Tensor) -> Tensor:
    return X.T @ product if isinstance(X, Tensor) else X.transpose_times(product)
