"""What a bound is: two score tables in, a number of nats out."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

LOG2 = math.log(2.0)


def log_mean_exp(scores: Tensor, dim: int | None = None) -> Tensor:
    """log of the mean of e^scores, over everything or along ``dim`` (kept), without overflow."""
    if dim is None:
        return torch.logsumexp(scores.flatten(), 0) - math.log(scores.numel())
    return torch.logsumexp(scores, dim, keepdim=True) - math.log(scores.shape[dim])


def log_mix(first: Tensor, second: Tensor, weight: float) -> Tensor:
    """log(weight·e^first + (1 − weight)·e^second), without overflow."""
    if weight in (0, 1):
        return first if weight else second
    return (first + math.log(weight)).logaddexp(second + math.log1p(-weight))


@dataclass
class Bound:
    """A variational bound on (a divergence between) joint p and product of marginals q.

    A bound never knows who calls it. It reads two tables of critic scores T(a, b):

    - ``joint`` (R, P): R anchors, P pairs drawn from p each;
    - ``marginal`` (R, M): the same anchors, M pairs drawn from q each.

    With ``second_critic`` its `objective` is given a third, ``second`` (R, P): what another critic says of the joint
    pairs.

    Subclasses write `objective`, and `log_ratio` with its inverse `score` where a score is not itself log p/q.
    To add one: a file here, a line in ``bounds/__init__.py``, an oracle in the tests.
    """

    # Whether the critic knows log p/q only up to a function of the anchor.
    up_to_anchor: ClassVar[bool] = False
    # Whether the objective reads the joint scores of a second critic as well.
    second_critic: ClassVar[bool] = False

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, a scalar to be maximised by the critic."""
        raise NotImplementedError

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return what ``scores`` (R, any) mean as log p(a, b)/p(a)p(b).

        ``marginal`` (R, M) are scores of independent pairs, for bounds whose critic knows
        the ratio only up to a constant or up to a function of the anchor.
        """
        return scores

    def score(self, log_ratio: Tensor) -> Tensor:
        """Return the score that means ``log_ratio``, the inverse of the method `log_ratio`."""
        return log_ratio

    def value(self, joint: Tensor, marginal: Tensor, second: Tensor | None = None) -> Tensor:
        """Return I(A; B) in nats by the one rule that makes bounds comparable.

        The Donsker–Varadhan value of the log-ratio, E_p[log r] − log E_q[r]. On pairs the
        critic was not trained on this estimates a lower bound of I; with finitely many
        independent pairs it leans upwards by half the relative variance of E_q[r]. A second
        critic's scores have no part in it.
        """
        ratio = self.log_ratio(marginal, marginal)
        return self.log_ratio(joint, marginal).mean() - log_mean_exp(ratio)

    def cap(self, n_independent: int) -> float:
        """Return what the objective cannot exceed, however large I is, with so many independent pairs an anchor."""
        return math.inf
