"""What an objective is, and what most are built on: the information of pairs, by a critic and a bound."""

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import Critic


class Tables(NamedTuple):
    """Scores of pairs, as a bound reads them.

    Attributes
    ----------
    joint : Tensor of shape (R, P)
        R anchors, with P joint pairs each.
    marginal : Tensor of shape (R, M)
        The same anchors, with M negative pairs each.
    second : Tensor of shape (R, P) or None
        A second critic's scores of the joint pairs, for a bound that asks for them.
    """

    joint: Tensor
    marginal: Tensor
    second: Tensor | None = None


class Objective(nn.Module):
    """What a net trains: a module that says itself what is minimised.

    Subclasses write `forward` and `mutual_info`; the rest has defaults.

    Attributes
    ----------
    adversaries : tuple of str, default=()
        Names of the losses that train another part against the rest: the loss that is reported leaves them out.
    """

    adversaries: tuple[str, ...] = ()

    @property
    def takes_sparse(self) -> bool:
        """Whether batches may be sparse COO tensors."""
        return False

    @property
    def capturable(self) -> bool:
        """Whether a step on a GPU is the same operations each time, and nothing is decided or drawn in Python."""
        return False

    @property
    def divisible(self) -> list[nn.Module]:
        """The modules that may be asked for a part of the rows at a time; none if negatives cannot be gathered.

        Each returns a tensor, or a NamedTuple of tensors.
        """
        return []

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Return the losses of a batch by name; their sum is minimised."""
        raise NotImplementedError

    def mutual_info(self, batch: Any) -> Tensor:
        """Return the information in a batch in nats, by the rule common to all bounds."""
        raise NotImplementedError


class Information(Objective):
    """The information of pairs: a critic scores them, a bound says what the scores are worth.

    Subclasses write `scores`. What a bound needs besides is kept here: the second critic, and a running mean.

    Parameters
    ----------
    critic : Module
    bound : Bound
    n_informations : int or None, default=None
        How many informations there are; None is one, whose running mean is a scalar.

    Attributes
    ----------
    second : Module or None
        For a bound with a second critic. It starts as a copy of the first: with independent initialisations the
        exponential of their difference would dominate the first steps. A closed form is shared, as data alone decide
        it.
    running : Tensor or None
        For a bound with an ``ema_decay`` the logarithm of its running mean, NaN before the first batch; a buffer, so
        that it is saved, copied and restored with the weights.
    """

    running: Tensor | None

    def __init__(self, critic: nn.Module, bound: Bound, *, n_informations: int | None = None):
        super().__init__()
        self.critic, self.bound = critic, bound
        self.second = second_critic_of(critic) if bound.second_critic else None
        size = () if n_informations is None else (n_informations,)
        self.register_buffer("running", torch.full(size, math.nan) if bound.ema_decay else None)

    def scores(self, critic: nn.Module, *inputs: Any) -> tuple[Tensor, Tensor]:
        """Return a critic's scores of joint pairs (R, P) and of negative pairs (R, M)."""
        raise NotImplementedError

    def joint_scores(self, critic: nn.Module, *inputs: Any) -> Tensor:
        """Return the former alone; to be overridden where that is cheaper."""
        return self.scores(critic, *inputs)[0]

    def tables(self, *inputs: Any) -> Tables:
        """Return all scores that the bound reads."""
        joint, marginal = self.scores(self.critic, *inputs)
        return Tables(joint, marginal, None if self.second is None else self.joint_scores(self.second, *inputs))

    def loss(self, tables: Tables) -> Tensor:
        """Return minus the bound's objective; a batch that is trained on enters the running mean."""
        more = [part for part in (tables.second, self.running) if part is not None]
        objective = self.apply_bound(self.bound.objective, tables.joint, tables.marginal, *more)
        if self.running is not None and tables.marginal.requires_grad:
            marginal = tables.marginal.detach()
            self.running.copy_(self.apply_bound(self.bound.next_running, self.running, marginal))
        return -objective

    def value(self, tables: Tables) -> Tensor:
        """Return the information in nats, by the rule common to all bounds."""
        return self.apply_bound(self.bound.value, tables.joint, tables.marginal)

    def apply_bound(self, function: Callable[..., Tensor], *tables: Tensor) -> Tensor:
        """Call a bound's ``function``; to be overridden where there are several informations."""
        return function(*tables)


def second_critic_of(critic: nn.Module) -> nn.Module:
    """Return a copy of a critic that shares its closed form."""
    shared = critic.closed_form if isinstance(critic, Critic) else None
    return copy.deepcopy(critic, {} if shared is None else {id(shared): shared})
