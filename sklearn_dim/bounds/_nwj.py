"""Nguyen–Wainwright–Jordan, also f-GAN's KL and MINE-f (Nguyen et al. 2010; Belghazi et al. 2018, eq. 6)."""

from dataclasses import dataclass

from torch import Tensor

from sklearn_dim.bounds._base import Bound, log_mean_exp


@dataclass
class NWJ(Bound):
    """E_p[T] − E_q[e^{T−1}], at most I even on finite samples; the optimal T is 1 + log p/q."""

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        return joint.mean() - log_mean_exp(marginal - 1).exp()

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores."""
        return scores - 1

    def score(self, log_ratio: Tensor) -> Tensor:
        """Return the score that means a log p/q."""
        return log_ratio.clamp(max=50.0) + 1
