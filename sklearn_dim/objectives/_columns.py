"""The information of y with each of p columns, all at once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sklearn_dim.bounds import DV, JSD, Bound, InfoNCE, log_mean_exp
from sklearn_dim.critics import StackedCritic
from sklearn_dim.objectives._base import Information, Tables
from sklearn_dim.objectives._pairs import Pairs

LIMIT = 10.0  # nats; log-ratios of real data seldom exceed it


class ColumnEvaluation(NamedTuple):
    """The information of each column in held-out rows.

    Attributes
    ----------
    values : Tensor of shape (p,)
        In nats.
    contributions : Tensor of shape (p, n)
        Of each row, see `Evaluation`.
    """

    values: Tensor
    contributions: Tensor


class ColumnInformation(Information):
    """I(column; y) of every column of a batch (x, y), x (n, p, x_features) and y (n, y_features).

    A row's own pair is joint. A batch is cut into blocks, and the rows of the next block are a row's negatives: n·block
    pairs are scored instead of n², and there is no diagonal to leave out.

    Parameters
    ----------
    critic : StackedCritic
        Or another with its attribute ``n_columns`` and its methods ``sides`` and ``start``.
    bound : Bound
        Applied to each column's tables.
    block : int, default=16
        About how many negatives a row has in training.
    """

    critic: StackedCritic
    second: StackedCritic | None

    def __init__(self, critic: StackedCritic, bound: Bound, *, block: int = 16):
        super().__init__(critic, bound, n_informations=critic.n_columns)
        self.block = block
        # These cannot overflow. For others log-ratios are clipped in training as well, which takes time.
        self.limit = None if isinstance(bound, DV | JSD | InfoNCE) else LIMIT

    def start(self, x: Tensor, y: Tensor, columns: Tensor) -> None:
        """Set the closed forms of ``columns``, see `StackedCritic.start`."""
        for critic in (self.critic, self.second):
            if critic is not None:
                critic.start(x, y, columns)

    def scores(self, critic: Any, x: Tensor, y: Tensor, block: int | None = None, limit: float | None = None) -> Pairs:
        """Return joint scores (p, n, 1) and negative scores (p, n, about ``block``).

        The critic's outputs are log-ratios, clipped at ± ``limit`` nats; the bound is given the scores that mean them.
        """
        f, g = critic.sides(x, y)
        log_ratios = (f * g).sum(2, keepdim=True), negative_scores(f, g, block or self.block)
        return self._score(log_ratios[0], limit), self._score(log_ratios[1], limit)

    def joint_scores(
        self, critic: Any, x: Tensor, y: Tensor, block: int | None = None, limit: float | None = None
    ) -> Tensor:
        """Return joint scores (p, n, 1)."""
        f, g = critic.sides(x, y)
        return self._score((f * g).sum(2, keepdim=True), limit)

    def _score(self, log_ratio: Tensor, limit: float | None) -> Tensor:
        return self.bound.score(log_ratio if limit is None else log_ratio.clamp(-limit, limit))

    def apply_bound(self, function: Callable[..., Tensor], *tables: Tensor) -> Tensor:
        """Call a bound's ``function`` for each column (p,)."""
        if self.running is None:
            return torch.vmap(function)(*tables)
        # One by one: batched, sums are taken in another order, which the running means would carry on.
        return torch.stack([function(*column) for column in zip(*tables, strict=True)])

    def value(self, tables: Tables) -> Tensor:
        """Return each column's information (p,) in nats."""
        return torch.vmap(self.bound.value)(tables.joint, tables.marginal)

    def forward(self, batch: Pairs) -> dict[str, Tensor]:
        """Return the loss of a batch: the sum of the columns' losses, since they share no weight."""
        return {"information": self.loss(self.tables(*batch, None, self.limit)).sum()}

    @torch.no_grad()
    def values(self, batch: Pairs, block: int = 32) -> Tensor:
        """Return each column's information (p,) in nats.

        Log-ratios are clipped at ±10 nats: else one row far beyond all training rows would outweigh thousands.
        """
        return self.value(self.tables(*batch, block, LIMIT))

    @torch.no_grad()
    def evaluate_columns(self, batch: Pairs, block: int = 32) -> ColumnEvaluation:
        """Return each column's information, as `values` does, and each row's contribution to it."""
        tables = self.tables(*batch, block, LIMIT)
        values = self.value(tables)
        log_ratio, weights = torch.vmap(self._relative)(tables.joint, tables.marginal)
        contributions = log_ratio - weights.mean(2) - weights_of_candidates(weights)
        return ColumnEvaluation(values, contributions + (values - contributions.mean(1))[:, None])

    def _relative(self, joint: Tensor, marginal: Tensor) -> Pairs:
        """Return the log-ratios of joint pairs (n,), and the ratios of negative pairs (n, m) to their mean."""
        ratio = self.bound.log_ratio(marginal, marginal)
        return self.bound.log_ratio(joint, marginal).squeeze(1), (ratio - log_mean_exp(ratio)).exp()

    def mutual_info(self, batch: Pairs) -> Tensor:
        """Return the columns' mean information in nats."""
        return self.values(batch).mean()


def negative_scores(f: Tensor, g: Tensor, block: int) -> Tensor:
    """Return scores (p, n, m) of each row's f with the g of the m ≤ n/2 rows of another block.

    f and g are (p, n, d). The n rows are nb ≥ 2 blocks of m, each scored against the next, the last against the first,
    and fewer than nb rows that remain, which are scored against the first as well.
    """
    p, n, d = f.shape
    m = n // max(2, n // block)
    whole = n // m * m
    shifted = torch.cat([g[:, m:whole], g[:, :m]], 1)
    scores = f[:, :whole].reshape(-1, m, d) @ shifted.reshape(-1, m, d).transpose(1, 2)
    scores = scores.view(p, whole, m)
    return scores if whole == n else torch.cat([scores, f[:, whole:] @ g[:, :m].transpose(1, 2)], 1)


def weights_of_candidates(weights: Tensor) -> Tensor:
    """Return the mean weight (p, n) of the negative pairs that each row's y is in; ``weights`` as `negative_scores`.

    Rows that no other is scored against have the weight 1; that the first block serves the last few rows as well is
    left out.
    """
    p, n, m = weights.shape
    whole = n // m * m
    of_blocks = weights[:, :whole].unflatten(1, (-1, m)).mean(2).roll(1, 1).flatten(1)
    return torch.cat([of_blocks, weights.new_ones(p, n - whole)], 1)
