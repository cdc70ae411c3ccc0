"""The clocks of `gpu.py`: milliseconds and floating-point operations of a step, and the card's own ceilings."""

import math
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch
from _cifar10 import clock
from _published import PublishedTraining
from skorch.callbacks import Callback
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from sklearn_dim import DIMTransformer
from sklearn_dim.training._captured import side_stream

WINDOW, WINDOWS = 15, 6  # steps in a window; windows that are timed, after two that are not
PRECISIONS = {"float32": torch.float32, "TF32": torch.float32, "bfloat16": torch.bfloat16}


class StepClock(Callback):
    """Note the clock after every few steps, and the peak of memory at the end of training.

    Parameters
    ----------
    device : str
    window : int
        So many steps.
    """

    def __init__(self, device, window):
        self.device, self.window = device, window

    def on_train_begin(self, net, **kwargs):
        """Forget an earlier training."""
        self.steps_, self.ticks_, self.peak_ = 0, [], math.nan
        if is_cuda(self.device):
            torch.cuda.reset_peak_memory_stats()

    def on_batch_end(self, net, training=False, **kwargs):
        """Wait for the device at the end of a window only: within it, the host may run ahead."""
        self.steps_ += 1
        if self.steps_ >= 2 * self.window and self.steps_ % self.window == 0:
            self.ticks_.append(clock(self.device))

    def on_train_end(self, net, **kwargs):
        """Look at the memory."""
        self.peak_ = peak_mib(self.device)


class StepByStep(Callback):
    """Train without CUDA graphs: the host launches each operation of a step."""

    def on_train_begin(self, net, **kwargs):
        """Take back what the net has set up."""
        net.captured_ = None


class Captured:
    """A function of a tuple of tensors, captured as a CUDA graph at its first call; the tuples must be alike.

    Parameters
    ----------
    step : callable
        Its results keep their place: each call overwrites them.
    warm_up : int, default=3
        Calls before the capture, with the first tuple, in which memory and states find their place.
    """

    def __init__(self, step, warm_up=3):
        self.step, self.warm_up, self.graph = step, warm_up, None

    def __call__(self, batch, **kwargs):
        """Replay."""
        if self.graph is None:
            self._capture(batch)
        for mine, given in zip(self.inputs, batch, strict=True):
            mine.copy_(given)
        self.graph.replay()
        return self.outputs

    def _capture(self, batch):
        self.inputs = tuple(tensor.clone() for tensor in batch)
        side = side_stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(self.warm_up):
                self.step(self.inputs)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.outputs = self.step(self.inputs)


def step_row(
    images, batch_size, precision, device, *, window=WINDOW, make=DIMTransformer.published, callbacks=(), **arguments
):
    """Return a row: a step's milliseconds, share of the card's peak, operations and memory in a fit.

    ``callbacks`` may hold a `StepByStep`.
    """
    options = {"batch_size": batch_size, "device": device, "mixed_precision": precision == "bfloat16",
               "random_state": 0, **arguments}  # fmt: skip
    n_steps = window * (2 + WINDOWS)
    images = images[: batch_size * min(n_steps, len(images) // batch_size)]
    epochs = math.ceil(n_steps * batch_size / len(images))
    callbacks = [StepClock(device, window), *callbacks]
    with tf32(precision == "TF32"):
        dim = make(**options, max_iter=epochs, callbacks=callbacks).fit(images)
        watch = next(callback for _, callback in dim.net_.callbacks_ if isinstance(callback, StepClock))
        ms = 1000 * np.median(np.diff(watch.ticks_)) / window
        work = operations(make, batch_size, images.shape[1:], device, **{**arguments, "compile": False})
        rate = work / ms / 1e9  # TFLOP/s
        return {
            "ms a step": round(ms, 3),
            "images a second": round(1000 * batch_size / ms),
            "GFLOP": round(work / 1e9, 1),
            "TFLOP/s": round(rate, 1),
            "share of the peak": f"{rate / ceiling(precision, device):.1%}",
            "peak MiB": round(watch.peak_, 1),
        }


@cache
def operations(make, batch_size, shape, device, **arguments):
    """Return the floating-point operations of a step's products and convolutions, forward and backward."""
    X = np.random.default_rng(0).integers(256, size=(batch_size, *shape), dtype=np.uint8)
    net = make(batch_size=batch_size, max_iter=1, device=device, mixed_precision=False, **arguments).fit(X).net_
    net.module_.train()
    with Operations() as counter:
        net.train_step_single((torch.as_tensor(X, device=device),))
    return counter.total


class Operations(TorchDispatchMode):
    """Count floating-point operations; torch's own mode follows modules, which `torch.autograd.grad` does not bear."""

    def __init__(self):
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        """Run an operation and count it."""
        out = op(*args, **(kwargs or {}))
        count = flop_registry.get(op.overloadpacket)
        self.total += count(*args, **(kwargs or {}), out_val=out) if count else 0
        return out


def plain_row(images, batch_size, measure, precision, device, window=WINDOW):
    """Return the row of the published version in plain torch."""
    with tf32(precision == "TF32"):
        training, steps, ticks = PublishedTraining(measure, 0, device), 0, []
        X = torch.as_tensor(images).to(device)
        if is_cuda(device):
            torch.cuda.reset_peak_memory_stats()
        while len(ticks) <= WINDOWS:
            for _ in training.epoch(X, batch_size):
                steps += 1
                if steps >= 2 * window and steps % window == 0:
                    ticks.append(clock(device))
        ms = 1000 * np.median(np.diff(ticks[: WINDOWS + 1])) / window
    return {"ms a step": round(ms, 3), "images a second": round(1000 * batch_size / ms),
            "peak MiB": round(peak_mib(device), 1)}  # fmt: skip


@cache
def ceiling(precision, device):
    """Return the TFLOP/s of a large product of random numbers, the median of ten after three."""
    n = 8192 if is_cuda(device) else 512
    a, b = (torch.randn(n, n, device=device, dtype=PRECISIONS[precision]) for _ in range(2))
    seconds = []
    with tf32(precision == "TF32"):
        for _ in range(13):
            start = clock(device)
            a @ b
            seconds.append(clock(device) - start)
    return 2 * n**3 / np.median(seconds[3:]) / 1e12


@contextmanager
def tf32(allowed):
    """Allow TF32, or forbid it, in products and convolutions alike."""
    backends = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [backend.allow_tf32 for backend in backends]
    try:
        for backend in backends:
            backend.allow_tf32 = allowed
        yield
    finally:
        for backend, was in zip(backends, before, strict=True):
            backend.allow_tf32 = was


def is_cuda(device):
    """Whether a device's name is CUDA's."""
    return torch.device(device).type == "cuda"


def peak_mib(device):
    """Return the most memory that tensors held since the statistics were reset; on a CPU it is not known."""
    return torch.cuda.max_memory_allocated() / 2**20 if is_cuda(device) else math.nan
