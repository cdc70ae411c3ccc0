"""skorch's net, for modules that compute their own losses."""

import copy
import math
from collections.abc import Callable, Collection, Iterable
from contextlib import nullcontext
from typing import Any, NamedTuple, NoReturn

import pandas as pd
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer
from skorch.history import History
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sklearn_dim.devices import explained_memory, full_precision, has_fused_adam
from sklearn_dim.training import _parallel
from sklearn_dim.training._captured import CapturedSteps, can_capture
from sklearn_dim.training._device import device_or_cpu, numpy_weights, seeded
from sklearn_dim.training._interrupts import Interrupts, LastEpoch
from sklearn_dim.training._progress import Progress
from sklearn_dim.training._turns import TURNS

SAVED = "module", "optimizer", "lr", "max_epochs", "verbose", "device"  # settings in pickles, with the optimizer's


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
    title : str, default="training"
        What is trained, for the lines that ``verbose`` prints.
    about : str, default=""
        What it learns from, for the first of them.
    **kwargs
        Other parameters of `skorch.NeuralNet` (lr, max_epochs, device, optimizer__betas, …).
    """

    lr: float
    module_: Any  # the objective that is trained: a module with the methods named above
    averaged_: nn.Module | None = None
    replica_: "_parallel.Replica | None" = None  # inside `data_parallel`: what is trained, sharing memory with module_
    last_epoch_: LastEpoch
    converged_ = False  # whether a callback found that training had converged
    improved_ = True  # whether training has gained anything over where it began, as far as a callback has looked
    stops_ = False  # whether training ends with this epoch
    ones_: Tensor | None = None  # the gradient of the losses
    captured_: CapturedSteps | None = None  # in training on CUDA, where a step can be a CUDA graph
    skipped_ = 0  # epochs of this training that were done before it was interrupted
    interrupted_ = False  # whether Ctrl-C ended training; the net is as the last whole epoch left it
    interrupts_ = Interrupts()  # of the training that runs

    def __init__(
        self,
        module: Callable[[], nn.Module],
        *,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        callbacks: list | None = None,
        verbose: int = 0,
        autocast: torch.dtype | None = None,
        title: str = "training",
        about: str = "",
        **kwargs: Any,
    ):
        self.autocast, self.title, self.about = autocast, title, about
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
        return [
            ("epoch_timer", EpochTimer()),
            *([("progress", Progress(self.title, self.about, self.verbose))] if self.verbose else []),
        ]

    def initialize_module(self) -> "InformationNet":
        """Build the objective, without counters of batches: each would take an operation per step, for nothing."""
        super().initialize_module()
        for part in self.module_.modules():
            if isinstance(part, _BatchNorm) and part.momentum is not None:
                part.num_batches_tracked = None  # read only for the mean over all batches, with momentum=None
                part._register_load_state_dict_pre_hook(_without_counter)  # torch adds one to plain dictionaries
        return self

    # Training

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Return training and validation batches, which are the X and y of ``partial_fit``."""
        return X, y

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Return the batches themselves."""
        return dataset

    def partial_fit(self, X: Iterable, y: Iterable | None = None, **fit_params: Any) -> "InformationNet":
        """Train for max_epochs more epochs on batches X, with validation batches y.

        A KeyboardInterrupt by a callback at the end of an epoch ends training there, as in skorch. Any other, such as
        Ctrl-C, ends it with the last whole epoch and is raised again, so that what is around the training ends too.
        """
        with Interrupts() as self.interrupts_:
            if _parallel.processes is None:
                super().partial_fit(X, y, **fit_params)
            else:
                with _parallel.divided(self, X, _parallel.processes) as batches:
                    super().partial_fit(batches, y, **fit_params)
        self.interrupted_ |= self.interrupts_.raised  # skorch takes one between two epochs for the end, too
        if not self.history:
            raise KeyboardInterrupt("training was interrupted in its first epoch")
        if self.interrupted_:
            raise KeyboardInterrupt(f"training was interrupted after epoch {len(self.history)}")
        return self

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Call a method of the net and of all callbacks; Ctrl-C waits while they see the end of an epoch."""
        with self.interrupts_.held() if method_name == "on_epoch_end" else nullcontext():
            super().notify(method_name, **kwargs)

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Return the losses of a batch, after computing their gradients."""
        torch.clear_autocast_cache()  # inside the caller's autocast it would keep the weights of the step before
        low = None if self.autocast is None else torch.autocast(torch.device(self.device).type, self.autocast)
        with low or nullcontext():
            losses = (self.module_ if self.replica_ is None else self.replica_.module)(batch)
        terms = Terms.of(losses, self.module_.adversaries)
        terms.values.backward(self._ones(terms.values))  # the gradient of their sum, without adding them up
        return terms.step()

    def _ones(self, like: Tensor) -> Tensor:
        """Return ones of the shape of ``like``, made once."""
        kept = self.ones_
        if kept is None or (kept.shape, kept.dtype, kept.device) != (like.shape, like.dtype, like.device):
            self.ones_ = kept = torch.ones_like(like)
        return kept

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Return the information in a validation batch."""
        with torch.no_grad():
            value = self.eval_module.mutual_info(batch)  # type: ignore[operator]
        return Terms.of({"mutual_info": value}, sign=-1).step()

    def run_single_epoch(
        self, iterator: Iterable | None, training: bool, prefix: str, step_fn: Callable, **fit_params: Any
    ) -> None:
        """Run one epoch and record the mean of each of its terms."""
        if iterator is None:
            return
        (self.module_ if training else self.eval_module).train(training)  # once per epoch: it visits every submodule
        if training and self.captured_ is not None:
            step_fn = self.captured_
        means = RunningMeans()
        for batch in iterator:
            TURNS.pause()
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            self.notify("on_batch_end", batch=batch, training=training, **step)
            means.add(step["terms"], weight=len(batch[0]))
        for name, value in self._agreed(means).items():
            is_term = training and name != "loss"
            self.history.record(f"{prefix}_{name}_loss" if is_term else f"{prefix}_{name}", value)

    def evaluate(self, batches: Iterable) -> dict[str, float]:
        """Return the means over ``batches`` as after an epoch, without recording them."""
        self.eval_module.eval()
        means = RunningMeans()
        with full_precision(self.device), explained_memory():
            for batch in batches:
                TURNS.pause()
                means.add(self.validation_step(batch)["terms"], weight=len(batch[0]))
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
        self.stops_, self.skipped_, self.interrupted_ = False, 0, False
        self.captured_ = CapturedSteps(self.train_step, self.optimizer_) if can_capture(self) else None

    def on_train_end(self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Let the memory of CUDA graphs go."""
        self.captured_ = None

    def skip_epochs(self, n: int) -> None:
        """Count ``n`` epochs of the training that begins as done."""
        self.skipped_ = n

    def fit_loop(self, X: Any, y: Any = None, epochs: int | None = None, **kwargs: Any) -> NeuralNet:
        """Train the epochs that are left; an interrupt ends training after the last complete one."""
        epochs = (self.max_epochs if epochs is None else epochs) - self.skipped_
        self.last_epoch_ = LastEpoch()
        try:
            return super().fit_loop(X, y, epochs=epochs, **kwargs)
        except KeyboardInterrupt:
            self.interrupted_ = self.interrupts_.raised
            if self.history and "dur" not in self.history[-1]:
                self.history.pop()
                self.last_epoch_.put_back(self)
                self.interrupted_ = True
            raise
        finally:
            del self.last_epoch_

    def stop_after_epoch(self) -> None:
        """End training once all callbacks have seen the end of this epoch."""
        self.stops_ = True

    def on_epoch_begin(
        self, net: NeuralNet, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Add a row to the history, unless training is to end."""
        if self.stops_:
            raise KeyboardInterrupt  # skorch's way to end training
        with self.interrupts_.held():
            self.last_epoch_.keep(self)
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
        plain = [*SAVED]
        plain += [name for name in self.__dict__ if name.startswith("optimizer__")]
        return {
            "params": {name: getattr(self, name) for name in plain},
            "history": self.history_frame().to_dict("records"),
            "weights": numpy_weights(self.module_),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        params = state["params"]
        if others := [name for name in params if name not in SAVED and not name.startswith("optimizer__")]:
            raise ValueError(f"a net's file does not hold {others[0]!r}.")
        device = device_or_cpu(params["device"])
        if params.get("optimizer__fused"):  # which another device, or torch of another release, may not do
            params = {**params, "optimizer__fused": has_fused_adam(device)}
        InformationNet.__init__(self, **{**params, "device": device})
        with seeded(0, 0, device=device):  # first weights are drawn, and then replaced
            self.initialize()
            weights = {name: torch.tensor(array) for name, array in state["weights"].items()}
            for name, own in self.module_.state_dict().items():
                if name in weights and weights[name].dtype != own.dtype:
                    raise ValueError(f"the weights {name!r} are {weights[name].dtype}, not {own.dtype}.")
            self.module_.load_state_dict(weights)
        self.module_.eval()
        self.history_ = History([{**row, "batches": []} for row in state["history"]])


def _without_counter(weights: dict[str, Any], prefix: str, *others: Any) -> None:
    """Remove a BatchNorm's counter of batches from weights that are to be loaded."""
    weights.pop(prefix + "num_batches_tracked", None)


class Terms(NamedTuple):
    """Named scalars of a step in one tensor, so that a step has one to add up and one to return.

    Attributes
    ----------
    names : tuple of str
    values : Tensor of shape (n_terms,)
    n_own : int
        The first ``n_own`` make the loss; the others are adversaries'.
    sign : int, default=1
        −1 if the loss is minus the sum of its terms, as it is of informations.
    """

    names: tuple[str, ...]
    values: Tensor
    n_own: int
    sign: int = 1

    @classmethod
    def of(cls, scalars: dict[str, Tensor], adversaries: Collection[str] = (), sign: int = 1) -> "Terms":
        """Return scalars by name as terms, those of adversaries last."""
        names = sorted(scalars, key=lambda name: name in adversaries)
        values = [scalars[name] for name in names]
        joined = values[0].reshape(1) if len(values) == 1 else torch.stack(values)
        return cls(tuple(names), joined, sum(name not in adversaries for name in names), sign)

    def step(self) -> dict[str, Any]:
        """Return what skorch and its callbacks are told of a step."""
        values = self.values.detach()
        own = values[: self.n_own]
        loss = own[0] if self.n_own == 1 else own.sum()
        by_name = dict(zip(self.names, values.unbind(), strict=True))
        return {"loss": loss if self.sign > 0 else -loss, "y_pred": by_name, "terms": self._replace(values=values)}


class RunningMeans:
    """Weighted means of a step's terms, which stay on their device until they are asked for."""

    def __init__(self) -> None:
        self.weight = 0
        self.terms: Terms | None = None

    def add(self, terms: Terms, weight: int) -> None:
        """Add the terms of one batch."""
        if self.terms is None:
            self.terms = terms._replace(values=weight * terms.values)
        else:
            self.terms.values.add_(terms.values, alpha=weight)
        self.weight += weight

    def result(self) -> dict[str, float]:
        """Return the means as floats, with one transfer for all of them; the first is the loss."""
        if self.terms is None:
            raise ValueError("there are no batches to take the mean of.")
        names, totals, n_own, sign = self.terms
        means = [total / self.weight for total in totals.tolist()]
        return {"loss": sign * sum(means[:n_own]), **dict(zip(names, means, strict=True))}
