"""The tractable unnormalised Barber–Agakov bound (Poole et al., ICML 2019, eq. 9)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from sklearn_dim._arguments import checked
from sklearn_dim.bounds._base import Bound, log_mean_exp, log_mix


@checked(ema_decay="[0, 1)")
@dataclass
class TUBA(Bound):
    """1 + E_p[T − log a] − E_q[e^T]/a, at most I for every a > 0; the optimal T is log p/q + log a.

    The baseline a is a running mean of E_q[e^T] over earlier batches, which is where the bound is tightest; the first
    batch is its own baseline. a = e, held fixed, is NWJ.

    Parameters
    ----------
    ema_decay : float in [0, 1), default=0.9
        Memory of the running mean.
    """

    ema_decay: float = field(default=0.9, kw_only=True)

    def objective(self, joint: Tensor, marginal: Tensor, running: Tensor | None = None) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        log_mean = log_mean_exp(marginal)
        log_a = log_baseline(running, log_mean)
        return 1 + joint.mean() - log_a - (log_mean - log_a).exp()

    def next_running(self, running: Tensor, marginal: Tensor) -> Tensor:
        """Return log of the next batch's baseline: this batch's, and this batch taken in."""
        new = self.log_mean(marginal)
        return log_mix(log_baseline(running, new), new, self.ema_decay)

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores."""
        return scores - log_mean_exp(marginal)


def log_baseline(running: Tensor | None, log_mean: Tensor) -> Tensor:
    """Return log a: the running mean of earlier batches, or without any the batch's own."""
    own = log_mean.detach()
    return own if running is None else torch.where(running.isnan(), own, running)
