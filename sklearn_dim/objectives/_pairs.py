"""The information of paired rows: MINE, and how a trained critic is valued."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound, log_mean_exp
from sklearn_dim.critics import TwoCritics, without_diagonal

BLOCK = 8  # rows among which a pairwise critic scores all pairs in training
SCORES = 2**12  # most scores of a pairwise critic at once


class Valued(NamedTuple):
    """Held-out rows, valued by a critic that did not see them.

    Attributes
    ----------
    value : float
        The estimate in nats.
    influence : Tensor of shape (n,)
        Each row's first-order part in it: their mean is the value, their spread its standard error.
    lower : Tensor of shape (n,)
        Each row's part in InfoNCE's value, whose mean is in expectation at most I, and never above log n.
    """

    value: float
    influence: Tensor
    lower: Tensor


class PairInformation(nn.Module):
    """I(X; Y) of rows (x, y): a sample's own pair is joint, all pairs of two samples are independent.

    Here a critic says log p(x, y)/p(x)p(y) itself, and the bound is given the score that means it. So a closed form
    is right for every bound.

    Parameters
    ----------
    critic : Module
        (x, y) → log-ratios of all pairs. One with a true attribute ``pairwise`` is trained on the pairs within blocks
        of 8 rows.
    bound : Bound
    """

    def __init__(self, critic: nn.Module, bound: Bound):
        super().__init__()
        self.critic = critic
        self.bound = bound
        self.block = BLOCK if getattr(critic, "pairwise", False) else None

    @property
    def divisible(self) -> list[nn.Module]:
        """The modules that may be asked for a part of the rows at a time: encoders, or else critics."""
        critics = [self.critic.first, self.critic.second] if isinstance(self.critic, TwoCritics) else [self.critic]
        return [getattr(critic, "encoder", critic) for critic in critics]

    def tables(self, batch) -> tuple[Tensor, ...]:
        """Return joint scores (n, 1), independent scores (n, n − 1), and the joint scores of a second critic.

        In training on blocks the independent scores are (n, 7).
        """
        x, y = batch
        if self.training and self.block and len(x) > self.block:
            x, y = in_blocks(x, self.block), in_blocks(y, self.block)
        tables = self.split(self.critic(x, y))
        if isinstance(self.critic, TwoCritics):
            tables += (self.split(self.critic.second(x, y))[0],)
        return tables

    def split(self, table: Tensor) -> tuple[Tensor, Tensor]:
        """Return the joint and the independent scores of log-ratios (..., n, n)."""
        scores = self.bound.score(table)
        joint = scores.diagonal(dim1=-2, dim2=-1).reshape(-1, 1)
        return joint, without_diagonal(scores.unsqueeze(-1)).flatten(-2).flatten(0, -2)

    def forward(self, batch) -> dict[str, Tensor]:
        """Return the loss of a batch (x, y)."""
        return {"information": -self.bound.objective(*self.tables(batch))}

    def mutual_info(self, batch) -> Tensor:
        """Return the batch's value in nats."""
        return self.bound.value(*self.tables(batch))

    def table(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the critic's log-ratios of all pairs, a few rows at a time where each pair takes a pass."""
        rows = max(1, SCORES // len(y)) if self.block else len(x)
        return torch.cat([self.critic(part, y) for part in x.split(rows)])

    def valued(self, batch) -> Valued:
        """Return the batch's value and each row's influence on it.

        The value is E_p[ℓ] − log m with ℓ the critic's log-ratio and m = E_q[e^ℓ], a two-sample
        U-statistic: row i enters m through its row and its column of the table of pairs (Hájek's projection).
        """
        table = self.table(*batch)
        joint, marginal = self.split(table)
        value = self.bound.value(joint, marginal)
        own = self.bound.log_ratio(joint, marginal).squeeze(1)
        ratio = self.bound.log_ratio(marginal, marginal)
        n = len(own)
        log_m = log_mean_exp(ratio)
        weights = (ratio - log_m).exp()
        columns = weights.new_zeros(n).index_add_(0, off_diagonal_columns(n, weights.device), weights.flatten())
        pairs = weights.mean(1) + columns / (n - 1) - 2
        influence = own - log_m - pairs
        return Valued(value.item(), influence + (value - influence.mean()), info_nce(table))

    def pointwise(self, batch, reference) -> Tensor:
        """Return log p(x, y)/p(x)p(y) of each row (n,), normalised on the pairs of ``reference`` rows."""
        x, y = batch
        parts = zip(x.split(256), y.split(256), strict=True)
        own = torch.cat([self.table(*rows).diagonal() for rows in parts])
        joint = self.bound.score(own)[:, None]
        if self.bound.up_to_anchor:
            return self.bound.log_ratio(joint, self.bound.score(self.table(x, reference[1]))).squeeze(1)
        _, marginal = self.split(self.table(*reference))
        log_m = log_mean_exp(self.bound.log_ratio(marginal, marginal))
        return (self.bound.log_ratio(joint, marginal) - log_m).squeeze(1)


def info_nce(table: Tensor) -> Tensor:
    """Return each row's part in InfoNCE's value (van den Oord et al., 2018), x and y taking turns as the anchor."""
    return table.diagonal() - (table.logsumexp(0) + table.logsumexp(1)) / 2 + math.log(len(table))


def in_blocks(rows: Tensor, size: int) -> Tensor:
    """Return rows (n, d) as blocks (n // size, size, d); a remainder is left out."""
    blocks = len(rows) // size
    return rows[: blocks * size].unflatten(0, (blocks, size))


def off_diagonal_columns(n: int, device) -> Tensor:
    """Return the column of each entry of a table (n, n) without its diagonal, row by row."""
    columns = torch.arange(n, device=device).expand(n, n)
    return columns.flatten()[1:].view(n - 1, n + 1)[:, :-1].flatten()
