"""Resume interrupted training from its last saved epoch."""

import io
import os
import pathlib
from numbers import Integral
from typing import TYPE_CHECKING, Any

import torch
from skorch.callbacks import Callback, PrintLog

from sklearn_dim.files import UNFINISHED, forget_leftovers, replaced, sealed, unsealed
from sklearn_dim.training._checkpoint_state import check_state, put_back, read_state, state_of
from sklearn_dim.training._device import random_states
from sklearn_dim.training._fingerprint import fingerprint
from sklearn_dim.training._progress import Progress

if TYPE_CHECKING:
    from sklearn_dim.training._net import InformationNet

FORMAT = 3  # of the files; part of their names, so that files of another format are ignored
KIND = f"checkpoint {FORMAT}"


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
        before = len(net.history)
        if self._resume(net):
            net.skip_epochs(len(net.history) - before)

    def on_epoch_end(self, net: "InformationNet", **kwargs: Any) -> None:
        """Save; the file is replaced in one step, so that a kill leaves the old one or the new one."""
        if len(net.history) % self.every == 0 and not net.stops_:
            content = io.BytesIO()
            torch.save(state_of(net, _others(net)), content)
            with replaced(self.path_) as file:
                file.writelines(sealed(KIND, self.path_.stem, content.getbuffer()))

    def forget(self) -> None:
        """Delete the file after the fit, and those that a kill left half written long ago.

        Younger ones may belong to an equal fit in another process.
        """
        self.path_.unlink(missing_ok=True)
        forget_leftovers(self.path_.parent, f"{self.path_.name}.*{UNFINISHED}")

    def _resume(self, net: "InformationNet") -> bool:
        """Restore the saved state; return False if there is none."""
        try:
            written = self.path_.read_bytes()
        except FileNotFoundError:
            return False
        callbacks = _others(net)
        try:
            state = read_state(unsealed(KIND, self.path_.stem, written), net.device)
            check_state(net, callbacks, state)
            put_back(net, callbacks, state)
        except Exception as error:  # what a damaged file makes torch and pickle raise is of any kind
            raise ValueError(
                f"the checkpoint {self.path_} cannot be used: {error or type(error).__name__}. It was damaged, or is "
                "not of this fit; nothing was taken from it. Delete it to start again."
            ) from error
        return True


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


def _others(net: "InformationNet") -> dict[str, Callback]:
    """Return the callbacks by name, without those that save or print."""
    return {name: one for name, one in net.callbacks_ if not isinstance(one, ResumableCheckpoint | Progress | PrintLog)}
