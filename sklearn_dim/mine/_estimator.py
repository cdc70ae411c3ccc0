"""MutualInfoEstimator: mutual information by a trained critic (MINE), and a function for it."""

import math
import warnings
from functools import partial
from numbers import Integral
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.special import ndtri
from sklearn.model_selection import GroupKFold
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_dim.critics import CRITICS, UserCritic
from sklearn_dim.data import ColumnCoder, Passthrough, check_numbers, check_table, check_targets, equal_rows
from sklearn_dim.estimator import (
    InfomaxEstimator,
    Interval,
    StrOptions,
    check_feature_names,
    check_n_features,
    documented,
    fit_context,
    subtask,
    training_constraints,
)
from sklearn_dim.mine._cross_fit import (
    MAX_TOGETHER,
    CrossFit,
    Folds,
    build_pair_information,
    estimate_and_error,
    features_of,
    limits,
    mean_and_error,
    tensors,
)
from sklearn_dim.training import AverageWeights, BestWeights, RowBatches, resolve_device

AVERAGING = 0.98  # decay of the mean weights: the last 50 steps or so
WEIGHT_DECAY = 0.1  # AdamW's; ten times torch's default, as rows are few


class Pairs(NamedTuple):
    """X and y as the critics take them: for each term of the chain rule its codes of X and of y."""

    codes: list[tuple[np.ndarray, np.ndarray]]
    groups: np.ndarray
    size: int

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.groups)


@documented
class MutualInfoEstimator(InfomaxEstimator):
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

    __module__ = "sklearn_dim.mine"

    _parameter_constraints: ClassVar[dict] = {
        **training_constraints(without=("early_stopping", "warm_start")),
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

    @fit_context(prefer_skip_nested_validation=True)
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
        return self._fit(X, y, metadata=metadata)

    # The steps of a fit.

    def _read(self, X, y, *, reset, given=None):
        """Return X, y and what is given, coded, and which rows are copies of each other."""
        x_table, y_table, context = self._tables(X, y, given, reset=reset)
        n = len(x_table)
        if n < 2 * self.cv:
            raise ValueError(
                f"n_samples = {n} is too few for cv={self.cv}: each fold needs two rows. Give at least "
                f"{2 * self.cv} rows (an estimate worth reading wants hundreds), or lower cv."
            )
        chain, y_coder = chain_of(x_table, context), ColumnCoder().fit(y_table)
        self._terms = [CrossFit(self._coder(table), y_coder, sign) for table, sign in chain]
        codes = [term.codes(table, y_table) for term, (table, _) in zip(self._terms, chain, strict=True)]
        groups = np.arange(n) if self.encoder is not None else self._copies(*codes[0])
        return Pairs(codes, groups, x_table.size + y_table.size)

    def _size(self, data):
        return data.size

    def _split(self, data, seed):
        folds = GroupKFold(self.cv, shuffle=True, random_state=seed).split(data.groups, groups=data.groups)
        return Folds(list(folds), data.groups, seed)

    def _build(self, data, split):
        pass  # each fold builds its own net

    def _run(self, data, split, epochs, **told):
        """Cross-fit each term; together they are the estimate."""
        task = self._begin(len(self._terms) * self.cv, **told)
        total, lower_bounds = 0.0, []
        for term, (x, y) in zip(self._terms, data.codes, strict=True):
            contributions, lower = np.empty(data.n_rows), np.empty(data.n_rows)
            for train, held_out in split.parts:
                net = self._fit_fold(x, y, train, split, task)
                contributions[held_out], lower[held_out] = term.add(net, x, y, train, held_out)
            total = total + term.sign * contributions
            lower_bounds.append(lower)
        # A difference of two lower bounds is none.
        self._set_estimates(total, lower_bounds[0] if len(lower_bounds) == 1 else None)

    def _fit_fold(self, x, y, train, split, task):
        """Return a net trained on the rows ``train``, some of which decide when to stop."""
        _, group = np.unique(split.groups[train], return_inverse=True)
        stops = np.isin(group, self._hold_out(group.max() + 1, split.seed).valid)
        device = str(resolve_device(self.device))
        batches = RowBatches(x, y, rows=train[~stops], batch_size=self.batch_size, device=device)
        width = features_of(self.encoder, x)
        net = self._make_net(
            partial(build_pair_information, self.critic, self.mi_estimator, width, y.shape[1], self.encoder),
            watch=[AverageWeights(AVERAGING), self._patience(len(batches))],
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=WEIGHT_DECAY,
            max_epochs=self._epochs(batches, steps=2000, min_epochs=1, max_epochs=1000),
        )
        if (closed_form := net.module_.critic.closed_form) is not None:
            closed_form.fit(*tensors(net, x[train], y[train]))
        together = MAX_TOGETHER if net.module_.block is None else 8 * net.module_.block
        whole = RowBatches(x, y, rows=train[stops], shuffle=False, batch_size=together, device=device)
        if task is None:
            self._train(net, batches, whole, None)
        else:
            with subtask(self, task, "fold", net.max_epochs) as fold:
                self._train(net, batches, whole, fold)
        return net

    def _patience(self, steps_per_epoch):
        """Return the early stopping."""
        epochs = self.n_iter_no_change
        if epochs == "auto":
            epochs = max(7, math.ceil(50 / steps_per_epoch))
        options = {"n_iter_no_change": epochs, "tol": self.tol, "from_start": True}
        return BestWeights("valid_mutual_info", lower_is_better=False, **options)

    def _set_estimates(self, contributions, lower):
        objective = self.nets_[0].module_
        # The chance correlations that near independence count are those of one critic of our own.
        ours = objective.second is None and not isinstance(objective.critic, UserCritic)
        n_correlations = objective.critic.a_features * objective.critic.b_features if ours else 0
        self.mutual_info_, self.standard_error_ = estimate_and_error(contributions, n_correlations)
        rows = [("mutual_info", self.mutual_info_, self.standard_error_, "plug-in")]
        vars(self).pop("lower_bound_", None)
        if lower is not None:
            rows.append(("infonce", *mean_and_error(lower), "lower bound"))
            self.lower_bound_ = float(lower.mean())
        columns = ["estimate", "nats", "standard_error", "kind"]
        self.estimates_ = pd.DataFrame(rows, columns=columns).set_index("estimate")

    def _publish(self, data, split, seed):
        frames = [net.history_frame().assign(fold=i % self.cv) for i, net in enumerate(self.nets_)]
        self.history_ = pd.concat(frames, ignore_index=True)
        self.loss_curve_ = self.history_.groupby("epoch")["train_loss"].mean().tolist()
        self.n_iter_ = int(self.history_["epoch"].max())
        asked = {"mi_estimator": self.mi_estimator, "batch_size": self.batch_size, "max_iter": self.max_iter}
        for message, category in limits(self.mutual_info_, self.nets_, data.n_rows, **asked):
            warnings.warn(message, category, stacklevel=5)  # the caller of fit

    @property
    def nets_(self):
        """The trained nets, one per fold."""
        return [net for term in self._terms for net in term.nets]

    def _nets(self):
        return self.nets_

    def _parts(self):
        return (*super()._parts(), ColumnCoder, CrossFit, Passthrough, build_pair_information)

    # Tables in, and what the fitted critics say of them.

    def _coder(self, x_table):
        return ColumnCoder().fit(x_table) if self.encoder is None else Passthrough()

    def _copies(self, x, y):
        """Return a number for each row, the same for copies of one another; rows of discrete columns are no copies."""
        n, term = len(x), self._terms[0]
        if not (term.x_coder.continuous_ or term.y_coder.continuous_):
            return np.arange(n)
        codes = np.hstack([x, y])
        groups = equal_rows(codes)
        distinct = int(groups.max()) + 1
        if distinct < 0.9 * n and max(len(np.unique(column)) for column in codes.T) > distinct / 2:
            warnings.warn(
                f"{n - distinct} of {n} rows are copies of others. Copies share a fold, so none is valued by a critic "
                "that saw it, but they count as observations: drop them if they are none.",
                stacklevel=6,  # the caller of fit
            )
        return groups if distinct >= 2 * self.cv else np.arange(n)

    def _tables(self, X, y, given, *, reset):
        """Return X, y and what is given as validated DataFrames; X as an array if there is an encoder."""
        check_feature_names(self, X, reset=reset)
        if self.encoder is None:
            x_table = check_table(X, type(self).__name__)
        else:
            x_table = check_numbers(X, type(self).__name__, dtype=(np.float32,), allow_nd=True, hint="Encode it first.")
            if given is not None:
                raise ValueError(
                    "given= joins its columns to those of X, which an encoder does not take. Leave encoder=None, or "
                    "pass the encoded X."
                )
        check_n_features(self, x_table, reset=reset)
        if y is None:
            raise ValueError("MutualInfoEstimator requires y to be passed, but the target y is None")
        tables = [x_table, check_targets(y)]
        check_consistent_length(*tables)
        if given is None:
            return *tables, None
        context = check_targets(given, "given").reset_index(drop=True)
        check_consistent_length(x_table, context)
        return x_table.reset_index(drop=True), tables[1], context

    def _contributions(self, X, y, given):
        tables, y_table = self._new_rows(X, y, given)
        if len(y_table) < 2:
            raise ValueError("an estimate needs at least two rows: information is about pairs; got n_samples = 1.")
        return sum(term.contributions(table, y_table) for term, table in zip(self._terms, tables, strict=True))

    def _new_rows(self, X, y, given):
        """Return the validated tables of new rows, one a term, and their y."""
        check_is_fitted(self)
        x_table, y_table, context = self._tables(X, y, given, reset=False)
        fitted, asked = len(self._terms) > 1, context is not None
        if fitted != asked:
            raise ValueError(
                f"given= was {'' if fitted else 'not '}passed to fit; {'' if fitted else 'do not '}pass it here."
            )
        tables = [table for table, _ in chain_of(x_table, context)]
        coders = [("y", y_table, self._terms[0].y_coder)]
        if asked:
            coders.append(("given", context, self._terms[1].x_coder))
        for name, table, coder in coders:
            if table.shape[1] != coder.n_columns_:
                raise ValueError(
                    f"{name} has {table.shape[1]} columns, but MutualInfoEstimator was fitted with {coder.n_columns_}. "
                    "Pass the same columns as to fit."
                )
        return tables, y_table

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
        return float(np.mean(self._contributions(X, y, given)))

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
            centre, error = estimate_and_error(self._contributions(X, y, given))
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

    def __sklearn_is_fitted__(self):
        return "mutual_info_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        return tags


def chain_of(x_table, context):
    """Return the tables whose information about y adds up to what is asked, with their signs."""
    if context is None:
        return [(x_table, 1)]
    return [(pd.concat([x_table, context], axis=1), 1), (context, -1)]


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
