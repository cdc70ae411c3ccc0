"""A view that hides a part of each sample."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sklearn_dim._arguments import checked
from sklearn_dim.views._base import View


@checked(share="(0, 1)")
@dataclass
class Occlude(View):
    """Hide a random block of each sample: it becomes 0, the mean of a standardised batch.

    Parameters
    ----------
    share : float in (0, 1), default=0.25
        The fraction of an image's area, of a sequence's length or of a table's columns that is hidden. Columns have no
        order, so each is hidden with this probability. Hidden words of documents become padding.
    """

    share: float = 0.25
    takes_sparse: ClassVar[bool] = True

    def __call__(self, x: Tensor) -> Tensor:
        """Return x (n, channels, height, width), (n, channels, length) or (n, n_features) with a part hidden."""
        n, *_, length = x.shape
        if x.ndim == 2:
            shown = torch.rand(x.shape, device=x.device) >= self.share
            if not x.is_sparse:
                return x * shown
            values = x.values() * shown[tuple(x.indices())]
            return torch.sparse_coo_tensor(x.indices(), values, x.shape, is_coalesced=True, check_invariants=False)
        hidden = self._segment(n, length, x.ndim, x.device)[:, None]
        if x.ndim == 4:
            hidden = hidden[:, :, None] & self._segment(n, x.shape[2], x.ndim, x.device)[:, None, :, None]
        return x.masked_fill(hidden, 0.0)

    def _segment(self, n: int, side: int, ndim: int, device: torch.device) -> Tensor:
        """Return a mask (n, side) of a segment at a random position, so long that the block is the fraction hidden."""
        width = min(side - 1, max(1, round(side * self.share ** (1 / (ndim - 2)))))
        start = torch.randint(side - width + 1, (n, 1), device=device)
        position = torch.arange(side, device=device)
        return (position >= start) & (position < start + width)
