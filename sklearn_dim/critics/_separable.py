"""The separable critic, T(a, b) = s·f(a)·g(b)/√d: the encode-and-dot of Deep InfoMax."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sklearn_dim._arguments import checked
from sklearn_dim.critics._base import Critic, inverse_root, mlp


@checked(
    a_features="[1, inf)", b_features="[1, inf)", units="[1, inf)", hidden="[1, inf)", scale="(0, inf)", clip="(0, inf)"
)
class Separable(Critic):
    """s·f(a)·g(b)/√d, softly clipped: N + M encodings serve N·M pairs.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.
    units : int, default=64
        Width d of the common space.
    hidden : sequence of int, default=()
        Hidden ReLU layers of f and of g; none makes both linear.
    scale : float, default=4.0
        s; with torch's small initial weights, 4 makes the first scores of order one, so that learning starts at once.
    clip : float or None, default=10.0
        Scores lie within ±clip; None leaves them free.
    """

    def __init__(
        self,
        a_features: int,
        b_features: int,
        *,
        units: int = 64,
        hidden: Sequence[int] = (),
        scale: float = 4.0,
        clip: float | None = 10.0,
    ):
        super().__init__(a_features, b_features)
        self.clip = clip
        self.scale = scale * inverse_root(units)
        self.a: nn.Module = mlp([a_features, *hidden, units])
        self.b: nn.Module = mlp([b_features, *hidden, units])

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        if self.clip is None:
            return self.a(a) * self.scale @ self.b(b).mT
        # As `soft_clip`, with the division before the product: the table is larger than its factors.
        return self.clip * torch.tanh(self.a(a) * (self.scale / self.clip) @ self.b(b).mT)


@checked(a_features="[1, inf)", b_features="[1, inf)", units="[1, inf)", clip="(0, inf)")
class EncodeAndDot(Separable):
    """The critic as published: two residual encoders of 2048 units (Hjelm et al., ICLR 2019, appendix A.3).

    Each side is linear → BatchNorm → ReLU → linear, plus a linear shortcut that starts as the
    identity, then LayerNorm. (A 1×1 convolution is the same linear map at every location.)
    """

    def __init__(self, a_features: int, b_features: int, *, units: int = 2048, clip: float | None = 10.0):
        super().__init__(a_features, b_features, units=units, scale=1.0, clip=clip)
        self.a, self.b = _Residual(a_features, units), _Residual(b_features, units)


class _Residual(nn.Module):
    def __init__(self, inputs: int, units: int):
        super().__init__()
        self.nonlinear = nn.Sequential(
            nn.Linear(inputs, units, bias=False), nn.BatchNorm1d(units), nn.ReLU(inplace=True), nn.Linear(units, units)
        )
        self.shortcut = nn.Linear(inputs, units, bias=False)
        self.norm = nn.LayerNorm(units)
        with torch.no_grad():
            self.shortcut.weight.uniform_(-0.01, 0.01)
            self.shortcut.weight.fill_diagonal_(1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Encode rows (R, inputs) as (R, units)."""
        return self.norm(torch.addmm(self.nonlinear(x), x, self.shortcut.weight.T))
