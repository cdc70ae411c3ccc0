"""Views of images, made on the device for a whole batch at once: small steps, and their composition."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from sklearn_dim._arguments import checked
from sklearn_dim.views._base import View


@dataclass
class Compose(View):
    """One view after the other.

    Parameters
    ----------
    steps : sequence of callables
        Each makes a view of a standardised batch.
    """

    steps: Sequence[Callable[[Tensor], Tensor]]

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x, of any shape that the steps take."""
        for step in self.steps:
            x = step(x)
        return x


@checked(reach="[0, 1)", noise="[0, inf)")
@dataclass
class ShiftAndNoise(View):
    """Shift each image by a few pixels (edge pixels are repeated) and add noise.

    Parameters
    ----------
    reach : float, default=1/8
        The maximum shift, as a fraction of the shorter side; it is at least one pixel.
    noise : float, default=0.1
        Standard deviation of the noise, for pixels of unit variance.
    """

    reach: float = 1 / 8
    noise: float = 0.1

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, channels, height, width)."""
        n, channels, height, width = x.shape
        max_shift = max(1, int(self.reach * min(height, width)))
        padded = pad(x, (max_shift, max_shift, max_shift, max_shift), mode="replicate")
        corner = torch.randint(2 * max_shift + 1, (2, n, 1), device=x.device)
        rows = corner[0] + torch.arange(height, device=x.device)
        columns = corner[1] + torch.arange(width, device=x.device)
        image = torch.arange(n, device=x.device)[:, None, None, None]
        channel = torch.arange(channels, device=x.device)[None, :, None, None]
        shifted = padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]
        return Noise(self.noise)(shifted)


@checked(scale="[0, inf)")
@dataclass
class Noise(View):
    """Add noise.

    Parameters
    ----------
    scale : float, default=0.1
        Standard deviation of the noise, for pixels of unit variance.
    """

    scale: float = 0.1

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x, of any shape."""
        return x + self.scale * torch.randn_like(x)


@checked(area="(0, 1]", stretch="[1, inf)")
@dataclass
class ResizedCrop(View):
    """Cut a random rectangle out of each image and stretch it to the size of the image, bilinearly.

    Parameters
    ----------
    area : tuple of float, default=(0.3, 1.0)
        Minimum and maximum area of the rectangle, as fractions of the image's.
    stretch : float, default=4/3
        Width and height, as fractions of the image's, differ by at most this factor.
    """

    area: tuple[float, float] = (0.3, 1.0)
    stretch: float = 4 / 3

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, channels, height, width)."""
        draws = torch.rand(4, len(x), 1, device=x.device, dtype=x.dtype)
        area = self.area[0] + (self.area[1] - self.area[0]) * draws[0]
        log_stretch = (2 * draws[1] - 1) * math.log(self.stretch)
        lengths = (area * torch.stack([-log_stretch, log_stretch]).exp()).sqrt().clamp(max=1)  # of height and width
        starts = draws[2:] * (1 - lengths)
        if x.shape[2] == x.shape[3]:
            rows, columns = interpolation(starts, lengths, x.shape[2])
        else:
            rows, columns = (interpolation(*each) for each in zip(starts, lengths, x.shape[2:], strict=True))
        # Rows and columns are resampled one after the other: two small products, on any device.
        return rows[:, None] @ (x @ columns.mT[:, None])


def interpolation(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Return matrices that stretch a segment of a side to the whole side, by linear interpolation.

    Parameters
    ----------
    start, length : Tensor of shape (..., 1)
        Where the segment begins and how long it is, as fractions of the side.
    size : int
        Pixels of the side.

    Returns
    -------
    Tensor of shape (..., size, size)
        Beyond the centres of the first and the last pixel those two are repeated.
    """
    pixels = torch.arange(size, device=start.device, dtype=start.dtype)
    positions = torch.addcmul(size * start - 0.5, length, pixels + 0.5).clamp(0, size - 1)
    return (1 - (positions[..., None] - pixels).abs()).clamp(min=0)


@checked(chance="[0, 1]")
@dataclass
class Flip(View):
    """Mirror images left to right, each with the same probability.

    Parameters
    ----------
    chance : float, default=0.5
        The probability.
    """

    chance: float = 0.5

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, channels, height, width)."""
        mirrored = torch.rand(len(x), 1, 1, 1, device=x.device) < self.chance
        return torch.where(mirrored, x.flip(-1), x)


@checked(brightness="[0, 1]", contrast="[0, 1]", saturation="[0, 1]", grey="[0, 1]")
@dataclass
class ColorJitter(View):
    """Change brightness, contrast and saturation of each image, or make it grey.

    Images are standardised and may have any number of channels; grey is the mean of the channels. One random affine
    map of the channels per image does all of it.

    Parameters
    ----------
    brightness : float, default=0.4
        The maximum shift, in standard deviations of a pixel.
    contrast, saturation : float, default=0.4, 0.4
        Differences from the image's mean grey, and from the pixel's grey, are multiplied by 1 ± at most this.
    grey : float, default=0.2
        Probability of an image to lose its colours.
    """

    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    grey: float = 0.2

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, channels, height, width)."""
        n, channels = x.shape[:2]
        draws = torch.rand(4, n, 1, 1, device=x.device, dtype=x.dtype)
        signed = 2 * draws - 1
        shift = self.brightness * signed[0]
        contrast = 1 + self.contrast * signed[1]
        saturation = (1 + self.saturation * signed[2]).masked_fill(draws[3] < self.grey, 0.0)
        to_grey = x.new_full((channels, channels), 1 / channels)
        # Between grey and the colours as they are, and beyond.
        mix = contrast * torch.lerp(to_grey, torch.eye(channels, device=x.device, dtype=x.dtype), saturation)
        offset = torch.addcmul(shift, 1 - contrast, x.mean((1, 2, 3)).view(n, 1, 1))
        return torch.baddbmm(offset, mix, x.flatten(2)).view_as(x)
