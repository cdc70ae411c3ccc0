"""Early stopping that restores the best weights, in memory."""

import copy
import math

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
            raise KeyboardInterrupt  # skorch's way to end training

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
            self.weights_ = copy.deepcopy(net.judged.state_dict())
