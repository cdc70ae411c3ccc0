"""What all columns of a table say of y: scores, and, where they are asked for, their errors and p-values."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from sklearn_dim.features._codes import Code, code_columns, stacks_of
from sklearn_dim.features._critics import Evaluated, Plan, evaluate, trained, values_of
from sklearn_dim.features._independence import p_values_of
from sklearn_dim.features._pairs import Pairs, pairs_with
from sklearn_dim.training import own_modes, seeded, set_seed

REACH = ndtri(0.975)  # standard errors on each side of an interval


class ColumnScores(NamedTuple):
    """The information of each column and y.

    Attributes
    ----------
    values : ndarray of shape (p,)
        In nats; 0 where the estimate is below.
    intervals : ndarray of shape (p, 2)
        Of 95 %; empty if they were not asked for, like the next.
    p_values : ndarray of shape (p,)
        Of independence.
    n_epochs : int
        Number of epochs of a training; 0 if none was needed.
    """

    values: np.ndarray
    intervals: np.ndarray = np.empty((0, 2))
    p_values: np.ndarray = np.empty(0)
    n_epochs: int = 0


def score_columns(
    table: pd.DataFrame,
    targets: pd.DataFrame,
    plan: Plan,
    discrete_features: Any,
    discrete_target: Any,
    random_state: Any,
    n_permutations: int | None = None,
) -> ColumnScores:
    """Return the information of each column and y; intervals and p-values only with ``n_permutations``."""
    tested = n_permutations is not None
    with own_modes():
        table, columns = code_columns(table, discrete_features)
        targets, coded_y = code_columns(targets, discrete_target)
    varying_y = [(j, code) for j, code in enumerate(coded_y) if code is not None]
    y_codes = [code for _, code in varying_y]
    pairs, trained_columns, y = None, columns, None
    if len(y_codes) == 1 and not plan.jointly:
        y = targets.iloc[:, varying_y[0][0]]
        pairs = pairs_with(y, y_codes[0].continuous, table, columns, keep_rows=tested)
        if not y_codes[0].continuous:  # two columns of classes need no critic
            trained_columns = [code if code is not None and code.continuous else None for code in columns]
    # Size 0, so on one thread: steps are short, and on a busy machine threads that wait for each other are far slower.
    with seeded(random_state, 0, device=plan.device) as seed:
        values, errors, n_epochs = _by_critics(trained_columns, y_codes, pairs, seed, plan, tested)
        scores = np.maximum(values, 0.0) if pairs is None else pairs.with_critics(values)
        if n_permutations is None:
            return ColumnScores(scores)
        if plan.jointly:
            p_values = _normal_p_values(values, errors)
        else:
            p_values = p_values_of(table, columns, y_codes, y, n_permutations, seed, plan.device)
    return ColumnScores(scores, _intervals(scores, errors, pairs), p_values, n_epochs)


def _by_critics(
    columns: Sequence[Code | None], y_codes: Sequence[Code], pairs: Pairs | None, seed: int, plan: Plan, tested: bool
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return estimates by critics (p,), and, if ``tested``, standard errors of the scores (p,) and number of epochs."""
    values, errors = np.zeros((2, len(columns)))
    n_epochs = 0
    n = max((len(code.features) for code in y_codes), default=0)
    for stack in stacks_of(columns, n, plan.jointly) if y_codes else []:
        set_seed(seed, plan.device)
        y_features = (np.hstack([code.features for code in y_codes]) / np.sqrt(len(y_codes))).astype(np.float32)
        codes = [code for code in (columns[j] for j in stack) if code is not None]
        halves = trained(codes, y_features, len(y_codes) == 1 and y_codes[0].continuous, seed, plan)
        if not tested:
            values[stack] = values_of(halves)
            continue
        found = evaluate(halves, n)
        values[stack], n_epochs = found.values, found.n_epochs
        for j, rows in zip(stack, found.contributions, strict=True):
            errors[j] = _standard_error(rows if pairs is None else pairs.with_rows(j, rows))
        if plan.jointly:
            errors[stack] = np.hypot(errors[stack], _training_error(found))
    for j, error in ({} if pairs is None else pairs.errors).items():
        errors[j] = error
    return values, errors, n_epochs


def _standard_error(rows: np.ndarray) -> float:
    """Return the standard error of the mean of the rows' contributions; one below zero errs by at least its size."""
    return float(np.hypot(rows.std(ddof=1, dtype=float) / np.sqrt(len(rows)), min(0.0, rows.mean(dtype=float))))


def _training_error(found: Evaluated) -> float:
    """Return the standard error that the training of a network for all columns adds to that of the rows.

    It is the same for all: so much do the halves disagree, in the mean square, beyond what their rows explain. Without
    it, a third of the columns that add nothing may be significant at 5 %.
    """
    of_rows = 4 * found.contributions.var(1, ddof=1, dtype=float).mean() / found.contributions.shape[1]
    return float(np.sqrt(max(0.0, np.square(found.disagreement).mean() - of_rows) / 4))


def _intervals(scores: np.ndarray, errors: np.ndarray, pairs: Pairs | None) -> np.ndarray:
    """Return 95 % intervals (p, 2): as critics and neighbours both lean low, the higher end of the two counts."""
    low, high = scores - REACH * errors, scores + REACH * errors
    for j, rows in ({} if pairs is None else pairs.rows).items():
        high[j] = max(high[j], rows.mean(dtype=float) + REACH * rows.std(ddof=1, dtype=float) / np.sqrt(len(rows)))
    return np.stack([np.maximum(low, 0.0), high], axis=1)


def _normal_p_values(values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return the one-sided p-values of estimates that err normally, (p,)."""
    return np.where(errors > 0, ndtr(-values / np.where(errors > 0, errors, 1.0)), 1.0)
