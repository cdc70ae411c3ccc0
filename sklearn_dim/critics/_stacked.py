"""One critic a column, all columns at once."""

import math

import torch
from torch import Tensor, nn

FAR = 2.6  # one score in a hundred lies beyond, too few to learn from
FREQUENCIES = 0.7, 1.4, 2.1, 2.8
# First weights are drawn for this many features whatever the number in use, so that padding changes no column's draw.
MOST_FEATURES = 64


def wave_features(z: Tensor) -> Tensor:
    """Return z, (z² − 1)/√2 and waves √2·sin(wz), √2·cos(wz) of normal scores z (...), and 1, as (..., 11)."""
    z = z.clamp(-FAR, FAR)
    waves = z[..., None] * z.new_tensor(FREQUENCIES)
    square = (z.square() - 1) / math.sqrt(2)
    return torch.cat(
        [
            z[..., None],
            square[..., None],
            math.sqrt(2) * waves.sin(),
            math.sqrt(2) * waves.cos(),
            torch.ones_like(square[..., None]),
        ],
        -1,
    )


class StackedCritic(nn.Module):
    """p critics T_j(x_j, y) = f_j(x_j)·g_j(y), each as if it were alone, as one batched network.

    f_j and g_j are a hidden ReLU layer on fixed features plus a linear map that stays as `start` sets it. All columns
    start from the same weights and share none, so what a column learns does not depend on the columns beside it.

    Parameters
    ----------
    n_columns : int
        p.
    x_features, y_features : int
        Widths of a column's features and of y's; those of a column at most 64.
    units : int, default=16
        Width of the common space of f_j and g_j. Gradients of tables 16 wide take a third of the time of 11 wide.
    hidden : int, default=16
        Width of the hidden layers.
    """

    def __init__(self, n_columns, x_features, y_features, *, units=16, hidden=16):
        super().__init__()
        self.f = StackedMLP(n_columns, x_features, hidden, units)
        self.g = StackedMLP(n_columns, y_features, hidden, units)

    @torch.no_grad()
    def start(self, x: Tensor, y: Tensor, columns: Tensor) -> None:
        """Set the linear maps to the log density ratio of Gaussian pairs, for ``columns`` (p,), a mask.

        It is ρ/(1 − ρ²)·zv − ρ²/2(1 − ρ²)·(z² + v²) for normal scores z and v, whose `wave_features` are the rows
        x (n, p, x_features) and y (n, y_features). Correlations within two standard errors of zero are taken for zero.
        """
        z, v = x[:, :, 0] - x[:, :, 0].mean(0), y[:, :1] - y[:, 0].mean()
        spread = (z.square().sum(0) * v.square().sum()).sqrt().clamp(min=1e-12)
        rho = ((z * v).sum(0) / spread).clamp(-0.9995, 0.9995)
        rho = torch.where(columns & (rho.abs() > 2 / math.sqrt(len(x))), rho, 0.0)
        cross, own = rho / (1 - rho.square()), -rho.square() / (2 - 2 * rho.square())
        linear, square, one = 0, 1, 2 + 2 * len(FREQUENCIES)  # places of z, (z² − 1)/√2 and 1
        for side, entries in (
            (self.f, [(linear, 0, cross), (square, 1, math.sqrt(2) * own), (one, 1, own), (one, 2, own)]),
            (self.g, [(linear, 0, 1.0), (one, 1, 1.0), (square, 2, math.sqrt(2)), (one, 2, 1.0)]),
        ):
            side.linear.zero_()
            for feature, unit, value in entries if columns.any() else ():
                side.linear[:, feature, unit] = value * columns

    def sides(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return f (p, n, units) of x (n, p, x_features) and g (p, n, units) of y (n, y_features)."""
        return self.f(x.transpose(0, 1).contiguous()), self.g(y.expand(len(self.g.first), -1, -1).contiguous())

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the tables of scores (p, R, M) of anchors x (R, p, x_features), candidates y (M, y_features)."""
        f, g = self.sides(x, y)
        return f @ g.transpose(1, 2)


class StackedMLP(nn.Module):
    """p networks with a hidden ReLU layer and a fixed linear map, from (p, n, inputs) to (p, n, outputs).

    All start the same. They have no biases, whose gradients take as long as the rest: give a constant input. The first
    three outputs of the hidden layer start at zero, so that the linear map may have them for itself.
    """

    def __init__(self, p: int, inputs: int, hidden: int, outputs: int):
        super().__init__()
        first = torch.randn(max(inputs, MOST_FEATURES), hidden)[:inputs] / math.sqrt(10)
        last = 0.3 * torch.randn(hidden, outputs) / math.sqrt(hidden)
        last[:, :3] = 0.0
        self.first, self.last = (nn.Parameter(start.repeat(p, 1, 1)) for start in (first, last))
        self.register_buffer("linear", torch.zeros(p, inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (p, n, outputs)."""
        return torch.baddbmm(torch.bmm(x, self.linear), torch.bmm(x, self.first).relu_(), self.last)
