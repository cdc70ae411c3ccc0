"""Which weights a training ends with: their running mean, or those of the best epoch."""

import copy
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from skorch.callbacks import Callback
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

if TYPE_CHECKING:
    from sklearn_dim.training._net import InformationNet


class AverageWeights(Callback):
    """Evaluate and keep an exponential mean of the weights (Polyak & Juditsky, 1992); training itself never uses it.

    Parameters
    ----------
    decay : float in [0, 1)
        Memory of the mean per step. Until 1/(1 − decay) steps are done, all of them count equally.
    """

    def __init__(self, decay: float):
        self.decay = decay

    def on_train_begin(self, net: "InformationNet", **kwargs: Any) -> None:
        """Start from the current weights."""
        mean = copy.deepcopy(net.module_).requires_grad_(False)
        net.evaluate_with(mean)
        self.steps_ = 0
        self.weights_ = list(mean.parameters()), list(net.module_.parameters())
        self.buffers_ = list(zip(mean.buffers(), net.module_.buffers(), strict=True))
        self.update_ = get_ema_multi_avg_fn(self.decay)

    def on_batch_end(self, net: "InformationNet", training: bool = False, **kwargs: Any) -> None:
        """Add the weights after this step to the mean."""
        if not training:
            return
        self.steps_ += 1
        equal = self.steps_ / (self.steps_ + 1)  # the decay that gives all steps so far the same weight
        update = get_ema_multi_avg_fn(equal) if equal < self.decay else self.update_
        update(*self.weights_, None)
        for mean, buffer in self.buffers_:
            mean.copy_(buffer)

    def on_train_end(self, net: "InformationNet", **kwargs: Any) -> None:
        """Replace the net's weights by their mean."""
        net.module_.load_state_dict(net.eval_module.state_dict())
        net.evaluate_with(None)


class BestWeights(Callback):
    """Stop early when a column of the history no longer improves, and restore the weights of its best epoch.

    Parameters
    ----------
    monitor : str
        Column of the history.
    lower_is_better : bool
    n_iter_no_change : int or None, default=None
        Stop after this many epochs in a row that do not improve by more than ``tol``; None never stops.
    tol : float, default=0.0
    from_start : bool, default=False
        Also consider the weights before the first epoch, evaluated on the validation batches.
    n_iter_no_start : int or None, default=None
        Stop after this many epochs if none of them improves the start by more than ``tol``; None is
        ``n_iter_no_change``.
    """

    def __init__(
        self,
        monitor: str,
        *,
        lower_is_better: bool,
        n_iter_no_change: int | None = None,
        tol: float = 0.0,
        from_start: bool = False,
        n_iter_no_start: int | None = None,
    ):
        self.monitor = monitor
        self.lower_is_better = lower_is_better
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.from_start = from_start
        self.n_iter_no_start = n_iter_no_start

    def on_train_begin(self, net: "InformationNet", y: Any = None, **kwargs: Any) -> None:
        """Forget an earlier training."""
        self.best_, self.best_epoch_, self.waited_, self.started_ = -math.inf, 0, 0, not self.from_start
        self.weights_: dict[str, Tensor] | None = None
        net.converged_ = False
        if self.from_start:
            self._update(net, net.evaluate(y)[self.monitor.removeprefix("valid_")], 0)

    def on_epoch_end(self, net: "InformationNet", **kwargs: Any) -> None:
        """Compare this epoch with the best one."""
        self._update(net, net.history[-1, self.monitor], net.history[-1, "epoch"])
        self.started_ = self.started_ or self.waited_ == 0
        patience = self.n_iter_no_change if self.started_ else self.n_iter_no_start or self.n_iter_no_change
        if patience is not None and self.waited_ >= patience:
            net.converged_ = True
            net.stop_after_epoch()

    def on_train_end(self, net: "InformationNet", **kwargs: Any) -> None:
        """Restore the best weights."""
        net.improved_ = self.started_
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)
            self.weights_ = None

    def _update(self, net: "InformationNet", value: float, epoch: int) -> None:
        value = -value if self.lower_is_better else value
        self.waited_ = 0 if value > self.best_ + self.tol else self.waited_ + 1
        if value > self.best_:
            self.best_, self.best_epoch_ = value, epoch
            state = net.eval_module.state_dict()
            if self.weights_ is None:
                self.weights_ = copy.deepcopy(state)
            for name, kept in self.weights_.items():  # in place: allocating a copy in every epoch is slow
                kept.copy_(state[name])


class BestWeightsEach(Callback):
    """Keep the best weights of each of p models that are stacked in one module, whichever epoch they are from.

    The first axis of every tensor in the module's state runs over the p models. After every ``every`` epochs
    ``module.values(batch)``, of shape (p,), evaluates an exponential mean of the weights, and at the end of training
    each model gets its own best weights. All zeros are a candidate as well: such a model has no information, 0 nats.

    Parameters
    ----------
    batches : iterable
        Batches to evaluate on, not trained on.
    every : int, default=1
        Number of epochs between evaluations.
    decay : float, default=0.98
        Memory of the mean per step: about the last 50 steps count.
    """

    def __init__(self, batches: Iterable, *, every: int = 1, decay: float = 0.98):
        self.batches = batches
        self.every = every
        self.decay = decay

    def on_train_begin(self, net: "InformationNet", **kwargs: Any) -> None:
        """Start from zeros and from the current weights."""
        state = net.module_.state_dict()
        self.mean_ = {name: tensor.clone() for name, tensor in state.items()}
        self.kept_ = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
        self.moving_ = [(self.mean_[name], parameter) for name, parameter in net.module_.named_parameters()]
        self.best_ = torch.zeros(len(next(iter(state.values()))), device=net.device)
        self._compare(net)

    def on_batch_end(self, net: "InformationNet", training: bool = False, **kwargs: Any) -> None:
        """Add the weights after this step to the mean."""
        if training:
            means, parameters = zip(*self.moving_, strict=True)
            with torch.no_grad():
                torch._foreach_lerp_(means, parameters, 1 - self.decay)

    def on_epoch_end(self, net: "InformationNet", **kwargs: Any) -> None:
        """Compare the mean weights with the best ones of each model."""
        if net.history[-1, "epoch"] % self.every == 0:
            net.history.record("valid_mutual_info", self._compare(net).clamp(min=0).mean().item())

    def on_train_end(self, net: "InformationNet", **kwargs: Any) -> None:
        """Restore the best weights of each model."""
        net.module_.load_state_dict(self.kept_)

    @torch.no_grad()
    def _compare(self, net: "InformationNet") -> Tensor:
        current = {name: tensor.clone() for name, tensor in net.module_.state_dict().items()}
        net.module_.load_state_dict(self.mean_)
        totals: Tensor = sum(len(batch[0]) * net.module_.values(batch) for batch in self.batches)
        values = totals / sum(len(batch[0]) for batch in self.batches)
        net.module_.load_state_dict(current)
        better = values > self.best_
        self.best_ = torch.where(better, values, self.best_)
        for name, kept in self.kept_.items():
            kept[better] = self.mean_[name][better]
        return values
