"""An encoder for tables: groups of columns are the locations."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from sklearn_dim._arguments import checked
from sklearn_dim.encoders._base import Encoded, Encoder, batch_normed


@checked(
    n_features="[1, inf)",
    n_components="[1, inf)",
    n_groups="[1, inf)",
    location_features="[1, inf)",
    hidden="[1, inf)",
    reach="(0, inf)",
)
class TableEncoder(Encoder):
    """Each group of columns has a small network that makes its location; an MLP of all columns makes the code.

    Parameters
    ----------
    n_features : int
        Columns of the table.
    n_components : int
        Width of the code.
    n_groups : int, default=8
        Groups of neighbouring columns.
    location_features : int, default=64
        Width of a location.
    hidden : int, default=256
        Width of the hidden layers.
    reach : float, default=3.0
        Values are clipped to ± this many standard deviations, so that no row of a heavy-tailed column dominates.
    """

    def __init__(
        self,
        n_features: int,
        n_components: int,
        *,
        n_groups: int = 8,
        location_features: int = 64,
        hidden: int = 256,
        reach: float = 3.0,
    ):
        super().__init__()
        self.reach = reach
        self.width = -(-n_features // min(n_groups, n_features))
        n_groups = -(-n_features // self.width)
        self.padding = n_groups * self.width - n_features
        self.local = nn.Sequential(
            _GroupedLinear(n_groups, self.width, location_features),
            nn.ReLU(),
            _GroupedLinear(n_groups, location_features, location_features),
        )
        self.fc = nn.Sequential(
            batch_normed(nn.Linear(n_features, hidden, bias=False), hidden, nn.BatchNorm1d),
            batch_normed(nn.Linear(hidden, hidden, bias=False), hidden, nn.BatchNorm1d),
        )
        self.code = nn.Linear(hidden, n_components)
        self.shortcut = nn.Linear(n_features, n_components, bias=False)

    def forward(self, x: Tensor) -> Encoded:
        """Encode standardised rows (n, n_features)."""
        x = x.clamp(-self.reach, self.reach)
        groups = pad(x, (0, self.padding)).unflatten(1, (-1, self.width))
        first = self.fc[0](x)
        fc = self.fc[1](first)
        hidden = () if self.training else (first, fc)
        return Encoded(self.local(groups), fc, self.code(fc) + self.shortcut(x), hidden)


class _GroupedLinear(nn.Module):
    """One linear layer per group: (n, groups, inputs) → (n, groups, outputs), initialised as `torch.nn.Linear` is."""

    def __init__(self, groups: int, inputs: int, outputs: int):
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(groups, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(groups, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs of each group, from its own inputs."""
        return torch.baddbmm(self.bias, x.transpose(0, 1), self.weight).transpose(0, 1)
