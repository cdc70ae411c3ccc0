"""Donsker–Varadhan, the bound of MINE (Belghazi et al., ICML 2018, eq. 10)."""

from dataclasses import dataclass, field

from torch import Tensor

from sklearn_dim.bounds._base import Bound, log_mean_exp, log_mix


@dataclass
class DV(Bound):
    """E_p[T] − log E_q[e^T], at most I; the optimal T is log p/q + constant.

    Parameters
    ----------
    ema_decay : float in [0, 1), default=0.0
        With a positive decay the gradient of the second term divides by a running mean of
        E_q[e^T] instead of the batch's own (MINE, section 3.2): less biased steps on small
        batches, the same value. The running mean starts at the first batch, not at zero.
    """

    ema_decay: float = 0.0
    _log_mean: Tensor | None = field(default=None, init=False, repr=False, compare=False)

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        log_mean = log_mean_exp(marginal)
        if not self.ema_decay or not log_mean.requires_grad:
            return joint.mean() - log_mean
        self._log_mean = running_log_mean(self._log_mean, log_mean.detach(), self.ema_decay)
        # Same value as log_mean, with the gradient E_q[dT e^T] / running mean.
        slope = (log_mean.detach() - self._log_mean).exp()
        return joint.mean() - (log_mean.detach() + slope * (log_mean - log_mean.detach()))

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores."""
        return scores - log_mean_exp(marginal)


def running_log_mean(running: Tensor | None, new: Tensor, decay: float) -> Tensor:
    """Return log(decay·e^running + (1 − decay)·e^new); ``new`` itself the first time."""
    return new if running is None else log_mix(running, new, decay)
