"""Views of the rows of a table, and of bags of words."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from sklearn_dim._arguments import checked
from sklearn_dim.devices import to_device
from sklearn_dim.views._base import View


@checked(share="[0, 1]")
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


@checked(share="[0, 1]")
@dataclass(eq=False)
class MaskColumns(View):
    """Mask some columns of each row as if their cells were missing; take those that cannot be from other rows.

    As `ResampleFeatures`, for tables of which one column is coded by several features.

    Parameters
    ----------
    columns : array of int (n_features,)
        The column that each feature belongs to.
    missing : array of float (n_features,)
        Standardised features of a row of missing cells; NaN for those of columns that cannot be masked.
    share : float, default=0.3
        Probability of a column to be masked or replaced.
    """

    columns: Any
    missing: Any
    share: float = 0.3

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of x (n, n_features)."""
        columns, missing, n_columns = self._moved(x)
        shape = len(x), n_columns
        others = x.gather(0, torch.randint(len(x), shape, device=x.device)[:, columns])
        changed = (torch.rand(shape, device=x.device) < self.share)[:, columns]
        return torch.where(changed, torch.where(missing.isnan(), others, missing), x)

    def _moved(self, like: Tensor) -> tuple[Tensor, Tensor, int]:
        """Return columns, missing and the number of columns, on the device of a batch: copied with the first one."""
        kept = self.__dict__.setdefault("_copies", {})
        if (place := (like.device, like.dtype)) not in kept:
            columns, missing = torch.as_tensor(self.columns), torch.as_tensor(self.missing, dtype=like.dtype)
            kept[place] = to_device(columns, like.device), to_device(missing, like.device), int(columns.max()) + 1
        return kept[place]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_copies"}


@checked(share="[0, 1)")
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
