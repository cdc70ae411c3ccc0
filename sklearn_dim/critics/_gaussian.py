"""The critic of jointly Gaussian pairs in closed form."""

import torch
from torch import Tensor

from sklearn_dim.critics._base import ClosedForm


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

    @property
    def strongest(self) -> float:
        """The largest canonical correlation."""
        return float(self.rho.max())

    @torch.no_grad()
    def fit(self, a: Tensor, b: Tensor) -> "Gaussian":
        """Set the critic from paired rows a (n, a_features), b (n, b_features)."""
        a, b = a.cpu().double(), b.cpu().double()
        buffers = self.a_mean, self.b_mean, self.a_map, self.b_map, self.rho
        for buffer, value in zip(buffers, (*canonical(a, b), held_out_correlations(a, b)), strict=True):
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


def canonical(a: Tensor, b: Tensor, full: bool = False) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the means of a and b and the maps to their canonical coordinates, if ``full`` also to all others."""
    a_white, b_white = whitener(a), whitener(b)
    cross = ((a - a.mean(0)) @ a_white).T @ ((b - b.mean(0)) @ b_white) / len(a)
    left, _, right = torch.linalg.svd(cross, full_matrices=full)
    return a.mean(0), b.mean(0), a_white @ left, b_white @ right.T


def whitener(x: Tensor, floor: float = 1e-6) -> Tensor:
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
        a_mean, b_mean, a_map, b_map = canonical(a[fold != k], b[fold != k])
        u, v = (a[fold == k] - a_mean) @ a_map, (b[fold == k] - b_mean) @ b_map
        spread = (u.square().mean(0) * v.square().mean(0)).sqrt()
        total += (u * v).mean(0) / spread.clamp(min=1e-12)
    # n rows tell no correlation from one that is nearer to 1 than 1/4n².
    return (total / folds).clamp(1e-3, 1 - max(1e-6, 0.25 / len(a) ** 2))
