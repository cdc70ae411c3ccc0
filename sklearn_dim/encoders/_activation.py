"""PReLU with a cheap gradient: torch's own makes one of the slope for each entry, and then adds them up."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu


class PReLU(nn.PReLU):
    """x where it is positive, else slope·x, with one learnt slope that starts at 0.25 (He et al., ICCV 2015)."""

    def __init__(self) -> None:
        super().__init__(init=0.25)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x, of any shape."""
        if x.device.type != "cpu":  # to read the slope would be to wait for the device
            return super().forward(x)
        return _PReLU.apply(x, self.weight)


class _PReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:
        """Return x where it is positive, else slope·x."""
        ctx.slope = slope.item()
        ctx.save_for_backward(x)
        return leaky_relu(x, ctx.slope)

    @staticmethod
    def backward(ctx: Any, output_gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients of x and of the slope."""
        (x,) = ctx.saved_tensors
        x_gradient = torch.ops.aten.leaky_relu_backward(output_gradient, x, ctx.slope, False)
        return x_gradient, (output_gradient.reshape(-1) @ x.clamp(max=0).view(-1)).view(1)
