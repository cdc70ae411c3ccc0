"""The closed-form critic of jointly Gaussian pairs, and a network that corrects it."""

import torch
from torch import Tensor, nn

from sklearn_dim.critics._base import Critic
from sklearn_dim.critics._separable import Separable


class Gaussian(Critic):
    """log p(a, b)/p(a)p(b) of the joint Gaussian with the data's own covariance.

    In whitened canonical coordinates u, v with correlations ρ the log-ratio is
    Σᵢ [ρᵢuᵢvᵢ − ρᵢ²(uᵢ² + vᵢ²)/2]/(1 − ρᵢ²) − ½ log(1 − ρᵢ²); its mean is −½ Σ log(1 − ρᵢ²).
    `fit` sets it in one pass; nothing is learned by gradient.
    """

    def __init__(self, a_features, b_features):
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
        n, kind = len(a), self.rho.dtype
        a, b = a.double(), b.double()
        self.a_mean.copy_(a.mean(0))
        self.b_mean.copy_(b.mean(0))
        a_white, b_white = _whitener(a), _whitener(b)
        cross = ((a - a.mean(0)) @ a_white).T @ ((b - b.mean(0)) @ b_white) / n
        left, rho, right = torch.linalg.svd(cross, full_matrices=False)
        self.a_map.copy_(a_white @ left)
        self.b_map.copy_(b_white @ right.T)
        self.rho.copy_(_shrink(rho, n, self.a_features, self.b_features).to(kind))
        return self

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        u, v = (a - self.a_mean) @ self.a_map, (b - self.b_mean) @ self.b_map
        rest = 1 - self.rho**2
        own = self.rho**2 / (2 * rest)
        constant = -0.5 * rest.log().sum()
        own_a, own_b = u.square() @ own, v.square() @ own
        return (u * (self.rho / rest)) @ v.T - own_a[:, None] - own_b[None, :] + constant


def _whitener(x: Tensor, floor: float = 1e-6) -> Tensor:
    """Return the map (d, d) to unit covariance; directions without variance are dropped to zero."""
    centred = x - x.mean(0)
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(x))
    kept = values > floor * values[-1].clamp(min=1e-12)
    return vectors * torch.where(kept, values.clamp(min=1e-12).rsqrt(), torch.zeros_like(values))


def _shrink(rho: Tensor, n: int, p: int, q: int) -> Tensor:
    """Shrink sample canonical correlations towards what they are beyond chance.

    Chance alone gives Σρ² ≈ pq/n, so each ρ² loses its even share of it, relative to 1 − ρ²
    (Ezekiel's adjusted R², spread over the k correlations).
    """
    share = max(p, q) / max(n - 1, 1)
    shrunk = (rho.square() - share * (1 - rho.square())).clamp(min=0.0)
    return shrunk.sqrt().clamp(max=1 - 1e-6)


class CorrectedGaussian(Critic):
    """The Gaussian critic plus a network that starts at zero and learns only what is not Gaussian.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.
    units : int, default=64
        Width of the correction's common space.
    hidden : sequence of int, default=(128, 128)
        Hidden ReLU layers of the correction, a `Separable` critic.
    clip : float or None, default=10.0
        The correction lies within ±clip nats.
    """

    def __init__(self, a_features, b_features, *, units=64, hidden=(128, 128), clip=10.0):
        super().__init__(a_features, b_features)
        self.gaussian = Gaussian(a_features, b_features)
        self.correction = Separable(a_features, b_features, units=units, hidden=hidden, clip=clip)
        nn.init.zeros_(self.correction.b[-1].weight)
        nn.init.zeros_(self.correction.b[-1].bias)

    def fit(self, a: Tensor, b: Tensor) -> "CorrectedGaussian":
        """Set the closed-form part from paired rows."""
        self.gaussian.fit(a, b)
        return self

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        return self.gaussian(a, b) + self.correction(a, b)
