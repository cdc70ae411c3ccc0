"""Views of sequences, made on the device for a whole batch at once."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class ShiftAndScale:
    """Shift each sequence in time (its ends repeat), scale it, hide a stretch of it, and add noise.

    Parameters
    ----------
    reach : float, default=1/8
        The largest shift, as a share of the length; at least one place.
    scale : float, default=0.2
        Standard deviation of the logarithm of the factor.
    hidden : float, default=1/4
        The longest hidden stretch, as a share of the length; there the sequence is its channels' mean.
    noise : float, default=0.1
        Standard deviation of the noise, for channels of unit variance.
    """

    reach: float = 1 / 8
    scale: float = 0.2
    hidden: float = 1 / 4
    noise: float = 0.1

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, channels, length)."""
        n, channels, length = x.shape
        place = torch.arange(length, device=x.device)
        most = max(1, int(self.reach * length))
        shift = torch.randint(-most, most + 1, (n, 1), device=x.device)
        from_place = (place + shift).clamp(0, length - 1)
        shifted = x.gather(2, from_place[:, None, :].expand(n, channels, length))
        centre, width = torch.rand(2, n, 1, 1, device=x.device) * length
        shown = (place + 0.5 - centre).abs() >= self.hidden / 2 * width
        factor = (self.scale * torch.randn(n, 1, 1, device=x.device)).exp()
        return shifted * factor * shown + self.noise * torch.randn_like(x)
