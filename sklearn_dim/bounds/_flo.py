"""The Fenchel–Legendre bound FLO (Guo et al., NeurIPS 2022)."""

from dataclasses import dataclass

from torch import Tensor

from sklearn_dim.bounds._base import Bound, log_mean_exp


@dataclass
class FLO(Bound):
    """1 + E_p[h − e^h E_q[e^{T' − T}]], at most I however few negatives T' the anchor has.

    The optimal T is log p/q up to a function of the anchor, as in InfoNCE. h, which the paper writes −u, comes from a
    second critic; its optimum is log p/q. With h in place of a logarithm of a mean there is no cap.
    """

    second_critic = True
    up_to_anchor = True

    def objective(self, joint: Tensor, marginal: Tensor, second: Tensor) -> Tensor:  # type: ignore[override]
        """Return the bound's value in nats, to be maximised; ``second`` (R, P) are the joint pairs' h."""
        return 1 + second.mean() - (second + log_mean_exp(marginal, dim=1) - joint).exp().mean()

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores of the first critic."""
        return scores - log_mean_exp(marginal, dim=1)
