"""One critic a column, all columns at once."""

import math

import torch
from torch import Tensor, nn

FREQUENCIES = 0.7, 1.4, 2.1, 2.8
# First weights are drawn for this many features whatever the number in use, so that padding changes no column's draw.
MOST_FEATURES = 64


def wave_features(z: Tensor) -> Tensor:
    """Return z, (z² − 1)/√2 and waves √2·sin(wz), √2·cos(wz) of normal scores z (...), and 1, as (..., 11)."""
    waves = z[..., None] * z.new_tensor(FREQUENCIES)
    square = ((z.square() - 1) / math.sqrt(2)).clamp(max=4.0)
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
    """p critics T_j(x_j, y) = f_j(x_j)·g_j(y) + Gaussian term, each as if it were alone, as one batched network.

    f_j and g_j have one hidden ReLU layer on fixed features. All columns start from the same weights and share none,
    so what a column learns does not depend on the columns beside it.

    Parameters
    ----------
    n_columns : int
        p.
    x_features, y_features : int
        Widths of a column's features and of y's, at most 64 for those of a column.
    units : int, default=13
        Width of the common space of f_j and g_j.
    hidden : int, default=16
        Width of the hidden layers.

    Attributes
    ----------
    gaussian : Tensor of shape (p, 2)
        ρ/(1 − ρ²) and −ρ²/2(1 − ρ²): the log density ratio of Gaussian pairs is gaussian[0]·z·v +
        gaussian[1]·(z² + v²), z and v being the first features; see `start`.
    """

    def __init__(self, n_columns, x_features, y_features, *, units=13, hidden=16):
        super().__init__()
        self.f = StackedMLP(n_columns, x_features, hidden, units)
        self.g = StackedMLP(n_columns, y_features, hidden, units)
        self.register_buffer("gaussian", torch.zeros(n_columns, 2))

    @torch.no_grad()
    def start(self, x: Tensor, y: Tensor, columns: Tensor) -> None:
        """Set the Gaussian term from rows x (n, p, x_features), y (n, y_features) for ``columns`` (p,), a mask.

        Correlations within two standard errors of zero are taken for zero.
        """
        z, v = x[:, :, 0] - x[:, :, 0].mean(0), y[:, :1] - y[:, 0].mean()
        spread = (z.square().sum(0) * v.square().sum()).sqrt().clamp(min=1e-12)
        rho = ((z * v).sum(0) / spread).clamp(-0.9995, 0.9995)
        rho = torch.where(columns & (rho.abs() > 2 / math.sqrt(len(x))), rho, 0.0)
        rest = 1 - rho.square()
        self.gaussian.copy_(torch.stack([rho / rest, -rho.square() / (2 * rest)], 1))

    def sides(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors (p, n, units + 3) of x (n, p, x_features) and of y (n, y_features), whose products are scores.

        Three coordinates of each carry the Gaussian term.
        """
        f, g = self.f(x.transpose(0, 1)), self.g(y.expand(len(self.gaussian), -1, -1))
        cross, own = self.gaussian[:, :1, None], self.gaussian[:, 1:, None]
        z, v = x[:, :, :1].transpose(0, 1), y[:, :1].expand(len(f), -1, -1)
        f = torch.cat([f, cross * z, own * z.square(), own.expand_as(z)], 2)
        return f, torch.cat([g, v, torch.ones_like(v), v.square()], 2)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the tables of scores (p, R, M) of anchors x (R, p, x_features), candidates y (M, y_features)."""
        f, g = self.sides(x, y)
        return f @ g.transpose(1, 2)


class StackedMLP(nn.Module):
    """p networks with one hidden ReLU layer, from (p, n, inputs) to (p, n, outputs); all start the same.

    They have no biases, whose gradients take as long as the rest: give a constant input.
    """

    def __init__(self, p: int, inputs: int, hidden: int, outputs: int):
        super().__init__()
        first = torch.randn(max(inputs, MOST_FEATURES), hidden)[:inputs] / math.sqrt(10)
        last = 0.3 * torch.randn(hidden, outputs) / math.sqrt(hidden)
        self.first, self.last = (nn.Parameter(start.repeat(p, 1, 1)) for start in (first, last))

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (p, n, outputs)."""
        return torch.bmm(torch.bmm(x, self.first).relu_(), self.last)
