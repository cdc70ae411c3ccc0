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
    classes = class_forms(x, y)
    if stops.sum() < MIN_ROWS:  # a logistic regression is shrunk, and does little harm
        return classes[0] if classes else "gaussian"
    gaussian = held_out_value("gaussian", x, y, stops, MAX_ROWS)
    gains = {form: held_out_value(form, x, y, stops, MAX_ROWS) - gaussian for form in classes or ["student"]}
    best = max(gains, key=lambda form: float(gains[form].mean()))
    return best if gains[best].mean() > gains[best].std() / len(gaussian) ** 0.5 else "gaussian"


def class_forms(x: np.ndarray, y: np.ndarray) -> list[str]:
    """Return the name of a logistic regression for each side that is a class."""
    return [f"class of {name}" for name, side in (("x", x), ("y", y)) if is_one_hot(side)]


@torch.no_grad()
def held_out_value(form: str, x: np.ndarray, y: np.ndarray, stops: np.ndarray, most: int) -> torch.Tensor:
    """Return the contributions of at most so many rows that ``stops`` marks to the value of a form fitted on others."""
    fit, rows = np.flatnonzero(~stops)[:MAX_FIT], np.flatnonzero(stops)[:most]
    train, held_out = ((torch.as_tensor(x[part]), torch.as_tensor(y[part])) for part in (fit, rows))
    critic = FORMS[form](train[0].shape[1], train[1].shape[1]).fit(*train)
    return PairInformation(critic, DV()).evaluate(held_out).contributions.double()
