"""Views of the rows of a table, and of bags of words."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sklearn_dim.views._base import View


@dataclass
class ResampleFeatures(View):
    """Replace some features of each row by the same features of other rows (SCARF, Bahri et al., ICLR 2022).

    Parameters
    ----------
    share : float, default=0.3
        Probability of a feature to be replaced.
    """

    share: float = 0.3

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, n_features)."""
        others = x.gather(0, torch.randint(len(x), x.shape, device=x.device))
        return torch.where(torch.rand_like(x) < self.share, others, x)


@dataclass
class DropValues(View):
    """Set some values of each row to zero and scale up the others, as dropout does: words left out of a text.

    Parameters
    ----------
    share : float, default=0.5
        Probability of a value to be dropped.
    """

    share: float = 0.5
    takes_sparse: ClassVar[bool] = True

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, n_features), sparse (COO) or dense."""
        if not x.is_sparse:
            return self._drop(x)
        values = self._drop(x.values())
        return torch.sparse_coo_tensor(x.indices(), values, x.shape, is_coalesced=True, check_invariants=False)

    def _drop(self, values: Tensor) -> Tensor:
        return torch.where(torch.rand_like(values) < self.share, 0, values / (1 - self.share))
