"""The information of paired rows: MINE, and how a trained critic is valued."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound, log_mean_exp
from sklearn_dim.critics import score_tables


class Valued(NamedTuple):
    """Held-out rows, valued by a critic that did not see them.

    Attributes
    ----------
    value : float
        The estimate in nats.
    influence : Tensor of shape (n,)
        Each row's first-order part in it: their mean is the value, their spread its standard error.
    """

    value: float
    influence: Tensor


class PairInformation(nn.Module):
    """I(X; Y) of rows (x, y): a sample's own pair is joint, all pairs of two samples are independent.

    Parameters
    ----------
    critic : Module
        T(x, y), all pairs at once.
    bound : Bound
    """

    def __init__(self, critic: nn.Module, bound: Bound):
        super().__init__()
        self.critic = critic
        self.bound = bound

    def tables(self, batch) -> tuple[Tensor, ...]:
        """Return joint scores (n, 1), independent scores (n, n − 1), and of two critics the second's joint scores."""
        x, y = batch
        return score_tables(self.critic, x, y[:, None, :])

    def forward(self, batch) -> dict[str, Tensor]:
        """Return the loss of a batch (x, y)."""
        return {"information": -self.bound.objective(*self.tables(batch))}

    def mutual_info(self, batch) -> Tensor:
        """Return the batch's value in nats."""
        return self.bound.value(*self.tables(batch))

    def valued(self, batch) -> Valued:
        """Return the batch's value and each row's influence on it.

        The value is E_p[ℓ] − log m with ℓ the critic's log-ratio and m = E_q[e^ℓ], a two-sample
        U-statistic: row i enters m through its row and its column of the table of pairs (Hájek's projection).
        """
        joint, marginal, *_ = self.tables(batch)
        value = self.bound.value(joint, marginal)
        own = self.bound.log_ratio(joint, marginal).squeeze(1)
        ratio = self.bound.log_ratio(marginal, marginal)
        n = len(own)
        log_m = log_mean_exp(ratio)
        weights = (ratio - log_m).exp()
        columns = weights.new_zeros(n).index_add_(0, off_diagonal_columns(n, weights.device), weights.flatten())
        pairs = weights.mean(1) + columns / (n - 1) - 2
        influence = own - log_m - pairs
        return Valued(value.item(), influence + (value - influence.mean()))

    def pointwise(self, batch, reference) -> Tensor:
        """Return log p(x, y)/p(x)p(y) of each row (n,), normalised on the pairs of ``reference`` rows."""
        x, y = batch
        joint = torch.cat([self.critic(*rows).diagonal() for rows in zip(x.split(256), y.split(256), strict=True)])[
            :, None
        ]
        if self.bound.up_to_anchor:
            return self.bound.log_ratio(joint, self.critic(x, reference[1])).squeeze(1)
        _, marginal, *_ = self.tables(reference)
        log_m = log_mean_exp(self.bound.log_ratio(marginal, marginal))
        return (self.bound.log_ratio(joint, marginal) - log_m).squeeze(1)


def off_diagonal_columns(n: int, device) -> Tensor:
    """Return the column of each entry of a table (n, n) without its diagonal, row by row."""
    columns = torch.arange(n, device=device).expand(n, n)
    return columns.flatten()[1:].view(n - 1, n + 1)[:, :-1].flatten()
