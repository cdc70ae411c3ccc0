"""What a critic is, and how its scores become the two tables that a bound reads."""

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


def score_tables(critic: nn.Module, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Score anchors a (N, D) against b (N, P, E): own candidates are joint pairs, all others independent.

    Returns
    -------
    joint : Tensor of shape (N, P)
    marginal : Tensor of shape (N, (N - 1) * P)
    """
    n, p = b.shape[:2]
    table = critic(a, b.flatten(0, 1)).view(n, n, p)
    joint = table.diagonal().T
    return joint, without_diagonal(table).reshape(n, (n - 1) * p)


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
