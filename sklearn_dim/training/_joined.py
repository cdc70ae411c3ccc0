"""Tensors whose rows are distributed over processes, joined together with their gradients."""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm


class JoinedRows(torch.autograd.Function):
    """Give every process the rows of all of them."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, own: Tensor, n: int) -> Tensor:
        """Return n rows, of which this process has those at the indices ``own`` (k,): ``rows`` (k, ...)."""
        ctx.own = own
        joined = rows.new_zeros(n, *rows.shape[1:]).index_copy_(0, own, rows)
        dist.all_reduce(joined)
        return joined

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of the losses of all processes, summed, for this process' rows."""
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(gradient)
        return gradient.index_select(0, ctx.own), None, None


def batch_norm(norm: _BatchNorm, join: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Normalise x (n, channels, ...) as ``norm`` would if it had the rows of all processes, and update ``norm``.

    ``join`` returns the rows (one per process) of which it is given this process' own. torch's SyncBatchNorm does the
    same, but only on GPUs.
    """
    wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
    axes, shape = [0, *range(2, x.ndim)], [1, -1] + [1] * (x.ndim - 2)
    mean = wide.mean(axes)
    squares = (wide - mean.view(shape)).square().sum(axes)
    count = wide.new_full((1,), x.numel() // x.shape[1])
    # The variance of all rows from those of the processes (Chan, Golub & LeVeque, 1983), exact for means far from zero.
    counts, means, squares = join(torch.cat([count, mean, squares])[None]).split([1, len(mean), len(mean)], 1)
    n = counts.sum()
    mean = (counts * means).sum(0) / n
    variance = (squares + counts * (means - mean).square()).sum(0) / n
    _update_running(norm, mean.detach(), variance.detach() * n / (n - 1))
    y = (wide - mean.view(shape)) * (variance + norm.eps).rsqrt().view(shape)
    if norm.affine:
        y = y * norm.weight.view(shape) + norm.bias.view(shape)
    return y.to(x.dtype)


@torch.no_grad()
def _update_running(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Update the running mean and variance as torch does."""
    running_mean, running_var, n_batches = norm.running_mean, norm.running_var, norm.num_batches_tracked
    if running_mean is None or running_var is None:
        return  # as with track_running_stats=False
    if n_batches is not None:
        n_batches.add_(1)
    step = 1 / float(n_batches) if norm.momentum is None else norm.momentum  # type: ignore[arg-type]
    running_mean.lerp_(mean, step)
    running_var.lerp_(variance, step)
