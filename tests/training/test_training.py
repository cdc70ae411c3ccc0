"""Training, its best and mean weights, training that continues, and the pickle of a net."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, LRScheduler
from torch import nn
from torch.optim.lr_scheduler import StepLR

from sklearn_dim.objectives import Objective
from sklearn_dim.training import (
    AverageWeights,
    BestWeights,
    BestWeightsEach,
    InformationNet,
    RowBatches,
)


class Line(Objective):
    """Fits a slope; its value is minus the squared error."""

    adversaries = ("other",)

    def __init__(self, start=0.0):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(start))

    def forward(self, batch):
        x, y = batch
        return {"error": (self.slope * x - y).square().mean(), "other": torch.zeros(())}

    def mutual_info(self, batch):
        return -self.forward(batch)["error"]


def line_batches(n=40, **options):
    x = torch.linspace(-1, 1, n)
    return RowBatches(x, 2 * x, batch_size=8, **options)


def test_training_records_one_row_per_epoch_without_adversaries():
    net = InformationNet(Line, lr=0.1, max_epochs=3).initialize()
    net.partial_fit(line_batches(), line_batches(shuffle=False))
    history = net.history_frame()
    assert list(history["epoch"]) == [1, 2, 3]
    assert {"train_loss", "train_error_loss", "train_other_loss", "valid_mutual_info", "dur"} <= set(history)
    np.testing.assert_allclose(history["train_loss"], history["train_error_loss"])
    assert history["train_loss"].is_monotonic_decreasing


def test_the_best_weights_come_back():
    # A step far too large moves away from the optimum after the first epochs.
    keep = BestWeights("valid_mutual_info", lower_is_better=False, n_iter_no_change=3, tol=0.0, from_start=True)
    net = InformationNet(
        partial(Line, 1.9), optimizer=torch.optim.SGD, lr=7.0, max_epochs=50, callbacks=[keep]
    ).initialize()
    net.partial_fit(line_batches(), line_batches(shuffle=False))
    assert len(net.history) < 50
    assert net.module_.slope.item() == pytest.approx(1.9)


@pytest.mark.parametrize(("slope", "stops_soon"), [(2.0, True), (0.0, False)])
def test_a_start_that_nothing_improves_is_given_less_time(slope, stops_soon):
    options = {"n_iter_no_change": 6, "n_iter_no_start": 2, "tol": 1e-6, "from_start": True}
    keep = BestWeights("valid_mutual_info", lower_is_better=False, **options)
    net = InformationNet(partial(Line, slope), lr=0.2, max_epochs=200, callbacks=[keep]).initialize()
    net.partial_fit(line_batches(), line_batches(shuffle=False))
    assert net.converged_ and (len(net.history) == 2) == stops_soon
    assert stops_soon or len(net.history) >= 8


def test_the_best_weights_come_back_without_a_stop():
    keep = BestWeights("valid_mutual_info", lower_is_better=False)
    net = InformationNet(Line, optimizer=torch.optim.SGD, lr=7.0, max_epochs=5, callbacks=[keep]).initialize()
    net.partial_fit(line_batches(), line_batches(shuffle=False))
    assert len(net.history) == 5 and not net.converged_
    best = max(net.history[:, "valid_mutual_info"])
    assert net.evaluate(line_batches(shuffle=False))["mutual_info"] == pytest.approx(best, abs=1e-5)


class Interrupt(Callback):
    """Presses Ctrl-C in the second batch of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, net, **kwargs):
        if net.history[-1, "epoch"] == self.epoch and len(net.history[-1, "batches"]) == 2:
            raise KeyboardInterrupt


def test_an_interrupt_ends_training_after_the_last_whole_epoch():
    net = InformationNet(Line, max_epochs=5, callbacks=[Interrupt(3)]).initialize()
    with pytest.raises(KeyboardInterrupt, match="after epoch 2"):
        net.partial_fit(line_batches(), None)
    assert net.history_frame()["epoch"].tolist() == [1, 2] and net.history_frame().notna().all(axis=None)
    with pytest.raises(KeyboardInterrupt, match="first epoch"):
        InformationNet(Line, callbacks=[Interrupt(1)]).initialize().partial_fit(line_batches(), None)


class Slopes(Objective):
    """Three slopes; the third has nothing to find, and any value but zero is worth less than nothing."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([1.9, 0.0, 5.0]))

    def errors(self, batch):
        x, y = batch
        return (self.slope * x[:, None] - y[:, None]).square().mean(0)

    def forward(self, batch):
        return {"error": self.errors(batch).sum()}

    def values(self, batch):
        return torch.stack([*(1.0 - self.errors(batch))[:2], -self.slope[2].abs()])


def test_each_part_keeps_its_own_best_weights_or_none():
    keep = BestWeightsEach(list(line_batches(shuffle=False)), decay=0.5)
    net = InformationNet(Slopes, optimizer=torch.optim.SGD, lr=0.3, max_epochs=30, callbacks=[keep]).initialize()
    net.partial_fit(line_batches(), None)
    assert net.module_.slope[:2].tolist() == pytest.approx([2.0, 2.0], abs=0.01) and net.module_.slope[2] == 0
    assert (keep.best_[:2] > 0.99).all() and "valid_mutual_info" in net.history_frame()


def test_a_loss_that_is_not_a_number_ends_with_advice():
    net = InformationNet(partial(Line, float("nan")), max_epochs=2).initialize()
    with pytest.raises(FloatingPointError, match=r"training diverged.*learning_rate_init"):
        net.partial_fit(line_batches(), None)


class TwoLines(Line):
    """A second slope, whose parameter group has a learning rate of its own."""

    def __init__(self):
        super().__init__()
        self.other = nn.Parameter(torch.tensor(0.0))

    def forward(self, batch):
        return {"error": super().forward(batch)["error"] + (self.other - 1).square()}


GROUPS = [("other", {"lr": 0.5, "betas": (0.5, 0.999)})]


def two_lines(**options):
    return InformationNet(TwoLines, lr=0.1, max_epochs=2, optimizer__param_groups=GROUPS, **options).initialize()


def rates(net, name="lr"):
    return sorted(group[name] for group in net.optimizer_.param_groups)


def test_a_learning_rate_scales_that_of_all_groups():
    net = two_lines()
    net.set_learning_rate(0.1)
    assert rates(net) == [0.1, 0.5]
    net.set_learning_rate(0.02)
    assert net.lr == 0.02 and rates(net) == pytest.approx([0.02, 0.1])
    assert sorted(group["betas"] for group in net.optimizer_.param_groups) == [(0.5, 0.999), (0.9, 0.999)]
    assert GROUPS[0][1]["lr"] == 0.5
    again = pickle.loads(pickle.dumps(net))
    assert again.lr == 0.02 and rates(again) == pytest.approx([0.02, 0.1])


def test_a_training_that_goes_on_takes_steps_of_the_new_size():
    net, other = (
        InformationNet(Line, optimizer=torch.optim.SGD, lr=lr, max_epochs=1).initialize() for lr in (0.1, 0.3)
    )
    net.set_learning_rate(0.3)
    for each in (net, other):
        torch.manual_seed(0)
        each.partial_fit(line_batches(), None)
    assert torch.equal(net.module_.slope, other.module_.slope) and net.module_.slope != 0


def test_a_schedule_begins_at_the_new_learning_rate():
    net = two_lines(callbacks=[LRScheduler(StepLR, step_size=10)]).partial_fit(line_batches(), None)
    net.set_learning_rate(0.2)
    net.partial_fit(line_batches(), None)
    assert rates(net) == pytest.approx([0.2, 1.0]) and rates(net, "initial_lr") == pytest.approx([0.2, 1.0])


def test_callbacks_are_replaced_in_a_training_that_goes_on():
    first, second = Recorder(), Recorder()
    net = InformationNet(Line, lr=0.1, max_epochs=2, callbacks=[first]).initialize().partial_fit(line_batches(), None)
    seen, module = len(first.slopes), net.module_
    net.set_callbacks([second])
    net.partial_fit(line_batches(), None)
    assert len(first.slopes) == len(second.slopes) == seen == 10
    assert net.module_ is module and net.history_frame()["epoch"].tolist() == [1, 2, 3, 4]
    assert [name for name, _ in net.callbacks_] == ["epoch_timer", "Recorder"]


def test_a_snapshot_brings_all_back():
    recorder = Recorder()
    net = two_lines(callbacks=[recorder]).partial_fit(line_batches(), None)
    snapshot, before = net.snapshot(), pickle.dumps(net)
    for _ in range(2):
        net.set_learning_rate(0.7)
        net.set_callbacks([AverageWeights(0.9), Interrupt(4), Failing()])
        net.set_params(max_epochs=3)
        with pytest.raises(MemoryError):
            net.partial_fit(line_batches(), None)
        assert net.eval_module is not net.module_
        net.restore(snapshot)
        assert pickle.dumps(net) == before and rates(net) == [0.1, 0.5] and net.eval_module is net.module_
        assert net.callbacks == [recorder] and [name for name, _ in net.callbacks_] == ["epoch_timer", "Recorder"]
    net.partial_fit(line_batches(), None)
    assert len(recorder.slopes) == 20 and len(net.history) == 4


class Failing(Callback):
    def on_epoch_end(self, net, **kwargs):
        raise MemoryError


@pytest.mark.parametrize("method", ["forward", "forward_iter", "predict", "predict_proba"])
def test_a_net_says_that_it_predicts_nothing(method):
    net = InformationNet(Line).initialize()
    with pytest.raises(TypeError, match=r"trains an objective.*no predictions.*transform or score"):
        getattr(net, method)(np.zeros((4, 1)))


def test_a_pickle_holds_numpy_and_works_on():
    net = InformationNet(Line, lr=0.1, max_epochs=2).initialize()
    net.partial_fit(line_batches(), None)
    state = net.__getstate__()
    assert all(isinstance(array, np.ndarray) for array in state["weights"].values())
    again = pickle.loads(pickle.dumps(net))
    assert again.module_.slope.item() == net.module_.slope.item()
    again.partial_fit(line_batches(), None)
    assert len(again.history_frame()) == 4


class Recorder(Callback):
    def __init__(self):
        self.slopes = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.slopes.append(net.module_.slope.item())


def test_the_mean_weights_are_evaluated_and_kept():
    recorder = Recorder()
    net = InformationNet(Line, lr=0.1, max_epochs=4, callbacks=[AverageWeights(0.8), recorder]).initialize()
    net.partial_fit(line_batches(), line_batches(shuffle=False))
    mean = 0.0
    for step, slope in enumerate(recorder.slopes, 1):
        weight = max(0.2, 1 / (step + 1))
        mean += weight * (slope - mean)
    assert net.module_.slope.item() == pytest.approx(mean, abs=1e-5)
    assert net.eval_module is net.module_
    x, y = (torch.linspace(-1, 1, 40), 2 * torch.linspace(-1, 1, 40))
    value = -(mean * x - y).square().mean().item()
    assert net.history[-1, "valid_mutual_info"] == pytest.approx(value, abs=1e-3)


def test_the_best_mean_is_restored():
    keep = BestWeights("valid_mutual_info", lower_is_better=False, n_iter_no_change=50, tol=0.0)
    net = InformationNet(Line, lr=1.0, max_epochs=30, callbacks=[AverageWeights(0.9), keep]).initialize()
    net.partial_fit(line_batches(), line_batches(shuffle=False))
    best = max(net.history[:, "valid_mutual_info"])
    assert net.evaluate(line_batches(shuffle=False))["mutual_info"] == pytest.approx(best, abs=1e-5)
    assert not net.converged_


class Moded(Line):
    """Records the modes its parts are in."""

    def __init__(self):
        super().__init__()
        self.part = nn.Dropout().eval()
        self.seen = []

    def forward(self, batch):
        self.seen.append(("train", self.part.training))
        return super().forward(batch)

    def mutual_info(self, batch):
        self.seen.append(("valid", self.part.training))
        return -Line.forward(self, batch)["error"]


def test_all_parts_are_trained_in_training_mode_and_validated_in_the_other():
    net = InformationNet(Moded, lr=0.1, max_epochs=2).initialize()
    net.module_.part.eval()  # as after a look at an encoder's output
    net.partial_fit(line_batches(), line_batches(shuffle=False))
    assert set(net.module_.seen) == {("train", True), ("valid", False)}
    net.evaluate(line_batches(shuffle=False))
    assert net.module_.seen[-1] == ("valid", False)
