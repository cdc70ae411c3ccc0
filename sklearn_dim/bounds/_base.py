"""What a bound is: two tables of critic scores in, a number of nats out; and the registry of bounds."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

LOG2 = math.log(2.0)

# Name → class, filled in `sklearn_dim/bounds/__init__.py`.
BOUNDS: dict[str, type["Bound"]] = {}


def make_bound(mi_estimator: "str | Bound") -> "Bound":
    """Return the bound that a name of `BOUNDS` stands for, or the bound object itself: bounds hold no state."""
    return BOUNDS[mi_estimator]() if isinstance(mi_estimator, str) else mi_estimator


@dataclass
class Bound:
    """A variational bound on (a divergence between) the joint density p and the product of marginals q.

    A bound never knows who calls it, and remembers nothing. It reads two tables of critic scores T(a, b):

    - ``joint`` (R, P): R anchors, with P pairs drawn from p each;
    - ``marginal`` (R, M): the same anchors, with M negative pairs, drawn from q, each.

    Subclasses write `objective`, and `log_ratio` with its inverse `score` where a score is not itself log p/q.
    To add one: a file here, a line in ``bounds/__init__.py``, an oracle in the tests.

    Attributes
    ----------
    second_critic : bool, default=False
        Whether the objective is given a third table, ``second`` (R, P): another critic's scores of the joint pairs.
    ema_decay : float in [0, 1), default=0.0
        With a positive decay, whoever trains keeps a running mean of e to the power of `log_mean` over the batches
        (`next_running`), and gives its logarithm to the objective as the last argument, ``running``: a scalar tensor,
        NaN before the first batch.
    """

    # Without annotations: a subclass may make a field, a plain attribute or a property of either.
    second_critic = False
    ema_decay = 0.0

    @property
    def up_to_anchor(self) -> bool:
        """Whether the critic knows log p/q only up to a function of the anchor."""
        return False

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, a scalar for the critic to maximise.

        A bound with ``second_critic`` takes the table ``second`` next; one that may have an ``ema_decay`` takes
        ``running`` last, where None stands for the batch's own mean.
        """
        raise NotImplementedError

    def log_mean(self, marginal: Tensor) -> Tensor:
        """Return the logarithm of a batch's E_q[e^T], a scalar: what the running mean is the mean of."""
        return log_mean_exp(marginal)

    def next_running(self, running: Tensor, marginal: Tensor) -> Tensor:
        """Return the logarithm of the running mean once it has taken in a batch."""
        return running_log_mean(running, self.log_mean(marginal), self.ema_decay)

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return what ``scores`` (R, any) mean as log p(a, b)/p(a)p(b).

        ``marginal`` (R, M) are scores of negative pairs, for bounds whose critic knows the ratio only up to a constant
        or up to a function of the anchor.
        """
        return scores

    def score(self, log_ratio: Tensor) -> Tensor:
        """Return the score that means ``log_ratio``, the inverse of the method `log_ratio`."""
        return log_ratio

    def value(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return I(A; B) in nats by the one rule that makes bounds comparable.

        The Donsker–Varadhan value of the log-ratio, E_p[log r] − log E_q[r]. On pairs that the critic was not trained
        on this estimates a lower bound of I; with finitely many negative pairs it is biased upwards by half the
        relative variance of E_q[r]. A second critic plays no part in it.
        """
        ratio = self.log_ratio(marginal, marginal)
        return self.log_ratio(joint, marginal).mean() - log_mean_exp(ratio)

    def cap(self, n_independent: int) -> float:
        """Return what the objective cannot exceed, however large I is, with so many negative pairs per anchor."""
        return math.inf


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


def running_log_mean(running: Tensor, new: Tensor, decay: float) -> Tensor:
    """log(decay·e^running + (1 − decay)·e^new); ``new`` itself where ``running`` is NaN, before the first batch."""
    return torch.where(running.isnan(), new, log_mix(running, new, decay))
