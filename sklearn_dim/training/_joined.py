"""Tensors of which each process has some rows, joined with their gradients."""

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm


class JoinedRows(torch.autograd.Function):
    """The rows of all processes, of which each gives its own."""

    @staticmethod
    def forward(ctx, rows, own, n):
        """Put rows (k, ...) in the places ``own`` (k,) of n."""
        ctx.own = own
        joined = rows.new_zeros(n, *rows.shape[1:]).index_copy_(0, own, rows)
        dist.all_reduce(joined)
        return joined

    @staticmethod
    def backward(ctx, gradient):
        """Return what the losses of all processes say of this one's rows."""
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(gradient)
        return gradient.index_select(0, ctx.own), None, None


def batch_norm(norm: _BatchNorm, join: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Normalise x (n, channels, ...) by the moments of all processes' rows, and let ``norm`` remember them.

    torch's SyncBatchNorm does so on GPUs only.
    """
    wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
    axes, shape = [0, *range(2, x.ndim)], [1, -1] + [1] * (x.ndim - 2)
    mean = wide.mean(axes)
    squares = (wide - mean.view(shape)).square().sum(axes)
    count = wide.new_full((1,), x.numel() // x.shape[1])
    counts, means, squares = join(torch.cat([count, mean, squares])[None]).split([1, len(mean), len(mean)], 1)
    n = counts.sum()
    mean = (counts * means).sum(0) / n
    variance = (squares + counts * (means - mean).square()).sum(0) / n
    if norm.running_mean is not None:
        _remember(norm, mean.detach(), variance.detach() * n / (n - 1))
    y = (wide - mean.view(shape)) * (variance + norm.eps).rsqrt().view(shape)
    if norm.affine:
        y = y * norm.weight.view(shape) + norm.bias.view(shape)
    return y.to(x.dtype)


@torch.no_grad()
def _remember(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Move the running moments, as torch does."""
    norm.num_batches_tracked.add_(1)
    step = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean, step)
    norm.running_var.lerp_(variance, step)
