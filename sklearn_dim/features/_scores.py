"""mutual_info_features: a score for each column of X, with all critics trained at once."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from sklearn_dim.bounds import BOUNDS, Bound
from sklearn_dim.data import check_lengths, check_table, check_targets
from sklearn_dim.estimator import Interval, StrOptions, validate_params
from sklearn_dim.features._critics import make_plan
from sklearn_dim.features._table import score_columns


@validate_params(
    {
        "jointly": ["boolean"],
        "discrete_features": [StrOptions({"auto"}), "boolean", "array-like"],
        "discrete_target": [StrOptions({"auto"}), "boolean", "array-like"],
        "mi_estimator": [StrOptions(set(BOUNDS)), Bound],
        "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "batch_size": [Interval(Integral, 4, None, closed="left"), StrOptions({"auto"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "device": [str],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def mutual_info_features(
    X: Any,
    y: Any,
    *,
    jointly: bool = False,
    discrete_features: Any = "auto",
    discrete_target: Any = "auto",
    mi_estimator: str | Bound = "dv",
    max_iter: int | str = "auto",
    batch_size: int | str = "auto",
    learning_rate_init: float | str = "auto",
    validation_fraction: float = 0.15,
    device: str = "auto",
    random_state: Any = None,
) -> np.ndarray:
    """Return the mutual information of each column of X with y, in nats: a ``score_func`` for `SelectKBest`.

    Unless ``jointly``, the score of a column does not depend on the other columns. With one column of y it comes from
    two estimates. The column has its own critic, a network trained with the bound of MINE [1]_ or another; all critics
    are trained at once, as one batched network. A critic has little noise, so that weak dependences are told from none,
    and leans low where the dependence is intricate. Nearest neighbours [2]_ see a dependence of any shape, also with
    zeros, rounded values and classes, and have more noise. The score is the critic's, raised to the neighbours' if that
    is larger, as far as what they see is more than noise. Two columns of classes have the information of their table.

    With several columns of y, and ``jointly``, the score is the critics' alone. The rows are split into two halves, and
    each half is evaluated by critics that were trained on the other. Negative estimates, which are noise around zero,
    are returned as 0, as scikit-learn does.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Columns of numbers, in a DataFrame also of categories or strings. At least 8 rows.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Numbers, classes or strings.
    jointly : bool, default=False
        False returns I(column; y). True returns what the column adds to all others, I(X; y) − I(X without it; y). This
        finds columns that are informative only together, as in an exclusive or. But a column that others can replace
        adds nothing: two copies of a column both get 0.
    discrete_features : "auto", bool, or array-like of bool, positions or names, default="auto"
        Which columns of X are discrete. "auto" treats text, categories and booleans as discrete, and numbers with at
        most 20 distinct values of at least five rows each.
    discrete_target : "auto", bool, or array-like of bool, positions or names, default="auto"
        The same for y.
    mi_estimator : str or Bound, default="dv"
        The bound to train the critics with: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.
    max_iter : int or "auto", default="auto"
        Number of epochs for each half; "auto" takes about 600 steps, or 1000 if ``jointly``.
    batch_size : int or "auto", default="auto"
        Maximum number of rows in a batch; "auto" is 32, or 256 if ``jointly``.
    learning_rate_init : float or "auto", default="auto"
        AdamW's initial learning rate; "auto" is 0.02, or 0.003 if ``jointly``.
    validation_fraction : float, default=0.15
        Fraction of the training half that decides which epoch of a critic was the best; it is not trained on.
    device : str, default="auto"
        A torch device. "auto" uses CUDA if there is any, else MPS, else the CPU.
    random_state : int, RandomState instance or None, default=None
        Seeds the halves, the weights and the order of the rows. Global random states are not changed.

    Returns
    -------
    ndarray of shape (n_features,)
        In nats; 0 for a constant column.

    Raises
    ------
    ValueError
        If X or y has missing or infinite values, or fewer than 8 rows, or if a parameter is out of range.
    FloatingPointError
        If training diverges.

    Notes
    -----
    To a critic, all but the 62 most frequent levels of a text column with more than 63 count as one. Critics' held-out
    estimates are too low if the dependence is complicated and there are few rows: y = x² + noise with 0.8 nats gets
    about 0.71 of them with 2000 rows. Nearest neighbours make up for it with one column of y.

    References
    ----------
    .. [1] M. I. Belghazi et al., "Mutual information neural estimation", ICML 2018.
    .. [2] W. Gao, S. Kannan, S. Oh, P. Viswanath, "Estimating mutual information for discrete-continuous mixtures",
       NeurIPS 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.feature_selection import SelectKBest
    >>> from sklearn_dim import mutual_info_features
    >>> X, y = load_iris(return_X_y=True)
    >>> SelectKBest(mutual_info_features, k=2).fit(X, y).get_support()
    array([False, False,  True,  True])
    """
    table, targets = check_rows(X, y, "mutual_info_features")
    plan = make_plan(jointly, mi_estimator, max_iter, batch_size, learning_rate_init, validation_fraction, device)
    return score_columns(table, targets, plan, discrete_features, discrete_target, random_state).values


def check_rows(X: Any, y: Any, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return X and y as tables, for the function or estimator ``name``."""
    table = check_table(X, name)
    if y is None:
        raise ValueError(f"{name} requires y to be passed, but the target y is None. Pass the target.")
    targets = check_targets(y)
    check_lengths(table, targets)
    if len(table) < 8:
        raise ValueError(
            f"n_samples = {len(table)} is too few for {name}: it needs 8 rows to train, stop and "
            "evaluate. Give more rows (a useful estimate needs hundreds)."
        )
    return table, targets
