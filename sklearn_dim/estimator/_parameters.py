"""The training parameters, once for all estimators: the values they accept, and their documentation."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_dim.bounds import BOUNDS, Bound
from sklearn_dim.estimator._compat import Interval, StrOptions

Class = TypeVar("Class", bound=type)

_CONSTRAINTS: dict[str, list[Any]] = {
    "mi_estimator": [StrOptions(set(BOUNDS)), Bound],
    "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "batch_size": [Interval(Integral, 2, None, closed="left")],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left")],
    "warm_start": ["boolean"],
    "device": [str],
    "callbacks": [list, None],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
}


def training_constraints(*, without: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """Return the constraints of the training parameters, except of those that an estimator does not have."""
    return {name: rules for name, rules in _CONSTRAINTS.items() if name not in without}


# A warm start uses the current values of these parameters. All others shape the model or its optimizer.
TAKEN_BY_WARM_START = frozenset(_CONSTRAINTS) - {"mi_estimator", "device"}


@contextmanager
def plain_numbers(estimator: BaseEstimator) -> Iterator[None]:
    """Replace NumPy's numbers among the parameters by Python's for a while: products of small types would overflow."""
    given = {name: value for name, value in estimator.get_params(deep=False).items() if isinstance(value, np.generic)}
    vars(estimator).update({name: value.item() for name, value in given.items()})
    try:
        yield
    finally:
        vars(estimator).update(given)


_DOCUMENTATION = {
    "mi_estimator": "The bound on mutual information: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.",
    "epochs": 'Number of epochs. "auto" takes about 300 steps, in 5 to 100 epochs.',
    "learning_rate_init": "Adam's learning rate.",
    "n_iter_no_change": "Number of epochs without an improvement of at least ``tol`` before training stops early.",
    "tol": "The smallest change in nats that counts as an improvement.",
    "warm_start": """Continue from the weights of the last `fit`, if there are any. Parameters that concern training
        alone (``learning_rate_init``, ``batch_size``, …) may have changed since then; those that shape the model may
        not.""",
    "device": 'A torch device. "auto" uses CUDA if there is any, else MPS, else the CPU.',
    "sparse_device": 'A torch device. "auto" uses CUDA if there is any, else the CPU.',
    "callbacks": """Called during training; `sklearn_dim.training.ResumableCheckpoint`, for example, lets an interrupted
        fit continue. Callbacks of scikit-learn 1.9, such as its progress bar, are passed to ``set_callbacks``.""",
    "verbose": """1 says what is trained, and prints one line per epoch with the time that is left; 2 shows all terms of
        the loss too. Lines go to the logger "sklearn_dim" if it shows level INFO, and else to the standard output.""",
    "history_": "One row per epoch: losses, validation information, seconds.",
    "loss_curve_": "Training loss of each epoch.",
    "n_iter_": "Number of epochs run.",
    "net_": "The trained skorch net.",
}


def documented(cls: Class) -> Class:
    """Insert the shared documentation into a class's docstring, wherever it says ``%(name)s``."""
    if cls.__doc__:  # python -OO removes docstrings
        cls.__doc__ = re.sub(r"%\((\w+)\)s", lambda match: _DOCUMENTATION[match[1]], cls.__doc__)
    return cls
