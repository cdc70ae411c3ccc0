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
        Fitted on ``train`` by its method ``fit(a, b)``; it is not changed.
    train : tuple of Tensor
        The paired rows (a, b).
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
    fits = critic, *(copy.deepcopy(critic).fit(a[start::2], b[start::2]) for start in (0, 1))
    whole, *halves = (PairInformation(fit, make_bound("dv")) for fit in fits)
    return torch.cat(
        [whole.valued(batch).influence - sum(half.valued(batch).influence for half in halves) / 2 for batch in held_out]
    )
