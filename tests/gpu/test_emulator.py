"""The emulated device obeys the rules of a real one, and no fault of each kind escapes it."""

import cases
import emulated
import numpy as np
import pytest
import torch
from emulated import rules

from sklearn_dim import DIMTransformer
from sklearn_dim.devices import to_device

if emulated.WHY_NOT is not None:
    pytest.skip(emulated.WHY_NOT, allow_module_level=True)


@pytest.fixture
def gpu():
    with emulated.emulated_gpu() as device:
        yield device


def test_tensors_say_where_they_are_and_come_back_as_they_were(gpu):
    x = torch.arange(6.0).reshape(2, 3)
    moved = x.to(gpu.device)
    assert moved.device.type == gpu.device and (moved.T @ moved).shape == (3, 3)
    assert torch.equal((2 * moved).cpu(), 2 * x) and moved.tolist() == x.tolist()
    assert torch.zeros(2, device=gpu.device).device.type == gpu.device


def test_gradients_are_those_of_the_cpu(gpu):
    x = torch.linspace(-1, 1, 5).requires_grad_()
    moved = x.detach().to(gpu.device).requires_grad_()
    for tensor in (x, moved):
        tensor.tanh().square().sum().backward()
    assert torch.equal(moved.grad.cpu(), x.grad)


def test_devices_do_not_mix_but_for_numbers(gpu):
    moved, here = torch.ones(3, device=gpu.device), torch.ones(3)
    for mixed in (lambda: moved + here, lambda: torch.cat([moved, here]), lambda: here[moved.long()]):
        with pytest.raises(RuntimeError, match="same device"):
            mixed()
    assert (moved * torch.tensor(2.0)).sum().item() == 6
    assert moved[torch.tensor([0, 1])].shape == (2,)


WAITS = {
    "a number is read": lambda x: x.sum().item(),
    "a branch": lambda x: bool((x > 0).all()),
    "a list": lambda x: x.tolist(),
    "a copy to the CPU": lambda x: x.cpu(),
    "a copy from the CPU": lambda x: torch.ones(3).to(x.device),
    "a tensor made of a list": lambda x: torch.tensor([1.0], device=x.device),
    "a boolean mask": lambda x: x[x > 0],
    "an assignment by a mask": lambda x: x.clone().index_put_((x > 0,), x.new_ones(2)),
    "an index from the CPU": lambda x: x[torch.tensor([0, 1])],
    "nonzero": lambda x: x.nonzero(),
    "unique": lambda x: x.unique(),
    "to_sparse": lambda x: x.to_sparse(),
    "repeat_interleave without a size": lambda x: x.repeat_interleave((x > 0).long()),
    "a pageable copy that hopes not to wait": lambda x: torch.ones(3).to(x.device, non_blocking=True),
}


@pytest.mark.parametrize("name", WAITS)
def test_what_waits_is_seen(name, gpu):
    x = torch.tensor([-1.0, 1.0, 2.0]).to(gpu.device)
    gpu.log.events.clear()
    WAITS[name](x)
    assert "wait" in {event.what for event in gpu.log.events}


DOES_NOT_WAIT = {
    "arithmetic": lambda x: (x * 2 + 1).exp().sum(),
    "a pinned copy": lambda x: to_device(torch.ones(3), x.device),
    "draws": lambda x: torch.rand(3, device=x.device) + torch.randn_like(x),
    "an index": lambda x: x[torch.arange(2, device=x.device)],
    "where": lambda x: torch.where(x > 0, x, 0.0),
    "a fill by a mask": lambda x: x.masked_fill(x > 0, 0.0),
    "repeat_interleave with a size": lambda x: x.repeat_interleave((x > 0).long(), output_size=2),
}


@pytest.mark.parametrize("name", DOES_NOT_WAIT)
def test_what_does_not_wait_is_not_blamed(name, gpu):
    x = torch.tensor([-1.0, 1.0, 2.0]).to(gpu.device)
    gpu.log.events.clear()
    DOES_NOT_WAIT[name](x)
    assert "wait" not in {event.what for event in gpu.log.events}


# Faults that an augmentation of a user's brings into a step, as a line of the package could.
MUTATIONS = {
    "a tensor made on the CPU": (lambda x: x + to_device(torch.randn(x.shape), x.device), "CPU tensor, randn"),
    "a number that is read": (lambda x: x * x.abs().mean().item(), "wait, _local_scalar_dense"),
    "a boolean mask": (lambda x: x + x[x > 0].mean(), "wait, index"),
    "a blocking copy": (lambda x: x + torch.zeros(1).to(x.device), "wait, _to_copy"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_in_a_step_is_named_with_its_line(name, gpu):
    augmentation, fault = MUTATIONS[name]
    cases.dim(cases.TABLE, augmentation=augmentation)(gpu.device)
    waits = gpu.log.waits_per_step()
    assert any(key.startswith("encoders/_base.py:") and key.endswith(fault) for key in waits), waits
    with pytest.raises(AssertionError, match="steps wait"):
        gpu.check_steps()


def test_a_tensor_on_the_wrong_device_is_an_error_of_fit(gpu):
    noise = torch.randn(12)
    with pytest.raises(ValueError, match="holds tensors on another device"):
        cases.dim(cases.TABLE, augmentation=lambda x: x + noise)(gpu.device)


def test_operations_are_counted_per_step(gpu):
    def step(batch):
        return {"loss": (2 * weight).sum()}

    weight = torch.nn.Parameter(torch.ones(3, device=gpu.device))
    counts = []
    for epochs in (1, 3):
        gpu.log.events.clear()
        gpu.log.steps = 0
        gpu.enter("epoch")
        for _ in range(epochs):
            gpu.enter("step")
            step(None)
        gpu.enter("outside")
        step(None)
        counts.append(gpu.log.operations_per_step)
    assert counts == [2, 2] and gpu.log.operations() == {"mul": 3, "sum": 3}


def test_autocast_is_that_of_cuda(gpu):
    x = torch.ones(3, 3, device=gpu.device)
    with torch.autocast(gpu.device, dtype=torch.bfloat16):
        product = x @ x
        assert product.dtype == torch.bfloat16 and product.exp().dtype == torch.float32
    assert (x @ x).dtype == torch.float32


REFUSALS = {
    "float64": (lambda x: x.double(), rules.no_float64, "float64"),
    "sorted booleans": (lambda x: (x > 0).sort(), rules.no_sorted_booleans, "bool"),
    "pools of an odd length": (
        lambda x: torch.nn.functional.adaptive_avg_pool1d(x[None, None], 2), rules.pools_multiples, "divisible"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_other_devices_refuse_more(name):
    call, rule, message = REFUSALS[name]
    for refuses in ((), (rule,)):
        with emulated.emulated_gpu(refuses) as device:
            x = torch.tensor([-1.0, 1.0, 2.0]).to(device.device)
            if not refuses:
                call(x)
                continue
            with pytest.raises(emulated.Refused, match=message):
                call(x)


def test_nothing_is_left_behind():
    with emulated.emulated_gpu() as device:
        name = device.device
    with pytest.raises(ValueError, match="cannot be used here"):
        DIMTransformer(device=name).fit(np.ones((4, 2)))
