"""What a critic in closed form loses by having been fitted on few rows."""

import copy

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import make_bound
from sklearn_dim.objectives._pairs import PairInformation


@torch.no_grad()
def shortfall(critic: nn.Module, train: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor]) -> Tensor:
    """Return for each held-out row what its value lacks because ``critic`` was fitted on ``train`` alone.

    k numbers estimated from n rows cost k/2n nats in the mean, from half the rows twice that. So what a critic from
    half the rows lacks beside one from all is what that one lacks beside the truth (Richardson's extrapolation).

    Parameters
    ----------
    critic : Module
        With a method ``fit(a, b)``; it is not changed.
    train, held_out : tuple of Tensor
        Paired rows (a, b).

    Returns
    -------
    Tensor of shape (n_held_out,)
        Zero where half the rows are fewer than two a column: too few to extrapolate from.
    """
    a, b = train
    halves = [(a[0::2], b[0::2]), (a[1::2], b[1::2])]
    if len(a) < 4 * (a.shape[1] + b.shape[1]):
        return held_out[0].new_zeros(len(held_out[0]))

    def influence(rows):
        fitted = copy.deepcopy(critic).fit(*rows)
        return PairInformation(fitted, make_bound("dv")).valued(held_out).influence

    return influence(train) - sum(influence(half) for half in halves) / 2
