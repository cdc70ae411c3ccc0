"""skorch still does what we rely on beyond its documentation."""

import numpy as np
import pytest
import skorch
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PrintLog
from skorch.history import History
from torch import nn

from sklearn_dim.training._skorch import READ_FROM, RELIED_ON


class Log(Callback):
    """Writes down what is called, in order."""

    def __init__(self, calls):
        self.calls = calls

    def on_train_begin(self, net, **kwargs):
        self.calls.append("callback: begin")

    def on_epoch_end(self, net, **kwargs):
        self.calls.append("callback: epoch")

    def on_train_end(self, net, **kwargs):
        self.calls.append("callback: end")


class Net(NeuralNet):
    """skorch's net with steps of our own, which writes down what is called."""

    def __init__(self, module=lambda: nn.Linear(1, 1), *, calls=None, error=None, **kwargs):
        self.calls, self.error = [] if calls is None else calls, error
        options = {"criterion": nn.Identity, "train_split": None, "verbose": 0, "max_epochs": 2, **kwargs}
        super().__init__(module, **options)

    @property
    def _default_callbacks(self):
        return [("epoch_timer", EpochTimer())]

    def get_split_datasets(self, X, y=None, **fit_params):
        return X, y

    def get_iterator(self, dataset, training=False):
        return dataset

    def on_train_begin(self, net, **kwargs):
        self.calls.append("net: begin")

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        self.calls.append((prefix, training, iterator, step_fn.__name__))
        if self.error is not None:
            raise self.error
        for batch in iterator or [] if training else []:
            step_fn(batch)

    def train_step_single(self, batch, **fit_params):
        weight = self.module_.weight
        self.calls.append(("step", weight.grad is None or not weight.grad.any()))
        weight.sum().backward()
        return {"loss": weight.detach().sum(), "y_pred": None}


def trained(**options):
    calls = []
    net = Net(calls=calls, callbacks=[Log(calls)], optimizer=torch.optim.SGD, lr=0.5, **options).initialize()
    return net, calls


def default_callbacks():
    net = Net(callbacks=[Callback()]).initialize()
    assert [type(callback) for _, callback in net.callbacks_] == [EpochTimer, Callback]
    assert isinstance(NeuralNet._default_callbacks, property)
    assert {name for name in net.get_params() if name.count("__") == 1 and name[:9] == "callbacks"} == {
        "callbacks__epoch_timer", "callbacks__Callback"
    }  # fmt: skip


def initialize_callbacks():
    net = Net().initialize()
    net.partial_fit([0], None)
    before = net.module_, net.optimizer_, net.history_, list(net.history)
    net.callbacks = [Log([])]
    net._initialize_callbacks()
    assert [name for name, _ in net.callbacks_] == ["epoch_timer", "Log"]
    assert all(now is then for now, then in zip((net.module_, net.optimizer_, net.history_), before, strict=False))
    assert net.history == before[-1] and len(net.history) == 2


def callbacks_in_order():
    net = Net(callbacks=[PrintLog(), ("mine", Callback())]).initialize()
    assert [name for name, _ in net.callbacks_] == ["epoch_timer", "mine", "PrintLog"]


def notify_the_net_first():
    net, calls = trained()
    net.partial_fit([0], None)
    assert calls[:2] == ["net: begin", "callback: begin"]


def fit_loop():
    net, calls = trained()
    train, valid = [0], [1]
    net.fit_loop(train, valid, epochs=1)
    epochs = [call for call in calls if isinstance(call, tuple) and call[0] in ("train", "valid")]
    assert epochs == [("train", True, train, "train_step"), ("valid", False, valid, "validation_step")]
    assert [row["epoch"] for row in net.history] == [1]
    net.fit_loop(train, None, epochs=1)
    assert ("valid", False, None, "validation_step") in calls


def partial_fit():
    net, calls = trained(error=KeyboardInterrupt())
    net.partial_fit([0], None)
    assert calls[-1] == "callback: end"
    net, calls = trained(error=MemoryError())
    with pytest.raises(MemoryError):
        net.partial_fit([0], None)
    assert "callback: end" not in calls


def train_step():
    net, calls = trained()
    start = net.module_.weight.item()
    net.partial_fit([0, 1], None)
    assert [call for call in calls if call[0] == "step"] == [("step", True)] * 4
    assert net.module_.weight.item() == pytest.approx(start - 4 * 0.5)


def forward_iter():
    class Refusing(Net):
        def forward_iter(self, *args, **kwargs):
            raise TypeError("refused")

    net = Refusing().initialize()
    for method in (net.forward, net.predict, net.predict_proba):
        with pytest.raises(TypeError, match="refused"):
            method(np.zeros((2, 1)))


def set_attributes():
    net = Net().initialize()
    with pytest.raises(Exception, match="outside of an initialize method"):
        net.other_ = nn.Linear(1, 1)
    net.__dict__["other_"] = nn.Linear(1, 1)
    assert len(list(net.get_all_learnable_params())) == 2  # those of module_


def all_is_in_dict():
    net = Net(lr=0.5).initialize()
    parts = {"lr", "max_epochs", "callbacks", "callbacks_", "history_", "module_", "optimizer_", "initialized_"}
    assert parts <= vars(net).keys() and isinstance(vars(net)["callbacks_"], list)


def param_groups():
    net = Net(optimizer__param_groups=[("bias", {"lr": 0.1})], lr=0.5).initialize()
    assert sorted(group["lr"] for group in net.optimizer_.param_groups) == [0.1, 0.5]
    net.optimizer__param_groups = [("bias", {"lr": 0.2})]
    assert sorted(group["lr"] for group in net.initialize_optimizer().optimizer_.param_groups) == [0.2, 0.5]


def history():
    rows = History([{"epoch": 1, "batches": []}])
    rows.new_epoch()
    assert isinstance(rows, list) and rows == [{"epoch": 1, "batches": []}, {"batches": []}]
    assert History(rows) == rows and rows.pop() == {"batches": []}


def epoch_timer():
    net = Net(error=KeyboardInterrupt()).initialize()
    net.partial_fit([0], None)
    assert "dur" not in net.history[-1]
    net.error = None
    net.partial_fit([0], None)
    assert net.history[-1]["dur"] >= 0


CHECKS = {
    "NeuralNet._default_callbacks": default_callbacks,
    "NeuralNet._initialize_callbacks": initialize_callbacks,
    "NeuralNet.callbacks_": callbacks_in_order,
    "NeuralNet.notify": notify_the_net_first,
    "NeuralNet.fit_loop": fit_loop,
    "NeuralNet.partial_fit": partial_fit,
    "NeuralNet.train_step": train_step,
    "NeuralNet.forward_iter": forward_iter,
    "NeuralNet.__setattr__": set_attributes,
    "NeuralNet.__dict__": all_is_in_dict,
    "NeuralNet.optimizer__param_groups": param_groups,
    "History": history,
    "EpochTimer": epoch_timer,
}


@pytest.mark.parametrize("name", RELIED_ON)
def test_skorch_is_as_it_was_read(name):
    try:
        CHECKS[name]()
    except Exception as error:
        read = " and ".join(READ_FROM)
        pytest.fail(
            f"skorch {skorch.__version__} differs from {read} in {name}, which {RELIED_ON[name]}: "
            f"{type(error).__name__}: {error}"
        )


def test_every_check_is_of_something_relied_on():
    assert CHECKS.keys() == RELIED_ON.keys()
