"""MutualInfoEstimator: mutual information by a trained critic (MINE), and a function for it."""

import math
from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from scipy.special import ndtri
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_dim._arguments import refuse_few_to_train_on
from sklearn_dim._warnings import warn
from sklearn_dim.critics import CRITICS
from sklearn_dim.data import ColumnCoder, Passthrough, check_lengths, check_numbers, check_table, check_targets
from sklearn_dim.estimator import (
    Each,
    HasMethods,
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
from sklearn_dim.mine._bases import FEW_ROWS, MAX_COLUMNS, CrossTable, cap_of, few_columns, with_neighbors, within
from sklearn_dim.mine._closed_forms import FORMS, choose_closed_form
from sklearn_dim.mine._components import Components, choose_components
from sklearn_dim.mine._contingency import Contingency
from sklearn_dim.mine._cross_fit import (
    MAX_TOGETHER,
    CrossFit,
    Pairs,
    Part,
    build_pair_information,
    estimate_and_error,
    extrapolated,
    features_of,
    folds_of,
    halves_of,
    limits,
    mean_and_error,
    random_order,
    reference_of,
    stop_rows,
    tensors,
)
from sklearn_dim.mine._input import chain_of, check_groups, check_new_rows, check_positive_int, copies_in, picked
from sklearn_dim.mine._permutation import Chunk, blocks_of, like_rows, permutation_p_value
from sklearn_dim.training import AverageWeights, BestWeights, RowBatches, resolve_device

MIN_ROWS = 10  # with fewer nothing is held out that could tell a dependence from chance
AVERAGING = 0.98  # decay of the mean weights: the last 50 steps or so
WEIGHT_DECAY = 0.1  # AdamW's; ten times torch's default, as rows are few


@documented
class MutualInfoEstimator(InfomaxEstimator):
    """I(X; y), or I(X; y | Z), in nats, for columns of any kind.

    The rows are cut into ``cv`` folds. For each fold a critic is trained on the other rows by the bound
    ``mi_estimator`` [1]_, and the fold is evaluated by the Donsker–Varadhan form of the critic's log-ratio over all its
    pairs. So every row is evaluated once, by a critic that never saw it, and results compare across bounds.

    The kinds of columns decide what a critic starts from. Continuous columns become normal scores, and the critic is a
    closed form, corrected by a network: that of a joint Gaussian, or, where held-out rows say so, of a Student
    distribution, or a logistic regression where one side is a class. Wide and collinear sides are reduced to leading
    components. With at most four columns in all, nearest neighbours give an estimate as well, and the larger of the two
    is used, because both tend to be too low. Two discrete sides need neither: the estimate is that of their contingency
    table, corrected for its bias. ``bases_`` says which it was.

    Rows must be independent of each other. If they are not (time series, several rows per subject, copies), pass
    ``groups``: otherwise intervals and p-values are wrong.

    Parameters
    ----------
    mi_estimator : str or Bound, default="dv"
        The bound that trains the critic: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.
    critic : str or callable, default="auto"
        T(x, y). "auto" chooses by the columns, as above; with an encoder it is "separable". All others are
        networks alone: "gaussian" or "student" (a closed form and its correction), "separable", "concatenated",
        "bilinear", "encode_and_dot", or a callable (x_features, y_features) → module.
    encoder : Module, default=None
        X (n_samples, ...) → features (n_samples, k), trained with the critic, one copy per fold. With it X may be
        images, sequences or any numeric array, and reaches the encoder unchanged, in float32.
    discrete_features : "auto", bool, or array-like of bool, positions or names, default="auto"
        Which columns of X are discrete. "auto" treats text, categories and booleans as discrete, and numbers with at
        most 20 distinct values of at least five rows each.
    discrete_target : "auto", bool, or array-like of bool, positions or names, default="auto"
        The same for y.
    cv : int or splitter, default=5
        Number of folds, or a splitter of scikit-learn, which is given ``groups``.
    max_iter : int or "auto", default="auto"
        Maximum number of epochs per fold; "auto" makes at most about 2000 steps.
    batch_size : int, default=256
        Maximum number of rows in a batch; pairs of two of its rows are negatives: all of them, or for the default
        critic, which needs fewer, those within blocks.
    learning_rate_init : float, default=0.003
        %(learning_rate_init)s
    validation_fraction : float, default=0.15
        Fraction of a fold's training rows that decides when to stop, at most 20 480 of them; they are neither trained
        on nor evaluated.
    n_iter_no_change : int or "auto", default="auto"
        Epochs without an improvement by ``tol`` before a stop. The critic of the best epoch counts.
        "auto" is 7 epochs, or as many as make 50 steps; with several columns 4 until a critic improves on its closed
        form, and half of that if none of the folds before has.
    tol : float, default=1e-3
        %(tol)s
    device : str, default="auto"
        %(device)s
    callbacks : list of skorch callbacks, default=None
        %(callbacks)s
    verbose : int, default=0
        %(verbose)s
    random_state : int, RandomState instance or None, default=None
        Seeds the folds, the weights and the order of the rows. Global random states are not changed.

    Attributes
    ----------
    mutual_info_ : float
        I(X; y) in nats: a plug-in estimate, not a lower bound. Near zero it may be negative: the noise of an honest
        estimate has both signs.
    standard_error_ : float
        Its standard error: that of the mean over rows, or over groups, and, which counts near zero, of chance
        correlations; an estimate below zero errs by at least its size.
    lower_bound_ : float
        The InfoNCE value of the critics on the rows that they never saw: a lower bound of I(X; y) in expectation, and
        never above the log of the number of rows evaluated together (a fold, at most 2048). Not with ``given``.
    missed_ : tuple of two floats
        Nats by which the estimate is probably too high, and too low, because rows are few: extrapolated from what a
        critic trained on half of the rows misses. The first is 0 without ``given``, which subtracts an information.
    bases_ : list of {"network", "neighbors", "table"}
        Where each information comes from; two entries with ``given``.
    estimates_ : DataFrame
        Estimate and lower bound, with columns "nats", "standard_error" and "kind", which is "plug-in" or "lower bound".
    history_ : DataFrame
        One row per epoch of a fold; none where no network was trained.
    loss_curve_ : list of float
        Training loss of each epoch, mean over folds.
    n_iter_ : int
        Number of epochs run in the longest fold.
    nets_ : list of InformationNet
        The trained nets, one per fold.
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
        "critic": [StrOptions({"auto", "student", *CRITICS}), callable],
        "encoder": [torch.nn.Module, None],
        "discrete_features": [StrOptions({"auto"}), "boolean", "array-like"],
        "discrete_target": [StrOptions({"auto"}), "boolean", "array-like"],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split", "get_n_splits"])],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    }
    _fitted: ClassVar[dict[str, list]] = {
        **InfomaxEstimator._fitted,
        "standard_error_": [float],
        "missed_": [Each(float)],
        "lower_bound_": [float],
        "bases_": [Each(str)],
        "estimates_": [pd.DataFrame],
        "_terms": [Each([CrossFit, CrossTable])],
        "_given_coder": [ColumnCoder, None],
    }

    def __init__(
        self,
        mi_estimator="dv",
        *,
        critic="auto",
        encoder=None,
        discrete_features="auto",
        discrete_target="auto",
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
        self.discrete_features = discrete_features
        self.discrete_target = discrete_target
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
    def fit(self, X, y, given=None, groups=None):
        """Estimate I(X; y), or I(X; y | given) by the chain rule.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Columns of numbers; in a DataFrame also categories, strings and dates. With an ``encoder`` an array of any
            shape.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Numbers, classes, strings or dates.
        given : array-like of shape (n_samples,) or (n_samples, n_conditions), default=None
            Z: what is known already. I(X; y | Z) = I(X, Z; y) − I(Z; y), both valued on the same rows.
        groups : array-like of shape (n_samples,), default=None
            Rows that depend on each other: those of a subject, a block of time, copies of one observation. A group
            never lies on both sides of a fold, standard errors count groups, and `p_value` exchanges whole groups.

        Returns
        -------
        self : MutualInfoEstimator

        Raises
        ------
        ValueError
            If X, y or given has missing or infinite values, there are fewer than ten rows or two per fold, or
            ``validation_fraction`` leaves fewer than two rows of a fold to train on.
        FloatingPointError
            If training diverges.

        Warns
        -----
        ConvergenceWarning
            If most folds were still improving when their epochs ran out.
        UserWarning
            If the estimate is beyond what the sample or the bound can show.
        """
        metadata = {name: value for name, value in (("given", given), ("groups", groups)) if value is not None}
        return self._fit(X, y, metadata=metadata or None)

    # The steps of a fit.

    def _read(self, X, y, *, reset, given=None, groups=None):
        """Return X, y and what is given, coded, in random order."""
        x_table, y_table, context = self._tables(X, y, given, reset=reset)
        n = len(x_table)
        least = max(MIN_ROWS, 2 * self.cv if isinstance(self.cv, Integral) else 0)
        if n < least:
            raise ValueError(
                f"n_samples = {n} is too few for cv={self.cv}: each fold needs two rows. Give at least {least} rows "
                "(a useful estimate needs hundreds), or lower cv."
            )
        chain = chain_of(x_table, context)
        y_coder = ColumnCoder(name="y").fit(y_table, self.discrete_target)
        self._given_coder = None if context is None else ColumnCoder(name="given").fit(context)
        self._terms = [self._term(table, y_coder, sign) for table, sign in chain]
        codes = [term.codes(table, y_table) for term, (table, _) in zip(self._terms, chain, strict=True)]
        if groups is None and self.encoder is None and (n_copies := copies_in(self._terms[0], *codes[0])):
            warn(
                f"{n_copies} of {n} rows are copies of others. If these are repeated observations, pass groups= with "
                "one number per observation: otherwise critics are evaluated on rows that they were trained on.",
            )
        numbers = [
            few_columns(term, table, y_table) if self._has_few_columns(table, y_table, groups) else None
            for term, (table, _) in zip(self._terms, chain, strict=True)
        ]
        caps = [
            cap_of(term, table, y_table) if self._has_cap(term, n) else None
            for term, (table, _) in zip(self._terms, chain, strict=True)
        ]
        given = None if context is None else self._given_coder.transform(context)
        size, order = x_table.size + y_table.size, random_order(*codes[0])
        return Pairs(codes, numbers, caps, order, check_groups(groups, n), given, size)

    def _has_few_columns(self, table, y_table, groups) -> bool:
        """Return whether nearest neighbours may count; rows of one group would be each other's."""
        if not self._is_free() or groups is not None:
            return False
        return table.shape[1] + y_table.shape[1] <= MAX_COLUMNS

    def _has_cap(self, term, n: int) -> bool:
        """Return whether a side is discrete, whose entropy no information exceeds, or rows are few."""
        if self.encoder is not None:
            return False
        return not (term.x_coder.continuous_ and term.y_coder.continuous_) or n < FEW_ROWS

    def _term(self, table, y_coder, sign):
        """Return what estimates one information of the chain: a contingency table, or nets."""
        if self.encoder is not None:
            return CrossFit(Passthrough(), y_coder, sign)
        coder = ColumnCoder() if sign == 1 else ColumnCoder(name="given")
        coder.fit(table, self.discrete_features if sign == 1 else "auto")
        tabulated = self.critic == "auto" and not (coder.continuous_ or y_coder.continuous_)
        return (CrossTable if tabulated else CrossFit)(coder, y_coder, sign)

    def _size(self, data):
        return data.size

    def _split(self, data, seed):
        return folds_of(data, self.cv, seed)

    def _build(self, data, split):
        pass  # each fold builds its own net

    def _run(self, data, split, epochs, **told):
        """Cross-fit each term; together they are the estimate."""
        folds = split
        task = self._begin(len(self._terms) * len(folds), **told)
        parts = [self._cross_fit(i, data, folds, task) for i in range(len(self._terms))]
        # A difference of two lower bounds is none.
        self._set_estimates(parts, data.groups)

    def _cross_fit(self, i, data, folds, task):
        """Return what a term says of the rows, each by critics that never saw it."""
        term, (x, y), n = self._terms[i], data.codes[i], len(data.order)
        contributions, lower, times = np.zeros(n), np.zeros(n), np.zeros(n)
        for number, (train, held_out) in enumerate(folds, start=1):
            hopeless = bool(term.nets) and not term.has_learned()
            part = f"{f'term {i + 1}/{len(self._terms)}, ' if len(self._terms) > 1 else ''}fold {number}/{len(folds)}"
            own, own_lower = self._add_fold(term, data, x, y, train, held_out, task, hopeless, part)
            term.references.append(reference_of(data, x, y, held_out))
            contributions[held_out] += own
            lower[held_out] += own_lower
            times[held_out] += 1
        valued = times > 0  # a splitter may leave rows out, or hold them out more than once
        part = Part(contributions[valued] / times[valued], lower[valued] / times[valued], valued)
        n_train = np.mean([len(train) for train, _ in folds])
        part = part._replace(missed=self._fit_half(term, data, x, y, part, n_train))
        if isinstance(term, CrossTable):
            return term.whole(part, x, y)
        if data.numbers[i] is not None:
            part = with_neighbors(part, data.order, *data.numbers[i])
        return part if data.caps[i] is None else within(part, data.caps[i])

    def _add_fold(self, term, data, x, y, train, held_out, task, hopeless, part):
        """Give a term the critic of a fold; return the contributions of the rows that it never saw."""
        if isinstance(term, CrossTable):
            fold = term.train(x[train], y[train])
        else:
            stops = stop_rows(train, data.groups, self.validation_fraction)
            refuse_few_to_train_on(len(train), int(stops.sum()), self.validation_fraction)
            term.components.append(self._components(x[train], y[train], stops))
            fold = self._fit_fold(*term.in_fold(len(term.nets), x, y), train, stops, task, hopeless, part)
        return term.add(fold, x, y, train, held_out)

    def _fit_half(self, term, data, x, y, part, n_train):
        """Give a term the critic of half the rows, and return how much it lacks beside those of the folds.

        What half the rows lack beside the folds' critics, which had ``n_train`` of them, tells what those lack beside
        the truth. Where no network gained anything over its closed form, whose lack is corrected already, there is
        nothing to measure.
        """
        train, held_out = halves_of(data)
        term.half = type(term)(term.x_coder, term.y_coder, term.sign)
        of_half, _ = self._add_fold(term.half, data, x, y, train, held_out, None, not term.has_learned(), None)
        term.half.references.append(reference_of(data, x, y, held_out, MAX_TOGETHER))
        if len(data.order) < FEW_ROWS or isinstance(term, CrossTable) or not term.has_learned():
            return 0.0
        of_all = np.full(len(part.valued), np.nan)  # a splitter may leave rows out
        of_all[part.valued] = part.contributions
        return extrapolated(float(np.nanmean(of_all[held_out] - of_half)), len(train), n_train)

    def _is_free(self) -> bool:
        """Return whether the columns decide what a critic starts from."""
        return self.critic == "auto" and self.encoder is None

    def _components(self, x, y, stops):
        """Return what maps the sides of a fold's training rows to leading components, where these are enough."""
        return choose_components(x, y, stops) if self.encoder is None else (None, None)

    def _fit_fold(self, x, y, train, stops, task, hopeless, part):
        """Return a net trained on the rows ``train``; those of them that ``stops`` marks decide when to stop.

        ``hopeless`` says that no fold before has gained anything over its closed form: this one is given less time.
        ``part`` says which fold it is; None leaves out the user's callbacks.
        """
        device = str(resolve_device(self.device))
        batches = RowBatches(x, y, rows=train[~stops], batch_size=self.batch_size, device=device)
        width = features_of(self.encoder, x)
        form = choose_closed_form(x[train], y[train], stops) if self._is_free() else None
        net = self._make_net(
            partial(build_pair_information, self.critic, self.mi_estimator, width, y.shape[1], self.encoder, form),
            watch=[AverageWeights(AVERAGING), self._patience(len(batches), hopeless, x.shape[1] * y.shape[1])],
            quiet=part is None,
            part=part or "",
            about=f"{len(train)} rows",
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=WEIGHT_DECAY,
            max_epochs=self._epochs(batches, steps=2000, min_epochs=1, max_epochs=1000),
        )
        if (closed_form := net.module_.critic.closed_form) is not None:
            closed_form.fit(*tensors(net, x[train], y[train]))
        together = 8 * net.module_.block if net.module_.critic.pairwise else MAX_TOGETHER
        whole = RowBatches(x, y, rows=train[stops], shuffle=False, batch_size=together, device=device)
        if task is None:
            self._train(net, batches, whole, None)
        else:
            with subtask(self, task, "fold", net.max_epochs) as fold:
                self._train(net, batches, whole, fold)
        return net

    def _patience(self, steps_per_epoch, hopeless, n_pairs):
        """Return the early stopping."""
        later = start = self.n_iter_no_change
        if self.n_iter_no_change == "auto":
            later = start = max(7, math.ceil(50 / steps_per_epoch))
            # A closed form is often all there is; but what two numbers share, such as an edge, may take long to begin.
            if self.encoder is None and self.critic in ("auto", *FORMS) and n_pairs > 1:
                epochs, steps = (2, 25) if hopeless else (4, 50)
                start = max(epochs, math.ceil(steps / steps_per_epoch))
        options = {"n_iter_no_change": later, "n_iter_no_start": start, "tol": self.tol, "from_start": True}
        return BestWeights("valid_mutual_info", lower_is_better=False, **options)

    def _set_estimates(self, parts, groups):
        valued = np.logical_and.reduce([part.valued for part in parts])
        total = sum(
            term.sign * part.contributions[valued[part.valued]] for term, part in zip(self._terms, parts, strict=True)
        )
        groups = None if groups is None else groups[valued]
        self.mutual_info_, error = estimate_and_error(total, self._n_correlations(), groups)
        # What a base knows of its own error beyond the spread of the rows.
        self.standard_error_ = math.hypot(error, *(part.extra_error for part in parts))
        missed = [(term.sign, part.missed) for term, part in zip(self._terms, parts, strict=True)]
        self.missed_ = tuple(sum(nats for sign, nats in missed if sign == side) for side in (-1, 1))
        rows = [("mutual_info", self.mutual_info_, self.standard_error_, "plug-in")]
        vars(self).pop("lower_bound_", None)
        if len(parts) == 1:  # a difference of two lower bounds is none
            lower, error = mean_and_error(parts[0].lower, groups)
            rows.append(("infonce", lower, error, "lower bound"))
            self.lower_bound_ = lower
        self.bases_ = [part.base for part in parts]
        columns = ["estimate", "nats", "standard_error", "kind"]
        self.estimates_ = pd.DataFrame(rows, columns=columns).set_index("estimate")

    def _n_correlations(self) -> int:
        """Return how many chance correlations the first critic sees."""
        if not self.nets_:
            return 0
        critic = self.nets_[0].module_.critic
        return critic.a_features * critic.b_features

    def _publish(self, data, split, seed):
        frames = [net.history_frame().assign(fold=i % len(split)) for i, net in enumerate(self.nets_)]
        empty = pd.DataFrame({"epoch": [], "train_loss": [], "valid_mutual_info": [], "fold": []})
        self.history_ = pd.concat(frames, ignore_index=True) if frames else empty
        self.loss_curve_ = self.history_.groupby("epoch")["train_loss"].mean().tolist()
        self.n_iter_ = int(self.history_["epoch"].max()) if frames else 0
        asked = {"mi_estimator": self.mi_estimator, "batch_size": self.batch_size, "max_iter": self.max_iter}
        for message, category in limits(self.mutual_info_, self.nets_, len(data.order), **asked) if frames else ():
            warn(message, category)

    @property
    def nets_(self):
        """The trained nets, one per fold."""
        return [net for term in self._terms for net in term.nets]

    def _nets(self):
        return self.nets_

    def _parts(self):
        return (
            *super()._parts(),
            ColumnCoder,
            Components,
            Contingency,
            CrossFit,
            CrossTable,
            Passthrough,
            build_pair_information,
        )

    # Tables in, and what the fitted critics say of them.

    def _tables(self, X, y, given, *, reset):
        """Return X, y and what is given as validated DataFrames; X as an array if there is an encoder."""
        X = X.to_frame() if isinstance(X, pd.Series) else X
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
        check_lengths(*tables)
        if given is None:
            return *tables, None
        context = check_targets(given, "given").reset_index(drop=True)
        check_lengths(x_table, context, "given")
        return x_table.reset_index(drop=True), tables[1], context

    def _contributions(self, X, y, given):
        tables, y_table, _ = self._new_rows(X, y, given)
        if len(y_table) < 2:
            raise ValueError("an estimate needs at least two rows, since it compares pairs of rows; got n_samples = 1.")
        return sum(term.contributions(table, y_table) for term, table in zip(self._terms, tables, strict=True))

    def _new_rows(self, X, y, given):
        """Return the validated tables of new rows, one per term, their y, and what is given as numbers."""
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
        return tables, y_table, None if context is None else self._given_coder.transform(context)

    def score(self, X, y, given=None):
        """Return the estimate in nats on these rows, by the mean of the folds' critics as they are.

        A network's value is held out on new rows and leans low; where ``mutual_info_`` is from nearest neighbours
        (``bases_``), it may be well below it.

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

    def confidence_interval(self, X=None, y=None, given=None, *, groups=None, level=0.95):
        """Return an interval for the information.

        It reaches as far as the estimate's standard error says, and on one side farther, by what more rows would add:
        critics lean low, as they find what they find (``missed_``).

        Parameters
        ----------
        X, y, given : as in `score`, default=None
            New rows; by default the interval is that of ``mutual_info_``.
        groups : array-like of shape (n_samples,), default=None
            Which of the new rows depend on each other, as in `fit`.
        level : float in (0, 1), default=0.95

        Returns
        -------
        low, high : float
            In nats.
        """
        check_is_fitted(self)
        check_new_rows(X, y=y, given=given, groups=groups)
        if not isinstance(level, Real) or not 0 < level < 1:
            raise ValueError(f"level={level!r} must lie between 0 and 1, such as 0.95.")
        centre, error = self.mutual_info_, self.standard_error_
        if X is not None:
            contributions = self._contributions(X, y, given)
            centre, error = estimate_and_error(contributions, 0, check_groups(groups, len(contributions)))
        reach, (too_high, too_low) = ndtri(0.5 + level / 2) * error, self.missed_
        return float(centre - reach - too_high), float(centre + reach + too_low)

    def pointwise(self, X, y, given=None):
        """Return the pointwise mutual information log p(x, y)/p(x)p(y) of each row, in nats.

        Parameters
        ----------
        X, y, given : as in `score`

        Returns
        -------
        ndarray of shape (n_samples,)
            The mean of the folds' critics, each normalised on rows that it never saw. With ``given`` it is
            log p(x, y | z)/p(x | z)p(y | z).
        """
        tables, y_table, _ = self._new_rows(X, y, given)
        return sum(term.pointwise(table, y_table) for term, table in zip(self._terms, tables, strict=True))

    def p_value(self, X=None, y=None, given=None, *, groups=None, block=None, n_permutations=999):
        """Return the p-value of a permutation test of independence against the trained critics.

        The statistic is the critics' mean log-ratio; rows of y change places, the critics stay. It is exact where rows
        are exchangeable under independence, for the critics never saw them. Many fits, such as those of
        `sklearn.model_selection.permutation_test_score`, are not needed.

        Parameters
        ----------
        X, y, given : as in `score`, default=None
            New rows, compared by the mean of the folds' critics. By default half the rows of `fit` (up to 2048),
            compared by a critic of the other half. Folds cannot be added up here: what one of them has by chance, the
            critics of the others have learned.
        groups : array-like of shape (n_samples,), default=None
            Rows of X that depend on each other, such as those of one subject: whole groups change places with others of
            the same size. By default those that `fit` was given.
        block : int, default=None
            For series: X has the rows in the order of time, and runs of so many rows are groups. Take it longer than
            the memory of the series.
        n_permutations : int, default=999
            The least p-value is 1/(n_permutations + 1).

        Returns
        -------
        float
            After a fit with ``given`` it tests independence given Z: rows of y change places only among rows with like
            conditions (leaves of at most ten rows), which is exact for discrete Z with few levels and close for others.

        Raises
        ------
        ValueError
            If n_permutations or block is not a positive whole number, if both groups and block are given, or no two
            groups have the same size.

        References
        ----------
        .. [1] J. Runge, "Conditional independence testing based on a nearest-neighbor estimator of conditional mutual
           information", AISTATS 2018.
        """
        check_is_fitted(self)
        check_positive_int("n_permutations", n_permutations)
        check_new_rows(X, y=y, given=given, groups=groups)
        if block is not None:
            check_positive_int("block", block)
            if groups is not None or X is None:
                raise ValueError(
                    f"block={block} cuts the rows of X into runs: give X and y in the order of time, and no groups. "
                    "After a fit with groups=, p_value() exchanges these."
                )
        if X is None:
            chunks = self._reference_chunks()
        else:
            tables, y_table, conditions = self._new_rows(X, y, given)
            groups = blocks_of(len(y_table), block) if block is not None else check_groups(groups, len(y_table))
            chunks = self._new_chunks(tables, y_table, conditions, groups)
        return permutation_p_value(chunks, n_permutations, check_random_state(self.random_state))

    def _reference_chunks(self):
        """Yield the rows that half the rows' critics never saw, compared by these."""
        halves = [term.half for term in self._terms]
        table = sum(half.log_ratios(*half.references[0][:2]) for half in halves)
        _, _, groups, conditions = halves[0].references[0]
        yield Chunk(table, None if conditions is None else like_rows(conditions), groups)

    def _new_chunks(self, tables, y_table, conditions, groups):
        """Yield new rows in parts of which all pairs fit into memory."""
        n = len(y_table)
        rows = np.arange(n) if groups is not None else np.random.default_rng(0).permutation(n)
        if groups is not None:  # whole groups stay together; rows of none are left out
            rows = rows[np.asarray(groups) >= 0] if np.asarray(groups).dtype.kind in "iu" else rows
            rows = rows[np.argsort(groups[rows], kind="stable")]
        for part in np.array_split(rows, -(-len(rows) // MAX_TOGETHER)):
            codes = [
                term.codes(picked(table, part), y_table.iloc[part])
                for term, table in zip(self._terms, tables, strict=True)
            ]
            table = sum(term.log_ratios(*code) for term, code in zip(self._terms, codes, strict=True))
            strata = None if conditions is None else like_rows(conditions[part])
            yield Chunk(table, strata, None if groups is None else groups[part])

    def __sklearn_is_fitted__(self):
        return "mutual_info_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        return tags


def mutual_info(X, y, given=None, *, groups=None, **params) -> float:
    """Return I(X; y), or I(X; y | given), in nats.

    Parameters
    ----------
    X, y, given, groups : as in `MutualInfoEstimator.fit`
        Here X may be one column, of shape (n_samples,), as well.
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
    >>> bool(abs(mutual_info(x, x, random_state=0) - np.log(2)) < 0.05)
    True
    """
    if np.ndim(X) == 1:
        X = check_table(X, "mutual_info", one_column=True)
    return MutualInfoEstimator(**params).fit(X, y, given=given, groups=groups).mutual_info_
