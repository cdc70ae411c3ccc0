"""What a critic is, how one is made, and how its scores become the tables that a bound reads."""

import itertools
import math
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn


class Critic(nn.Module):
    """A function T(a, b), scored for all pairs at once.

    Subclasses write ``forward(a, b)``: anchors a (..., R, a_features) and candidates b (..., M, b_features) → the table
    of scores (..., R, M). Leading dimensions are blocks, each with a table of its own.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.

    Attributes
    ----------
    pairwise : bool, default=False
        Whether every pair takes a pass of its own, so that large tables are expensive.
    block : int or None, default=None
        Of about so many rows pairs are scored in training, if the bound leaves the choice; None is a whole batch. Only
        for critics that take blocks.
    closed_form : ClosedForm or None, default=None
        The part that paired rows set before training; None if all is trained.
    """

    pairwise: bool = False
    block: int | None = None
    closed_form: "ClosedForm | None"

    def __init__(self, a_features: int, b_features: int):
        super().__init__()
        self.a_features, self.b_features = a_features, b_features
        self.closed_form = None

    @property
    def rowwise(self) -> nn.Module:
        """The module that may be asked for a part of the anchors at a time: the critic, or what encodes its anchors."""
        return self

    def direction(self, a: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return vectors (R, b_features) and an offset, if a score is the offset plus a candidate's dot product.

        None if scores are not linear in the candidate, as when they are clipped.
        """
        return None


class ClosedForm(Critic):
    """A critic that is set by paired rows, without a gradient."""

    @property
    def strongest(self) -> float:
        """The largest correlation of the two sides, 1 where they share a number; 0 if the form has none."""
        return 0.0

    def fit(self, a: Tensor, b: Tensor) -> Self:
        """Set the critic from paired rows a (n, a_features), b (n, b_features)."""
        raise NotImplementedError


class UserCritic(Critic):
    """A module that is no `Critic`, with what it lacks.

    Of a `Critic`'s members it may have ``pairwise``, ``closed_form`` and ``direction``; a ``direction`` counts only
    if an attribute ``clip`` does not bound the scores.

    Parameters
    ----------
    module : Module
        (a, b) → the table of scores.
    a_features, b_features : int
    """

    def __init__(self, module: nn.Module, a_features: int, b_features: int):
        super().__init__(a_features, b_features)
        self.module = module
        self.pairwise = bool(self._member("pairwise"))
        self.closed_form = self._member("closed_form")

    def _member(self, name: str) -> Any:
        # The one place where a critic is asked by name: this module was not written for the protocol.
        return getattr(self.module, name, None)

    def direction(self, a: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the module's own, if it has one and does not clip."""
        own = self._member("direction")
        return None if own is None or self._member("clip") is not None else own(a)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        return self.module(a, b)


# Name → class, filled in `sklearn_dim/critics/__init__.py`.
CRITICS: dict[str, type[Critic]] = {}


def make_critic(critic: str | Callable[[int, int], nn.Module], a_features: int, b_features: int) -> Critic:
    """Return a critic from a name of `CRITICS` or a function (a_features, b_features) → module.

    Raises
    ------
    TypeError
        If the function returns something else than a torch Module.
    """
    factory: Callable[[int, int], nn.Module] = CRITICS[critic] if isinstance(critic, str) else critic
    made = factory(a_features, b_features)
    if isinstance(made, Critic):
        return made
    if not isinstance(made, nn.Module):
        raise TypeError(
            f"critic must make a torch Module from (a_features, b_features), but {critic!r} made a "
            f"{type(made).__name__}. Return a Module whose forward(a, b) gives the table of scores."
        )
    return UserCritic(made, a_features, b_features)


def score_tables(critic: Callable[[Tensor, Tensor], Tensor], a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Score anchors against b (N, P, E): a sample's own candidates make joint pairs, all others negative pairs.

    Parameters
    ----------
    critic : Critic
    a : Tensor of shape (N, D) or (N, K, D)
        One anchor per sample, or K of them; or (R, D), as `anchors_of` returns them.
    b : Tensor of shape (N, P, E)

    Returns
    -------
    joint : Tensor of shape (R, P)
    marginal : Tensor of shape (R, (N - 1) * P)
    """
    table = _all_pairs(critic, a if a.ndim == 2 else anchors_of(a), b)
    joint, marginal = SplitDiagonal.apply(table)
    return joint.flatten(0, 1), marginal.flatten(0, 1).flatten(1)


def anchors_of(a: Tensor) -> Tensor:
    """Return one anchor per sample (N, D), or K (N, K, D), as rows (R, D): the first ones of all samples come first."""
    several = a.unsqueeze(1) if a.ndim == 2 else a
    return several.transpose(0, 1).flatten(0, 1)


def _all_pairs(critic: Callable[[Tensor, Tensor], Tensor], anchors: Tensor, b: Tensor) -> Tensor:
    """Return the scores (K, N, N, P) of anchors (K·N, D) and b (N, P, E), in the precision in which bounds add up."""
    n, p = b.shape[:2]
    table = critic(anchors, b.flatten(0, 1)).view(-1, n, n, p)
    return table.float() if table.dtype == torch.bfloat16 else table


class SplitDiagonal(torch.autograd.Function):
    """Tables (..., N, N, P) → their diagonals (..., N, P), and the rest as (..., N, N − 1, P).

    Autograd would make a table of zeros for each of the views that these are, and add the tables up: as much work as
    the bound itself.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor) -> tuple[Tensor, Tensor]:
        """Return diagonals and the rest."""
        return table.diagonal(dim1=-3, dim2=-2).mT.clone(memory_format=torch.contiguous_format), without_diagonal(table)

    @staticmethod
    def backward(ctx: Any, joint: Tensor, rest: Tensor) -> Tensor:
        """Return the gradient of the tables."""
        *blocks, n, less, p = rest.shape
        table = rest.new_empty(*blocks, n, n, p)
        table.diagonal(dim1=-3, dim2=-2).copy_(joint.mT)
        runs = table.flatten(-3, -2)[..., 1:, :].unflatten(-2, (less, n + 1))[..., :-1, :]
        runs.copy_(rest.reshape(*blocks, less, n, p))
        return table


def without_diagonal(table: Tensor) -> Tensor:
    """Return tables (..., N, N, P) without their N diagonal entries, as (..., N, N - 1, P)."""
    *blocks, n, _, p = table.shape
    # Row-major, the diagonal is every (N + 1)th entry: drop the first, then the last of each run of N + 1.
    rest = table.reshape(*blocks, n * n, p)[..., 1:, :].unflatten(-2, (n - 1, n + 1))[..., :-1, :]
    return rest.reshape(*blocks, n, n - 1, p)


def soft_clip(scores: Tensor, limit: float | None) -> Tensor:
    """c·tanh(s/c): keeps exponential bounds finite and small scores as they are (AMDIM, section 3.2)."""
    return scores if limit is None else limit * torch.tanh(scores / limit)


def mlp(sizes: list[int]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def start_at_zero(network: nn.Module) -> None:
    """Zero a network's last linear layer, and so its output."""
    *_, last = (layer for layer in network.modules() if isinstance(layer, nn.Linear))
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)


def inverse_root(width: int) -> float:
    """1/√d, so that a dot product of d unit-variance terms has unit variance."""
    return 1.0 / math.sqrt(width)
