"""The tractable unnormalised Barber–Agakov bound (Poole et al., ICML 2019, eq. 9)."""

from dataclasses import dataclass, field

from torch import Tensor

from sklearn_dim.bounds._base import Bound, log_mean_exp
from sklearn_dim.bounds._dv import running_log_mean


@dataclass
class TUBA(Bound):
    """1 + E_p[T − log a] − E_q[e^T]/a, at most I for every a > 0; the optimal T is log p/q + log a.

    The baseline a is a running mean of E_q[e^T] over earlier batches, which is where the bound is
    tightest. a = e, held fixed, is NWJ.

    Parameters
    ----------
    ema_decay : float in [0, 1), default=0.9
        Memory of the running mean.
    """

    ema_decay: float = field(default=0.9, kw_only=True)
    _log_baseline: Tensor | None = field(default=None, init=False, repr=False, compare=False)

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        log_mean = log_mean_exp(marginal)
        log_a = self._baseline(log_mean)
        return 1 + joint.mean() - log_a - (log_mean - log_a).exp()

    def _baseline(self, log_mean: Tensor) -> Tensor:
        """Return log a from earlier batches, then let a batch that is trained on enter the running mean."""
        if self._log_baseline is None:
            self._log_baseline = log_mean.detach()
        log_a = self._log_baseline
        if log_mean.requires_grad:
            self._log_baseline = running_log_mean(log_a, log_mean.detach(), self.ema_decay)
        return log_a

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores."""
        return scores - log_mean_exp(marginal)
