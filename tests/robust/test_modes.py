"""The global modes of torch: a fit has the same bits under all of them, and leaves them as they were."""

import copy
import functools
import pathlib
import pickle
import sys
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from sklearn_dim import DIMTransformer, MutualInfoEstimator
from sklearn_dim.persistence import to_torch
from sklearn_dim.training import InformationNet, seeded

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from test_same_bits import CASES, bits, lacks, measured

sys.path.pop(0)
ROWS = np.random.default_rng(0).normal(size=(60, 4))
# A module that is called, or made, by the test itself does what torch's modes say; that is right.
NAMES = [name for name in CASES if not lacks(name) and not ("as a module" in name or "torch_geometric" in name)]
QUICK = [
    "dim: table", "dim: mixed precision", "dim: tokens", "dgi: numbers", "dgi: default words", "infograph: default",
    "information: text", "information: given", "other: features", "other: dependency", "other: information score",
    "other: pickled dim", "other: saved pairs",
]  # fmt: skip


@contextmanager
def now(get, set_, value):
    before = get()
    set_(value)
    try:
        yield
    finally:
        set_(before)


def default_dtype(dtype):
    return now(torch.get_default_dtype, torch.set_default_dtype, dtype)


def deterministic():
    return now(torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode, "error")


def products(precision):
    return now(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, precision)


MODES = {
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "inference mode": torch.inference_mode,
    "no gradients": torch.no_grad,
    "another device": lambda: torch.device("meta"),
    "deterministic": deterministic,
    "anomalies": lambda: torch.autograd.set_detect_anomaly(True),
    "products of few bits": lambda: products("medium"),
    "NumPy's errors": lambda: np.errstate(all="raise"),
}
by_mode = pytest.mark.parametrize("mode", MODES)


@contextmanager
def all_modes():
    with ExitStack() as stack:
        for name, mode in MODES.items():
            if name not in ("bfloat16", "anomalies"):
                stack.enter_context(mode())
        yield


def state():
    """Return what the modes are now."""
    return {
        "dtype": torch.get_default_dtype(),
        "device": torch.empty(0).device,
        "autocast": torch.is_autocast_enabled("cpu"),
        "inference": torch.is_inference_mode_enabled(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.get_deterministic_debug_mode(),
        "products": torch.get_float32_matmul_precision(),
        "anomalies": torch.is_anomaly_enabled(),
        "threads": torch.get_num_threads(),
        "NumPy": np.geterr(),
    }


@functools.cache
def expected(name):
    return bits(measured(name))


@pytest.mark.parametrize("name", QUICK)
def test_all_modes_at_once_change_no_bit(name):
    with all_modes():
        before = state()
        got = bits(measured(name))
        assert state() == before
    assert got == expected(name)


@by_mode
def test_each_mode_changes_no_bit(mode, record_property):
    for name in ("dim: bag", "dgi: default", "infograph: gcn", "information: 1 x 1"):
        record_property("tries", 1)
        with MODES[mode]():
            assert bits(measured(name)) == expected(name), name


@pytest.mark.slow
@by_mode
@pytest.mark.parametrize("name", NAMES)
def test_no_mode_changes_a_bit_of_any_fit(name, mode):
    with MODES[mode]():
        before = state()
        got = bits(measured(name))
        assert state() == before
    assert got == expected(name)


@by_mode
def test_modes_come_back_after_an_error(mode):
    with MODES[mode]():
        before = state()
        with pytest.raises(ZeroDivisionError), seeded(0, 1, device="cpu"):
            assert torch.empty(0).dtype == torch.float32 and torch.is_grad_enabled()
            raise ZeroDivisionError
        assert state() == before


def test_copies_leave_the_callers_random_numbers_alone():
    dim = DIMTransformer(2, max_iter=1, device="cpu", random_state=0).fit(ROWS)
    pairs = MutualInfoEstimator(cv=2, max_iter=1, critic="separable", device="cpu", random_state=0)
    pairs.fit(ROWS, ROWS[:, :1] > 0)
    for estimator in (dim, pairs):
        before = torch.get_rng_state()
        for make in (copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one)), clone):
            make(estimator)
        assert torch.equal(before, torch.get_rng_state())


def test_a_module_exported_in_inference_mode_can_be_trained():
    dim = DIMTransformer(2, max_iter=1, device="cpu", random_state=0).fit(ROWS)
    with all_modes():
        module = to_torch(dim)
    module(torch.as_tensor(ROWS, dtype=torch.float32)).sum().backward()
    assert any(weights.grad is not None for weights in module.parameters())


class Weighed(nn.Module):
    """An objective with one weight, which an autocast casts."""

    adversaries = ()

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 1, bias=False)

    def forward(self, batch):
        return {"loss": self.linear(batch[0]).float().square().mean()}


def test_an_autocast_around_training_keeps_no_weights_of_the_step_before():
    def losses():
        torch.manual_seed(0)
        net = InformationNet(Weighed, lr=0.1, max_epochs=4, device="cpu", autocast=torch.bfloat16).initialize()
        net.partial_fit([(torch.ones(8, 4),)])
        return net.history[:, "train_loss"]

    alone = losses()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert losses() == alone
    assert len(set(alone)) == 4
