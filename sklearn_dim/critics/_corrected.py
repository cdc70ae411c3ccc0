"""A closed form, and a network that learns what it leaves out."""

import math

import torch
from torch import Tensor, nn

from sklearn_dim.critics._base import Critic
from sklearn_dim.critics._concatenated import Concatenated
from sklearn_dim.critics._gaussian import Gaussian
from sklearn_dim.critics._separable import Separable


class CorrectedGaussian(Critic):
    """The Gaussian critic plus a network that starts at zero and learns only what is not Gaussian.

    The network is a `Separable` critic of the columns, their squares and a few sines. Two single numbers (one column
    against one) are compared by a `Concatenated` one instead: products of functions are slow to learn a sharp edge,
    such as ``|a − b| < c``, and with one column each side pairs are cheap.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.
    units : int, default=32
        Width of the common space of a separable correction.
    hidden : sequence of int, default=None
        Hidden ReLU layers of the correction: (64, 64), or if concatenated (32, 32, 32, 32).
    waves : int, default=8
        Sines a column, see `Lift`.
    clip : float or None, default=10.0
        The correction lies within ±clip nats.
    pairwise : bool, default=None
        Whether the correction is a concatenated critic; by default where both sides have one column.
    """

    def __init__(self, a_features, b_features, *, units=32, hidden=None, waves=8, clip=10.0, pairwise=None):
        super().__init__(a_features, b_features)
        self.closed_form = Gaussian(a_features, b_features)
        self.a_lift, self.b_lift = Lift(a_features, waves), Lift(b_features, waves)
        self.pairwise = a_features == b_features == 1 if pairwise is None else pairwise
        widths = self.a_lift.out_features, self.b_lift.out_features
        if self.pairwise:
            self.correction = Concatenated(*widths, hidden=hidden or (32,) * 4, clip=clip)
        else:
            self.correction = Separable(*widths, units=units, hidden=hidden or (64, 64), clip=clip)
        last = self.correction.rest[-1] if self.pairwise else self.correction.b
        nn.init.zeros_(last[-1].weight)
        nn.init.zeros_(last[-1].bias)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (..., R, M)."""
        return self.closed_form(a, b) + self.correction(self.a_lift(a), self.b_lift(b))


class Lift(nn.Module):
    """Columns x as x, (x² − 1)/√2 and √2 sin(wx + φ): what a small network of raw columns is slow to find.

    Of a standard normal column all of them have unit variance. Frequencies w start as standard normal, phases φ as
    uniform, and both are trained.

    Parameters
    ----------
    features : int
    waves : int
        Sines a column.
    """

    def __init__(self, features: int, waves: int):
        super().__init__()
        self.frequency = nn.Parameter(torch.randn(features, waves))
        self.phase = nn.Parameter(2 * math.pi * torch.rand(features, waves))
        self.out_features = features * (2 + waves)

    def forward(self, x: Tensor) -> Tensor:
        """Return x (..., features) as (..., out_features)."""
        waves = torch.sin(x.unsqueeze(-1) * self.frequency + self.phase).flatten(-2)
        return torch.cat([x, (x.square() - 1) / math.sqrt(2), math.sqrt(2) * waves], -1)
