"""How much an embedding keeps of its input: a score without labels, for choosing a transformer."""

from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy.sparse import issparse
from sklearn.utils import check_random_state

from sklearn_dim.data import without_torch
from sklearn_dim.estimator import Interval, validate_params

PRECISION = 1e-3  # δ, the variance below which differences do not count: at most 3.5 nats per component
_CONSTRAINTS = {
    "noise": [Interval(Real, 0, None, closed="left")],
    "n_views": [Interval(Integral, 2, None, closed="left")],
    "random_state": ["random_state"],
}


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def information_score(
    estimator: Any, X: Any, y: Any = None, *, noise: float = 0.5, n_views: int = 4, random_state: Any = 0
) -> float:
    """Return the information that the embedding of noisy rows keeps about the rows, in nats; higher is better.

    An embedding (or code) is a function of its input. If the data are continuous, I(x; code(x)) is therefore infinite
    for every invertible transformer, and cannot rank them. What can is how much information survives noise: this is
    I(x; code(x̃)), where x̃ = x + noise · scale · ε in each feature. By the data processing inequality it is at most
    I(x; x̃). Components that carry noise add little, components that repeat each other count once, and an embedding
    that is unstable under noise gets a low score.

    The score is ½ log det(T + δI) − ½ log det(N + δI), the capacity of a Gaussian channel [1]_. T is the covariance of
    the codes, scaled to variance 1 in each component, and N is the part that is due to noise, estimated from
    ``n_views`` noisy copies of each row; δ = 0.001 limits the precision. Apart from δ, it is exact for linear codes of
    Gaussian rows.

    Parameters
    ----------
    estimator : fitted transformer, or Pipeline of transformers
        Any object with a method ``transform`` that returns the same code for the same row every time.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or images (n_samples, …)
        At least two rows of numbers; to compare transformers, use rows that they were not fitted on. Sparse rows are
        made dense.
    y : None
        Ignored; scorers have this argument.
    noise : float, default=0.5
        Standard deviation of the noise, as a multiple of each feature's standard deviation over the rows of X.
    n_views : int, default=4
        Number of noisy copies of each row.
    random_state : int, RandomState instance or None, default=0
        Seeds the noise. With an integer all transformers get the same noise, which is best for comparing them.

    Returns
    -------
    float
        In nats; 0 if all rows are equal. This is a plug-in estimate; it is too high by about the score of a code of
        pure noise: 0.15 nats with 64 components and 719 rows, 1.4 with 72 rows.

    Raises
    ------
    ValueError
        If a parameter is out of range, X does not consist of numbers, or X has a single row.
    TypeError
        If estimator has no ``transform``.

    Notes
    -----
    The score was compared with the accuracy of a linear classifier on the embedding, for 13 to 16 transformers per data
    set (PCA and random projections with 2 to 48 components, `DIMTransformer` with 8 and 64 components after 1, 5 and 30
    epochs), on 40 % of the rows held out. The rank correlation is 0.94 on the digits, 0.75 on breast cancer and 0.77 on
    wine. The embedding with the highest score has accuracy 0.957 (the best of all has 0.983), 0.961 (0.974) and 1.000
    (1.000). With ``noise`` of 0.3 or 1.0 the correlations are within 0.03 of these. The definition and the default were
    chosen on these data, so expect lower correlations elsewhere.

    Alternatives had these correlations, each in its best variant: noise added to the code instead of the rows 0.91,
    0.72 and 0.72; the information between the codes of two noisy copies 0.95, 0.67 and 0.08, and between those of two
    halves of the features 0.75, 0.77 and 0.37, as held-out estimates fail on the 72 rows of wine. More components
    rarely lower the score or the accuracy, as they keep more.

    References
    ----------
    .. [1] T. M. Cover and J. A. Thomas, "Elements of information theory", 2nd ed., 2006, section 9.4.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_dim.metrics import information_score
    >>> X, _ = load_digits(return_X_y=True)
    >>> fitted = [PCA(k, random_state=0).fit(X[:900]) for k in (2, 5, 16)]
    >>> scores = [information_score(pca, X[900:]) for pca in fitted]
    >>> scores == sorted(scores)
    True
    """
    if not hasattr(estimator, "transform"):  # any transformer of scikit-learn's kind: they share no base class
        raise TypeError(
            f"estimator={estimator!r} has no method transform: information_score evaluates the output of a "
            "transformer. If it is a Pipeline that ends in a predictor, pass the part before that, pipeline[:-1]."
        )
    rows, rebuild = _numbers(X)
    random = check_random_state(random_state)
    with np.errstate(invalid="ignore"):
        scale = noise * np.nanstd(rows, axis=0)
    views = (rows + scale * random.standard_normal(rows.shape) for _ in range(n_views))
    codes = np.stack([_code(estimator, rebuild(view.astype(rows.dtype, copy=False))) for view in views])
    if np.array_equal(rows[1:], rows[:-1], equal_nan=True):
        return 0.0  # where all rows are equal, their codes differ by rounding errors alone
    return gaussian_capacity(codes)


def gaussian_capacity(codes: np.ndarray, precision: float = PRECISION) -> float:
    """Return ½ log det(T + δI) − ½ log det(N + δI), see `information_score`.

    ``codes`` (n_views, n_samples, n_components) are those of ``n_views`` noisy copies of each row.
    """
    n_views, n, d = codes.shape
    codes = codes - codes.mean((0, 1))
    deviation = codes.std((0, 1))
    codes = codes / np.where(deviation > 0, deviation, 1.0)
    within = (codes - codes.mean(0)).reshape(-1, d)
    flat = codes.reshape(-1, d)
    total, noise = flat.T @ flat / len(flat), within.T @ within / (n * (n_views - 1))
    floor = precision * np.eye(d)
    return float((np.linalg.slogdet(total + floor)[1] - np.linalg.slogdet(noise + floor)[1]) / 2)


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def make_information_scorer(*, noise: float = 0.5, n_views: int = 4, random_state: Any = 0) -> Callable[..., float]:
    """Return a scorer for choosing a transformer without labels, as in ``GridSearchCV(…, scoring=…)``.

    Parameters
    ----------
    noise, n_views, random_state : as in `information_score`

    Returns
    -------
    callable
        scorer(estimator, X, y=None) → nats, see `information_score`. It can be pickled, so it works with any
        ``n_jobs``.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_dim.metrics import make_information_scorer
    >>> X, _ = load_wine(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), PCA(random_state=0))
    >>> grid = {"pca__n_components": [1, 2, 8]}
    >>> search = GridSearchCV(pipeline, grid, scoring=make_information_scorer())
    >>> search = search.fit(X)
    >>> search.best_params_
    {'pca__n_components': 8}
    """
    return partial(information_score, noise=noise, n_views=n_views, random_state=random_state)


def _numbers(X: Any) -> tuple[np.ndarray, Callable[[np.ndarray], Any]]:
    """Return X as an array of floats, and a function that converts such an array to the type of X."""
    rebuild = partial(pd.DataFrame, columns=X.columns, index=X.index) if isinstance(X, pd.DataFrame) else np.asarray
    rows = X.toarray() if issparse(X) else np.asarray(without_torch(X))
    if isinstance(X, pd.DataFrame) and all(map(is_numeric_dtype, X.dtypes)):
        rows = X.to_numpy(rows.dtype if rows.dtype.kind in "biuf" else np.float64)  # of pandas' own numbers
    if rows.dtype.kind not in "biuf":
        raise ValueError(
            f"X holds values of dtype {rows.dtype}, but information_score adds noise to it, so it takes numbers only. "
            "Encode the other columns first, and score the transformer that follows."
        )
    if rows.ndim < 2 or len(rows) < 2:
        raise ValueError(
            f"X has shape {rows.shape}; expected at least two rows, (n_samples, n_features) or images. For a useful "
            "score, pass more rows than there are components."
        )
    return rows.astype(rows.dtype if rows.dtype.kind == "f" else np.float64, copy=False), rebuild


def _code(estimator: Any, X: Any) -> np.ndarray:
    """Return the output of the transformer as float64, (n_samples, n_components)."""
    code = estimator.transform(X)
    code = code.toarray() if issparse(code) else np.asarray(code)
    return code.reshape(len(code), -1).astype(np.float64)
