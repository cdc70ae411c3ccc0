"""The parameters of training, once for all estimators: what they accept, and what their documentation says."""

import re
from numbers import Integral, Real

from sklearn_dim.bounds import BOUNDS, Bound
from sklearn_dim.estimator._compat import Interval, StrOptions

_CONSTRAINTS = {
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


def training_constraints(*, without: tuple[str, ...] = (), **changed) -> dict:
    """Return the constraints of the training parameters, ``without`` those that an estimator does not have."""
    return {**{name: rules for name, rules in _CONSTRAINTS.items() if name not in without}, **changed}


# Parameters that a warm start takes as they are now. All others shape the model or its optimizer.
TAKEN_BY_WARM_START = frozenset(_CONSTRAINTS) - {"mi_estimator", "device"}

_DOCUMENTATION = {
    "mi_estimator": "The bound on mutual information: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.",
    "epochs": 'Epochs. "auto" makes about 300 steps, in 5 to 100 epochs.',
    "learning_rate_init": "Adam's step size.",
    "n_iter_no_change": "Epochs without an improvement by ``tol`` before an early stop.",
    "tol": "The smallest change in nats that counts as an improvement.",
    "warm_start": """Continue from the weights of the last `fit`, if there are any. Parameters that shape the model must
        be as they were then; those of training alone (``learning_rate_init``, ``batch_size``, …) may change.""",
    "device": '"auto" is CUDA, then MPS, then the CPU; or a torch device.',
    "sparse_device": '"auto" is CUDA, then the CPU; or a torch device.',
    "callbacks": """`sklearn_dim.training.ResumableCheckpoint`, say, which resumes an interrupted fit. Callbacks of
        scikit-learn 1.9, such as its progress bar, are given to ``set_callbacks``.""",
    "verbose": "1 prints one line per epoch.",
    "history_": "One row per epoch: losses, validation value, seconds.",
    "loss_curve_": "Training loss of each epoch.",
    "n_iter_": "Number of epochs run.",
    "net_": "The trained skorch net.",
}


def documented(cls: type) -> type:
    """Put the shared documentation into a class's docstring, where a line says ``%(name)s``."""
    if cls.__doc__:  # there is none under python -OO
        cls.__doc__ = re.sub(r"%\((\w+)\)s", lambda match: _DOCUMENTATION[match[1]], cls.__doc__)
    return cls
