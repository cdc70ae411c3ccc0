"""A view of sequences, made on the device for a whole batch at once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sklearn_dim._arguments import checked
from sklearn_dim.views._base import View


@checked(reach="[0, 1)", scale="[0, inf)", hidden="[0, 1)", noise="[0, inf)")
@dataclass
class ShiftAndScale(View):
    """Shift each sequence in time (its ends are repeated), scale it, hide a segment of it, and add noise.

    Parameters
    ----------
    reach : float, default=1/16
        The maximum shift, as a fraction of the length; it is at least one position.
    scale : float, default=0.1
        Standard deviation of the logarithm of the factor.
    hidden : float, default=1/8
        The maximum length of the hidden segment, as a fraction of the sequence's; there each channel is at its mean.
    noise : float, default=0.1
        Standard deviation of the noise, for channels of unit variance.
    """

    reach: float = 1 / 16
    scale: float = 0.1
    hidden: float = 1 / 8
    noise: float = 0.1

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, channels, length)."""
        n, channels, length = x.shape
        position = torch.arange(length, device=x.device)
        max_shift = max(1, int(self.reach * length))
        shift = torch.randint(-max_shift, max_shift + 1, (n, 1), device=x.device)
        source = (position + shift).clamp(0, length - 1)
        shifted = x.gather(2, source[:, None, :].expand(n, channels, length))
        centre, width = torch.rand(2, n, 1, 1, device=x.device) * length
        shown = (position + 0.5 - centre).abs() >= self.hidden / 2 * width
        factor = (self.scale * torch.randn(n, 1, 1, device=x.device)).exp()
        return shifted * factor * shown + self.noise * torch.randn_like(x)
