"""One graph convolution of a graph and of its shuffled twin, with its gradient by hand.

This is what Deep Graph Infomax does in an epoch: P = X W, H = PReLU(Â P + b), H' = PReLU(Â P[order] + b). One product
X W serves both, the columns of Â are shuffled instead of the rows of P, PReLU's gradient is taken in one pass, and all
large arrays keep their memory from epoch to epoch: by autograd alone an epoch takes about twice as long.
"""

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu_


class TwinConvolution(torch.autograd.Function):
    """(W, b, slope > 0; X, Â, order) → H over H' (2n, d), and the mean of H (d,)."""

    @staticmethod
    def forward(ctx, weight, bias, slope, X, adjacency, order):
        """Convolve both graphs."""
        n, width = len(order), weight.shape[1]
        twin = adjacency.with_shuffled_columns(order)
        ctx.X, ctx.adjacency, ctx.twin, ctx.slope = X, adjacency, twin, slope.item()
        product = _times(X, weight, adjacency.scratch("product", n, width))
        patches = adjacency.scratch("patches", 2 * n, width)
        adjacency.times(product, patches[:n])
        twin.times(product, patches[n:])
        ctx.patches = leaky_relu_(patches.add_(bias), ctx.slope)
        return patches.detach(), patches[:n].mean(0)

    @staticmethod
    def backward(ctx, over_patches, over_mean):
        """Return the gradients of weight, bias and slope."""
        X, adjacency, twin, patches, slope = ctx.X, ctx.adjacency, ctx.twin, ctx.patches, ctx.slope
        n, width = len(adjacency), patches.shape[1]
        gradient = adjacency.scratch("gradient", 2 * n, width)
        if gradient.data_ptr() != over_patches.data_ptr():
            gradient.copy_(over_patches)
        gradient[:n].add_(over_mean / n)
        torch.ops.aten.leaky_relu_backward.grad_input(gradient, patches, slope, True, grad_input=gradient)
        # Where Z = patches / slope < 0 the slope's gradient is that of the patch times Z.
        over_slope = torch.dot(gradient.view(-1), patches.clamp_(max=0).view(-1)) / slope**2
        product = adjacency.transpose_times(gradient[:n], adjacency.scratch("product", n, width))
        twin.transpose_times(gradient[n:], product, add=True)
        return _transpose_times(X, product), gradient.sum(0), over_slope.view(1), None, None, None


def _times(X, weight: Tensor, out: Tensor) -> Tensor:
    return torch.mm(X, weight, out=out) if isinstance(X, Tensor) else X.times(weight, out)


def _transpose_times(X, product: Tensor) -> Tensor:
    return X.T @ product if isinstance(X, Tensor) else X.transpose_times(product)
