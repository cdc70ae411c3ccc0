"""The template of every estimator: one `fit` of six steps, which each estimator implements."""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import check_random_state
from torch import nn

from sklearn_dim.bounds import BOUNDS
from sklearn_dim.devices import explained_memory, has_fused_adam
from sklearn_dim.estimator._callbacks import begin_fit, end_fit, epochs_as_tasks, ready_callbacks
from sklearn_dim.estimator._compat import (
    CALLBACKS,
    FIT_TASK,
    TO_TEAR_DOWN,
    CallbackSupportMixin,
    check_feature_names,
    check_n_features,
)
from sklearn_dim.estimator._declared import Array, Each
from sklearn_dim.estimator._parameters import TAKEN_BY_WARM_START, plain_numbers
from sklearn_dim.estimator._state import PlainState
from sklearn_dim.training import BestWeights, InformationNet, ResumableCheckpoint, resolve_device, seeded


class Split(NamedTuple):
    """The rows to train on, and those held out (None if there are none)."""

    train: np.ndarray
    valid: np.ndarray | None


class InfomaxEstimator(PlainState, CallbackSupportMixin, BaseEstimator):
    """A fit in six steps: read, seed, split, build, run, publish.

    An estimator implements the steps ``_read``, ``_size``, ``_split``, ``_build``, ``_run`` and ``_publish``, and sets
    its fitted attributes in them. What its ``_read`` and ``_split`` return is passed to the later steps unchanged.

    An estimator is not a skorch net; it contains one or several (`sklearn_dim.training.InformationNet`).
    """

    # The parameters, in addition to those of training, of which a warm start uses the current values.
    _taken_by_warm_start: ClassVar[frozenset[str]] = frozenset()
    # What a file of a fitted estimator may set besides its parameters; each estimator adds its own.
    _fitted: ClassVar[dict[str, list]] = {
        "n_features_in_": [int],
        "feature_names_in_": [Array("O", length="n_features_in_")],
        "net_": [InformationNet],
        "_built_with": [dict],
        "mutual_info_": [float],
        "history_": [pd.DataFrame],
        "loss_curve_": [Each(float)],
        "n_iter_": [int],
        "representation_": [str],
        "mean_": [Array(length="_n_features_out")],
        "scale_": [Array(length="_n_features_out")],
        "_n_features_out": [int],
        "_widths": [dict],
    }
    # The page that an estimator's diagram in a notebook links to; scikit-learn inserts the class's name.
    _doc_link_module = "sklearn_dim"
    _doc_link_template = "https://sklearn-dim.readthedocs.io/en/stable/api/generated/sklearn_dim.{estimator_name}.html"

    def _fit(
        self, X: Any, y: Any = None, *, resume: bool = False, epochs: int | None = None, metadata: dict | None = None
    ) -> Self:
        """Fit to X, y and ``metadata``; ``resume`` continues with the trained net, ``epochs`` replaces max_iter."""
        if resume:
            self._refuse_changed_parameters()
        with plain_numbers(self), self._all_or_nothing(resume, X=X, y=y, metadata=metadata), explained_memory():
            data = self._read(X, y, reset=not resume, **(metadata or {}))
            with seeded(self.random_state, self._size(data), self.n_iter_ if resume else 0, device=self.device) as seed:
                split = self._split(data, seed)
                if resume:
                    self._take_changed_parameters()
                else:
                    self._build(data, split)
                    self._built_with = self._shaping_parameters()
                self._run(data, split, epochs, X=X, y=y)
                self._publish(data, split, seed)
        if any(net.interrupted_ for net in self._nets()):
            raise KeyboardInterrupt(f"training was interrupted; the estimator is fitted with {self.n_iter_} epochs")
        return self

    def _read(self, X: Any, y: Any, *, reset: bool, **metadata) -> Any:
        """Return X and y, checked; record their shape and names if ``reset``, else compare with those recorded."""
        raise NotImplementedError

    def _size(self, data: Any) -> int:
        """Return roughly how many numbers there are to compute; small fits run on one thread."""
        raise NotImplementedError

    def _split(self, data: Any, seed: int) -> Any:
        """Return which rows to train on, and which to hold out."""
        raise NotImplementedError

    def _build(self, data: Any, split: Any) -> None:
        """Create the net to train."""
        raise NotImplementedError

    def _run(self, data: Any, split: Any, epochs: int | None, **shown) -> None:
        """Train; ``shown`` are X and y, for the callbacks of scikit-learn."""
        raise NotImplementedError

    def _publish(self, data: Any, split: Any, seed: int) -> None:
        """Set the fitted attributes that are known only after training."""
        raise NotImplementedError

    def _early_stopping(self) -> list[BestWeights]:
        """Return the callbacks that stop training early, or none."""
        return []

    def _parts(self) -> tuple:
        optimizers = torch.optim.Adam, torch.optim.AdamW
        return (*BOUNDS.values(), InformationNet, OneHotEncoder, StandardScaler, np.float32, *optimizers)

    # Steps of training that the estimators share.

    def _make_net(
        self,
        build: Callable[[], nn.Module],
        *,
        sparse: bool = False,
        watch: Iterable = (),
        quiet=False,
        part="",
        about="",
        **options,
    ) -> InformationNet:
        """Return an initialised net for the objective that ``build()`` returns.

        ``sparse`` is for objectives that multiply sparse matrices, which MPS cannot; ``watch`` are callbacks that run
        before all others; ``quiet`` leaves out the user's.
        """
        device = resolve_device(self.device, sparse=sparse)
        return InformationNet(
            build,
            lr=self.learning_rate_init,
            device=str(device),
            verbose=0 if quiet else int(self.verbose),
            title=f"{type(self).__name__}{part and f', {part}'}",
            about=about,
            callbacks=[*watch, *([] if quiet else self._net_callbacks())],
            optimizer__fused=has_fused_adam(device),
            **options,
        ).initialize()

    def _net_callbacks(self) -> list:
        return [*self._early_stopping(), *(ready_callbacks(self.callbacks) if self.callbacks else [])]

    def _check_node_features(self, graph: Any, *, reset: bool) -> None:
        """Record the number and names of a graph's node features, or compare them with those recorded."""
        if graph.names is not None:
            check_feature_names(self, pd.DataFrame(columns=graph.names), reset=reset)
        elif reset:
            self.__dict__.pop("feature_names_in_", None)
        check_n_features(self, graph, reset=reset)

    def _check_output(self, output: Any) -> None:
        """Raise ValueError if what new rows gave is not finite: the encoder has not learned to take such values."""
        if not np.isfinite([np.min(output), np.max(output)]).all():  # no second array of the size of the output
            raise ValueError(
                f"X has values that are too far from those {type(self).__name__} was fitted on: what it makes of them "
                "is not finite. Give X in the units of fit, and drop rows that are errors of measurement."
            )

    def _hold_out(self, n_rows: int, random_state: int) -> Split:
        """Hold out a random ``validation_fraction`` of the rows."""
        order = check_random_state(random_state).permutation(n_rows)
        n_valid = max(2, round(self.validation_fraction * n_rows))
        if n_rows - n_valid < 2:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of n_samples = {n_rows} leaves {n_rows - n_valid} "
                "rows to train on; 2 are needed. Give more rows, or set early_stopping=False."
            )
        return Split(np.sort(order[n_valid:]), order[:n_valid])

    def _epochs(self, batches: Sized, *, steps: int, min_epochs: int, max_epochs: int) -> int:
        """Return max_iter, or for "auto" the number of epochs that take about ``steps`` steps, within limits."""
        if self.max_iter != "auto":
            return self.max_iter
        return int(np.clip(-(-steps // len(batches)), min_epochs, max_epochs))

    def _begin(self, n_subtasks: int, **shown) -> Any:
        """Tell scikit-learn's callbacks that the fit begins; return its task, or None if there are no callbacks."""
        return begin_fit(self, n_subtasks, **shown) if vars(self).get(CALLBACKS) else None

    def _train(self, net: InformationNet, train: Iterable, valid: Iterable | None, task: Any, **shown) -> None:
        """Train a net on batches; the callbacks of scikit-learn see its epochs as subtasks of ``task``.

        An estimator of one net that is interrupted once ends its fit with the epochs it has, and then passes the
        interrupt on.
        """
        try:
            with nullcontext() if task is None else epochs_as_tasks(net, self, task, **shown):
                net.partial_fit(train, valid)
        except KeyboardInterrupt:
            if not (net.interrupted_ and net.history and net is vars(self).get("net_") and net.interrupts_.presses < 2):
                raise
        net.module_.eval()

    @contextmanager
    def _all_or_nothing(self, resume: bool, **shown) -> Iterator[None]:
        """Leave the estimator as it was if the fit fails."""
        before = dict(vars(self))
        snapshot = self.net_.snapshot() if resume else None
        try:
            yield
            if FIT_TASK in vars(self):
                end_fit(self, **shown)
            self._forget_checkpoints()
        except BaseException:
            before |= {name: vars(self)[name] for name in (FIT_TASK, TO_TEAR_DOWN) if name in vars(self)}
            self.__dict__.clear()
            self.__dict__.update(before)
            if snapshot is not None:
                self.net_.restore(snapshot)
            raise

    def _nets(self) -> list[InformationNet]:
        """Return all nets that the fit has trained."""
        return [self.net_]

    def _forget_checkpoints(self) -> None:
        for net in self._nets():
            for _, callback in net.callbacks_:
                if isinstance(callback, ResumableCheckpoint) and not net.interrupted_:
                    callback.forget()

    # Which parameters may change before a fit that continues.

    def _shaping_parameters(self) -> dict[str, Any]:
        """Return the parameters that shape the model or its optimizer."""
        free = TAKEN_BY_WARM_START | self._taken_by_warm_start
        return {name: value for name, value in self.get_params(deep=False).items() if name not in free}

    def _refuse_changed_parameters(self) -> None:
        """Raise ValueError if a parameter that shapes the model has changed since the model was built."""
        for name, now in self._shaping_parameters().items():
            before = self._built_with[name]
            if not _same(now, before):
                raise ValueError(
                    f"{name}={now!r}, but the fitted model was built with {name}={before!r}, and this fit would "
                    "continue to train that model. Set the old value again, or start over: use warm_start=False, "
                    "or fit a clone."
                )

    def _take_changed_parameters(self) -> None:
        """Give the net the current values of the training parameters."""
        self.net_.set_learning_rate(self.learning_rate_init)
        self.net_.verbose = int(self.verbose)
        self.net_.set_callbacks(self._net_callbacks())


def _same(now: Any, before: Any) -> bool:
    """Return whether two values of a parameter are equal, also after one was copied or pickled."""
    if isinstance(now, partial) and isinstance(before, partial):
        return (now.func, now.args, now.keywords) == (before.func, before.args, before.keywords)
    return now is before or bool(np.all(now == before))
