"""The part of an estimator that trains a net."""

from contextlib import contextmanager
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from sklearn_dim._sklearn._callbacks import (
    OF_THE_CALLER,
    CallbackSupportMixin,
    begin_fit,
    end_fit,
    epochs_as_tasks,
    ready_callbacks,
)
from sklearn_dim._sklearn._state import PlainState
from sklearn_dim.bounds import BOUNDS, Bound
from sklearn_dim.training import BestWeights, InformationNet, ResumableCheckpoint, RowBatches, resolve_device


class NeuralEstimator(PlainState, CallbackSupportMixin, BaseEstimator):
    """Parameters and steps of training that the estimators share. They hold nets; they are none."""

    _parameter_constraints: ClassVar[dict] = {
        "mi_estimator": [StrOptions(set(BOUNDS)), Bound],
        "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "device": [str],
        "callbacks": [list, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }
    # Where a notebook's diagram links to: scikit-learn fills in the class's name.
    _doc_link_module = "sklearn_dim"
    _doc_link_template = "https://sklearn-dim.readthedocs.io/en/stable/api/generated/sklearn_dim.{estimator_name}.html"

    def _parts(self) -> tuple:
        """Return the classes and functions that a fitted estimator is made of: what its files may name."""
        optimizers = torch.optim.Adam, torch.optim.AdamW
        return (*BOUNDS.values(), InformationNet, OneHotEncoder, StandardScaler, np.float32, *optimizers)

    def _make_net(self, build, *, watch=(), sparse: bool = False, **options) -> InformationNet:
        """Return an initialised net for the objective that ``build()`` makes.

        ``watch`` are callbacks that come before the user's; ``sparse`` says that there are sparse products.
        """
        callbacks = ready_callbacks(self.callbacks)
        device = resolve_device(self.device, sparse=sparse)
        return InformationNet(
            build,
            lr=self.learning_rate_init,
            device=str(device),
            verbose=int(self.verbose),
            callbacks=[*watch, *callbacks],
            optimizer__fused=device.type in ("cpu", "cuda"),
            **options,
        ).initialize()

    def _keep_best(self, monitor: str, *, lower_is_better: bool, **options) -> BestWeights:
        """Return the early stopping that the parameters ask for."""
        options = {"n_iter_no_change": self.n_iter_no_change, "tol": self.tol, **options}
        return BestWeights(monitor, lower_is_better=lower_is_better, **options)

    def _split(self, n_rows: int, random_state) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows to train on and the rows to validate on."""
        order = check_random_state(random_state).permutation(n_rows)
        n_valid = max(2, round(self.validation_fraction * n_rows))
        if n_rows - n_valid < 2:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of n_samples = {n_rows} leaves {n_rows - n_valid} "
                "rows to train on; 2 are needed. Give more rows, or set early_stopping=False."
            )
        return np.sort(order[n_valid:]), np.sort(order[:n_valid])

    def _epochs(self, train: RowBatches, *, steps: int, most: int, least: int) -> int:
        """Return max_iter, or for "auto" the epochs that make about ``steps`` steps, within limits."""
        return self.max_iter if self.max_iter != "auto" else int(np.clip(-(-steps // len(train)), least, most))

    def _run(self, X, train, valid, epochs: int) -> None:
        """Train ``net_`` for ``epochs`` more epochs on X, as batches, and publish the history."""
        net = self.net_
        net.set_params(max_epochs=epochs)
        self._train(net, train, valid, begin_fit(self, epochs, X=X), X=X)
        self.history_ = net.history_frame()
        self.loss_curve_ = self.history_["train_loss"].tolist()
        self.n_iter_ = len(self.history_)

    def _train(self, net: InformationNet, train, valid, task, **data) -> None:
        """Train a net; the callbacks of scikit-learn see its epochs below ``task``, with ``data`` (X and y)."""
        with epochs_as_tasks(net, self, task, **data):
            net.partial_fit(train, valid)
        net.module_.eval()

    @contextmanager
    def _all_or_nothing(self, go_on: bool = False, **data):
        """Leave the estimator as it was if its fit to ``data`` fails; with ``go_on`` its net is trained further."""
        before = dict(vars(self))
        snapshot = self.net_.snapshot() if go_on else None
        try:
            yield
            end_fit(self, **data)
            self._forget_checkpoints()
        except BaseException:
            before |= {name: vars(self)[name] for name in OF_THE_CALLER if name in vars(self)}
            vars(self).clear()
            vars(self).update(before)
            if go_on:
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

    def __sklearn_is_fitted__(self) -> bool:
        """Whether a fit came to its end."""
        return hasattr(self, "mutual_info_")
