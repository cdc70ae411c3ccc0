"""MutualInfoEstimator, the face of MINE, and the functions on it."""

import copy
import warnings
from functools import partial
from numbers import Integral
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from scipy.special import ndtri
from sklearn.base import _fit_context
from sklearn.model_selection import KFold
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_dim._sklearn import ColumnCoder, NeuralEstimator, check_table, check_targets
from sklearn_dim.bounds import make_bound
from sklearn_dim.critics import CRITICS, make_critic
from sklearn_dim.objectives import PairInformation, shortfall
from sklearn_dim.training import RowBatches, seeded


class MutualInfoEstimator(NeuralEstimator):
    """I(X; y) in nats, by a trained critic that is valued on rows it never saw.

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
        T(x, y): "auto" is "gaussian", the closed form for a joint Gaussian plus a network that corrects it;
        or "separable", "concatenated", "bilinear", or a callable (x_features, y_features) → module.
    cv : int, default=5
        Folds.
    max_iter : int or "auto", default="auto"
        Most epochs a fold; "auto" makes at most about 2000 steps.
    batch_size : int, default=256
        Most rows in a batch; all pairs of two of its rows are independent ones.
    learning_rate_init : float, default=0.001
        Adam's step size.
    validation_fraction : float, default=0.15
        Share of a fold's training rows that decides when to stop; they are neither trained on nor valued.
    n_iter_no_change : int, default=10
        Epochs without an improvement by ``tol`` before a stop. The critic of the best epoch counts.
    tol : float, default=1e-3
        The least improvement, in nats.
    device : str, default="auto"
        "auto" is CUDA, then MPS, then the CPU; or a torch device.
    callbacks : list of skorch callbacks, default=None
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
        Its standard error.
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
    >>> mi = MutualInfoEstimator(random_state=0, max_iter=5).fit(x, y)
    >>> bool(abs(mi.mutual_info_ - 0.5 * np.log(2)) < 0.1)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **{name: rule for name, rule in NeuralEstimator._parameter_constraints.items() if name != "early_stopping"},
        "critic": [StrOptions({"auto", *CRITICS}), callable],
        "cv": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        mi_estimator="dv",
        *,
        critic="auto",
        cv=5,
        max_iter="auto",
        batch_size=256,
        learning_rate_init=1e-3,
        validation_fraction=0.15,
        n_iter_no_change=10,
        tol=1e-3,
        device="auto",
        callbacks=None,
        verbose=0,
        random_state=None,
    ):
        self.mi_estimator = mi_estimator
        self.critic = critic
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
    def fit(self, X, y):
        """Estimate I(X; y).

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Columns of numbers; in a DataFrame also categories and strings.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Numbers, classes or strings.

        Returns
        -------
        self : MutualInfoEstimator

        Raises
        ------
        ValueError
            If X or y has missing or infinite values, or fewer rows than two a fold.
        FloatingPointError
            If training diverges.
        """
        with self._all_or_nothing():
            return self._fit(X, y)

    def _fit(self, X, y):
        x_table, y_table = self._tables(X, y, reset=True)
        if len(x_table) < 2 * self.cv:
            raise ValueError(
                f"n_samples = {len(x_table)} is too few for cv={self.cv}: each fold needs two rows. Give at least "
                f"{2 * self.cv} rows (an estimate worth reading wants hundreds), or lower cv."
            )
        x_coder, y_coder = ColumnCoder().fit(x_table), ColumnCoder().fit(y_table)
        x, y = x_coder.transform(x_table), y_coder.transform(y_table)
        influence, nets, references = np.empty(len(x)), [], []
        with seeded(self.random_state, x.size + y.size) as seed:
            for train, held_out in KFold(self.cv, shuffle=True, random_state=seed).split(x):
                net = self._fit_fold(x, y, train, seed)
                influence[held_out] = self._value(net, x[held_out], y[held_out])
                influence[held_out] += self._shortfall(net, x, y, train, held_out)
                nets.append(net)
                references.append((x[held_out[:1000]], y[held_out[:1000]]))
        self._coders, self._references, self.nets_ = (x_coder, y_coder), references, nets
        self._publish(influence)
        return self

    def _fit_fold(self, x, y, train, seed):
        """Train a critic on the rows ``train``."""
        fitted, stopping = self._split(len(train), seed)
        bound = make_bound(self.mi_estimator)
        build = partial(build_pair_information, self.critic, bound, x.shape[1], y.shape[1])
        keep = self._keep_best("valid_mutual_info", lower_is_better=False, from_start=True)
        net = self._make_net(build, keep=keep)
        if (closed_form := _closed_form(net)) is not None:
            closed_form.fit(*_tensors(net, x[train], y[train]))
        options = {"batch_size": self.batch_size, "device": net.device}
        batches = RowBatches(x, y, rows=train[fitted], **options)
        whole = RowBatches(x, y, rows=train[stopping], shuffle=False, **{**options, "batch_size": 2048})
        net.set_params(max_epochs=self._epochs(batches, steps=2000, least=1, most=200))
        net.partial_fit(batches, whole)
        net.module_.eval()
        return net

    def _value(self, net, x, y):
        """Return the rows' influences: their mean is the estimate."""
        with torch.no_grad():
            return torch.cat([net.module_.valued(batch).influence for batch in _valued_in(net, x, y)]).cpu().numpy()

    def _shortfall(self, net, x, y, train, held_out):
        """Return what the rows' influences lack because a critic in closed form was fitted on few rows."""
        if (closed_form := _closed_form(net)) is None:
            return 0.0
        batches = _valued_in(net, x[held_out], y[held_out])
        return shortfall(closed_form, _tensors(net, x[train], y[train]), batches).cpu().numpy()

    def _publish(self, influence):
        frames = [net.history_frame().assign(fold=fold) for fold, net in enumerate(self.nets_)]
        self.history_ = pd.concat(frames, ignore_index=True)
        self.loss_curve_ = self.history_.groupby("epoch")["train_loss"].mean().tolist()
        self.n_iter_ = int(self.history_["epoch"].max())
        self.standard_error_ = float(influence.std(ddof=1) / np.sqrt(len(influence)))
        self.mutual_info_ = float(influence.mean())
        most = np.log(len(influence))
        if self.mutual_info_ > most:
            warnings.warn(
                f"the estimate of {self.mutual_info_:.3g} nats is beyond ln n = {most:.1f}, about the most that "
                f"n_samples = {len(influence)} can certify. If y is a function of X, and both are continuous, the "
                "information is infinite; else give more rows.",
                stacklevel=5,  # the caller of fit
            )

    def _tables(self, X, y, *, reset):
        """Return X and y as DataFrames of validated columns."""
        x_table = check_table(self, X, reset=reset)
        if y is None:
            raise ValueError("MutualInfoEstimator requires y to be passed, but the target y is None")
        y_table = check_targets(y)
        check_consistent_length(x_table, y_table)
        return x_table, y_table

    def score(self, X, y):
        """Return the estimate of I(X; y) in nats on these rows, by the mean of the folds' critics as they are.

        Parameters
        ----------
        X : as in `fit`
            At least two rows, none of them used in `fit` if the number is to be trusted.
        y : as in `fit`

        Returns
        -------
        float
        """
        return float(np.mean(self._influence(X, y)))

    def confidence_interval(self, X=None, y=None, level=0.95):
        """Return an interval for I(X; y), from the estimate's standard error over rows.

        Parameters
        ----------
        X, y : as in `score`, default=None
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
            influence = self._influence(X, y)
            centre, error = influence.mean(), influence.std(ddof=1) / np.sqrt(len(influence))
        reach = ndtri(0.5 + level / 2) * error
        return float(centre - reach), float(centre + reach)

    def pointwise(self, X, y):
        """Return the pointwise mutual information log p(x, y)/p(x)p(y) of each row, in nats.

        Parameters
        ----------
        X, y : as in `score`

        Returns
        -------
        ndarray of shape (n_samples,)
            The mean of the folds' critics, each normalised on the rows it was valued on.
        """
        rows = self._codes(X, y)
        values = []
        for net, reference in zip(self.nets_, self._references, strict=True):
            with torch.no_grad():
                tensors = _tensors(net, *rows), _tensors(net, *reference)
                values.append(net.module_.pointwise(*tensors).cpu().numpy())
        return np.mean(values, axis=0)

    def _influence(self, X, y):
        x, y = self._codes(X, y)
        if len(x) < 2:
            raise ValueError("an estimate needs at least two rows: information is about pairs; got n_samples = 1.")
        return np.mean([self._value(net, x, y) for net in self.nets_], axis=0)

    def _codes(self, X, y):
        """Return validated new rows as the critics take them."""
        check_is_fitted(self)
        x_table, y_table = self._tables(X, y, reset=False)
        x_coder, y_coder = self._coders
        if y_table.shape[1] != y_coder.n_columns_:
            raise ValueError(
                f"y has {y_table.shape[1]} columns, but MutualInfoEstimator was fitted with {y_coder.n_columns_}. Pass "
                "the same targets as to fit."
            )
        return x_coder.transform(x_table), y_coder.transform(y_table)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        return tags


def _tensors(net, *arrays):
    """Return arrays as tensors on the net's device."""
    return tuple(torch.as_tensor(array, device=net.device) for array in arrays)


def _valued_in(net, x, y, most=2048):
    """Return the batches, of at most 2048 rows, whose pairs are the independent ones of an estimate."""
    return RowBatches(x, y, batch_size=most, shuffle=False, device=net.device)


def _closed_form(net):
    """Return the part of the net's critic that is set without training, if it has one."""
    return getattr(net.module_.critic, "closed_form", None)


def build_pair_information(critic, bound, x_features, y_features) -> PairInformation:
    """Wire an objective for pairs of rows of two widths."""
    critic = "gaussian" if critic == "auto" else critic
    return PairInformation(make_critic(critic, x_features, y_features), copy.deepcopy(bound))


def mutual_info(X, y, **params) -> float:
    """Return I(X; y) in nats; ``params`` are those of `MutualInfoEstimator`.

    Parameters
    ----------
    X, y : as in `MutualInfoEstimator.fit`
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
    >>> bool(abs(mutual_info(x[:, None], x, random_state=0, max_iter=3) - np.log(2)) < 0.05)
    True
    """
    return MutualInfoEstimator(**params).fit(X, y).mutual_info_
