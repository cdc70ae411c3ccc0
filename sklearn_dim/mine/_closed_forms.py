"""Which closed form a critic starts from: the one that held-out rows want."""

import numpy as np
import torch

from sklearn_dim.bounds import DV
from sklearn_dim.critics import ClosedForm, Gaussian, Student
from sklearn_dim.objectives import PairInformation

FORMS: dict[str, type[ClosedForm]] = {"gaussian": Gaussian, "student": Student}
MIN_ROWS = 30  # that judge; fewer do not tell one form from another
MAX_ROWS = 512  # that judge: pairs of so many make a table of 1 MB


def choose_closed_form(x: np.ndarray, y: np.ndarray, stops: np.ndarray) -> type[ClosedForm]:
    """Return a closed form for a fold's training rows: a Gaussian, unless a Student distribution is better.

    Both are fitted to the rows that train, and valued on the rows that ``stops`` marks, which train nothing. The
    Student's value has to be larger by more than the standard error of the difference.

    Parameters
    ----------
    x, y : ndarray of shape (n, width)
        Codes of the training rows of a fold.
    stops : ndarray of bool of shape (n,)
    """
    rows = np.flatnonzero(stops)[:MAX_ROWS]
    if len(rows) < MIN_ROWS:
        return Gaussian
    train, held_out = (tuple(torch.as_tensor(side[part]) for side in (x, y)) for part in (~stops, rows))
    gaussian, student = (held_out_value(form, train, held_out) for form in (Gaussian, Student))
    gain = student - gaussian
    return Student if gain.mean() > gain.std() / len(rows) ** 0.5 else Gaussian


@torch.no_grad()
def held_out_value(form: type[ClosedForm], train: tuple, held_out: tuple) -> torch.Tensor:
    """Return each held-out row's contribution (n_held_out,) to the value of a form fitted on other rows."""
    critic = form(train[0].shape[1], train[1].shape[1]).fit(*train)
    return PairInformation(critic, DV()).evaluate(held_out).contributions.double()
