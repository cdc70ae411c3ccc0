"""A training that was killed goes on from its last epoch."""

import os
import pathlib
from contextlib import suppress
from numbers import Integral

import numpy as np
import torch
from skorch.callbacks import Callback, PrintLog
from skorch.history import History

from sklearn_dim.training._device import random_states, set_random_states
from sklearn_dim.training._fingerprint import fingerprint

FORMAT = 2  # of the files; those of another are not looked at


class ResumableCheckpoint(Callback):
    """Save the whole state of a training as it goes on; the same fit, begun again, continues from there.

    Each training has a file of its own, named by its first weights, settings, random numbers and rows, so that the fits
    of a search and the folds of an estimator may share a folder. A fit that comes to its end deletes its files.
    What continues ends with the same numbers as a fit that was not interrupted: weights, their mean, the optimizer, the
    random stream, the history, early stopping and learning rate schedules are all in the file.

    Parameters
    ----------
    folder : str or path
        Where the files are; it is made if it does not exist.
    every : int, default=1
        Epochs from one save to the next.

    Raises
    ------
    ValueError
        At fit, if ``every`` is no positive whole number, if the file of this fit cannot be read, or inside
        `data_parallel`.

    Notes
    -----
    Only a fit with a ``random_state`` that is an integer can be recognised. Other callbacks continue with those of
    their attributes that end in "_" and consist of numbers, strings and tensors. Settings of callbacks that are neither
    skorch's nor this package's do not tell fits apart: give fits that differ only there folders of their own.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_dim import DIMTransformer
    >>> from sklearn_dim.training import ResumableCheckpoint
    >>> X, _ = load_digits(return_X_y=True)
    >>> folder = tempfile.mkdtemp()
    >>> dim = DIMTransformer(8, max_iter=2, callbacks=[ResumableCheckpoint(folder)], random_state=0)
    >>> dim.fit(X[:100]).n_iter_
    2
    """

    def __init__(self, folder, every=1):
        self.folder = folder
        self.every = every

    def initialize(self):
        """Check the parameters and make the folder."""
        if not isinstance(self.every, Integral) or self.every < 1:
            raise ValueError(
                f"ResumableCheckpoint(every={self.every!r}) must be a whole number of epochs from 1, such as 1."
            )
        pathlib.Path(self.folder).mkdir(parents=True, exist_ok=True)
        return self

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Go on where a training that began like this one was interrupted."""
        if net.replica_ is not None:
            raise ValueError(
                "callbacks has a ResumableCheckpoint, which saves the training of one process; inside data_parallel "
                "there are several. Leave it out there."
            )
        self.path_ = pathlib.Path(self.folder) / f"{identity_of(net, X, y)}.pt"
        if self.path_.exists():
            before = len(net.history)
            put_back(net, self._read(net.device))
            net.skip_epochs(len(net.history) - before)

    def on_epoch_end(self, net, **kwargs):
        """Save; a file is replaced at once or not at all."""
        if len(net.history) % self.every == 0 and not net.stops_:
            unfinished = self.path_.with_suffix(f".{os.getpid()}")
            torch.save(state_of(net), unfinished)
            os.replace(unfinished, self.path_)

    def forget(self):
        """Delete the file, and what was left of one that was being written: the fit has come to its end."""
        for file in self.path_.parent.glob(f"{self.path_.stem}.*"):
            file.unlink(missing_ok=True)

    def _read(self, device):
        try:
            return torch.load(self.path_, map_location=device, weights_only=True)
        except Exception as error:
            raise ValueError(
                f"the checkpoint {self.path_} cannot be read ({type(error).__name__}). Delete it to train from the "
                "start."
            ) from error


def identity_of(net, train, valid) -> str:
    """Return what tells this training from others."""
    settings = [net.lr, net.max_epochs, net.device, str(net.autocast), net.optimizer, net.optimizer_.param_groups]
    callbacks = [
        [type(callback), {name: value for name, value in vars(callback).items() if not name.endswith("_")}]
        for callback in _others(net).values()
        if type(callback).__module__.startswith(("skorch.", "sklearn_dim.training."))
    ]
    start = [net.module_.state_dict(), random_states(net.device), len(net.history)]
    return fingerprint(FORMAT, net.module, settings, callbacks, start, train, valid)


def state_of(net) -> dict:
    """Return all that a training needs to go on, in types that ``torch.load(weights_only=True)`` reads."""
    return {
        "weights": net.module_.state_dict(),
        "averaged": None if net.averaged_ is None else net.averaged_.state_dict(),
        "optimizer": net.optimizer_.state_dict(),
        "callbacks": {name: _memory(callback) for name, callback in _others(net).items()},
        "history": [plain(dict(row)) for row in net.history],
        "random": random_states(net.device),
    }


@torch.no_grad()
def put_back(net, state: dict) -> None:
    """Go back to a saved state."""
    net.module_.load_state_dict(state["weights"])
    if net.averaged_ is not None:
        net.averaged_.load_state_dict(state["averaged"])
    for name, callback in _others(net).items():
        _remember(callback, state["callbacks"].get(name, {}))
    net.optimizer_.load_state_dict(state["optimizer"])
    net.history_ = History(state["history"])
    set_random_states(state["random"], net.device)


def _others(net) -> dict[str, Callback]:
    """Return the callbacks but those that save or print."""
    return {name: one for name, one in net.callbacks_ if not isinstance(one, ResumableCheckpoint | PrintLog)}


def _memory(callback) -> dict:
    """Return what a callback has learnt in training, which by skorch's rule is in attributes that end in "_"."""
    learnt = {name: value for name, value in vars(callback).items() if name.endswith("_")}
    return plain_items({name: plain_items(v.state_dict()) if _has_state(v) else v for name, v in learnt.items()})


def _has_state(value) -> bool:
    """Return whether a value, such as a scheduler of learning rates, saves itself."""
    return hasattr(value, "load_state_dict") and not isinstance(value, type)


def _remember(callback, memory: dict) -> None:
    now = vars(callback)
    for name, value in memory.items():
        if _has_state(now.get(name)):
            now[name].load_state_dict(value)
        else:
            now[name] = renewed(now.get(name), value)


def renewed(now, saved):
    """Return a saved value, its numbers within the tensors that are there: others may refer to them."""
    if isinstance(saved, torch.Tensor) and isinstance(now, torch.Tensor) and now.shape == saved.shape:
        return now.copy_(saved)
    if isinstance(saved, dict):
        return {name: renewed(now.get(name) if isinstance(now, dict) else None, value) for name, value in saved.items()}
    if isinstance(saved, list | tuple):
        present = now if isinstance(now, list | tuple) and len(now) == len(saved) else [None] * len(saved)
        return type(saved)(map(renewed, present, saved))
    return saved


def plain(value):
    """Return a value in types that ``torch.load(weights_only=True)`` reads; raise TypeError if it cannot be."""
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, torch.Tensor) or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        return {plain(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(map(plain, value))
    raise TypeError(f"a checkpoint cannot hold {value!r}, which is a {type(value).__name__}")


def plain_items(items: dict) -> dict:
    """Return those items that `plain` takes."""
    kept = {}
    for name, value in items.items():
        with suppress(TypeError):
            kept[name] = plain(value)
    return kept
