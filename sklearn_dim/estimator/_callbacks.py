"""Callbacks: those of scikit-learn (1.9 and later), which see a fit and its epochs as tasks, and a list of skorch's."""

import copy
from contextlib import contextmanager

from skorch.callbacks import Callback

from sklearn_dim.estimator._compat import CALLBACKS, FIT_TASK
from sklearn_dim.training import InformationNet, ResumableCheckpoint


def begin_fit(estimator, n_subtasks: int, **data):
    """Tell the estimator's callbacks that a fit begins; return its task, or None if it has no callbacks.

    ``data`` are X and y, as callbacks may ask for them.
    """
    if not vars(estimator).get(CALLBACKS):
        return None
    task = estimator._init_callback_context(max_subtasks=n_subtasks)
    return task.call_on_fit_task_begin(estimator=estimator, **data)


def end_fit(estimator, **data) -> None:
    """Tell the estimator's callbacks that its fit has come to its end."""
    task = vars(estimator).get(FIT_TASK)
    if task is not None:
        task.call_on_fit_task_end(estimator=estimator, reconstruction_attributes={}, **data)


@contextmanager
def subtask(estimator, task, name: str, n_subtasks: int):
    """Open a task below another, or nothing below None."""
    if task is None:
        yield None
        return
    inner = task.subcontext(task_name=name, max_subtasks=n_subtasks)
    yield inner.call_on_fit_task_begin(estimator=estimator)
    inner.call_on_fit_task_end(estimator=estimator)


@contextmanager
def epochs_as_tasks(net: InformationNet, estimator, task, **data):
    """Make the epochs of the net's training subtasks of ``task``."""
    entry = ("epoch_tasks", EpochTasks(estimator, task, data))
    net.callbacks_.insert(1, entry)  # after the timer, before whatever may end training
    try:
        yield
    finally:
        net.callbacks_.remove(entry)


class EpochTasks(Callback):
    """Make each epoch a task; a callback of scikit-learn may end training after any."""

    def __init__(self, estimator, task, data):
        self.estimator, self.task, self.data = estimator, task, data

    def on_epoch_begin(self, net, **kwargs):
        """Open the epoch's task."""
        self.epoch_ = self.task.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_end(self, net, **kwargs):
        """Close it, with its row of the history."""
        row = net.history_row(-1)
        if self.epoch_.call_on_fit_task_end(estimator=self.estimator, metadata=row, **self.data):
            net.stop_after_epoch()


def ready_callbacks(callbacks: list | None) -> list:
    """Return copies of the entries of the parameter ``callbacks``, those that save what others did last.

    Copies are shallow: a log that a callback was given is the one that it writes to.
    """
    names = [entry[0] for entry in callbacks or [] if isinstance(entry, tuple | list) and len(entry) == 2]
    if twice := sorted({str(name) for name in names if names.count(name) > 1}):
        raise ValueError(f"callbacks has several entries named {', '.join(twice)}. Give each a name of its own.")
    copies = [_copied(entry, position) for position, entry in enumerate(callbacks or [])]
    return sorted(copies, key=lambda entry: isinstance(_callback_of(entry), ResumableCheckpoint))


def _callback_of(entry):
    return entry[1] if isinstance(entry, tuple) else entry


def _copied(entry, position: int):
    named = isinstance(entry, tuple | list) and len(entry) == 2 and isinstance(entry[0], str)
    callback = entry[1] if named else entry
    is_class = isinstance(callback, type) and issubclass(callback, Callback)
    if not is_class and not isinstance(callback, Callback):
        hint = "Pass objects of skorch.callbacks.Callback, or pairs (name, callback)."
        if hasattr(callback, "on_fit_task_end"):  # scikit-learn's callbacks share this method, not a class
            hint = "It is one of scikit-learn's: give it to set_callbacks()."
        raise TypeError(f"callbacks[{position}]={entry!r} is no skorch callback. {hint}")
    callback = callback if is_class else copy.copy(callback)
    return (entry[0], callback) if named else callback
