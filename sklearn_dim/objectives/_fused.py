"""The fast path of Deep Graph Infomax: one convolution of a graph and of its shuffled graph, its gradient by hand.

An epoch is P = X W, H = PReLU(Â P + b), H' = PReLU(Â P[order] + b) and the scores of H and H'. One product X W serves
both graphs, the columns of Â are shuffled instead of the rows of P, PReLU's gradient is taken in one pass, and all
large arrays stay in the same memory from epoch to epoch: with autograd alone an epoch takes about twice as long.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu_

Convolution = tuple[Tensor, Tensor, Tensor]


class Memory:
    """The large arrays of the fast path; new pages cost more than what is written there.

    Attributes
    ----------
    product : Tensor of shape (n, d)
        X W, and in the backward pass the gradient of X W.
    nodes : Tensor of shape (2n, d)
        The embeddings of the graph's nodes, and below them those of the shuffled graph.
    gradient : Tensor of shape (2n, d)
        Their gradient.
    """

    def __init__(self) -> None:
        self.release()

    def release(self) -> None:
        """Let the memory go."""
        self.product = self.nodes = self.gradient = torch.empty(0, 0)

    def reserve(self, n: int, width: int, like: Tensor) -> None:
        """Make room for n nodes, unless it is there."""
        if self.product.shape != (n, width) or self.product.dtype != like.dtype:
            self.product = like.new_empty(n, width)
            self.nodes, self.gradient = like.new_empty(2 * n, width), like.new_empty(2 * n, width)

    def __deepcopy__(self, memo: dict) -> "Memory":
        return Memory()  # a copy of an objective computes in memory of its own

    def __reduce__(self) -> tuple:
        return Memory, ()


def is_faster(convolution: Convolution, X: Any) -> bool:
    """Whether `encode_both` is right (a positive slope), and worth it: on a CPU, with a product X W worth sharing."""
    weight, _, slope = convolution
    n_features, width = weight.shape
    narrow = isinstance(X, Tensor) and n_features <= width
    return not narrow and X.device.type == "cpu" and slope.item() > 0


def encode_both(
    convolution: Convolution, X: Any, adjacency: Any, order: Tensor, memory: Memory
) -> tuple[Tensor, Tensor]:
    """Return the embeddings of a graph and of its shuffled graph, and the mean of the former.

    Parameters
    ----------
    convolution : tuple of Tensor
        Weight (n_features, d), bias (d,), and slope (1,) of the PReLU.
    X : Tensor or SparseMatrix of shape (n, n_features)
    adjacency : SparseMatrix of shape (n, n)
    order : Tensor of int of shape (n,)
        The shuffled graph has the rows X[order].
    memory : Memory

    Returns
    -------
    nodes : Tensor of shape (2n, d)
        In memory that the next call overwrites.
    mean : Tensor of shape (d,)
    """
    return _EncodeBoth.apply(*convolution, X, adjacency, order, memory)


def score(nodes: Tensor, direction: Tensor, memory: Memory) -> Tensor:
    """Return nodes · direction (2n,), of the nodes that `encode_both` returned."""
    return _Score.apply(nodes, direction, memory)


class _EncodeBoth(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weight, bias, slope, X, adjacency, order, memory):  # type: ignore[no-untyped-def]
        """Convolve both graphs."""
        n = len(order)
        memory.reserve(n, weight.shape[1], weight)
        shuffled = adjacency.with_shuffled_columns(order)
        ctx.X, ctx.adjacency, ctx.shuffled, ctx.slope, ctx.memory = X, adjacency, shuffled, slope.item(), memory
        product = _times(X, weight, memory.product)
        nodes = memory.nodes
        adjacency.times(product, nodes[:n])
        shuffled.times(product, nodes[n:])
        leaky_relu_(nodes.add_(bias), ctx.slope)
        return nodes.detach(), nodes[:n].mean(0)

    @staticmethod
    def backward(ctx, over_nodes, over_mean):  # type: ignore[no-untyped-def]
        """Return the gradients of weight, bias and slope."""
        X, adjacency, shuffled, slope = ctx.X, ctx.adjacency, ctx.shuffled, ctx.slope
        n, nodes, gradient = len(adjacency), ctx.memory.nodes, ctx.memory.gradient
        if gradient.data_ptr() != over_nodes.data_ptr():  # `_Score` has written it there already
            gradient.copy_(over_nodes)
        gradient[:n].add_(over_mean / n)
        torch.ops.aten.leaky_relu_backward.grad_input(gradient, nodes, slope, True, grad_input=gradient)
        # Where Z = nodes / slope < 0 the slope's gradient is that of the embedding times Z.
        over_slope = torch.dot(gradient.view(-1), nodes.clamp_(max=0).view(-1)) / slope**2
        product = adjacency.transpose_times(gradient[:n], ctx.memory.product)
        shuffled.transpose_times(gradient[n:], product, add=True)
        return _transpose_times(X, product), gradient.sum(0), over_slope.view(1), None, None, None, None


class _Score(torch.autograd.Function):
    @staticmethod
    def forward(ctx, nodes, direction, memory):  # type: ignore[no-untyped-def]
        """Multiply."""
        ctx.save_for_backward(nodes, direction)
        ctx.memory = memory
        return nodes @ direction

    @staticmethod
    def backward(ctx, over_scores):  # type: ignore[no-untyped-def]
        """Return the gradients of nodes and direction, the former in the memory's ``gradient``."""
        nodes, direction = ctx.saved_tensors
        return torch.outer(over_scores, direction, out=ctx.memory.gradient), nodes.T @ over_scores, None


def _times(X: Any, weight: Tensor, out: Tensor) -> Tensor:
    return torch.mm(X, weight, out=out) if isinstance(X, Tensor) else X.times(weight, out)


def _transpose_times(X: Any, product: Tensor) -> Tensor:
    return X.T @ product if isinstance(X, Tensor) else X.transpose_times(product)
