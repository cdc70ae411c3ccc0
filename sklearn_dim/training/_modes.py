"""The global modes of torch that the package computes in, whatever the caller has set."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch

from sklearn_dim.training._turns import TURNS

CPU = torch.device("cpu")


class Mode(NamedTuple):
    """A mode: how it is read and set, and the value that the package computes with."""

    get: Callable[[], Any]
    set: Callable[[Any], object]
    value: Any


@contextmanager
def own_modes(device: torch.device = CPU) -> Iterator[ExitStack]:
    """Compute as torch does by default; yield a stack of what undoes changes to the whole process.

    New tensors are float32 and on the CPU, nothing is autocast, gradients are recorded, and products on the CPU are in
    full precision. What only the caller can want on another ``device``, deterministic algorithms and the precision of
    products there, is left as it is. Afterwards all modes are as they were. Other threads of the process wait.
    """
    with TURNS.alone() as of_process, ExitStack() as of_thread:
        if torch.is_inference_mode_enabled():
            of_thread.enter_context(torch.inference_mode(False))
        of_thread.enter_context(torch.enable_grad())
        if torch.empty(0).device != CPU:
            of_thread.enter_context(CPU)
        set_modes(_of_the_thread(device), of_thread)
        set_modes(_of_the_process(device), of_process)
        yield of_process


def set_modes(modes: Iterator[Mode], undo: ExitStack) -> None:
    """Set modes that differ from what they should be: some slow down every call of torch once they are touched."""
    for mode in modes:
        before = mode.get()
        if before != mode.value:
            undo.callback(mode.set, before)
            mode.set(mode.value)


def _of_the_thread(device: torch.device) -> Iterator[Mode]:
    for name in {"cpu", "cuda", device.type}:
        if torch.amp.is_autocast_available(name):
            yield Mode(partial(torch.is_autocast_enabled, name), partial(torch.set_autocast_enabled, name), False)


def _of_the_process(device: torch.device) -> Iterator[Mode]:
    yield Mode(torch.get_default_dtype, torch.set_default_dtype, torch.float32)
    if device.type == "cpu":  # whose algorithms are deterministic anyway; the mode fills new memory, which takes time
        yield Mode(torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode, 0)
    yield from _precisions()


def _precisions() -> Iterator[Mode]:
    """Yield the precisions of oneDNN, which `torch.set_float32_matmul_precision` lowers too."""
    parts = [getattr(torch.backends.mkldnn, name, None) for name in ("matmul", "conv", "rnn")]
    if not all(parts):  # before torch 2.9
        yield Mode(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest")
        return
    for part in parts:
        precision = partial(getattr, part, "fp32_precision")
        if precision() not in ("none", "ieee"):  # "none" means what torch does by default, which is "ieee"
            yield Mode(precision, partial(setattr, part, "fp32_precision"), "ieee")
