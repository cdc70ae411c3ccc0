"""The information of y with each of p columns, all at once."""

import copy

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import DV, JSD, Bound, InfoNCE


class ColumnInformation(nn.Module):
    """I(column; y) of every column of a batch (x, y), x (n, p, x_features) and y (n, y_features).

    A row's own pair is joint. A batch is cut into blocks, and the rows of a block are independent of those of
    the next one: n·block pairs serve instead of n², and no diagonal is to be left out.

    Parameters
    ----------
    critic : Module
        `sklearn_dim.critics.StackedCritic`, or another with its method ``sides``.
    bound : Bound
    block : int, default=16
        About how many independent pairs a row has in training.
    """

    def __init__(self, critic: nn.Module, bound: Bound, *, block: int = 16):
        super().__init__()
        self.critic = critic
        self.second = copy.deepcopy(critic) if bound.second_critic else None
        self.block = block
        self.bounds = EachColumn(bound)
        # These cannot overflow; for others scores are cut, which takes time.
        self.limit = None if isinstance(bound, DV | JSD | InfoNCE) else 10.0

    def start(self, x: Tensor, y: Tensor, columns: Tensor) -> None:
        """Set the closed forms of ``columns``, see `StackedCritic.start`."""
        for critic in (self.critic, self.second):
            if critic is not None:
                critic.start(x, y, columns)

    def tables(self, batch, block: int | None = None, limit: float | None = None) -> tuple[Tensor, ...]:
        """Return joint scores (p, n, 1), independent ones (p, n, about ``block``), and joint ones of a second critic.

        The critic says log-ratios, which are cut at ± ``limit`` nats; the bound is given the scores that mean them.
        """
        f, g = self.critic.sides(*batch)
        ratios = [(f * g).sum(2, keepdim=True), independent_scores(f, g, block or self.block)]
        if self.second is not None:
            f, g = self.second.sides(*batch)
            ratios.append((f * g).sum(2, keepdim=True))
        if limit is not None:
            ratios = [ratio.clamp(-limit, limit) for ratio in ratios]
        return tuple(self.bounds.bound.score(ratio) for ratio in ratios)

    def forward(self, batch) -> dict[str, Tensor]:
        """Return the loss of a batch: the columns' losses added up, since they share no weight."""
        return {"information": -self.bounds.objective(*self.tables(batch, limit=self.limit)).sum()}

    @torch.no_grad()
    def values(self, batch, block: int = 32) -> Tensor:
        """Return each column's value (p,) in nats.

        Log-ratios are cut at ±10 nats, which true ones seldom reach: else one row far beyond all that was trained on
        would outweigh thousands.
        """
        joint, marginal, *_ = self.tables(batch, block, limit=10.0)
        return self.bounds.value(joint, marginal)

    def mutual_info(self, batch) -> Tensor:
        """Return the columns' mean value in nats."""
        return self.values(batch).mean()


def independent_scores(f: Tensor, g: Tensor, block: int) -> Tensor:
    """Return scores (p, n, m) of each row's f with the g of the m ≤ n/2 rows of another block.

    f and g are (p, n, d). The n rows are nb ≥ 2 blocks of m, each against the next, the last against the first, and
    fewer than nb rows that are left over, which go against the first as well.
    """
    p, n, d = f.shape
    m = n // max(2, n // block)
    whole = n // m * m
    shifted = torch.cat([g[:, m:whole], g[:, :m]], 1)
    scores = f[:, :whole].reshape(-1, m, d) @ shifted.reshape(-1, m, d).transpose(1, 2)
    scores = scores.view(p, whole, m)
    return scores if whole == n else torch.cat([scores, f[:, whole:] @ g[:, :m].transpose(1, 2)], 1)


class EachColumn:
    """A bound, applied to each of p pairs of score tables in one go.

    A bound that remembers something from batch to batch (a tensor among its attributes) is copied for each column and
    asked column by column, which is slower: inside `torch.vmap` it cannot see whether it is being trained.
    """

    def __init__(self, bound: Bound):
        self.bound = copy.deepcopy(bound)
        self.copies: list[Bound] | None = None

    def objective(self, *tables: Tensor) -> Tensor:
        """Return the objective (p,) of tables (p, R, P) and (p, R, M), and (p, R, P) of a second critic."""
        if self.copies is None:
            self.copies = self._copies(*tables)
        if not self.copies:
            return torch.vmap(self.bound.objective)(*tables)
        return torch.stack([own.objective(*one) for own, *one in zip(self.copies, *tables, strict=True)])

    def value(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the value (p,) in nats."""
        return torch.vmap(self.bound.value)(joint, marginal)

    def _copies(self, *tables: Tensor) -> list[Bound]:
        """Return a copy a column if the bound remembers, else none."""
        trial = copy.deepcopy(self.bound)
        trial.objective(*(table[0] for table in tables))
        remembers = any(isinstance(part, Tensor) for part in vars(trial).values())
        return [copy.deepcopy(self.bound) for _ in tables[0]] if remembers else []
