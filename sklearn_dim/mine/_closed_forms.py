"""Which closed form a critic starts from: the one that held-out rows want."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from sklearn_dim.bounds import DV
from sklearn_dim.critics import Classes, ClosedForm, Gaussian, Student, is_one_hot
from sklearn_dim.objectives import PairInformation

FORMS: dict[str, type[ClosedForm]] = {"gaussian": Gaussian, "student": Student}
MIN_ROWS = 30  # that judge; fewer do not tell one form from another
MAX_ROWS = 512  # that judge: pairs of so many make a table of 1 MB

Form = Callable[[int, int], ClosedForm]


def choose_closed_form(x: np.ndarray, y: np.ndarray, stops: np.ndarray) -> Form:
    """Return a closed form for a fold's training rows: a Gaussian, unless another is better.

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
        return classes[0] if classes else Gaussian
    forms: list[Form] = classes or [Student]
    train, held_out = (tuple(torch.as_tensor(side[part]) for side in (x, y)) for part in (~stops, rows))
    gaussian, *others = (held_out_value(form, train, held_out) for form in (Gaussian, *forms))
    gain, best = max(((other - gaussian, form) for other, form in zip(others, forms, strict=True)), key=mean_gain)
    return best if gain.mean() > gain.std() / len(rows) ** 0.5 else Gaussian


def class_forms(x: np.ndarray, y: np.ndarray) -> list[Form]:
    """Return a logistic regression for each side that is a class."""
    return [partial(Classes, side=name) for name, side in (("a", x), ("b", y)) if is_one_hot(side)]


def mean_gain(choice: tuple[torch.Tensor, Form]) -> float:
    """Return the mean of a form's gains."""
    return float(choice[0].mean())


@torch.no_grad()
def held_out_value(form: Form, train: tuple, held_out: tuple) -> torch.Tensor:
    """Return each held-out row's contribution (n_held_out,) to the value of a form fitted on other rows."""
    critic = form(train[0].shape[1], train[1].shape[1]).fit(*train)
    return PairInformation(critic, DV()).evaluate(held_out).contributions.double()
