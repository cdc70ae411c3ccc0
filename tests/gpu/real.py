"""A real GPU under the same name as the emulated one: torch itself raises an error where a step waits for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from emulated import phases_of_training
from torch.overrides import TorchFunctionMode

DRAWS = {
    torch.rand, torch.randn, torch.randint, torch.randperm, torch.rand_like, torch.randn_like, torch.randint_like,
}  # fmt: skip


class RealGpu:
    """A GPU that is there.

    Attributes
    ----------
    device : str
    """

    tolerance = 2e-2  # its sums are of another order, and Adam's first steps are signs of gradients

    def __init__(self, device: str):
        self.device, self.steps = device, 0

    def check_steps(self) -> None:
        """Raise an error if there was no training step; one that waited has raised its own."""
        assert self.steps

    def enter(self, phase: str) -> None:
        """Have torch raise an error if the host waits inside a step."""
        self.steps += phase == "step"
        torch.cuda.set_sync_debug_mode("error" if phase == "step" else "default")


class DrawsOfTheCpu(TorchFunctionMode):
    """Random numbers are drawn on the CPU, so that fits on both devices can be compared."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function not in DRAWS:
            return function(*args, **kwargs)
        like = args[0] if args and isinstance(args[0], torch.Tensor) else None
        device = kwargs.pop("device", None) or (torch.get_default_device() if like is None else like.device)
        drawn = function(*args, **{**kwargs, "device": "cpu"})
        return drawn if torch.device(device).type == "cpu" else drawn.pin_memory().to(device, non_blocking=True)


@contextmanager
def real_gpu(device: str) -> Iterator[RealGpu]:
    """Have a GPU that computes in full precision, as the CPU does, and draws the CPU's numbers."""
    gpu, tf32 = RealGpu(device), (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        # A CUDA graph would draw the numbers of its first step again and again: they come from the CPU here.
        step_by_step = mock.patch.dict(os.environ, SKLEARN_DIM_CUDA_GRAPHS="0")
        with step_by_step, phases_of_training(gpu.enter), DrawsOfTheCpu():
            yield gpu
    finally:
        torch.cuda.set_sync_debug_mode("default")
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = tf32
