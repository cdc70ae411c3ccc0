"""Views of images, made on the device for a whole batch at once."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad


@dataclass
class ShiftAndNoise:
    """Shift each image by a few pixels (edges repeat) and add noise.

    Parameters
    ----------
    reach : float, default=1/8
        The largest shift, as a share of the shorter side; at least one pixel.
    noise : float, default=0.1
        Standard deviation of the noise, for pixels of unit variance.
    """

    reach: float = 1 / 8
    noise: float = 0.1

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, channels, height, width)."""
        n, channels, height, width = x.shape
        most = max(1, int(self.reach * min(height, width)))
        padded = pad(x, (most, most, most, most), mode="replicate")
        corner = torch.randint(2 * most + 1, (2, n, 1), device=x.device)
        rows = corner[0] + torch.arange(height, device=x.device)
        columns = corner[1] + torch.arange(width, device=x.device)
        image = torch.arange(n, device=x.device)[:, None, None, None]
        channel = torch.arange(channels, device=x.device)[None, :, None, None]
        shifted = padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]
        return shifted + self.noise * torch.randn_like(shifted)
