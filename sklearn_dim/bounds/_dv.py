"""Donsker–Varadhan, the bound of MINE (Belghazi et al., ICML 2018, eq. 10)."""

from dataclasses import dataclass

from torch import Tensor

from sklearn_dim._arguments import checked
from sklearn_dim.bounds._base import Bound, log_mean_exp, running_log_mean


@checked(ema_decay="[0, 1)")
@dataclass
class DV(Bound):
    """E_p[T] − log E_q[e^T], at most I; the optimal T is log p/q + constant.

    Parameters
    ----------
    ema_decay : float in [0, 1), default=0.0
        With a positive decay the gradient of the second term divides by a running mean of E_q[e^T] instead of the
        batch's own (MINE, section 3.2): steps on small batches are less biased, the value is the same. The running
        mean starts at the first batch, not at zero.
    """

    ema_decay: float = 0.0

    def objective(self, joint: Tensor, marginal: Tensor, running: Tensor | None = None) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        log_mean = log_mean_exp(marginal)
        if running is None:
            return joint.mean() - log_mean
        value = log_mean.detach()
        # The value of log_mean, with the gradient E_q[dT e^T] / running mean, this batch included.
        slope = (value - running_log_mean(running, value, self.ema_decay)).exp()
        return joint.mean() - (value + slope * (log_mean - value))

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores."""
        return scores - log_mean_exp(marginal)

    def value(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return I(A; B) in nats by the rule common to all bounds, in which the constant of `log_ratio` cancels."""
        return joint.mean() - log_mean_exp(marginal)
