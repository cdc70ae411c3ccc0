"""InfoNCE (van den Oord et al., 2018, eq. 4; Hjelm et al., ICLR 2019, eq. 5)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sklearn_dim.bounds._base import Bound, log_mean_exp


@dataclass
class InfoNCE(Bound):
    """E[T − log mean e^T], the mean over the pair itself and the anchor's M negatives.

    At most min(I, log(M + 1)); the optimal T is log p/q up to a function of the anchor.
    """

    up_to_anchor = True

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        # One logsumexp per anchor serves all its P joint pairs.
        negatives = torch.logsumexp(marginal, 1, keepdim=True)
        return (joint - torch.logaddexp(joint, negatives)).mean() + math.log(marginal.shape[1] + 1)

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores."""
        return scores - log_mean_exp(marginal, dim=1)

    def cap(self, n_independent: int) -> float:
        """Return log(M + 1)."""
        return math.log(n_independent + 1)
