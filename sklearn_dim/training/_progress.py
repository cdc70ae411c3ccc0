"""What ``verbose`` prints while a net trains."""

import logging
import math
import sys
import time
from typing import Any

from skorch.callbacks import Callback

LOGGER = logging.getLogger("sklearn_dim")


class Progress(Callback):
    """Say what is trained and for how long, then one line per epoch, by the logger "sklearn_dim".

    Where logging does not show messages of level INFO, lines go to the standard output.

    Parameters
    ----------
    title : str
        What begins each line, such as "MutualInfoEstimator, fold 2/5".
    about : str
        What is learnt from, such as "300 images of 1 × 8 × 8", for the first line; "" leaves it out.
    verbose : int
        1 shows the loss and what was held out, 2 all terms of the loss.
    """

    def __init__(self, title: str, about: str, verbose: int):
        self.title, self.about, self.verbose = title, about, verbose

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Say how much there is to do."""
        self.start_, self.done_, self.epochs_ = time.perf_counter(), 0, net.max_epochs - net.skipped_
        batches = f" of {_counted(len(X), 'batch')}" if hasattr(X, "__len__") else ""
        about = f"{self.about}, " if self.about else ""
        _say(f"{self.title}: {about}at most {_counted(self.epochs_, 'epoch')}{batches}, on {net.device}")

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Say what an epoch has brought."""
        self.done_ += 1
        row = net.history_row(-1)
        parts = [f"loss {row['train_loss']:.4f}"]
        if self.verbose > 1:
            parts += [f"{_term(name)} {row[name]:.4f}" for name in sorted(row) if _term(name)]
        if "valid_mutual_info" in row:
            parts.append(f"held out {row['valid_mutual_info']:.4f} nats")
        spent = time.perf_counter() - self.start_
        left = spent / self.done_ * (self.epochs_ - self.done_)
        parts += [f"{_seconds(spent)}, at most {_seconds(left)} left" if left else _seconds(spent)]
        width = len(str(self.epochs_))
        _say(f"{self.title}: epoch {self.done_:{width}}/{self.epochs_}: {', '.join(parts)}")

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Say where training ended early."""
        if self.done_ < self.epochs_:
            _say(f"{self.title}: ended after {_counted(self.done_, 'epoch')}, by early stopping or a callback")


def _term(column: str) -> str:
    """Return the name of the term that a column of the history has, "local loss" of "train_local_loss", or ""."""
    inner = column.removeprefix("train_").removesuffix("_loss")
    return f"{inner.replace('_', ' ')} loss" if column == f"train_{inner}_loss" else ""


def _counted(n: int, noun: str) -> str:
    plural = {"batch": "batches", "epoch": "epochs"}[noun]
    return f"{n} {noun if n == 1 else plural}"


def _seconds(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _say(line: str) -> None:
    """Log a line; print it if logging is not set up to show it."""
    if LOGGER.isEnabledFor(logging.INFO) and LOGGER.hasHandlers():
        LOGGER.info(line)
    else:
        print(line, file=sys.stdout, flush=True)
