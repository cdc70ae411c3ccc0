"""Callbacks of two kinds: scikit-learn's (1.9 and later), to which a fit and its epochs are tasks, and skorch's."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skorch.callbacks import Callback

from sklearn_dim.estimator._compat import CALLBACKS, FIT_TASK
from sklearn_dim.training import InformationNet, ResumableCheckpoint


def begin_fit(estimator: Any, n_subtasks: int, **data) -> Any:
    """Tell the estimator's callbacks that a fit begins; return its task, or None if there are no callbacks.

    ``data`` are X and y, which callbacks may ask for.
    """
    if not vars(estimator).get(CALLBACKS):
        return None
    task = estimator._init_callback_context(max_subtasks=n_subtasks)
    return task.call_on_fit_task_begin(estimator=estimator, **data)


def end_fit(estimator: Any, **data) -> None:
    """Tell the estimator's callbacks that its fit has ended."""
    task = vars(estimator).get(FIT_TASK)
    if task is not None:
        task.call_on_fit_task_end(estimator=estimator, reconstruction_attributes={}, **data)


@contextmanager
def subtask(estimator: Any, task: Any, name: str, n_subtasks: int) -> Iterator[Any]:
    """Open a task within ``task``; yield None if that is None, as it is without callbacks."""
    if task is None:
        yield None
        return
    inner = task.subcontext(task_name=name, max_subtasks=n_subtasks)
    yield inner.call_on_fit_task_begin(estimator=estimator)
    inner.call_on_fit_task_end(estimator=estimator)


@contextmanager
def epochs_as_tasks(net: InformationNet, estimator: Any, task: Any, **data) -> Iterator[None]:
    """Report each epoch of the net's training as a subtask of ``task``."""
    entry = ("epoch_tasks", EpochTasks(estimator, task, data))
    net.callbacks_.insert(1, entry)  # after the timer, and before callbacks that may end training
    try:
        yield
    finally:
        net.callbacks_.remove(entry)


class EpochTasks(Callback):
    """Report each epoch as a task; after any of them a callback of scikit-learn may end training."""

    def __init__(self, estimator: Any, task: Any, data: dict[str, Any]):
        self.estimator, self.task, self.data = estimator, task, data

    def on_epoch_begin(self, net: InformationNet, **kwargs) -> None:
        """Open the epoch's task."""
        self.epoch_ = self.task.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_end(self, net: InformationNet, **kwargs) -> None:
        """Close the epoch's task, with its row of the history."""
        row = net.history_row(-1)
        if self.epoch_.call_on_fit_task_end(estimator=self.estimator, metadata=row, **self.data):
            net.stop_after_epoch()


def ready_callbacks(callbacks: list | None) -> list:
    """Return copies of the callbacks, checkpoints last, so that they save what the others have done.

    The copies are shallow: a callback that was given a list to log to still writes to that list.
    """
    names = [entry[0] for entry in callbacks or [] if isinstance(entry, tuple | list) and len(entry) == 2]
    if twice := sorted({str(name) for name in names if names.count(name) > 1}):
        raise ValueError(f"callbacks has several entries named {', '.join(twice)}. Give each a different name.")
    copies = [_copied(entry, position) for position, entry in enumerate(callbacks or [])]
    return sorted(copies, key=lambda entry: isinstance(_callback_of(entry), ResumableCheckpoint))


def _callback_of(entry: Any) -> Any:
    return entry[1] if isinstance(entry, tuple) else entry


def _copied(entry: Any, position: int) -> Any:
    named = isinstance(entry, tuple | list) and len(entry) == 2 and isinstance(entry[0], str)
    callback = entry[1] if named else entry
    is_class = isinstance(callback, type) and issubclass(callback, Callback)
    if not is_class and not isinstance(callback, Callback):
        hint = "Pass objects of skorch.callbacks.Callback, or pairs (name, callback)."
        if hasattr(callback, "on_fit_task_end"):  # scikit-learn's callbacks have this method, but no common class
            hint = "It is a callback of scikit-learn: pass it to set_callbacks()."
        raise TypeError(f"callbacks[{position}]={entry!r} is not a skorch callback. {hint}")
    callback = callback if is_class else copy.copy(callback)
    return (entry[0], callback) if named else callback
