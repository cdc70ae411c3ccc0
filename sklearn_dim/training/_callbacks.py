"""Early stopping that restores the best weights, in memory."""

import copy
import math

import torch
from skorch.callbacks import Callback


class KeepBest(Callback):
    """Stop when a column of the history no longer improves, and restore the weights of its best epoch.

    Parameters
    ----------
    monitor : str
        The history's column.
    lower_is_better : bool
    n_iter_no_change : int
        Epochs in a row without an improvement by ``tol`` after which training stops.
    tol : float
    from_start : bool, default=False
        Let the weights before the first epoch compete as well (they are valued on the validation batches).
    """

    def __init__(self, monitor, *, lower_is_better, n_iter_no_change, tol, from_start=False):
        self.monitor = monitor
        self.lower_is_better = lower_is_better
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.from_start = from_start

    def on_train_begin(self, net, y=None, **kwargs):
        """Forget an earlier training."""
        self.best_, self.best_epoch_, self.waited_, self.weights_ = -math.inf, 0, 0, None
        net.converged_ = False
        if self.from_start:
            self._update(net, net.evaluate(y)[self.monitor.removeprefix("valid_")], 0)

    def on_epoch_end(self, net, **kwargs):
        """Compare the epoch with the best one."""
        self._update(net, net.history[-1, self.monitor], net.history[-1, "epoch"])
        if self.waited_ >= self.n_iter_no_change:
            net.converged_ = True
            net.stop_after_epoch()

    def on_train_end(self, net, **kwargs):
        """Restore the best weights."""
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)
            self.weights_ = None

    def _update(self, net, value, epoch):
        value = -value if self.lower_is_better else value
        self.waited_ = 0 if value > self.best_ + self.tol else self.waited_ + 1
        if value > self.best_:
            self.best_, self.best_epoch_ = value, epoch
            state = net.judged.state_dict()
            if self.weights_ is None:
                self.weights_ = copy.deepcopy(state)
            for name, kept in self.weights_.items():  # in place: fresh memory every epoch is dear
                kept.copy_(state[name])


class KeepBestEach(Callback):
    """Keep for each of p stacked parts of the module the weights of its own best epoch.

    Every tensor of the module's state has the parts first. A running mean of the weights is valued after every
    ``every`` epochs by ``module.values(batch)`` (p,), and at the end of training each part is given its best. All
    zeros, which say nothing and are worth 0, compete as well.

    Parameters
    ----------
    batches : iterable
        Rows that decide; they are not trained on.
    every : int, default=1
        Epochs from one comparison to the next.
    decay : float, default=0.98
        Memory of the running mean, a batch.
    """

    def __init__(self, batches, *, every=1, decay=0.98):
        self.batches = batches
        self.every = every
        self.decay = decay

    def on_train_begin(self, net, **kwargs):
        """Start from zeros and from the weights as they are."""
        state = net.module_.state_dict()
        self.mean_ = {name: part.clone() for name, part in state.items()}
        self.kept_ = {name: torch.zeros_like(part) for name, part in state.items()}
        self.moving_ = [(self.mean_[name], part) for name, part in net.module_.named_parameters()]
        self.best_ = torch.zeros(len(next(iter(state.values()))), device=net.device)
        self._compare(net)

    def on_batch_end(self, net, training=False, **kwargs):
        """Move the running mean."""
        if training:
            with torch.no_grad():
                torch._foreach_lerp_(*zip(*self.moving_, strict=True), 1 - self.decay)

    def on_epoch_end(self, net, **kwargs):
        """Compare the epoch with each part's best."""
        if net.history[-1, "epoch"] % self.every == 0:
            net.history.record("valid_mutual_info", self._compare(net).clamp(min=0).mean().item())

    def on_train_end(self, net, **kwargs):
        """Give each part its best weights."""
        net.module_.load_state_dict(self.kept_)

    @torch.no_grad()
    def _compare(self, net):
        current = {name: part.clone() for name, part in net.module_.state_dict().items()}
        net.module_.load_state_dict(self.mean_)
        values = sum(len(batch[0]) * net.module_.values(batch) for batch in self.batches)
        values = values / sum(len(batch[0]) for batch in self.batches)
        net.module_.load_state_dict(current)
        better = values > self.best_
        self.best_ = torch.where(better, values, self.best_)
        for name, kept in self.kept_.items():
            kept[better] = self.mean_[name][better]
        return values
