"""The bound between InfoNCE and TUBA (Poole et al., ICML 2019, section 2.3)."""

import math
from dataclasses import dataclass

from torch import Tensor

from sklearn_dim._arguments import checked
from sklearn_dim.bounds._base import log_mean_exp, log_mix
from sklearn_dim.bounds._tuba import TUBA, log_baseline


@checked(alpha="[0, 1]", ema_decay="[0, 1)")
@dataclass
class IAlpha(TUBA):
    """1 + E_p[T − log(α m + (1 − α) a)] − E_q[e^T/(α m + (1 − α) a)], at most I; the optimal T is log p/q + log a.

    m is the mean of e^T over M pairs of the anchor: the pair itself and M − 1 negatives. α = 1 is InfoNCE with M − 1
    negatives, of little variance but never above log M; α = 0 is `TUBA`, which has no cap.

    Parameters
    ----------
    alpha : float in [0, 1], default=0.5
        Weight of m in the baseline.
    ema_decay : float in [0, 1), default=0.9
        Memory of the baseline a, a running mean of E_q[e^T].
    """

    alpha: float = 0.5

    @property
    def up_to_anchor(self) -> bool:
        """Only without a, which is the same for all anchors, may the critic add a function of the anchor."""
        return self.alpha == 1

    def objective(self, joint: Tensor, marginal: Tensor, running: Tensor | None = None) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        log_mean = log_mean_exp(marginal, dim=1)
        log_a = log_baseline(running, log_mean_exp(log_mean))
        # The mean of all M stands for that of M − 1: the same in the mean with less variance, and as −log is convex
        # the value only falls, so it stays a lower bound.
        log_m = log_mix(joint, log_mean, 1 / marginal.shape[1])
        ratio = joint - log_mix(log_m, log_a, self.alpha)
        # The anchor's M negatives share one m, so their mean of e^T/(…) is m/(…).
        mean_ratio = (log_mean - log_mix(log_mean, log_a, self.alpha)).exp()
        return 1 + ratio.mean() - mean_ratio.mean()

    def log_mean(self, marginal: Tensor) -> Tensor:
        """Return the logarithm of the anchors' mean E_q[e^T]."""
        return log_mean_exp(log_mean_exp(marginal, dim=1))

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores."""
        return scores - log_mean_exp(marginal, dim=1 if self.up_to_anchor else None)

    def cap(self, n_independent: int) -> float:
        """Return 1 + log(M/α), or log M where α = 1.

        The paper's log(M/α) counts the last term as 1, which it is only where α = 1; where negatives score far below
        log a it is near 0.
        """
        if self.alpha == 0:
            return math.inf
        return math.log(n_independent / self.alpha) + (self.alpha < 1)
