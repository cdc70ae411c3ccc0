"""The information of paired rows (MINE), and how a trained critic is evaluated."""

import copy
import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import DV, Bound, log_mean_exp
from sklearn_dim.critics import ClosedForm, Critic, SplitDiagonal, without_diagonal
from sklearn_dim.objectives._base import Information

BLOCK = 8  # rows among which a pairwise critic scores all pairs in training
MAX_SCORES = 2**12  # of a pairwise critic at once
MAX_ROWS = 256  # of which `pointwise` scores all pairs at once, for the sake of their diagonal

Pairs = tuple[Tensor, Tensor]


class Evaluation(NamedTuple):
    """The information in held-out rows, by a critic that did not see them.

    Attributes
    ----------
    value : float
        The estimate in nats.
    contributions : Tensor of shape (n,)
        Each row's contribution (a pseudo-value, to first order): their mean is the value, their spread gives its
        standard error.
    lower : Tensor of shape (n,)
        Each row's contribution to InfoNCE's value, whose expectation is at most I, and which is never above log n.
    """

    value: float
    contributions: Tensor
    lower: Tensor


class PairInformation(Information):
    """I(X; Y) of rows (x, y): a sample's own pair is joint, all pairs of two samples are negative.

    Here a critic's output is log p(x, y)/p(x)p(y) itself, and the bound is given the score that means it. So a closed
    form is right for every bound.

    Parameters
    ----------
    critic : Critic
        (x, y) → log-ratios of all pairs. One that is ``pairwise`` is trained on the pairs within blocks of 8 rows,
        others on those within blocks of about ``critic.block`` rows, unless a finite cap of the bound asks for more.
    bound : Bound

    Attributes
    ----------
    block : int or None
        Rows of a block in training; None if all pairs of a batch are scored.
    """

    critic: Critic

    def __init__(self, critic: Critic, bound: Bound):
        super().__init__(critic, bound)
        free = None if math.isfinite(bound.cap(1)) else critic.block
        self.block = BLOCK if critic.pairwise else free

    @property
    def divisible(self) -> list[nn.Module]:
        """The critics, or the encoders of their anchors."""
        return [critic.rowwise for critic in (self.critic, self.second) if isinstance(critic, Critic)]

    def scores(self, critic: nn.Module, x: Tensor, y: Tensor) -> Pairs:
        """Return joint scores (n, 1) and negative scores (n, n − 1), in training of blocks (n, block − 1)."""
        if self.training and self.block and len(x) > self.block:
            # Of large blocks a remainder would be many rows: all are made a little smaller or larger.
            size = self.block if self.critic.pairwise else len(x) // round(len(x) / self.block)
            x, y = in_blocks(x, size), in_blocks(y, size)
        return self.split(critic(x, y))

    def split(self, log_ratios: Tensor) -> Pairs:
        """Return the joint and the negative scores that tables of log-ratios (..., n, n) mean."""
        joint, marginal = split_diagonal(self.bound.score(log_ratios))
        return joint.reshape(-1, 1), marginal.flatten(0, -2)

    def forward(self, batch: Pairs) -> dict[str, Tensor]:
        """Return the loss of a batch (x, y)."""
        return {"information": self.loss(self.tables(*batch))}

    def mutual_info(self, batch: Pairs) -> Tensor:
        """Return the batch's information in nats."""
        return self.value(self.tables(*batch))

    def log_ratios(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the critic's log-ratios of all pairs, a few rows at a time where each pair takes a pass."""
        rows = max(1, MAX_SCORES // len(y)) if self.critic.pairwise else len(x)
        return torch.cat([self.critic(part, y) for part in x.split(rows)])

    def evaluate(self, batch: Pairs) -> Evaluation:
        """Return the batch's information and each row's contribution to it."""
        table = self.log_ratios(*batch)
        scores = self.bound.score(table)
        ratio = self.bound.log_ratio(scores, without_diagonal(scores.unsqueeze(-1)).squeeze(-1))
        return Evaluation(*value_and_contributions(ratio), info_nce(table))

    def pointwise(self, batch: Pairs, reference: Pairs) -> Tensor:
        """Return log p(x, y)/p(x)p(y) of each row (n,), normalised on the pairs of ``reference`` rows."""
        x, y = batch
        parts = zip(x.split(MAX_ROWS), y.split(MAX_ROWS), strict=True)
        joint = self.bound.score(torch.cat([self.log_ratios(*rows).diagonal() for rows in parts]))[:, None]
        if self.bound.up_to_anchor:
            return self.bound.log_ratio(joint, self.bound.score(self.log_ratios(x, reference[1]))).squeeze(1)
        _, marginal = self.split(self.log_ratios(*reference))
        log_m = log_mean_exp(self.bound.log_ratio(marginal, marginal))
        return (self.bound.log_ratio(joint, marginal) - log_m).squeeze(1)


@torch.no_grad()
def bias_correction(critic: ClosedForm, train: Pairs, held_out: Iterable[tuple[Tensor, ...]]) -> Tensor:
    """Return what to add to held-out rows' contributions because ``critic`` was fitted on ``train`` alone.

    k numbers estimated from n rows cost k/2n nats in the mean, and twice that from half the rows. So the loss of a
    critic from half the rows beside one from all is the loss of the latter beside the truth (Richardson extrapolation).

    Parameters
    ----------
    critic : ClosedForm
        Fitted on ``train``; it is not changed.
    train : tuple of Tensor
        The paired rows (a, b).
    held_out : iterable of tuple of Tensor
        Batches of paired rows; the negative pairs are those within a batch.

    Returns
    -------
    Tensor of shape (n_held_out,)
        Zero if half the rows are fewer than two per column: too few to extrapolate from.
    """
    a, b = train
    if len(a) < 4 * (a.shape[1] + b.shape[1]):
        return torch.cat([a.new_zeros(len(batch[0])) for batch in held_out])
    fits = critic, *(copy.deepcopy(critic).fit(a[start::2], b[start::2]) for start in (0, 1))
    tables = [PairInformation(fit, DV()).log_ratios for fit in fits]
    corrections = []
    for rows in held_out:
        whole, *halves = (value_and_contributions(table(rows[0], rows[1]))[1] for table in tables)
        corrections.append(whole - sum(halves) / 2)
    return torch.cat(corrections)


def value_and_contributions(log_ratio: Tensor) -> tuple[float, Tensor]:
    """Return the information that a table of log-ratios (n, n) says, and each row's contribution to it (n,).

    The value is E_p[ℓ] − log m with ℓ the log-ratio and m = E_q[e^ℓ], a two-sample U-statistic: row i enters m through
    its row and its column of the table (Hájek's projection). A constant added to ℓ changes nothing.
    """
    n, joint = len(log_ratio), log_ratio.diagonal().clone()
    weights = log_ratio.clone().fill_diagonal_(-math.inf)
    peak = weights.max()
    weights.sub_(peak).exp_()  # tables are large: one exponential serves the mean, the rows and the columns
    rows, columns = weights.sum(1), weights.sum(0)
    mean = rows.sum() / (n * (n - 1))
    log_m = peak + mean.log()
    value = joint.mean() - log_m
    contributions = joint - log_m - ((rows + columns) / ((n - 1) * mean) - 2)
    return value.item(), contributions + (value - contributions.mean())


def info_nce(log_ratios: Tensor) -> Tensor:
    """Return each row's contribution to InfoNCE's value (van den Oord et al., 2018).

    The mean of that with x and that with y as the anchor, of a table (n, n) of all pairs.
    """
    return log_ratios.diagonal() - (log_ratios.logsumexp(0) + log_ratios.logsumexp(1)) / 2 + math.log(len(log_ratios))


def in_blocks(rows: Tensor, size: int) -> Tensor:
    """Return rows (n, d) as blocks (n // size, size, d); a remainder is left out."""
    blocks = len(rows) // size
    return rows[: blocks * size].unflatten(0, (blocks, size))


def split_diagonal(table: Tensor) -> Pairs:
    """Return the diagonals (..., n) of tables (..., n, n), and the rest as (..., n, n − 1)."""
    joint, rest = SplitDiagonal.apply(table.unsqueeze(-1))
    return joint.squeeze(-1), rest.squeeze(-1)
