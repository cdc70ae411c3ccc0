"""Batches, early stopping, seeds and the pickle of a net."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from scipy import sparse
from skorch.callbacks import Callback
from torch import nn

from sklearn_dim.training import (
    AverageWeights,
    BestWeights,
    BestWeightsEach,
    InformationNet,
    RowBatches,
    resolve_device,
    seeded,
)


class Line(nn.Module):
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


@pytest.mark.parametrize(
    "n, size, expected", [(9, 8, [5, 4]), (3, 2, [3]), (16, 8, [8, 8]), (2, 128, [2]), (1, 8, [1])]
)
def test_batches_are_even_and_never_end_on_one_row(n, size, expected):
    assert [len(x) for (x,) in RowBatches(np.arange(n), batch_size=size)] == expected


def test_an_epoch_sees_every_row_once_in_a_new_order():
    torch.manual_seed(0)
    batches = RowBatches(np.arange(50), batch_size=8)
    first, second = (torch.cat([x for (x,) in batches]) for _ in range(2))
    assert not torch.equal(first, second) and torch.equal(first.sort().values, torch.arange(50))


def test_batches_of_other_rows_share_the_arrays():
    batches = RowBatches(np.arange(50), batch_size=8)
    other = batches.of(np.array([7, 3, 9]))
    assert other.arrays is batches.arrays and len(other) == 1
    assert torch.cat([rows for (rows,) in other]).tolist() == [7, 3, 9]
    assert len(batches) == 7 and sorted(torch.cat([rows for (rows,) in batches]).tolist()) == list(range(50))


def test_csr_rows_and_memory_maps_are_taken_batch_by_batch(tmp_path):
    dense = np.arange(12.0).reshape(6, 2)
    np.save(tmp_path / "x.npy", dense)
    for source in (sparse.csr_matrix(dense), np.load(tmp_path / "x.npy", mmap_mode="r")):
        batches = RowBatches(source, rows=[4, 1, 3], batch_size=2, shuffle=False)
        np.testing.assert_array_equal(torch.cat([x for (x,) in batches]), dense[[4, 1, 3]])


def test_csr_rows_may_stay_sparse():
    dense = np.arange(12.0).reshape(6, 2)
    batches = RowBatches(sparse.csr_matrix(dense), rows=[4, 0, 3], batch_size=2, shuffle=False, sparse=True)
    seen = [x for (x,) in batches]
    assert all(x.is_sparse and x.dtype == torch.float32 for x in seen)
    np.testing.assert_array_equal(torch.cat([x.to_dense() for x in seen]), dense[[4, 0, 3]])


def test_training_records_an_epoch_a_row_without_adversaries():
    net = InformationNet(Line, lr=0.1, max_epochs=3).initialize()
    net.partial_fit(line_batches(), line_batches(shuffle=False))
    history = net.history_frame()
    assert list(history["epoch"]) == [1, 2, 3]
    assert {"train_loss", "train_error", "train_other", "valid_mutual_info", "dur"} <= set(history)
    np.testing.assert_allclose(history["train_loss"], history["train_error"])
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


class Interrupt(Callback):
    """Presses Ctrl-C in the second batch of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, net, **kwargs):
        if net.history[-1, "epoch"] == self.epoch and len(net.history[-1, "batches"]) == 2:
            raise KeyboardInterrupt


def test_an_interrupt_ends_training_after_the_last_whole_epoch():
    net = InformationNet(Line, max_epochs=5, callbacks=[Interrupt(3)]).initialize().partial_fit(line_batches(), None)
    assert net.history_frame()["epoch"].tolist() == [1, 2] and net.history_frame().notna().all(axis=None)
    with pytest.raises(KeyboardInterrupt, match="first epoch"):
        InformationNet(Line, callbacks=[Interrupt(1)]).initialize().partial_fit(line_batches(), None)


class Slopes(nn.Module):
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


def test_a_pickle_holds_numpy_and_works_on():
    net = InformationNet(Line, lr=0.1, max_epochs=2).initialize()
    net.partial_fit(line_batches(), None)
    state = net.__getstate__()
    assert all(isinstance(array, np.ndarray) for array in state["weights"].values())
    again = pickle.loads(pickle.dumps(net))
    assert again.module_.slope.item() == net.module_.slope.item()
    again.partial_fit(line_batches(), None)
    assert len(again.history_frame()) == 4


def test_seeds_repeat_and_leave_the_callers_stream_alone():
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    draws = []
    for _ in range(2):
        with seeded(3, size=1):
            draws.append(torch.randn(4))
            assert torch.get_num_threads() == 1
    assert torch.equal(*draws)
    assert torch.equal(before, torch.get_rng_state()) and torch.get_num_threads() == threads


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device='warp' cannot be used"):
        resolve_device("warp")


class Recorder(Callback):
    def __init__(self):
        self.slopes = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.slopes.append(net.module_.slope.item())


def test_the_mean_weights_are_judged_and_kept():
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
