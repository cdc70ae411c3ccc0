"""What `gpu.py` checks of each fit of `_gpu_cases.py`: its numbers beside the CPU's, and what its steps wait for."""

import os
import sys
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager
from unittest import mock

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from sklearn_dim import DIMTransformer
from sklearn_dim.training import InformationNet

PACKAGE = f"{os.sep}sklearn_dim{os.sep}"
DRAWS = {
    "rand",
    "randn",
    "randint",
    "randperm",
    "rand_like",
    "randn_like",
    "randint_like",
    "bernoulli",
    "multinomial",
    "normal",
}
NUDGES = 3
DRAWS_IN_PLACE = {"uniform_", "normal_", "bernoulli_", "exponential_", "random_"}


def check(case, device):
    """Return a row: whether a case runs on the device, how far it is from the CPU, and its waits.

    Training amplifies rounding, some networks a hundred thousand times in six steps. So beside the distance stands how
    far the CPU is from itself when the first weights are moved by about a rounding.
    """
    expected, moved = np.ravel(case("cpu")).astype(float), 0.0
    for seed in range(NUDGES):
        with nudged(seed):
            moved = max(moved, relative(np.ravel(case("cpu")), expected))
    try:
        with waits() as (found, steps):
            plain = np.ravel(case(device))
        with full_precision(), step_by_step(), DrawsOfTheCpu():
            numbers = np.ravel(case(device)).astype(float)
    except Exception as error:
        return {"outcome": f"{type(error).__name__}: {last_line(error)}", "where": line_of(error)}
    distance = relative(numbers, expected)
    each_step = {line: count for line, count in found.items() if count > steps["epochs"]}
    outcome = "ok" if distance < max(1e-4, 10 * moved) else "differs"
    return {
        "outcome": outcome if np.isfinite(plain).all() else "not finite",
        "distance from the CPU": f"{distance:.1e}",
        "CPU, a rounding off": f"{moved:.1e}",
        "waits a step": round(sum(each_step.values()) / max(1, steps["steps"]), 2),
        "where": ", ".join(f"{line} ×{count / steps['steps']:.2g}" for line, count in Counter(each_step).most_common()),
    }


def captured_row(case, device):
    """Return a row: how far steps that are captured as CUDA graphs are from plain ones, with the device's own draws."""
    with full_precision():
        captured = np.ravel(case(device)).astype(float)
        with step_by_step():
            plain = np.ravel(case(device)).astype(float)
    return {"outcome": "ok" if relative(captured, plain) < 1e-2 else "differs",
            "distance from plain steps": f"{relative(captured, plain):.1e}"}  # fmt: skip


def step_by_step():
    """Train without CUDA graphs, which would repeat random numbers that come from the CPU."""
    return mock.patch.dict(os.environ, SKLEARN_DIM_CUDA_GRAPHS="0")


def relative(found, expected):
    """Return the distance of numbers from those expected, as a share of these."""
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@contextmanager
def nudged(seed):
    """Begin every training from weights that are about a rounding, one part in a million, off."""
    begin = InformationNet.initialize

    def initialize(self):
        begin(self)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in self.module_.parameters():
                weight.mul_(1 + 1e-6 * torch.randn(weight.shape, generator=generator))
        return self

    InformationNet.initialize = initialize
    try:
        yield
    finally:
        InformationNet.initialize = begin


def tf32_row(device):
    """Return a row: what TF32 in convolutions, torch's default on CUDA, changes in the output of one fitted encoder."""
    X = np.random.default_rng(0).integers(256, size=(64, 3, 32, 32), dtype=np.uint8)
    dim = DIMTransformer.published(max_iter=2, device=device, random_state=0).fit(X)
    plain = dim.transform(X)
    with full_precision():
        exact = dim.transform(X)
    return {"outcome": "ok", "distance from the CPU": f"{relative(plain, exact):.1e}"}


def last_line(error):
    """Return the last line of an error's text; CUDA's advice about debugging is none of it."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines and "CUDA error" in lines[0] else lines[-1])[:200] if lines else ""


def line_of(error):
    """Return the innermost line of the package that an error passed."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if PACKAGE in frame.filename]
    return f"{ours[-1].filename.rsplit(PACKAGE)[-1]}:{ours[-1].lineno}" if ours else "no line of the package"


@contextmanager
def full_precision():
    """Compute float32 in float32: TF32 is off, also in convolutions, where it is torch's default."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@contextmanager
def waits():
    """Count by line of the package what made the host wait within epochs of training, and epochs and steps.

    The means of an epoch's losses are fetched once; so a line that waits no more often than there are epochs is fine.
    """
    found, steps, epoch = Counter(), Counter(), InformationNet.run_single_epoch

    def watched(self, iterator, training, *args, **kwargs):
        if not training or torch.device(self.device).type != "cuda":
            return epoch(self, iterator, training, *args, **kwargs)
        steps.update(epochs=1, steps=len(iterator))
        torch.cuda.set_sync_debug_mode("warn")
        try:
            epoch(self, iterator, training, *args, **kwargs)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    def note(message, *args, **kwargs):
        if "synchronizing CUDA operation" in str(message):
            found[line_of_caller()] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note
        InformationNet.run_single_epoch = watched
        try:
            yield found, steps
        finally:
            InformationNet.run_single_epoch = epoch


def line_of_caller():
    """Return the innermost line of the package that is being run."""
    frame = sys._getframe(1)
    while frame and PACKAGE not in frame.f_code.co_filename:
        frame = frame.f_back
    return f"{frame.f_code.co_filename.rsplit(PACKAGE)[-1]}:{frame.f_lineno}" if frame else "elsewhere"


class DrawsOfTheCpu(TorchDispatchMode):
    """Draw on the CPU what a device is to draw, and copy it: fits on both see the same random numbers."""

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        """Run an operation, or its CPU version."""
        kwargs, name = dict(kwargs or {}), op.overloadpacket.__name__
        tensors = [value for value in args if isinstance(value, torch.Tensor)]
        device = torch.device(kwargs.get("device") or (tensors[0].device if tensors else "cpu"))
        if device.type == "cpu" or name not in DRAWS | DRAWS_IN_PLACE | {"native_dropout"}:
            return op(*args, **kwargs)
        if name == "native_dropout":  # which the CPU does by other operations
            kept = torch.empty_like(args[0], device="cpu").bernoulli_(1 - args[1]).to(device)
            return args[0] * kept.div(1 - args[1]), kept.bool()
        there = tree_map(lambda value: value.cpu() if isinstance(value, torch.Tensor) else value, args)
        if name in DRAWS_IN_PLACE:
            return args[0].copy_(op(*there, **kwargs))
        if "device" in kwargs:
            kwargs["device"] = torch.device("cpu")
        return op(*there, **kwargs).to(device)
