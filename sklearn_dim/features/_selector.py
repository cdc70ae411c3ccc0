"""MutualInfoSelector: the columns that say most about y."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklearn_dim._warnings import warn
from sklearn_dim.bounds import BOUNDS
from sklearn_dim.data import without_torch
from sklearn_dim.estimator import (
    Array,
    Interval,
    PlainState,
    StrOptions,
    check_feature_names,
    check_n_features,
    documented,
    fit_context,
    output_container,
    training_constraints,
)
from sklearn_dim.features._critics import make_plan
from sklearn_dim.features._scores import check_rows
from sklearn_dim.features._table import score_columns


@documented
class MutualInfoSelector(PlainState, SelectorMixin, BaseEstimator):
    """Keep the ``k`` columns with the most information about y.

    Columns may be numbers, classes, text, dates and booleans, and dependences of any shape. `mutual_info_features` says
    how columns are scored; here each score has an interval and a p-value.

    Parameters
    ----------
    k : int or "all", default=10
        Number of columns to keep: of equal scores, such as 0, those with smaller p-values, then the first. "all" keeps
        all, for use in a parameter search. Like ``max_p_value`` it may be changed after `fit`, which need not be called
        again.
    max_p_value : float or None, default=None
        If given, only columns whose p-value is at most this are kept, at most ``k`` of them. Take 0.05 divided by the
        number of columns to keep hardly any column that is independent of y; this needs more ``n_permutations``.
    jointly : bool, default=False
        False scores a column by I(column; y). True scores it by what it adds to all others, I(X; y) − I(X without it;
        y): this finds columns that are informative only together, but gives two copies of a column 0 each.
    n_permutations : int, default=999
        Permutations of y for the p-values, the least of which is about 1.3/n_permutations. Not used if ``jointly``.
    discrete_features : "auto", bool, or array-like of bool, positions or names, default="auto"
        Which columns of X are discrete. "auto" treats text, categories and booleans as discrete, and numbers with at
        most 20 distinct values of at least five rows each.
    discrete_target : "auto", bool, or array-like of bool, positions or names, default="auto"
        The same for y.
    mi_estimator : str or Bound, default="dv"
        The bound to train the critics with: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.
    max_iter : int or "auto", default="auto"
        Number of epochs for each half of the rows; "auto" takes about 600 steps, or 1000 if ``jointly``.
    batch_size : int or "auto", default="auto"
        Maximum number of rows in a batch; "auto" is 32, or 256 if ``jointly``.
    learning_rate_init : float or "auto", default="auto"
        AdamW's initial learning rate; "auto" is 0.02, or 0.003 if ``jointly``.
    validation_fraction : float, default=0.15
        Fraction of the training half that decides which epoch of a critic was the best.
    device : str, default="auto"
        %(device)s
    random_state : int, RandomState instance or None, default=None
        Seeds the halves, the weights, the order of the rows and the permutations.

    Attributes
    ----------
    scores_ : ndarray of shape (n_features,)
        The information of each column in nats, as `mutual_info_features` returns it; 0 for a constant column.
    intervals_ : ndarray of shape (n_features, 2)
        About 95 % intervals in nats. Critics and nearest neighbours both tend to be too low, so the higher end of the
        two is used. What neither of them sees is in no interval: with a few hundred rows these are too short if the
        dependence is strong or intricate.
    pvalues_ : ndarray of shape (n_features,)
        The p-value of each column's independence of y; 1 for a constant column. See the notes.
    n_iter_ : int
        Number of epochs that critics were trained for on each half; 0 if none was needed.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        Column names of X, if it had any and all are strings.

    See Also
    --------
    mutual_info_features : The scores alone, a ``score_func`` for `sklearn.feature_selection.SelectKBest`.
    MutualInfoEstimator : The information of y with several columns, or given others.

    Notes
    -----
    P-values come from an exact permutation test, whatever the score: rows of y are permuted, and a statistic is
    compared with its values under permutation. The statistic is the squared covariance of features of the column
    (powers of its normal scores up to the third, or indicators of its classes) and of y, summed [1]_. Unless both are
    classes, or y has several columns, a test by nearest neighbours, which see dependences of any shape, has a quarter
    of the errors that the two together may make. P-values are valid for each column; they are not corrected for the
    number of columns.

    With ``jointly``, the question is independence given the other columns, which permutations cannot answer. The
    p-value then comes from the estimate and its standard error, one-sided and normal. This is an approximation that
    needs several columns, since the error of training is measured by how far two trainings disagree on all of them.

    References
    ----------
    .. [1] A. Gretton et al., "A kernel statistical test of independence", NIPS 2007.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_dim import MutualInfoSelector
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> select = MutualInfoSelector(k=2, random_state=0).fit(X, y)
    >>> select.get_feature_names_out().tolist()
    ['petal length (cm)', 'petal width (cm)']
    >>> select.transform(X).shape
    (150, 2)
    """

    __module__ = "sklearn_dim.features"

    _doc_link_module = "sklearn_dim"
    _doc_link_template = "https://sklearn-dim.readthedocs.io/en/stable/api/generated/sklearn_dim.{estimator_name}.html"

    _parameter_constraints: ClassVar[dict] = {
        **{
            name: rules
            for name, rules in training_constraints().items()
            if name in ("mi_estimator", "max_iter", "validation_fraction", "device", "random_state")
        },
        "k": [StrOptions({"all"}), Interval(Integral, 0, None, closed="left")],
        "max_p_value": [Interval(Real, 0, 1, closed="both"), None],
        "jointly": ["boolean"],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "discrete_features": [StrOptions({"auto"}), "boolean", "array-like"],
        "discrete_target": [StrOptions({"auto"}), "boolean", "array-like"],
        "batch_size": [Interval(Integral, 4, None, closed="left"), StrOptions({"auto"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
    }
    _fitted: ClassVar[dict[str, list]] = {
        "n_features_in_": [int],
        "feature_names_in_": [Array("O", length="n_features_in_")],
        "scores_": [Array(length="n_features_in_")],
        "intervals_": [Array(rank=2, length="n_features_in_")],
        "pvalues_": [Array(length="n_features_in_")],
        "n_iter_": [int],
    }

    def __init__(
        self,
        k=10,
        *,
        max_p_value=None,
        jointly=False,
        n_permutations=999,
        discrete_features="auto",
        discrete_target="auto",
        mi_estimator="dv",
        max_iter="auto",
        batch_size="auto",
        learning_rate_init="auto",
        validation_fraction=0.15,
        device="auto",
        random_state=None,
    ):
        self.k = k
        self.max_p_value = max_p_value
        self.jointly = jointly
        self.n_permutations = n_permutations
        self.discrete_features = discrete_features
        self.discrete_target = discrete_target
        self.mi_estimator = mi_estimator
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Score the columns of X.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Columns of numbers, in a DataFrame also of categories, text, dates or booleans. At least 8 rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Numbers, classes, text or dates.

        Returns
        -------
        self : MutualInfoSelector

        Raises
        ------
        ValueError
            If X or y has missing or infinite values, or fewer than 8 rows.
        FloatingPointError
            If training diverges.

        Warns
        -----
        UserWarning
            If ``k`` is greater than the number of columns.
        """
        name = type(self).__name__
        seen = type(self)()  # takes in what X is: a fit that fails leaves the estimator as it was
        check_feature_names(seen, X, reset=True)
        table, targets = check_rows(X, y, name)
        check_n_features(seen, table, reset=True)
        if self.k != "all" and self.k > table.shape[1]:
            warn(
                f"k={self.k} is greater than n_features={table.shape[1]}. All the features will be returned.",
            )
        training = self.mi_estimator, self.max_iter, self.batch_size, self.learning_rate_init
        plan = make_plan(self.jointly, *training, self.validation_fraction, self.device)
        discrete = self.discrete_features, self.discrete_target
        scores = score_columns(table, targets, plan, *discrete, self.random_state, self.n_permutations)
        fitted = {key: value for key, value in vars(seen).items() if key.endswith("_in_")}
        fitted |= {"scores_": scores.values, "intervals_": scores.intervals, "pvalues_": scores.p_values}
        kept = {key: value for key, value in vars(self).items() if key != "feature_names_in_"}
        self.__dict__ = {**kept, **fitted, "n_iter_": scores.n_epochs}  # at once, should the fit be interrupted here
        return self

    def transform(self, X: Any) -> Any:
        """Return the selected columns.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)

        Returns
        -------
        {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_selected_features)
            Values as they are in X. Of a DataFrame an array: of numbers if all selected columns are, else of objects.
            After ``set_output(transform="pandas")`` or "polars" a DataFrame, whose columns keep their types.
        """
        check_is_fitted(self)
        X = without_torch(X)
        frame = _frame_of(X)
        if frame is None:
            return super().transform(X)
        check_feature_names(self, frame, reset=False)
        check_n_features(self, frame, reset=False)
        container, places = output_container(self), self.get_support(indices=True)
        if not len(places):
            return self._transform(np.empty(frame.shape))
        if isinstance(frame, pd.DataFrame):
            selected = frame.iloc[:, places]
        else:
            selected = frame[:, places.tolist()]
            if container == "pandas":
                selected = pd.DataFrame({i: column.to_numpy() for i, column in enumerate(selected.get_columns())})
        if container == "polars" and isinstance(selected, pd.DataFrame):
            return _to_polars(selected)
        return selected if container != "default" else _to_array(selected)

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        k = len(self.scores_) if self.k == "all" else self.k
        mask = np.zeros(len(self.scores_), dtype=bool)
        mask[np.lexsort((self.pvalues_, -self.scores_))[:k]] = True  # of equal ones the first column is first
        return mask if self.max_p_value is None else mask & (self.pvalues_ <= self.max_p_value)

    def _parts(self) -> tuple:
        return tuple(BOUNDS.values())

    def __sklearn_is_fitted__(self) -> bool:
        return "scores_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _frame_of(X: Any) -> Any:
    """Return X as a pandas or polars DataFrame; None if it is an array, a matrix or a list of numbers."""
    if isinstance(X, pd.DataFrame) or hasattr(X, "get_columns"):
        return X
    if hasattr(X, "to_pandas"):
        return X.to_pandas()
    # Numbers beside text in a list would become text.
    return pd.DataFrame(X) if isinstance(X, list) and np.asarray(X).dtype.kind in "OSU" else None


def _to_array(frame: Any) -> np.ndarray:
    """Return the values of a frame: numbers if all columns have them, else objects, as dates have no common type."""
    if isinstance(frame, pd.DataFrame):
        if any(isinstance(dtype, pd.SparseDtype) for dtype in frame.dtypes):
            frame = frame.apply(_dense)
        if not all(map(is_numeric_dtype, frame.dtypes)):
            frame = frame.to_numpy(dtype=object)
    return check_array(frame, dtype=None, input_name="X")


def _dense(column: pd.Series) -> pd.Series:
    return column.sparse.to_dense() if isinstance(column.dtype, pd.SparseDtype) else column


def _to_polars(frame: pd.DataFrame) -> Any:
    import polars

    return polars.DataFrame({str(i): frame.iloc[:, i].to_list() for i in range(frame.shape[1])})
