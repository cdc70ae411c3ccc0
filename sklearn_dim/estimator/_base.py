"""The template of every estimator: one `fit`, of six steps, which estimators fill in."""

from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import check_random_state

from sklearn_dim.bounds import BOUNDS
from sklearn_dim.estimator._callbacks import begin_fit, end_fit, epochs_as_tasks, ready_callbacks
from sklearn_dim.estimator._compat import (
    CALLBACKS,
    FIT_TASK,
    TO_TEAR_DOWN,
    CallbackSupportMixin,
    check_feature_names,
    check_n_features,
)
from sklearn_dim.estimator._parameters import TAKEN_BY_WARM_START
from sklearn_dim.estimator._state import PlainState
from sklearn_dim.training import BestWeights, InformationNet, ResumableCheckpoint, resolve_device, seeded


class Split(NamedTuple):
    """Rows to train on, and rows held out (None: all are trained on)."""

    train: np.ndarray
    valid: np.ndarray | None


class InfomaxEstimator(PlainState, CallbackSupportMixin, BaseEstimator):
    """A fit in six steps: read, seed, split, build, run, publish.

    An estimator writes the steps ``_read``, ``_size``, ``_split``, ``_build``, ``_run`` and ``_publish``, and sets its
    fitted attributes in them. What ``_read`` and ``_split`` return is its own affair: it is handed on as it is.

    Estimators hold nets (`sklearn_dim.training.InformationNet`); they are none.
    """

    # Parameters, beside those of training, that a warm start takes as they are now.
    _taken_by_warm_start: ClassVar[frozenset[str]] = frozenset()
    # Where a notebook's diagram links to: scikit-learn fills in the class's name.
    _doc_link_module = "sklearn_dim"
    _doc_link_template = "https://sklearn-dim.readthedocs.io/en/stable/api/generated/sklearn_dim.{estimator_name}.html"

    def _fit(self, X, y=None, *, resume: bool = False, epochs: int | None = None, metadata: dict | None = None):
        """Fit to X, y and ``metadata``; with ``resume`` train the net that is there. ``epochs`` overrules max_iter."""
        if resume:
            self._refuse_changed_parameters()
        with self._all_or_nothing(resume, X=X, y=y, metadata=metadata):
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
        return self

    def _read(self, X, y, *, reset: bool, **metadata):
        """Return X and y, checked; with ``reset`` set what is known of them, else compare with it."""
        raise NotImplementedError

    def _size(self, data) -> int:
        """Return how many numbers are to be computed: small work is done on one thread."""
        raise NotImplementedError

    def _split(self, data, seed: int):
        """Return which rows are trained on, and which are held out."""
        raise NotImplementedError

    def _build(self, data, split) -> None:
        """Make what is to be trained."""
        raise NotImplementedError

    def _run(self, data, split, epochs: int | None, **told) -> None:
        """Train; callbacks are ``told`` X and y."""
        raise NotImplementedError

    def _publish(self, data, split, seed: int) -> None:
        """Set the fitted attributes that training decides."""
        raise NotImplementedError

    def _early_stopping(self) -> list[BestWeights]:
        """Return the callbacks that stop training early, if the parameters ask for it."""
        return []

    def _parts(self) -> tuple:
        """Return the classes and functions that a fitted estimator is made of: what its files may name."""
        optimizers = torch.optim.Adam, torch.optim.AdamW
        return (*BOUNDS.values(), InformationNet, OneHotEncoder, StandardScaler, np.float32, *optimizers)

    # Steps of training that the estimators share.

    def _make_net(self, build, *, sparse: bool = False, watch=(), **options) -> InformationNet:
        """Return an initialised net for the objective that ``build()`` makes.

        ``sparse`` says that there are sparse products, which MPS lacks; ``watch`` are callbacks before all others.
        """
        device = resolve_device(self.device, sparse=sparse)
        return InformationNet(
            build,
            lr=self.learning_rate_init,
            device=str(device),
            verbose=int(self.verbose),
            callbacks=[*watch, *self._net_callbacks()],
            optimizer__fused=device.type in ("cpu", "cuda"),
            **options,
        ).initialize()

    def _net_callbacks(self) -> list:
        return [*self._early_stopping(), *(ready_callbacks(self.callbacks) if self.callbacks else [])]

    def _check_node_features(self, graph, *, reset: bool) -> None:
        """Set or compare number and names of the features of a graph's nodes, as scikit-learn does for rows."""
        if graph.names is not None:
            check_feature_names(self, pd.DataFrame(columns=graph.names), reset=reset)
        elif reset:
            self.__dict__.pop("feature_names_in_", None)
        check_n_features(self, graph, reset=reset)

    def _hold_out(self, n_rows: int, random_state) -> Split:
        """Return rows to train on and, by validation_fraction, rows to validate on."""
        order = check_random_state(random_state).permutation(n_rows)
        n_valid = max(2, round(self.validation_fraction * n_rows))
        if n_rows - n_valid < 2:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of n_samples = {n_rows} leaves {n_rows - n_valid} "
                "rows to train on; 2 are needed. Give more rows, or set early_stopping=False."
            )
        return Split(np.sort(order[n_valid:]), np.sort(order[:n_valid]))

    def _epochs(self, batches, *, steps: int, min_epochs: int, max_epochs: int) -> int:
        """Return max_iter, or for "auto" the epochs that make about ``steps`` steps, within limits."""
        if self.max_iter != "auto":
            return self.max_iter
        return int(np.clip(-(-steps // len(batches)), min_epochs, max_epochs))

    def _begin(self, n_subtasks: int, **told) -> Any:
        """Tell scikit-learn's callbacks that the fit begins; return its task, or None where there are none."""
        return begin_fit(self, n_subtasks, **told) if vars(self).get(CALLBACKS) else None

    def _train(self, net: InformationNet, train, valid, task, **told) -> None:
        """Train a net on batches; the callbacks of scikit-learn see its epochs below ``task``."""
        with nullcontext() if task is None else epochs_as_tasks(net, self, task, **told):
            net.partial_fit(train, valid)
        net.module_.eval()

    # A fit that fails leaves the estimator as it was.

    @contextmanager
    def _all_or_nothing(self, resume: bool, **told):
        before = dict(vars(self))
        snapshot = self.net_.snapshot() if resume else None
        try:
            yield
            if FIT_TASK in vars(self):
                end_fit(self, **told)
            self._forget_checkpoints()
        except BaseException:
            before |= {name: vars(self)[name] for name in (FIT_TASK, TO_TEAR_DOWN) if name in vars(self)}
            self.__dict__.clear()
            self.__dict__.update(before)
            if snapshot is not None:
                self.net_.restore(snapshot)
            raise

    def _nets(self) -> list[InformationNet]:
        """Return all nets that a fit has trained."""
        return [self.net_]

    def _forget_checkpoints(self) -> None:
        for net in self._nets():
            for _, callback in net.callbacks_:
                if isinstance(callback, ResumableCheckpoint):
                    callback.forget()

    # What may change between two fits of the same model.

    def _shaping_parameters(self) -> dict:
        """Return the parameters that shape the model."""
        free = TAKEN_BY_WARM_START | self._taken_by_warm_start
        return {name: value for name, value in self.get_params(deep=False).items() if name not in free}

    def _refuse_changed_parameters(self) -> None:
        """Refuse to train a model further that would be another one with the parameters as they are now."""
        for name, now in self._shaping_parameters().items():
            before = self._built_with[name]
            if not _same(now, before):
                raise ValueError(
                    f"{name}={now!r}, but the fitted model was built with {name}={before!r}, and a fit that continues "
                    "keeps its model. Set it back, or start anew: fit with warm_start=False, or a clone."
                )

    def _take_changed_parameters(self) -> None:
        """Let the net train on with the training parameters as they are now."""
        self.net_.set_learning_rate(self.learning_rate_init)
        self.net_.verbose = int(self.verbose)
        self.net_.set_callbacks(self._net_callbacks())


def _same(now, before) -> bool:
    """Return whether two values of a parameter are the same, in a copy or after a pickle as well."""
    if isinstance(now, partial) and isinstance(before, partial):
        return (now.func, now.args, now.keywords) == (before.func, before.args, before.keywords)
    return now is before or bool(np.all(now == before))
