"""The critic of jointly Gaussian pairs in closed form, and a network that learns what it leaves out."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sklearn_dim.critics._base import ClosedForm, Critic, start_at_zero
from sklearn_dim.critics._concatenated import Concatenated
from sklearn_dim.critics._separable import Separable


class Gaussian(ClosedForm):
    """log p(a, b)/p(a)p(b) of the joint Gaussian with the data's own covariance.

    In whitened canonical coordinates u, v with correlations ρ the log-ratio is
    Σᵢ [ρᵢuᵢvᵢ − ρᵢ²(uᵢ² + vᵢ²)/2]/(1 − ρᵢ²) − ½ log(1 − ρᵢ²); its mean is −½ Σ log(1 − ρᵢ²).
    ρ are the correlations on rows that did not choose the coordinates, see `held_out_correlations`.
    """

    a_mean: Tensor
    b_mean: Tensor
    a_map: Tensor
    b_map: Tensor
    rho: Tensor

    def __init__(self, a_features: int, b_features: int):
        super().__init__(a_features, b_features)
        k = min(a_features, b_features)
        self.register_buffer("a_mean", torch.zeros(a_features))
        self.register_buffer("b_mean", torch.zeros(b_features))
        self.register_buffer("a_map", torch.zeros(a_features, k))
        self.register_buffer("b_map", torch.zeros(b_features, k))
        self.register_buffer("rho", torch.zeros(k))

    @torch.no_grad()
    def fit(self, a: Tensor, b: Tensor) -> "Gaussian":
        """Set the critic from paired rows a (n, a_features), b (n, b_features)."""
        a, b = a.cpu().double(), b.cpu().double()
        buffers = self.a_mean, self.b_mean, self.a_map, self.b_map, self.rho
        for buffer, value in zip(buffers, (*_canonical(a, b), held_out_correlations(a, b)), strict=True):
            buffer.copy_(value)
        return self

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        u, v = (a - self.a_mean) @ self.a_map, (b - self.b_mean) @ self.b_map
        rest = 1 - self.rho**2
        weight = self.rho**2 / (2 * rest)
        a_term = u.square() @ weight + 0.5 * rest.log().sum()
        b_term = v.square() @ weight
        # The terms of one side are columns beside the coordinates: one product is the table, which no sum passes again.
        left = torch.cat([u * (self.rho / rest), -a_term.unsqueeze(-1), torch.ones_like(u[..., :1])], -1)
        return left @ torch.cat([v, torch.ones_like(v[..., :1]), -b_term.unsqueeze(-1)], -1).mT


class CorrectedGaussian(Critic):
    """The Gaussian critic plus a network that starts at zero and learns only what is not Gaussian.

    The network is a `Separable` critic of the columns, their squares and a few sines. Where both sides have a single
    column it is a `Concatenated` one instead: products of functions are slow to learn a sharp edge such as
    ``|a − b| < c``, and pairs of single numbers are cheap.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.
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

    closed_form: Gaussian
    block = 128  # what a row adds to a mean over pairs, it adds already with half a batch's rows, at half the cost

    def __init__(
        self,
        a_features: int,
        b_features: int,
        *,
        units: int = 32,
        hidden: Sequence[int] | None = None,
        waves: int = 8,
        clip: float | None = 10.0,
        pairwise: bool | None = None,
    ):
        super().__init__(a_features, b_features)
        self.closed_form = Gaussian(a_features, b_features)
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


def _canonical(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the means of a and b and the maps to their canonical coordinates."""
    a_white, b_white = _whitener(a), _whitener(b)
    cross = ((a - a.mean(0)) @ a_white).T @ ((b - b.mean(0)) @ b_white) / len(a)
    left, _, right = torch.linalg.svd(cross, full_matrices=False)
    return a.mean(0), b.mean(0), a_white @ left, b_white @ right.T


def _whitener(x: Tensor, floor: float = 1e-6) -> Tensor:
    """Return the map (d, d) to unit covariance; directions without variance are mapped to zero."""
    centred = x - x.mean(0)
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(x))
    kept = values > floor * values[-1].clamp(min=1e-12)
    return vectors * torch.where(kept, values.clamp(min=1e-12).rsqrt(), torch.zeros_like(values))


def held_out_correlations(a: Tensor, b: Tensor, folds: int = 5) -> Tensor:
    """Return the correlation of each pair of canonical coordinates on rows that did not choose them.

    Rows that chose the coordinates overstate it: without any dependence the largest of d correlations of n rows is
    about 2√(d/n). Correlations below zero are due to chance and set to a thousandth, which is negligible in nats but
    lets the critic still rank pairs.
    """
    fold = torch.arange(len(a)) % folds
    total = torch.zeros(min(a.shape[1], b.shape[1]), dtype=a.dtype)
    for k in range(folds):
        a_mean, b_mean, a_map, b_map = _canonical(a[fold != k], b[fold != k])
        u, v = (a[fold == k] - a_mean) @ a_map, (b[fold == k] - b_mean) @ b_map
        spread = (u.square().mean(0) * v.square().mean(0)).sqrt()
        total += (u * v).mean(0) / spread.clamp(min=1e-12)
    # n rows tell no correlation from one that is nearer to 1 than 1/4n².
    return (total / folds).clamp(1e-3, 1 - max(1e-6, 0.25 / len(a) ** 2))
