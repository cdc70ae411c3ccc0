"""The critic of a Student copula in closed form: columns whose rows share a random scale."""

import math

import numpy as np
import torch
from scipy.special import ndtr, stdtrit
from torch import Tensor

from sklearn_dim.critics._base import ClosedForm
from sklearn_dim.critics._gaussian import canonical, held_out_correlations, whitener

FARTHEST = 6.0  # normal scores beyond are continued in a straight line
N_KNOTS = 1201
FREEDOMS = (32.0, 16.0, 8.0, 4.0, 2.0, 1.0)  # tried in this order, as long as they are likelier
MAX_ITER = 30  # of the scatter's M-estimator; each nearly halves the distance to its end
MAX_ROWS = 50_000  # more teach a few hundred numbers nothing
TOL = 1e-3  # largest change of a row's weight that ends it


class Student(ClosedForm):
    """log p(a, b)/p(a)p(b) of a joint Student distribution, for columns that come as normal scores.

    Each normal score is mapped to the quantile of a Student distribution. With p and q columns, canonical coordinates
    u, v with correlations ρ, and squared lengths s_a, s_b and s of a, b and both, the log-ratio is the log of
    t(s; p + q)/t(s_a; p) t(s_b; q) − ½ Σ log(1 − ρᵢ²), where t(s; k) is the density of k columns. It has information
    even if all correlations are zero: large values come together.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.
    freedom : float, default=None
        Degrees of freedom: a small number is a heavy tail, a large one nearly a Gaussian. None takes the likeliest.
    """

    freedom: Tensor
    knots: Tensor
    a_mean: Tensor
    b_mean: Tensor
    a_map: Tensor
    b_map: Tensor
    rho: Tensor

    def __init__(self, a_features: int, b_features: int, freedom: float | None = None):
        super().__init__(a_features, b_features)
        self.wanted = freedom
        self.register_buffer("freedom", torch.tensor(freedom or FREEDOMS[0]))
        self.register_buffer("knots", torch.zeros(N_KNOTS))
        self.register_buffer("a_mean", torch.zeros(a_features))
        self.register_buffer("b_mean", torch.zeros(b_features))
        self.register_buffer("a_map", torch.zeros(a_features, a_features))
        self.register_buffer("b_map", torch.zeros(b_features, b_features))
        self.register_buffer("rho", torch.zeros(min(a_features, b_features)))

    @property
    def strongest(self) -> float:
        """The largest canonical correlation."""
        return float(self.rho.max())

    @torch.no_grad()
    def fit(self, a: Tensor, b: Tensor) -> "Student":
        """Set the critic from paired rows a (n, a_features), b (n, b_features)."""
        scores = torch.cat([a[:MAX_ROWS], b[:MAX_ROWS]], 1).cpu().double()
        freedom = likeliest_freedom(scores) if self.wanted is None else self.wanted
        knots = knots_of(freedom)
        rows = quantiles(scores, knots)
        centre, weight, _ = _centre_and_weight(rows, freedom)
        p = self.a_features
        a, b = ((rows - centre) * weight.sqrt()).split([p, self.b_features], 1)
        _, _, a_map, b_map = canonical(a, b, full=True)
        values = torch.tensor(freedom), knots, centre[:p], centre[p:], a_map, b_map, held_out_correlations(a, b)
        buffers = self.freedom, self.knots, self.a_mean, self.b_mean, self.a_map, self.b_map, self.rho
        for buffer, value in zip(buffers, values, strict=True):
            buffer.copy_(value)
        return self

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (..., R, M)."""
        u = (quantiles(a, self.knots) - self.a_mean) @ self.a_map
        v = (quantiles(b, self.knots) - self.b_mean) @ self.b_map
        a_square, b_square = u.square().sum(-1).unsqueeze(-1), v.square().sum(-1).unsqueeze(-2)
        k, rest = len(self.rho), 1 - self.rho**2
        u, v = u[..., :k], v[..., :k]
        weight = self.rho**2 / rest
        more = (u.square() @ weight).unsqueeze(-1) + (v.square() @ weight).unsqueeze(-2)
        both = a_square + b_square + more - 2 * (u * (self.rho / rest)) @ v.mT
        p, q = self.a_features, self.b_features
        apart = log_density(a_square, self.freedom, p) + log_density(b_square, self.freedom, q)
        return log_density(both.clamp(min=0.0), self.freedom, p + q) - apart - 0.5 * rest.log().sum()


def likeliest_freedom(scores: Tensor) -> float:
    """Return degrees of freedom of the likeliest Student copula of normal scores (n, d)."""
    tried = [(_log_likelihood(scores, FREEDOMS[0]), FREEDOMS[0])]
    for freedom in FREEDOMS[1:]:
        tried.append((_log_likelihood(scores, freedom), freedom))
        if tried[-1] < tried[-2]:
            break
    _, best = max(tried)
    near = [freedom for freedom in (best / math.sqrt(2), best * math.sqrt(2)) if freedom <= FREEDOMS[0]]
    return max(tried + [(_log_likelihood(scores, freedom), freedom) for freedom in near])[1]


def _log_likelihood(scores: Tensor, freedom: float) -> float:
    """Return the mean log-density of a Student copula at normal scores, with the scatter that suits them."""
    rows, nu = quantiles(scores, knots_of(freedom)), torch.tensor(freedom, dtype=torch.float64)
    _, _, joint = _centre_and_weight(rows, freedom)
    return float(joint - log_density(rows.square(), nu, 1).sum(1).mean())


def _centre_and_weight(rows: Tensor, freedom: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return the centre (d,) of Student rows, each row's weight (n, 1) and the mean log-density."""
    d, nu = rows.shape[1], torch.tensor(freedom, dtype=torch.float64)
    weight = 1 / (1 + rows.square().mean(1, keepdim=True) / freedom)
    for _ in range(MAX_ITER):
        centre = (weight * rows).sum(0) / weight.sum()
        white = whitener((rows - centre) * weight.sqrt())
        square = ((rows - centre) @ white).square().sum(1, keepdim=True)
        before, weight = weight, (freedom + d) / (freedom + square)
        if (weight - before).abs().max() < TOL:
            break
    scale = torch.linalg.svdvals(white)
    return centre, weight, log_density(square, nu, d).mean() + scale[scale > 0].log().sum()


def log_density(square: Tensor, freedom: Tensor, k: int) -> Tensor:
    """Return the log of a Student density of k columns at a squared length, but for ½k log π."""
    ends = torch.lgamma((freedom + k) / 2) - torch.lgamma(freedom / 2) - k / 2 * freedom.log()
    return ends - (freedom + k) / 2 * torch.log1p(square / freedom)


def knots_of(freedom: float) -> Tensor:
    """Return the quantiles (N_KNOTS,) of a Student distribution at evenly spaced normal scores."""
    lower = stdtrit(freedom, ndtr(np.linspace(-FARTHEST, 0, N_KNOTS // 2 + 1)))
    return torch.as_tensor(np.concatenate([lower, -lower[-2::-1]]))  # ndtr has too few digits for the upper half


def quantiles(scores: Tensor, knots: Tensor) -> Tensor:
    """Return Student quantiles at normal scores, by linear interpolation."""
    position = (scores + FARTHEST) * ((N_KNOTS - 1) / (2 * FARTHEST))
    below = position.detach().floor().clamp(0, N_KNOTS - 2)
    at = below.long()
    lower, upper = knots[at], knots[at + 1]
    return lower + (position - below) * (upper - lower)
