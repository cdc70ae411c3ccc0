"""Views of rows of a table."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class ResampleFeatures:
    """Replace a random share of each row's features by those of other rows (SCARF, Bahri et al., ICLR 2022).

    Parameters
    ----------
    share : float, default=0.3
        Chance of a feature to be replaced.
    """

    share: float = 0.3

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, n_features)."""
        others = x.gather(0, torch.randint(len(x), x.shape, device=x.device))
        return torch.where(torch.rand_like(x) < self.share, others, x)
