"""A training step as one CUDA graph: one launch in the place of some hundred."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from skorch.callbacks import Callback
from torch import Tensor

from sklearn_dim._warnings import warn

WARM_UP = 3  # steps of a size before it is captured, in which memory and the optimizer's state find their place
MAX_SIZES = 4  # graphs at once: batches of an epoch have two sizes at most
SWITCH = "SKLEARN_DIM_CUDA_GRAPHS"  # an environment variable; 0 turns capturing off
Key = tuple[tuple[torch.Size, torch.dtype], ...]


class CapturedSteps:
    """Training steps that are captured as CUDA graphs, one for each size of batches, and replayed.

    The first three steps of a size, and all that cannot be captured, run as they are; so the numbers are those of
    plain steps. A replayed step's losses lie where the last step's were.

    Parameters
    ----------
    step : callable
        batch → what `InformationNet.train_step` returns. All it computes depends on the batch, on tensors that keep
        their place and on the device's random numbers; nothing in it waits for the device.
    optimizer : torch.optim.Optimizer
        Its settings are part of a graph: if one changes, such as the learning rate, steps are captured anew.
    """

    def __init__(self, step: Callable[[Any], dict], optimizer: torch.optim.Optimizer):
        self.step, self.optimizer = step, optimizer
        self.graphs: dict[Key, _Capture] = {}
        self.counts: dict[Key, int] = {}
        self.settings: Any = None
        self.changes, self.failed = 0, False
        for group in optimizer.param_groups:
            group["capturable"] = True

    def __call__(self, batch: Any, **options: Any) -> dict:
        """Train on a batch."""
        key = _key(batch)
        if key is None or not self._may_capture(key):
            return self.step(batch, **options)
        if key in self.graphs:
            return self.graphs[key](batch)
        self.counts[key] = self.counts.get(key, 0) + 1
        if self.counts[key] <= WARM_UP:
            return _aside(self.step, batch, options)
        try:
            self.graphs[key] = _Capture(self.step, batch, options)
        except RuntimeError as error:
            self._give_up(error)
            return self.step(batch, **options)
        return self.graphs[key](batch)

    def _may_capture(self, key: Key) -> bool:
        """Whether a batch of this size may be captured, after forgetting graphs of other settings."""
        settings = [{name: group[name] for name in group if name != "params"} for group in self.optimizer.param_groups]
        if settings != self.settings:
            self.changes += self.settings is not None
            self.settings = settings
            self.graphs.clear()
        often = self.changes > WARM_UP  # as with a schedule of learning rates that steps with each batch
        return not self.failed and not often and (key in self.counts or len(self.counts) < MAX_SIZES)

    def _give_up(self, error: RuntimeError) -> None:
        self.failed = True
        self.graphs.clear()
        self.optimizer.zero_grad(set_to_none=True)  # gradients that were captured were never computed
        warn(
            f"A training step could not be captured as a CUDA graph ({str(error).splitlines()[0]}); training goes on "
            "without, several times slower for small batches.",
        )


class _Capture:
    """One graph, and the tensors that it reads and writes."""

    def __init__(self, step: Callable[[Any], dict], batch: tuple[Tensor, ...], options: dict):
        self.inputs = tuple(tensor.clone() for tensor in batch)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.outputs = step(self.inputs, **options)

    def __call__(self, batch: tuple[Tensor, ...]) -> dict:
        """Replay the graph on another batch."""
        for own, given in zip(self.inputs, batch, strict=True):
            own.copy_(given)
        self.graph.replay()
        return self.outputs


def can_capture(net: Any) -> bool:
    """Whether a net's steps may be captured: on CUDA, in one process, with nothing in a step that Python decides.

    A module or function of the user's may draw random numbers in Python, which a graph would repeat; so may a callback
    that looks at gradients. The environment variable SKLEARN_DIM_CUDA_GRAPHS=0 forbids all capturing.
    """
    looks = any(type(each).on_grad_computed is not Callback.on_grad_computed for _, each in net.callbacks_)
    on_cuda = torch.device(net.device).type == "cuda"
    return os.environ.get(SWITCH) != "0" and on_cuda and net.replica_ is None and not looks and net.module_.capturable


def _key(batch: Any) -> Key | None:
    """Return the sizes of a batch of dense tensors; None if it is something else, such as tokens of any number."""
    if not all(
        isinstance(part, Tensor) and part.layout == torch.strided and part.dtype != torch.int64 for part in batch
    ):
        return None
    return tuple((part.shape, part.dtype) for part in batch)


def _aside(step: Callable[..., dict], batch: Any, options: dict) -> dict:
    """Run a step on a stream of its own, as torch asks of what comes before a capture."""
    stream, current = side_stream(), torch.cuda.current_stream()
    stream.wait_stream(current)
    with torch.cuda.stream(stream):
        outputs = step(batch, **options)
    current.wait_stream(stream)
    return outputs


@cache
def side_stream() -> Any:
    """Return the one stream for steps before a capture: cuBLAS keeps a workspace for every stream it has seen."""
    return torch.cuda.Stream()
