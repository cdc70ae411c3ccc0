"""Random streams, precision and devices, with a CUDA that is not there."""

from contextlib import contextmanager

import pytest
import torch

from sklearn_dim.training import resolve_device, resolve_precision, seeded, set_seed


def test_seeds_repeat_and_leave_the_callers_stream_alone():
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    draws = []
    for _ in range(2):
        with seeded(3, size=1):
            draws.append(torch.randn(4))
            assert torch.get_num_threads() == 1
    assert torch.equal(*draws)
    assert torch.equal(before, torch.get_rng_state()) and torch.get_num_threads() == threads


def test_a_fit_on_the_cpu_leaves_other_devices_alone(monkeypatch):
    def touched(*args, **kwargs):
        pytest.fail("another device was touched")

    # What torch.manual_seed and torch.random.fork_rng do to all devices.
    for name in ("manual_seed_all", "get_rng_state", "set_rng_state", "device_count", "is_available"):
        monkeypatch.setattr(torch.cuda, name, touched)
    for name in ("manual_seed", "is_available"):
        monkeypatch.setattr(torch.mps, name, touched, raising=False)
    torch.default_generator.manual_seed(5)
    expected = torch.randn(3)
    with seeded(0, device="cpu") as seed:
        drawn = torch.randn(3)
        set_seed(seed, torch.device("cpu"))
        assert torch.equal(drawn, torch.randn(3)) and not torch.equal(drawn, expected)


class FakeDevice:
    """What torch has for a kind of device: its random state, and whether it knows bfloat16."""

    def __init__(self):
        self.state, self.current, self.calls = torch.tensor([7]), None, []

    def get_rng_state(self, device):
        self.calls.append(("get", device))
        return self.state

    def set_rng_state(self, state, device):
        self.calls.append(("set", device))
        self.state = state

    def manual_seed(self, seed):
        self.calls.append(("seed", self.current))
        self.state = torch.tensor([seed])

    def is_bf16_supported(self, including_emulation=True):
        return self.current == torch.device("cuda:1")

    @contextmanager
    def device(self, device):
        self.current = device
        yield
        self.current = None


@pytest.fixture
def fake_cuda(monkeypatch):
    fake, empty = FakeDevice(), torch.empty
    monkeypatch.setattr(torch, "cuda", fake)
    monkeypatch.setattr(torch, "empty", lambda *args, device=None, **kwargs: empty(*args, **kwargs))
    return fake


def test_the_device_in_use_is_seeded_and_brought_back(fake_cuda):
    device = torch.device("cuda:1")
    with seeded(0, 1, 3, device="cuda:1") as seed:
        assert fake_cuda.state.item() == seed + 3
    assert fake_cuda.state.item() == 7
    assert fake_cuda.calls == [("get", device), ("seed", device), ("set", device)]


def test_bfloat16_is_asked_of_the_device_in_use(fake_cuda):
    assert resolve_precision("auto", torch.device("cuda:1")) == torch.bfloat16
    assert resolve_precision("auto", torch.device("cuda:0")) is None


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device='warp' cannot be used"):
        resolve_device("warp")
