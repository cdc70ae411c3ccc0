"""MutualInfoEstimator, the face of MINE, and the functions on it."""

from numbers import Integral
from typing import ClassVar

import numpy as np
import torch
from scipy.special import ndtri
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_dim._pair_estimator import PairEstimator, estimate_and_error
from sklearn_dim._sklearn import NeuralEstimator
from sklearn_dim.critics import CRITICS


class MutualInfoEstimator(PairEstimator):
    """I(X; y), or I(X; y | Z), in nats, by a trained critic that is valued on rows it never saw.

    The rows are cut into ``cv`` folds. For each a critic is trained on the others by the bound
    ``mi_estimator`` [1]_, and the fold is valued by the Donsker–Varadhan form of the critic's log-ratio over
    all its pairs, so that every row counts once, held out, and bounds compare.

    Continuous columns are first turned to normal scores and discrete ones to indicators, which changes
    no information. What the closed-form part of the critic loses by having been fitted on few rows is measured
    on held-out rows as well, with half the rows, and added.

    Parameters
    ----------
    mi_estimator : str or Bound, default="dv"
        The bound that trains the critic: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.
    critic : str or callable, default="auto"
        T(x, y): "auto" is "gaussian", the closed form for a joint Gaussian plus a network that corrects it (with an
        encoder "separable"); or "separable", "concatenated", "bilinear", "encode_and_dot", or a callable
        (x_features, y_features) → module.
    encoder : Module, default=None
        X (n_samples, ...) → features (n_samples, k), trained with the critic, a copy a fold. With it X may be images,
        sequences or any numeric array, and reaches the encoder as it is, in float32.
    cv : int, default=5
        Folds. Rows that are copies of one another share a fold.
    max_iter : int or "auto", default="auto"
        Most epochs a fold; "auto" makes at most about 2000 steps.
    batch_size : int, default=256
        Most rows in a batch; all pairs of two of its rows are independent ones.
    learning_rate_init : float, default=0.003
        Adam's step size.
    validation_fraction : float, default=0.15
        Share of a fold's training rows that decides when to stop; they are neither trained on nor valued.
    n_iter_no_change : int or "auto", default="auto"
        Epochs without an improvement by ``tol`` before a stop. The critic of the best epoch counts.
        "auto" is 7 epochs, or as many as make 50 steps.
    tol : float, default=1e-3
        The least improvement, in nats.
    device : str, default="auto"
        "auto" is CUDA, then MPS, then the CPU; or a torch device.
    callbacks : list of skorch callbacks, default=None
        `sklearn_dim.training.ResumableCheckpoint`, say, by which a fit that was killed goes on. Those of scikit-learn
        1.9, such as its progress bar, are given to ``set_callbacks``.
    verbose : int, default=0
        1 prints a line an epoch.
    random_state : int, RandomState instance or None, default=None
        Seeds folds, weights and order. Global random streams are left alone.

    Attributes
    ----------
    mutual_info_ : float
        I(X; y) in nats, held out: a plug-in estimate, not a lower bound. Near zero it may be negative: the noise of
        an honest estimate has both signs.
    standard_error_ : float
        Its standard error: that of the mean over the rows and, which counts near zero, of chance correlations; an
        estimate below zero errs by at least its size.
    lower_bound_ : float
        The InfoNCE value of the same critics on the same held-out rows: a lower bound of I(X; y) in expectation, and
        never above the log of the rows valued together (a fold, at most 2048). Not with ``given``.
    estimates_ : DataFrame
        Both numbers, with columns "nats", "standard_error" and "kind", which is "plug-in" or "lower bound".
    history_ : DataFrame
        One row an epoch of a fold.
    loss_curve_ : list of float
        Training loss of each epoch, mean over folds.
    n_iter_ : int
        Epochs run in the longest fold.
    nets_ : list of InformationNet
        The trained nets, one a fold.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        Column names of X, if it had any.

    References
    ----------
    .. [1] M. I. Belghazi et al., "Mutual information neural estimation", ICML 2018, eq. 10.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dim import MutualInfoEstimator
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1000, 1))
    >>> y = x + rng.normal(size=(1000, 1))
    >>> mi = MutualInfoEstimator(random_state=0).fit(x, y)
    >>> bool(abs(mi.mutual_info_ - 0.5 * np.log(2)) < 0.1)
    True
    >>> mi.estimates_["kind"].tolist()
    ['plug-in', 'lower bound']
    """

    _parameter_constraints: ClassVar[dict] = {
        **{name: rule for name, rule in NeuralEstimator._parameter_constraints.items() if name != "early_stopping"},
        "critic": [StrOptions({"auto", *CRITICS}), callable],
        "encoder": [torch.nn.Module, None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    }

    def __init__(
        self,
        mi_estimator="dv",
        *,
        critic="auto",
        encoder=None,
        cv=5,
        max_iter="auto",
        batch_size=256,
        learning_rate_init=3e-3,
        validation_fraction=0.15,
        n_iter_no_change="auto",
        tol=1e-3,
        device="auto",
        callbacks=None,
        verbose=0,
        random_state=None,
    ):
        self.mi_estimator = mi_estimator
        self.critic = critic
        self.encoder = encoder
        self.cv = cv
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.device = device
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, given=None):
        """Estimate I(X; y), or I(X; y | given) by the chain rule.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Columns of numbers; in a DataFrame also categories and strings. With an ``encoder`` an array of any shape.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Numbers, classes or strings.
        given : array-like of shape (n_samples,) or (n_samples, n_conditions), default=None
            Z: what is known already. I(X; y | Z) = I(X, Z; y) − I(Z; y), both valued on the same rows.

        Returns
        -------
        self : MutualInfoEstimator

        Raises
        ------
        ValueError
            If X, y or given has missing or infinite values, or fewer rows than two a fold.
        FloatingPointError
            If training diverges.

        Warns
        -----
        ConvergenceWarning
            If most folds were still improving when their epochs ran out.
        UserWarning
            If the estimate is beyond what the sample or the bound can show, or many rows are copies.
        """
        metadata = None if given is None else {"given": given}
        with self._all_or_nothing(X=X, y=y, metadata=metadata):
            return self._fit(X, y, given)

    def score(self, X, y, given=None):
        """Return the estimate in nats on these rows, by the mean of the folds' critics as they are.

        Parameters
        ----------
        X : as in `fit`
            At least two rows, none of them used in `fit` if the number is to be trusted.
        y, given : as in `fit`

        Returns
        -------
        float
        """
        return float(np.mean(self._influence(X, y, given)))

    def confidence_interval(self, X=None, y=None, given=None, level=0.95):
        """Return an interval for the information, from the estimate's standard error over rows.

        Parameters
        ----------
        X, y, given : as in `score`, default=None
            New rows; by default the interval is that of ``mutual_info_``.
        level : float in (0, 1), default=0.95

        Returns
        -------
        low, high : float
            In nats.
        """
        check_is_fitted(self)
        if not 0 < level < 1:
            raise ValueError(f"level={level!r} must lie between 0 and 1, such as 0.95.")
        centre, error = self.mutual_info_, self.standard_error_
        if X is not None:
            centre, error = estimate_and_error(self._influence(X, y, given))
        reach = ndtri(0.5 + level / 2) * error
        return float(centre - reach), float(centre + reach)

    def pointwise(self, X, y, given=None):
        """Return the pointwise mutual information log p(x, y)/p(x)p(y) of each row, in nats.

        Parameters
        ----------
        X, y, given : as in `score`

        Returns
        -------
        ndarray of shape (n_samples,)
            The mean of the folds' critics, each normalised on the rows it was valued on. With ``given`` it is
            log p(x, y | z)/p(x | z)p(y | z).
        """
        tables, y_table = self._new_rows(X, y, given)
        return sum(term.pointwise(table, y_table) for term, table in zip(self._terms, tables, strict=True))

    def p_value(self, X=None, y=None, *, n_permutations=999):
        """Return the p-value of a permutation test of independence against a trained critic.

        The statistic is the critic's mean log-ratio; the rows of y are permuted, the critic stays. It is exact, for the
        critic never saw these rows. Many fits, such as those of
        `sklearn.model_selection.permutation_test_score`, are not needed.

        Parameters
        ----------
        X, y : as in `score`, default=None
            New rows, valued by the mean of the folds' critics. By default the rows (at most 2048) of the first fold,
            by the one critic that never saw them: 1/cv of the sample.
        n_permutations : int, default=999
            The least p-value is 1/(n_permutations + 1).

        Returns
        -------
        float

        Raises
        ------
        ValueError
            After a fit with ``given``: rows are exchangeable under independence, not under independence given Z.
        """
        check_is_fitted(self)
        if len(self._terms) > 1:
            raise ValueError(
                "p_value() permutes rows, which tests independence, not independence given Z. Use "
                "confidence_interval() after a fit with given=."
            )
        rows = ()
        if X is not None:
            (x_table,), y_table = self._new_rows(X, y, None)
            rows = x_table, y_table
        table = self._terms[0].log_ratios(*rows)
        rng = check_random_state(self.random_state)
        order = np.arange(len(table))
        drawn = np.array([table[order, rng.permutation(order)].mean() for _ in range(n_permutations)])
        return float((1 + np.sum(drawn >= table.diagonal().mean() - 1e-12)) / (n_permutations + 1))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        return tags


def mutual_info(X, y, given=None, **params) -> float:
    """Return I(X; y), or I(X; y | given), in nats.

    Parameters
    ----------
    X, y, given : as in `MutualInfoEstimator.fit`
    **params
        Parameters of `MutualInfoEstimator`.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dim import mutual_info
    >>> x = np.random.default_rng(0).integers(2, size=400)
    >>> bool(abs(mutual_info(x[:, None], x, random_state=0) - np.log(2)) < 0.05)
    True
    """
    return MutualInfoEstimator(**params).fit(X, y, given=given).mutual_info_
