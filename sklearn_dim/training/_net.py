"""skorch's net, for modules that say themselves what is minimised."""

import copy
import math

import pandas as pd
import torch
from skorch import NeuralNet
from skorch.callbacks import EpochTimer, PrintLog
from skorch.history import History
from torch import Tensor, nn

from sklearn_dim.training._device import device_or_cpu, numpy_weights
from sklearn_dim.training._parallel import Replica, divided


class InformationNet(NeuralNet):
    """Train an objective: a module whose ``forward(batch)`` returns its losses by name.

    The sum of the losses is minimised. ``module.mutual_info(batch)`` values a validation batch in nats.
    Both are recorded once an epoch, so the device is waited for once an epoch. Pickles hold the
    weights as numpy arrays, and neither optimiser state nor callbacks.

    Parameters
    ----------
    module : callable
        Builds the objective, without arguments; it is pickled in the module's place.
    optimizer : class, default=torch.optim.Adam
    callbacks : list, default=None
        skorch callbacks.
    autocast : torch.dtype or None, default=None
        Low precision for the training steps, torch.bfloat16 say; losses are float32 where their module says so.
    **kwargs
        Other parameters of `skorch.NeuralNet` (lr, max_epochs, device, verbose, optimizer__betas, …).
    """

    def __init__(self, module, *, optimizer=torch.optim.Adam, callbacks=None, verbose=0, autocast=None, **kwargs):
        self.autocast = autocast
        kwargs = {"criterion": nn.Identity, "train_split": None, **kwargs}
        super().__init__(module, optimizer=optimizer, callbacks=callbacks, verbose=verbose, **kwargs)

    averaged_ = None
    stops_ = False  # whether training ends with this epoch
    skipped_ = 0  # epochs of this training that another process ran
    replica_: Replica | None = None  # what is trained inside `data_parallel`, with the weights of module_

    @property
    def judged(self) -> nn.Module:
        """The module that is validated and kept: the mean of recent weights where there is one (`AverageWeights`)."""
        return self.module_ if self.averaged_ is None else self.averaged_

    def judge(self, module: nn.Module | None) -> None:
        """Validate ``module`` from now on instead of the one that is trained; None goes back to that one."""
        vars(self)["averaged_"] = module  # skorch itself would take it for a module to be trained

    @property
    def _default_callbacks(self):
        # PrintLog formats its table even where nothing is printed.
        return [("epoch_timer", EpochTimer()), *([("print_log", PrintLog())] if self.verbose else [])]

    def get_split_datasets(self, X, y=None, **fit_params):
        """Return training and validation batches, which are what ``partial_fit`` takes as X and y."""
        return X, y

    def get_iterator(self, dataset, training=False):
        """Return the batches themselves."""
        return dataset

    def partial_fit(self, X, y=None, **fit_params):
        """Train max_epochs more epochs on batches X, with validation batches y."""
        with divided(self, X) as batches:
            super().partial_fit(batches, y, **fit_params)  # which takes an interrupt for an end
        if not self.history:
            raise KeyboardInterrupt("training was interrupted in its first epoch")
        return self

    def train_step_single(self, batch, **fit_params):
        """Return the losses of a batch, their gradients computed."""
        with torch.autocast(torch.device(self.device).type, dtype=self.autocast, enabled=self.autocast is not None):
            losses = (self.module_ if self.replica_ is None else self.replica_.module)(batch)
        sum(losses.values()).backward()
        losses = {name: loss.detach() for name, loss in losses.items()}
        adversaries = getattr(self.module_, "adversaries", ())
        loss = sum(value for name, value in losses.items() if name not in adversaries)
        return {"loss": loss, "y_pred": losses}

    def validation_step(self, batch, **fit_params):
        """Return a validation batch's value in nats."""
        with torch.no_grad():
            value = self.judged.mutual_info(batch)
        return {"loss": -value, "y_pred": {"mutual_info": value}}

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run an epoch and record the mean of each of its terms."""
        if iterator is None:
            return
        (self.module_ if training else self.judged).train(training)  # once an epoch: it walks through all modules
        means = RunningMeans()
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            self.notify("on_batch_end", batch=batch, training=training, **step)
            means.add({"loss": step["loss"], **step["y_pred"]}, weight=len(batch[0]))
        for name, value in self._agreed(means).items():
            self.history.record(f"{prefix}_{name}", value)

    def evaluate(self, batches) -> dict[str, float]:
        """Return the mean value of ``batches`` without recording it."""
        self.judged.eval()
        means = RunningMeans()
        for batch in batches:
            step = self.validation_step(batch)
            means.add({"loss": step["loss"], **step["y_pred"]}, weight=len(batch[0]))
        return self._agreed(means)

    def _agreed(self, means) -> dict[str, float]:
        """Return means as all processes see them."""
        return means.result() if self.replica_ is None else self.replica_.mean(means.result())

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Begin a training of max_epochs epochs."""
        self.stops_, self.skipped_ = False, 0

    def skip_epochs(self, n: int) -> None:
        """Take ``n`` epochs of the training that begins for done."""
        self.skipped_ = n

    def fit_loop(self, X, y=None, epochs=None, **kwargs):
        """Train the epochs that are left; an interrupt ends training after the last whole one."""
        epochs = (self.max_epochs if epochs is None else epochs) - self.skipped_
        try:
            return super().fit_loop(X, y, epochs=epochs, **kwargs)
        except KeyboardInterrupt:
            if self.history and "dur" not in self.history[-1]:
                self.history.pop()
            raise

    def stop_after_epoch(self) -> None:
        """End training when all callbacks have seen the end of this epoch."""
        self.stops_ = True

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Begin a row of the history, unless training was to end before."""
        if self.stops_:
            raise KeyboardInterrupt  # skorch's way to end training
        super().on_epoch_begin(net, dataset_train, dataset_valid, **kwargs)

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        """Refuse to go on from a loss that is not a number."""
        loss = self.history[-1, "train_loss"]
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"training diverged: the loss of epoch {len(self.history)} is {loss}. Lower learning_rate_init, or use "
                "a bound that cannot overflow, such as mi_estimator='jsd'."
            )

    def snapshot(self) -> dict:
        """Return a copy of all that training changes."""
        state = {"weights": self.module_.state_dict(), "optimizer": self.optimizer_.state_dict()}
        return {**copy.deepcopy(state), "epochs": len(self.history)}

    def restore(self, snapshot: dict) -> None:
        """Go back to a snapshot."""
        self.module_.load_state_dict(snapshot["weights"])
        self.optimizer_.load_state_dict(snapshot["optimizer"])
        self.history_ = History(self.history[: snapshot["epochs"]])
        self.module_.eval()

    def history_frame(self) -> pd.DataFrame:
        """Return the history, a row an epoch."""
        return pd.DataFrame([self.history_row(epoch) for epoch in range(len(self.history))])

    def history_row(self, epoch: int) -> dict:
        """Return what the history has of an epoch; -1 is the last."""
        return {name: value for name, value in self.history[epoch].items() if name != "batches"}

    def __getstate__(self):
        plain = ("module", "optimizer", "lr", "max_epochs", "verbose", "device")
        plain += tuple(name for name in vars(self) if name.startswith("optimizer__"))
        return {
            "params": {name: getattr(self, name) for name in plain},
            "history": self.history_frame().to_dict("records"),
            "weights": numpy_weights(self.module_),
        }

    def __setstate__(self, state):
        params = state["params"]
        self.__init__(**{**params, "device": device_or_cpu(params["device"])})
        self.initialize()
        weights = {name: torch.tensor(array) for name, array in state["weights"].items()}
        self.module_.load_state_dict(weights)
        self.module_.eval()
        self.history_ = History([{**row, "batches": []} for row in state["history"]])


class RunningMeans:
    """Weighted means of named scalars, on their device until asked for."""

    def __init__(self):
        self.totals: dict[str, Tensor] = {}
        self.weight = 0

    def add(self, terms: dict[str, Tensor], weight: int) -> None:
        """Add one batch's terms."""
        for name, value in terms.items():
            self.totals[name] = self.totals.get(name, 0.0) + weight * value.detach()
        self.weight += weight

    def result(self) -> dict[str, float]:
        """Return the means as floats: one transfer for all."""
        values = torch.stack([torch.as_tensor(total) for total in self.totals.values()]) / self.weight
        return dict(zip(self.totals, values.tolist(), strict=True))
