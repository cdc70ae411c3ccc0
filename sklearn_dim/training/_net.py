"""skorch's net, for modules that compute their own losses."""

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import pandas as pd
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PrintLog
from skorch.history import History
from torch import Tensor, nn

from sklearn_dim.training import _parallel
from sklearn_dim.training._device import device_or_cpu, numpy_weights, seeded
from sklearn_dim.training._turns import TURNS


class InformationNet(NeuralNet):
    """Train an objective (`sklearn_dim.objectives.Objective`), whose ``forward(batch)`` returns its losses by name.

    The sum of the losses is minimised; the recorded loss leaves out those named in ``module.adversaries``.
    ``module.mutual_info(batch)`` evaluates a validation batch, in nats. Means are recorded once per epoch, which is the
    only time that the host waits for the device. Pickles hold the weights as numpy arrays, without the state of the
    optimizer and without callbacks. What is overridden or relied on in skorch is listed in ``_skorch.py``.

    Parameters
    ----------
    module : callable
        Builds the objective, without arguments. Pickles hold it instead of the module.
    optimizer : class, default=torch.optim.Adam
    callbacks : list, default=None
        skorch callbacks.
    autocast : torch.dtype or None, default=None
        Low precision of the training steps, such as torch.bfloat16; objectives may compute parts in float32.
    **kwargs
        Other parameters of `skorch.NeuralNet` (lr, max_epochs, device, optimizer__betas, …).
    """

    lr: float
    module_: Any  # the objective that is trained: a module with the methods named above
    averaged_: nn.Module | None = None
    replica_: "_parallel.Replica | None" = None  # inside `data_parallel`: what is trained, sharing memory with module_
    converged_ = False  # whether a callback found that training had converged
    improved_ = True  # whether training has gained anything over where it began, as far as a callback has looked
    stops_ = False  # whether training ends with this epoch
    skipped_ = 0  # epochs of this training that were done before it was interrupted

    def __init__(
        self,
        module: Callable[[], nn.Module],
        *,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        callbacks: list | None = None,
        verbose: int = 0,
        autocast: torch.dtype | None = None,
        **kwargs: Any,
    ):
        self.autocast = autocast
        kwargs = {"criterion": nn.Identity, "train_split": None, **kwargs}
        super().__init__(module, optimizer=optimizer, callbacks=callbacks, verbose=verbose, **kwargs)

    # What is trained, and with which settings

    @property
    def eval_module(self) -> nn.Module:
        """The module to evaluate and keep: the trained one, or the mean of its recent weights (``AverageWeights``)."""
        return self.module_ if self.averaged_ is None else self.averaged_

    def evaluate_with(self, module: nn.Module | None) -> None:
        """Evaluate ``module`` from now on; None means the trained module again."""
        self.__dict__["averaged_"] = module  # skorch refuses modules that are set as attributes after initialize()

    def set_learning_rate(self, lr: float) -> None:
        """Set the learning rate, and scale that of parameter groups that have their own by the same factor."""
        if lr == self.lr:
            return

        def scaled(options: dict) -> dict:
            """Return the new rates of a group; ``initial_lr`` is what schedules start from."""
            return {name: lr * (options[name] / self.lr) for name in ("lr", "initial_lr") if name in options}

        for group in self.optimizer_.param_groups:
            group.update(scaled(group))
        if groups := self.__dict__.get("optimizer__param_groups"):  # a pickle makes its optimizer of these
            self.optimizer__param_groups = [(pattern, {**group, **scaled(group)}) for pattern, group in groups]
        self.lr = lr

    def set_callbacks(self, callbacks: list | None) -> None:
        """Replace the callbacks of a net that is trained further; its history stays."""
        self.callbacks = callbacks
        self._initialize_callbacks()

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        # PrintLog formats its table even if nothing is printed.
        return [("epoch_timer", EpochTimer()), *([("print_log", PrintLog())] if self.verbose else [])]

    # Training

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Return training and validation batches, which are the X and y of ``partial_fit``."""
        return X, y

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Return the batches themselves."""
        return dataset

    def partial_fit(self, X: Iterable, y: Iterable | None = None, **fit_params: Any) -> "InformationNet":
        """Train for max_epochs more epochs on batches X, with validation batches y."""
        if _parallel.processes is None:
            super().partial_fit(X, y, **fit_params)
        else:
            with _parallel.divided(self, X, _parallel.processes) as batches:
                super().partial_fit(batches, y, **fit_params)
        if not self.history:  # skorch ends training quietly on an interrupt
            raise KeyboardInterrupt("training was interrupted in its first epoch")
        return self

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Return the losses of a batch, after computing their gradients."""
        torch.clear_autocast_cache()  # inside the caller's autocast it would keep the weights of the step before
        with torch.autocast(torch.device(self.device).type, dtype=self.autocast, enabled=self.autocast is not None):
            losses = (self.module_ if self.replica_ is None else self.replica_.module)(batch)
        sum(losses.values()).backward()
        losses = {name: loss.detach() for name, loss in losses.items()}
        loss = sum(value for name, value in losses.items() if name not in self.module_.adversaries)
        return {"loss": loss, "y_pred": losses}

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Return the information in a validation batch."""
        with torch.no_grad():
            value = self.eval_module.mutual_info(batch)  # type: ignore[operator]
        return {"loss": -value, "y_pred": {"mutual_info": value}}

    def run_single_epoch(
        self, iterator: Iterable | None, training: bool, prefix: str, step_fn: Callable, **fit_params: Any
    ) -> None:
        """Run one epoch and record the mean of each of its terms."""
        if iterator is None:
            return
        (self.module_ if training else self.eval_module).train(training)  # once per epoch: it visits every submodule
        means = RunningMeans()
        for batch in iterator:
            TURNS.pause()
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            self.notify("on_batch_end", batch=batch, training=training, **step)
            means.add({"loss": step["loss"], **step["y_pred"]}, weight=len(batch[0]))
        for name, value in self._agreed(means).items():
            self.history.record(f"{prefix}_{name}", value)

    def evaluate(self, batches: Iterable) -> dict[str, float]:
        """Return the means over ``batches`` as after an epoch, without recording them."""
        self.eval_module.eval()
        means = RunningMeans()
        for batch in batches:
            TURNS.pause()
            step = self.validation_step(batch)
            means.add({"loss": step["loss"], **step["y_pred"]}, weight=len(batch[0]))
        return self._agreed(means)

    def _agreed(self, means: "RunningMeans") -> dict[str, float]:
        """Return the means, inside `data_parallel` over all processes."""
        return means.result() if self.replica_ is None else self.replica_.mean(means.result())

    def forward_iter(self, X: Any, training: bool = False, device: str | torch.device = "cpu") -> NoReturn:
        """Refuse to predict. ``forward``, ``predict`` and ``predict_proba`` of skorch all come here."""
        raise TypeError(
            "InformationNet trains an objective, which has losses but no predictions. Use the estimator's transform or "
            "score, or net.evaluate(batches)."
        )

    # Where training begins and ends

    def on_train_begin(self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Forget how an earlier training ended."""
        self.stops_, self.skipped_ = False, 0

    def skip_epochs(self, n: int) -> None:
        """Count ``n`` epochs of the training that begins as done."""
        self.skipped_ = n

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **kwargs: Any) -> NeuralNet:
        """Train the epochs that are left; an interrupt ends training after the last complete one."""
        epochs = (self.max_epochs if epochs is None else epochs) - self.skipped_
        try:
            return super().fit_loop(X, y, epochs=epochs, **kwargs)
        except KeyboardInterrupt:
            if self.history and "dur" not in self.history[-1]:
                self.history.pop()
            raise

    def stop_after_epoch(self) -> None:
        """End training once all callbacks have seen the end of this epoch."""
        self.stops_ = True

    def on_epoch_begin(
        self, net: NeuralNet, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Add a row to the history, unless training is to end."""
        if self.stops_:
            raise KeyboardInterrupt  # skorch's way to end training
        super().on_epoch_begin(net, dataset_train, dataset_valid, **kwargs)

    def on_epoch_end(self, net: NeuralNet, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Raise an error if the loss is not finite."""
        loss = self.history[-1, "train_loss"]
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"training diverged: the loss of epoch {len(self.history)} is {loss}. Lower learning_rate_init, or use "
                "a bound that cannot overflow, such as mi_estimator='jsd'."
            )

    # What is kept

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of all that training and new settings change: weights, optimizer, history, lr, callbacks."""
        tensors = {"weights": self.module_.state_dict(), "optimizer": self.optimizer_.state_dict()}
        return {**copy.deepcopy(tensors), "attributes": self._attributes()}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a snapshot."""
        self.__dict__.clear()
        self.__dict__.update(snapshot["attributes"])
        self.__dict__.update(self._attributes())  # so that what follows leaves the snapshot as it is
        self.module_.load_state_dict(snapshot["weights"])
        self.optimizer_.load_state_dict(snapshot["optimizer"])
        self.module_.eval()

    def _attributes(self) -> dict[str, Any]:
        return {**self.__dict__, "history_": History(self.history_), "callbacks_": list(self.callbacks_)}

    def history_frame(self) -> pd.DataFrame:
        """Return the history as a frame with one row per epoch."""
        return pd.DataFrame([self.history_row(epoch) for epoch in range(len(self.history))])

    def history_row(self, epoch: int) -> dict[str, Any]:
        """Return what is recorded of an epoch; -1 is the last."""
        return {name: value for name, value in self.history[epoch].items() if name != "batches"}

    def __getstate__(self) -> dict[str, Any]:
        plain = ["module", "optimizer", "lr", "max_epochs", "verbose", "device"]
        plain += [name for name in self.__dict__ if name.startswith("optimizer__")]
        return {
            "params": {name: getattr(self, name) for name in plain},
            "history": self.history_frame().to_dict("records"),
            "weights": numpy_weights(self.module_),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        params = state["params"]
        device = device_or_cpu(params["device"])
        InformationNet.__init__(self, **{**params, "device": device})
        with seeded(0, 0, device=device):  # first weights are drawn, and then replaced
            self.initialize()
            weights = {name: torch.tensor(array) for name, array in state["weights"].items()}
            self.module_.load_state_dict(weights)
        self.module_.eval()
        self.history_ = History([{**row, "batches": []} for row in state["history"]])


class RunningMeans:
    """Weighted means of named scalars, which stay on their device until they are asked for."""

    def __init__(self) -> None:
        self.totals: dict[str, Tensor] = {}
        self.weight = 0

    def add(self, terms: dict[str, Tensor], weight: int) -> None:
        """Add the terms of one batch."""
        for name, value in terms.items():
            self.totals[name] = self.totals.get(name, 0.0) + weight * value.detach()
        self.weight += weight

    def result(self) -> dict[str, float]:
        """Return the means as floats, with one transfer for all of them."""
        values = torch.stack([torch.as_tensor(total) for total in self.totals.values()]) / self.weight
        return dict(zip(self.totals, values.tolist(), strict=True))
