"""A critic in closed form, and a network that learns what it leaves out."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from sklearn_dim._arguments import FLAG, checked
from sklearn_dim.critics._base import ClosedForm, Critic, start_at_zero
from sklearn_dim.critics._concatenated import Concatenated
from sklearn_dim.critics._gaussian import Gaussian
from sklearn_dim.critics._separable import Separable


@checked(
    a_features="[1, inf)",
    b_features="[1, inf)",
    units="[1, inf)",
    hidden="[1, inf)",
    waves="[0, inf)",
    clip="(0, inf)",
    pairwise=FLAG,
)
class Corrected(Critic):
    """A critic in closed form plus a network that starts at zero and learns only what the closed form leaves out.

    The network is a `Separable` critic of the columns, their squares and a few sines. Where both sides have a single
    column it is a `Concatenated` one instead: products of functions are slow to learn a sharp edge such as
    ``|a − b| < c``, and pairs of single numbers are cheap.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.
    closed_form : callable, default=Gaussian
        A class of critics in closed form, or a function (a_features, b_features) that makes one.
    units : int, default=32
        Width of the common space of a separable correction.
    hidden : sequence of int, default=None
        Hidden ReLU layers of the correction: (64, 64), or if concatenated (32, 32, 32, 32).
    waves : int, default=8
        Sines per column, see ``FeatureMap``.
    clip : float or None, default=10.0
        The correction lies within ±clip nats.
    pairwise : bool, default=None
        Whether the correction is a concatenated critic; by default where both sides have one column.
    """

    block = 128  # what a row adds to a mean over pairs, it adds already with half a batch's rows, at half the cost

    def __init__(
        self,
        a_features: int,
        b_features: int,
        *,
        closed_form: Callable[[int, int], ClosedForm] = Gaussian,
        units: int = 32,
        hidden: Sequence[int] | None = None,
        waves: int = 8,
        clip: float | None = 10.0,
        pairwise: bool | None = None,
    ):
        super().__init__(a_features, b_features)
        self.closed_form: ClosedForm = closed_form(a_features, b_features)
        self.a_map, self.b_map = FeatureMap(a_features, waves), FeatureMap(b_features, waves)
        self.pairwise = a_features == b_features == 1 if pairwise is None else pairwise
        widths = self.a_map.out_features, self.b_map.out_features
        if self.pairwise:
            self.correction: Critic = Concatenated(*widths, hidden=hidden or (32,) * 4, clip=clip)
        else:
            self.correction = Separable(*widths, units=units, hidden=hidden or (64, 64), clip=clip)
        start_at_zero(self.correction)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (..., R, M)."""
        return self.closed_form(a, b) + self.correction(self.a_map(a), self.b_map(b))


class FeatureMap(nn.Module):
    """Columns x as x, (x² − 1)/√2 and √2 sin(wx + φ): what a small network of raw columns is slow to learn.

    For a standard normal column all of them have unit variance. Frequencies w are initialised as standard normal,
    phases φ as uniform (random Fourier features), and both are trained.

    Parameters
    ----------
    features : int
    waves : int
        Sines per column.
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
