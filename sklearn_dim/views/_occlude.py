"""Hiding a part of each sample."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Occlude:
    """Hide a block of each sample, another one each: what is hidden becomes 0, the mean of a standardised batch.

    Parameters
    ----------
    share : float in (0, 1), default=0.25
        How much of an image's area, of a sequence's length or of a table's columns (any of them, as columns have no
        order) is hidden. Hidden words of documents become padding.
    """

    share: float = 0.25

    def __call__(self, x: Tensor) -> Tensor:
        """Return x (n, channels, height, width), (n, channels, length) or (n, n_features) with a part hidden."""
        n, *_, length = x.shape
        if x.ndim == 2:
            return x * (torch.rand(x.shape, device=x.device) >= self.share)
        hidden = self._stretch(n, length, x.ndim, x.device)[:, None]
        if x.ndim == 4:
            hidden = hidden[:, :, None] & self._stretch(n, x.shape[2], x.ndim, x.device)[:, None, :, None]
        return x.masked_fill(hidden, 0.0)

    def _stretch(self, n, side, ndim, device) -> Tensor:
        """Return a mask (n, side) of a stretch at a random place, so long that the block has its share."""
        width = min(side - 1, max(1, round(side * self.share ** (1 / (ndim - 2)))))
        start = torch.randint(side - width + 1, (n, 1), device=device)
        place = torch.arange(side, device=device)
        return (place >= start) & (place < start + width)
