"""Ctrl-C in a training: it ends after a whole epoch, whose weights, means and optimizer come back."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from sklearn_dim.training._net import InformationNet


class Interrupts:
    """Context that counts Ctrl-C, and holds the first one back while something must not be torn apart.

    Python delivers Ctrl-C to the main thread; in others nothing is done. The handler that was there is called in any
    case, and is back afterwards.

    Attributes
    ----------
    presses : int
    raised : bool
        Whether the handler ended what runs by an exception, as Python's own does.
    """

    def __init__(self) -> None:
        self.presses, self.raised = 0, False
        self._holding = self._waiting = False
        self._handler: Any = None

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.getsignal(signal.SIGINT)
            if callable(self._handler):
                signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *error: object) -> None:
        if callable(self._handler):
            signal.signal(signal.SIGINT, self._handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold Ctrl-C back until the end of the context; a second one is not held back."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
            if self._waiting:
                self._waiting = False
                self._call(signal.SIGINT, None)

    def _press(self, number: int, frame: Any) -> None:
        self.presses += 1
        if self._holding and self.presses == 1:
            self._waiting = True
        else:
            self._call(number, frame)

    def _call(self, number: int, frame: Any) -> None:
        try:
            self._handler(number, frame)
        except BaseException:
            self.raised = True
            raise


class LastEpoch:
    """The tensors of a training as its last whole epoch left them."""

    def __init__(self) -> None:
        self.kept: dict[tuple, Tensor] = {}

    @torch.no_grad()
    def keep(self, net: "InformationNet") -> None:
        """Copy the present tensors; in place, as allocating copies in every epoch is slow."""
        now = _tensors(net)
        if now.keys() == self.kept.keys():
            torch._foreach_copy_([self.kept[key] for key in now], list(now.values()))
        else:
            self.kept = {key: tensor.clone() for key, tensor in now.items()}

    @torch.no_grad()
    def put_back(self, net: "InformationNet") -> None:
        """Restore the tensors."""
        for key, tensor in _tensors(net).items():
            if key in self.kept:
                tensor.copy_(self.kept[key])
            else:
                net.optimizer_.state.clear()  # there was none yet


def _tensors(net: "InformationNet") -> dict[tuple, Tensor]:
    """Return all tensors that training changes: weights and buffers, their running mean, what the optimizer keeps."""
    modules = [("weights", net.module_), *([] if net.averaged_ is None else [("mean", net.averaged_)])]
    tensors: dict[tuple, Tensor] = {}
    tensors |= {(what, name): tensor for what, module in modules for name, tensor in module.state_dict().items()}
    for parameter, memory in net.optimizer_.state.items():
        tensors |= {(id(parameter), name): each for name, each in memory.items() if isinstance(each, Tensor)}
    return tensors
