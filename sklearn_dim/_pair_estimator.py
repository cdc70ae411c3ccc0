"""The part of MutualInfoEstimator that fits: what is asked as a chain of informations, each cross-fitted."""

import copy
import math
import warnings
from functools import partial

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_dim._cross_fit import TOGETHER, CrossFit, closed_form_of, tensors
from sklearn_dim._sklearn import (
    AsTheyAre,
    ColumnCoder,
    NeuralEstimator,
    begin_fit,
    check_numbers,
    check_table,
    check_targets,
    copies_of_rows,
    subtask,
)
from sklearn_dim.bounds import make_bound
from sklearn_dim.critics import Concatenated, CorrectedGaussian, EncodedAnchor, Separable, TwoCritics, make_critic
from sklearn_dim.objectives import PairInformation
from sklearn_dim.training import AverageWeights, RowBatches, resolve_device, seeded

AVERAGING = 0.98  # memory of the mean weights: the last 50 steps or so
WEIGHT_DECAY = 0.1
SAME = 1 - 2e-6  # a correlation of columns that are one
MOST_OF_LEVELS = 5.0  # nats; discrete columns, which may well be one, seldom have more
NEAR_CAP = 0.3  # nats


class PairEstimator(NeuralEstimator):
    """Fit I(X; y) or I(X; y | Z) as a chain of cross-fitted informations."""

    def _parts(self):
        return (*super()._parts(), AsTheyAre, ColumnCoder, CrossFit, build_pair_information)

    @property
    def nets_(self):
        """The critics, a fold each."""
        return [net for term in self._terms for net in term.nets]

    def _nets(self):
        return self.nets_

    def _fit(self, X, y, given):
        x_table, y_table, context = self._tables(X, y, given, reset=True)
        n = len(x_table)
        if n < 2 * self.cv:
            raise ValueError(
                f"n_samples = {n} is too few for cv={self.cv}: each fold needs two rows. Give at least "
                f"{2 * self.cv} rows (an estimate worth reading wants hundreds), or lower cv."
            )
        chain, y_coder = chain_of(x_table, context), ColumnCoder().fit(y_table)
        self._terms = [CrossFit(self._coder(table), y_coder, sign) for table, sign in chain]
        coded = [term.codes(table, y_table) for term, (table, _) in zip(self._terms, chain, strict=True)]
        groups = np.arange(n) if self.encoder is not None else self._copies(*coded[0])
        with seeded(self.random_state, x_table.size + y_table.size, device=self.device) as seed:
            folds = list(GroupKFold(self.cv, shuffle=True, random_state=seed).split(groups, groups=groups))
            task = begin_fit(self, len(self._terms) * self.cv, X=X, y=y)
            fit_fold = partial(self._fit_fold, groups=groups, seed=seed, task=task)
            parts = [term.fit(*codes, folds, fit_fold) for term, codes in zip(self._terms, coded, strict=True)]
        self._publish(sum(influence for influence, _ in parts), lower=parts[0][1] if context is None else None)
        self._warn_of_limits(n)
        return self

    def _coder(self, x_table):
        return ColumnCoder().fit(x_table) if self.encoder is None else AsTheyAre()

    def _copies(self, x, y):
        """Return a number for each row, the same for copies of one another; rows of discrete columns are no copies."""
        n, term = len(x), self._terms[0]
        if not (term.x_coder.continuous_ or term.y_coder.continuous_):
            return np.arange(n)
        codes = np.hstack([x, y])
        groups = copies_of_rows(codes)
        distinct = int(groups.max()) + 1
        if distinct < 0.9 * n and max(len(np.unique(column)) for column in codes.T) > distinct / 2:
            warnings.warn(
                f"{n - distinct} of {n} rows are copies of others. Copies share a fold, so none is valued by a critic "
                "that saw it, but they count as observations: drop them if they are none.",
                stacklevel=5,  # the caller of fit
            )
        return groups if distinct >= 2 * self.cv else np.arange(n)

    def _fit_fold(self, x, y, train, *, groups, seed, task):
        """Train a critic on the rows ``train``, as a part of ``task``."""
        _, group = np.unique(groups[train], return_inverse=True)
        stops = np.isin(group, self._split(group.max() + 1, seed)[1])
        device = str(resolve_device(self.device))
        batches = RowBatches(x, y, rows=train[~stops], batch_size=self.batch_size, device=device)
        bound = make_bound(self.mi_estimator)
        net = self._make_net(
            partial(build_pair_information, self.critic, bound, features_of(self.encoder, x), y.shape[1], self.encoder),
            watch=[AverageWeights(AVERAGING), self._patience(len(batches))],
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=WEIGHT_DECAY,
            max_epochs=self._epochs(batches, steps=2000, least=1, most=1000),
        )
        if (closed_form := closed_form_of(net)) is not None:
            closed_form.fit(*tensors(net, x[train], y[train]))
        together = TOGETHER if net.module_.block is None else 8 * net.module_.block
        whole = RowBatches(x, y, rows=train[stops], shuffle=False, batch_size=together, device=device)
        with subtask(self, task, "fold", net.max_epochs) as fold:
            self._train(net, batches, whole, fold)
        return net

    def _patience(self, steps_an_epoch):
        """Return the early stopping."""
        epochs = self.n_iter_no_change
        if epochs == "auto":
            epochs = max(7, math.ceil(50 / steps_an_epoch))
        return self._keep_best("valid_mutual_info", lower_is_better=False, from_start=True, n_iter_no_change=epochs)

    def _publish(self, influence, lower):
        frames = [net.history_frame().assign(fold=i % self.cv) for i, net in enumerate(self.nets_)]
        self.history_ = pd.concat(frames, ignore_index=True)
        self.loss_curve_ = self.history_.groupby("epoch")["train_loss"].mean().tolist()
        self.n_iter_ = int(self.history_["epoch"].max())
        module = self.nets_[0].module_
        features = math.prod(getattr(module.critic, side, 0) for side in ("a_features", "b_features"))
        self.mutual_info_, self.standard_error_ = estimate_and_error(influence, features)
        rows = [("mutual_info", self.mutual_info_, self.standard_error_, "plug-in")]
        vars(self).pop("lower_bound_", None)
        if lower is not None:
            rows.append(("infonce", *mean_and_error(lower), "lower bound"))
            self.lower_bound_ = float(lower.mean())
        columns = ["estimate", "nats", "standard_error", "kind"]
        self.estimates_ = pd.DataFrame(rows, columns=columns).set_index("estimate")

    def _warn_of_limits(self, n):
        """Say where the estimate is beyond what the sample, the bound or the training can show."""
        value, net = self.mutual_info_, self.nets_[0]
        rho = getattr(closed_form_of(net), "rho", None)
        if rho is not None and (rho > SAME).any() and value > MOST_OF_LEVELS:
            warnings.warn(
                "a part of y is a function of X to six digits. If both are continuous, the information is infinite, "
                f"and the estimate of {value:.3g} nats is only where a critic stops. Drop what y and X share.",
                stacklevel=5,  # the caller of fit
            )
        elif value > np.log(n):
            warnings.warn(
                f"the estimate of {value:.3g} nats is beyond ln n = {np.log(n):.1f}, about the most that "
                f"n_samples = {n} can certify. Give more rows, or report lower_bound_.",
                stacklevel=5,
            )
        rows = min(self.batch_size, n)
        if value > (cap := net.module_.bound.cap(rows - 1)) - NEAR_CAP:
            warnings.warn(
                f"the estimate of {value:.3g} nats is within {NEAR_CAP} of {cap:.3g}, the most that "
                f"mi_estimator={self.mi_estimator!r} can tell apart with {rows} rows a batch. Raise batch_size, or use "
                "mi_estimator='dv'.",
                stacklevel=5,
            )
        unfinished = sum(not net.converged_ and len(net.history) >= net.max_epochs for net in self.nets_)
        if unfinished > len(self.nets_) / 2:
            warnings.warn(
                f"{unfinished} of {len(self.nets_)} critics were still improving when their {net.max_epochs} epochs "
                f"ran out (max_iter={self.max_iter!r}): the estimate may be too low. Raise max_iter.",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _tables(self, X, y, given, *, reset):
        """Return X, y and what is given as validated DataFrames; X as an array if there is an encoder."""
        if self.encoder is None:
            x_table = check_table(self, X, reset=reset)
        else:
            x_table = check_numbers(self, X, reset=reset, dtype=[np.float32], allow_nd=True, cure="Encode it first.")
            if given is not None:
                raise ValueError(
                    "given= joins its columns to those of X, which an encoder does not take. Leave encoder=None, or "
                    "pass the encoded X."
                )
        if y is None:
            raise ValueError("MutualInfoEstimator requires y to be passed, but the target y is None")
        tables = [x_table, check_targets(y)]
        check_consistent_length(*tables)
        if given is None:
            return *tables, None
        context = check_targets(given, "given").reset_index(drop=True)
        check_consistent_length(x_table, context)
        return x_table.reset_index(drop=True), tables[1], context

    def _influence(self, X, y, given):
        tables, y_table = self._new_rows(X, y, given)
        if len(y_table) < 2:
            raise ValueError("an estimate needs at least two rows: information is about pairs; got n_samples = 1.")
        return sum(term.influence(table, y_table) for term, table in zip(self._terms, tables, strict=True))

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


def chain_of(x_table, context):
    """Return the tables whose information about y adds up to what is asked, with their signs."""
    if context is None:
        return [(x_table, 1)]
    return [(pd.concat([x_table, context], axis=1), 1), (context, -1)]


def mean_and_error(parts) -> tuple[float, float]:
    """Return the mean of the rows' parts and its standard error."""
    return float(parts.mean()), float(parts.std(ddof=1) / np.sqrt(len(parts)))


def estimate_and_error(influence, features: int = 0) -> tuple[float, float]:
    """Return the estimate and its standard error.

    Near independence rows no longer tell the error, which is then of second order. An estimate below zero, where no
    information lies, errs by at least its size; and ½Σρ² of ``features`` = p·q chance correlations, the information
    that independent Gaussians seem to have, varies by √(p·q/2)/n.
    """
    estimate, error = mean_and_error(influence)
    return estimate, math.hypot(error, min(estimate, 0.0), math.sqrt(features / 2) / len(influence))


def features_of(encoder, x) -> int:
    """Return how many features the encoder, or the rows themselves, have."""
    if encoder is None:
        return x.shape[1]
    module = copy.deepcopy(encoder).eval()
    with torch.no_grad():
        features = module(torch.as_tensor(x[:2]).to(next(module.parameters(), torch.empty(0)).device))
    if not isinstance(features, torch.Tensor) or features.ndim != 2:
        got = tuple(features.shape) if isinstance(features, torch.Tensor) else type(features).__name__
        raise ValueError(
            f"encoder must return a tensor (n_samples, features); for X {x[:2].shape} it returned {got}. Flatten its "
            "output, or wrap it in a Module that returns the part to use."
        )
    return features.shape[1]


def build_pair_information(critic, bound, x_features, y_features, encoder=None) -> PairInformation:
    """Wire an objective for pairs of rows of two widths; those of x may be an encoder's features."""
    bound = copy.deepcopy(bound)
    if critic == "auto":
        critic = "gaussian" if encoder is None else "separable"
    if critic == "gaussian" and math.isfinite(bound.cap(1)):  # such a bound wants many independent pairs an anchor
        critic = partial(CorrectedGaussian, pairwise=False)
    elif critic == "separable":
        critic = partial(Separable, units=32, hidden=(64, 64))
    elif critic == "concatenated":
        critic = partial(Concatenated, hidden=(64, 64))
    made = make_critic(critic, x_features, y_features)
    if encoder is not None:
        made = EncodedAnchor(copy.deepcopy(encoder), made)
    return PairInformation(TwoCritics(made) if bound.second_critic else made, bound)
