"""What a critic in closed form loses by having been fitted on few rows."""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import make_bound
from sklearn_dim.objectives._pairs import PairInformation


@torch.no_grad()
def shortfall(critic: nn.Module, train: tuple[Tensor, Tensor], held_out: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """Return for each held-out row what its value lacks because ``critic`` was fitted on ``train`` alone.

    k numbers estimated from n rows cost k/2n nats in the mean, from half the rows twice that. So what a critic from
    half the rows lacks beside one from all is what that one lacks beside the truth (Richardson's extrapolation).

    Parameters
    ----------
    critic : Module
        With a method ``fit(a, b)``; it is not changed.
    train : tuple of Tensor
        Paired rows (a, b).
    held_out : iterable of tuple of Tensor
        Batches of paired rows; independent pairs are those of a batch.

    Returns
    -------
    Tensor of shape (n_held_out,)
        Zero where half the rows are fewer than two a column: too few to extrapolate from.
    """
    a, b = train
    if len(a) < 4 * (a.shape[1] + b.shape[1]):
        return torch.cat([a.new_zeros(len(batch[0])) for batch in held_out])
    whole, *halves = (fitted(critic, *rows) for rows in (train, (a[0::2], b[0::2]), (a[1::2], b[1::2])))
    return torch.cat(
        [whole.valued(batch).influence - sum(half.valued(batch).influence for half in halves) / 2 for batch in held_out]
    )


def fitted(critic: nn.Module, a: Tensor, b: Tensor) -> PairInformation:
    """Return a copy of the critic fitted on paired rows, ready to value others."""
    return PairInformation(copy.deepcopy(critic).fit(a, b), make_bound("dv"))
