"""Resume interrupted training from its last saved epoch."""

import os
import pathlib
from contextlib import suppress
from numbers import Integral
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, runtime_checkable

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.history import History

from sklearn_dim.training._device import random_states, set_random_states
from sklearn_dim.training._fingerprint import fingerprint
from sklearn_dim.training._progress import Progress

if TYPE_CHECKING:
    from sklearn_dim.training._progress import Progress
from sklearn_dim.training._net import InformationNet

FORMAT = 2  # of the files; part of their names, so that files of another format are ignored


class ResumableCheckpoint(Callback):
    """Save the whole state of a training after its epochs; the same fit, started again, continues from there.

    Each training has its own file, named after its first weights, settings, random numbers and rows, so that all fits
    of a search and all folds of an estimator can share a folder. A fit that ends deletes its files. A continued fit
    ends with the same numbers as one that was not interrupted: the file has the weights, their mean, the optimizer,
    the random state, the history, early stopping and learning rate schedules.

    Parameters
    ----------
    folder : str or path
        Where to save; created if it does not exist.
    every : int, default=1
        Number of epochs between saves.

    Raises
    ------
    ValueError
        In fit, if ``every`` is not a positive integer, if the file of this fit cannot be read, or inside
        `data_parallel`.

    Notes
    -----
    A fit is recognised only if its ``random_state`` is an integer. Other callbacks continue with those of their
    attributes that end in "_" and consist of numbers, strings and tensors. Parameters of callbacks that belong neither
    to skorch nor to this package do not tell fits apart: if fits differ only there, give each its own folder.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_dim import DIMTransformer
    >>> from sklearn_dim.training import ResumableCheckpoint
    >>> X, _ = load_digits(return_X_y=True)
    >>> folder = tempfile.mkdtemp()
    >>> checkpoint = ResumableCheckpoint(folder)
    >>> dim = DIMTransformer(8, max_iter=2, callbacks=[checkpoint], random_state=0)
    >>> dim.fit(X[:100]).n_iter_
    2
    """

    def __init__(self, folder: str | os.PathLike, every: int = 1):
        self.folder = folder
        self.every = every

    def initialize(self) -> "ResumableCheckpoint":
        """Check ``every`` and create the folder."""
        if not isinstance(self.every, Integral) or self.every < 1:
            raise ValueError(
                f"ResumableCheckpoint(every={self.every!r}) must be a positive whole number of epochs between saves."
            )
        pathlib.Path(self.folder).mkdir(parents=True, exist_ok=True)
        return self

    def on_train_begin(self, net: "InformationNet", X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Continue where a training that began like this one was interrupted."""
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

    def on_epoch_end(self, net: "InformationNet", **kwargs: Any) -> None:
        """Save; the file is replaced in one step, so that a kill leaves the old one or the new one."""
        if len(net.history) % self.every == 0 and not net.stops_:
            unfinished = self.path_.with_suffix(f".{os.getpid()}")
            torch.save(state_of(net), unfinished)
            os.replace(unfinished, self.path_)

    def forget(self) -> None:
        """Delete the file after the fit, and those that a kill left half written."""
        for file in self.path_.parent.glob(f"{self.path_.stem}.*"):
            file.unlink(missing_ok=True)

    def _read(self, device: str) -> dict:
        try:
            return torch.load(self.path_, map_location=device, weights_only=True)
        except Exception as error:
            raise ValueError(
                f"the checkpoint {self.path_} cannot be read ({type(error).__name__}). Delete it to start again."
            ) from error


def identity_of(net: "InformationNet", train: Any, valid: Any) -> str:
    """Return a name that differs for trainings that could end differently."""
    settings = [net.lr, net.max_epochs, net.device, str(net.autocast), net.optimizer, net.optimizer_.param_groups]
    callbacks = [
        [type(callback), {name: value for name, value in vars(callback).items() if not name.endswith("_")}]
        for callback in _others(net).values()
        if type(callback).__module__.startswith(("skorch.", "sklearn_dim.training."))
    ]
    start = [net.module_.state_dict(), random_states(net.device), len(net.history)]
    return fingerprint(FORMAT, net.module, settings, callbacks, start, train, valid)


def state_of(net: "InformationNet") -> dict:
    """Return all that a training needs to continue, in types that ``torch.load(weights_only=True)`` reads."""
    return {
        "weights": net.module_.state_dict(),
        "averaged": None if net.averaged_ is None else net.averaged_.state_dict(),
        "optimizer": net.optimizer_.state_dict(),
        "callbacks": {name: _memory(callback) for name, callback in _others(net).items()},
        "history": [plain(dict(row)) for row in net.history],
        "random": random_states(net.device),
    }


@torch.no_grad()
def put_back(net: "InformationNet", state: dict) -> None:
    """Restore a saved state."""
    net.module_.load_state_dict(state["weights"])
    if net.averaged_ is not None:
        net.averaged_.load_state_dict(state["averaged"])
    for name, callback in _others(net).items():
        _remember(callback, state["callbacks"].get(name, {}))
    net.optimizer_.load_state_dict(state["optimizer"])
    net.history_ = History(state["history"])
    set_random_states(state["random"], net.device)


def _others(net: "InformationNet") -> dict[str, Callback]:
    """Return the callbacks by name, without those that save or print."""
    return {name: one for name, one in net.callbacks_ if not isinstance(one, ResumableCheckpoint | Progress)}


def _memory(callback: Callback) -> dict:
    """Return what a callback has learnt in training: by skorch's rule, the attributes that end in "_"."""
    learnt = {name: value for name, value in vars(callback).items() if name.endswith("_")}
    return plain_items({name: plain_items(v.state_dict()) if _has_state(v) else v for name, v in learnt.items()})


@runtime_checkable
class _Stateful(Protocol):
    """What has a state of its own, as learning rate schedulers do."""

    def state_dict(self) -> dict:
        """Return the state."""
        ...

    def load_state_dict(self, state_dict: dict, /) -> Any:
        """Take over a state."""
        ...


def _has_state(value: Any) -> TypeGuard[_Stateful]:
    return isinstance(value, _Stateful) and not isinstance(value, type)


def _remember(callback: Callback, memory: dict) -> None:
    now = vars(callback)
    for name, value in memory.items():
        if _has_state(now.get(name)):
            now[name].load_state_dict(value)
        else:
            now[name] = renewed(now.get(name), value)


def renewed(now: Any, saved: Any) -> Any:
    """Return a saved value, copied into the present tensors where possible: other objects may refer to them."""
    if isinstance(saved, torch.Tensor) and isinstance(now, torch.Tensor) and now.shape == saved.shape:
        return now.copy_(saved)
    if isinstance(saved, dict):
        return {name: renewed(now.get(name) if isinstance(now, dict) else None, value) for name, value in saved.items()}
    if isinstance(saved, list | tuple):
        present = now if isinstance(now, list | tuple) and len(now) == len(saved) else [None] * len(saved)
        return type(saved)(map(renewed, present, saved))
    return saved


def plain(value: Any) -> Any:
    """Return a value in types that ``torch.load(weights_only=True)`` reads, or raise a TypeError."""
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
    """Return the items that `plain` accepts."""
    kept = {}
    for name, value in items.items():
        with suppress(TypeError):
            kept[name] = plain(value)
    return kept
