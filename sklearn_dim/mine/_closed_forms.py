"""Which closed form a critic starts from: the one that held-out rows want."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from sklearn_dim.bounds import DV
from sklearn_dim.critics import Classes, ClosedForm, Gaussian, Student, is_one_hot
from sklearn_dim.objectives import PairInformation

# Names, and not the classes themselves, as a fitted estimator keeps them: files and pickles hold plain data.
FORMS: dict[str, Callable[[int, int], ClosedForm]] = {
    "gaussian": Gaussian,
    "student": Student,
    "class of x": partial(Classes, side="a"),
    "class of y": partial(Classes, side="b"),
}
MIN_ROWS = 30  # that judge; fewer do not tell one form from another
MAX_ROWS = 512  # that judge: pairs of so many make a table of 1 MB
MAX_FIT = 20_000  # rows that a form is fitted to in order to be judged


def choose_closed_form(x: np.ndarray, y: np.ndarray, stops: np.ndarray) -> str:
    """Return the name of a closed form for a fold's training rows: a Gaussian, unless another is better.

    The others are a Student distribution, and a logistic regression where a side is a class. All are fitted to the rows
    that train, and valued on the rows that ``stops`` marks, which train nothing. The best one's value has to be larger
    than the Gaussian's by more than the standard error of the difference.

    Parameters
    ----------
    x, y : ndarray of shape (n, width)
        Codes of the training rows of a fold.
    stops : ndarray of bool of shape (n,)
    """
    rows, classes = np.flatnonzero(stops)[:MAX_ROWS], class_forms(x, y)
    if len(rows) < MIN_ROWS:  # a logistic regression is shrunk, and does little harm
        return classes[0] if classes else "gaussian"
    fit = np.flatnonzero(~stops)[:MAX_FIT]
    train, held_out = (tuple(torch.as_tensor(side[part]) for side in (x, y)) for part in (fit, rows))
    gaussian = held_out_value("gaussian", train, held_out)
    gains = {form: held_out_value(form, train, held_out) - gaussian for form in classes or ["student"]}
    best = max(gains, key=lambda form: float(gains[form].mean()))
    return best if gains[best].mean() > gains[best].std() / len(rows) ** 0.5 else "gaussian"


def class_forms(x: np.ndarray, y: np.ndarray) -> list[str]:
    """Return the name of a logistic regression for each side that is a class."""
    return [f"class of {name}" for name, side in (("x", x), ("y", y)) if is_one_hot(side)]


@torch.no_grad()
def held_out_value(form: str, train: tuple, held_out: tuple) -> torch.Tensor:
    """Return each held-out row's contribution (n_held_out,) to the value of a form fitted on other rows."""
    critic = FORMS[form](train[0].shape[1], train[1].shape[1]).fit(*train)
    return PairInformation(critic, DV()).evaluate(held_out).contributions.double()
