"""The Jensen–Shannon bound of Deep InfoMax and Deep Graph Infomax (Hjelm et al., ICLR 2019, eq. 4)."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from sklearn_dim.bounds._base import LOG2, Bound


@dataclass
class JSD(Bound):
    """E_p[log 2 − sp(−T)] − E_q[sp(T) − log 2], at most 2·JSD(p, q); the optimal T is log p/q.

    Not a bound on I. Up to constants it is minus the binary cross-entropy of a classifier that tells joint from
    negative pairs, so training is stable.
    """

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        # log σ(T) is −sp(−T): one operation less, forwards and backwards.
        return logsigmoid(joint).mean() - softplus(marginal).mean() + 2 * LOG2
