"""What a critic is, and how its scores become the tables that a bound reads."""

import copy
import itertools
import math

import torch
from torch import Tensor, nn


class Critic(nn.Module):
    """A function T(a, b), scored for all pairs at once.

    ``forward(a, b)`` takes anchors a (..., R, a_features) and candidates b (..., M, b_features) and returns
    the table of scores (..., R, M); leading dimensions are blocks, of which each has its own table.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.

    Attributes
    ----------
    closed_form : Module, only where there is one
        A part that is set by ``closed_form.fit(a, b)`` from paired rows before training.
    """

    # Whether every pair takes a pass of its own, so that a large table is dear.
    pairwise: bool = False

    def __init__(self, a_features: int, b_features: int):
        super().__init__()
        self.a_features, self.b_features = a_features, b_features


class TwoCritics(nn.Module):
    """A critic and a second, for a bound that asks another about the joint pairs; its scores are the first's.

    Parameters
    ----------
    first : Module

    Attributes
    ----------
    second : Module
        Starts as a copy of the first: e to the power of what two unlike networks differ by would rule the first steps.
    closed_form : Module, only where the first has one
        Shared by both: the rows alone decide it.
    """

    def __init__(self, first: nn.Module):
        super().__init__()
        self.first, self.second = first, copy.deepcopy(first)
        self.pairwise = getattr(first, "pairwise", False)
        if hasattr(first, "closed_form"):
            self.second.closed_form = self.closed_form = first.closed_form

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the first critic's table of scores (R, M)."""
        return self.first(a, b)


def score_tables(critic: nn.Module, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    """Score anchors against b (N, P, E): a sample's own candidates are joint pairs, all others independent.

    Parameters
    ----------
    critic : Module
    a : Tensor of shape (N, D) or (N, K, D)
        One anchor a sample, or K. With K of them R = K·N, else R = N.
    b : Tensor of shape (N, P, E)

    Returns
    -------
    joint : Tensor of shape (R, P)
    marginal : Tensor of shape (R, (N - 1) * P)
    second : Tensor of shape (R, P)
        The second critic's scores of the joint pairs, only of `TwoCritics`.
    """
    anchors = a.unsqueeze(1) if a.ndim == 2 else a
    anchors = anchors.transpose(0, 1).flatten(0, 1)
    table = _all_pairs(critic, anchors, b)
    tables = _own(table), without_diagonal(table).flatten(0, 1).flatten(1)
    return (*tables, _own(_all_pairs(critic.second, anchors, b))) if isinstance(critic, TwoCritics) else tables


def _all_pairs(critic, anchors: Tensor, b: Tensor) -> Tensor:
    """Return the scores (K, N, N, P) of anchors (K·N, D) against b (N, P, E), in full precision as bounds sum them."""
    n, p = b.shape[:2]
    table = critic(anchors, b.flatten(0, 1)).view(-1, n, n, p)
    return table.float() if table.dtype == torch.bfloat16 else table


def _own(table: Tensor) -> Tensor:
    """Return of a table (K, N, N, P) each anchor's scores of its own sample, (K·N, P)."""
    return table.diagonal(dim1=1, dim2=2).transpose(1, 2).flatten(0, 1)


def without_diagonal(table: Tensor) -> Tensor:
    """Return tables (..., N, N, P) without their N diagonal entries, as (..., N, N - 1, P)."""
    *blocks, n, _, p = table.shape
    # Row-major, the diagonal is every (N + 1)th entry: drop the first, then the last of each stretch of N + 1.
    rest = table.reshape(*blocks, n * n, p)[..., 1:, :].unflatten(-2, (n - 1, n + 1))[..., :-1, :]
    return rest.reshape(*blocks, n, n - 1, p)


def soft_clip(scores: Tensor, limit: float | None) -> Tensor:
    """c·tanh(s/c): keeps exponential bounds finite, leaves small scores alone (AMDIM, section 3.2)."""
    return scores if limit is None else limit * torch.tanh(scores / limit)


def mlp(sizes: list[int]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def inverse_root(width: int) -> float:
    """1/√d, so that a dot product of d unit-variance terms has unit variance."""
    return 1.0 / math.sqrt(width)
