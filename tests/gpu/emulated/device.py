"""The emulated device: what runs its operations, and what the package and torch are told meanwhile."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_map

from emulated import autocast, rules
from emulated.backend import NAME, WHY_NOT
from emulated.log import Log
from emulated.phases import phases_of_training
from emulated.tensors import EmulatedTensor, is_emulated, on_cpu, on_device, tensors_in

DEVICE = NAME
_KEPT = autocast.register() if WHY_NOT is None else []


class EmulatedGpu(TorchDispatchMode):
    """Runs operations on the CPU, by the rules of the device.

    Attributes
    ----------
    device : str
        The name to pass to estimators.
    log : Log
    """

    device = DEVICE
    tolerance = 1e-4  # of numbers that the CPU computes too, in sums of another order

    def __init__(self, refuses: Sequence[rules.Rule] = ()):
        super().__init__()
        self.log, self.refuses = Log(), refuses

    def enter(self, phase: str) -> None:
        """Take note that training is in another phase now."""
        self.log.phase = phase
        self.log.steps += phase == "step"

    def check_steps(self) -> None:
        """Raise an error if there was no training step, or if one waited."""
        if not self.log.steps:
            raise AssertionError("no training step was seen")
        if waits := self.log.waits_per_step():
            raise AssertionError(f"steps wait for the device (line: what, operation: times per step): {waits}")

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if operation is torch.ops.prim.layout.default:
            return args[0].on_cpu.layout
        tensors, device = tensors_in(args, kwargs), kwargs.get("device")
        ours = [tensor for tensor in tensors if isinstance(tensor, EmulatedTensor)]
        if not ours and not is_emulated(device):
            return self._on_the_cpu(operation, args, kwargs, tensors)
        others = [tensor for tensor in tensors if not isinstance(tensor, EmulatedTensor)]
        rules.check_devices(operation, args, ours, others)
        to_cpu = self._copies_to_cpu(operation, args, device)
        self._take_note(operation, args, kwargs, to_cpu, others)
        moved = kwargs if device is None else {**kwargs, "device": torch.device("cpu")}
        result = operation(*on_cpu(args), **on_cpu(moved))
        self._refuse(operation, args, [*([] if to_cpu else tensors_in(result)), *on_cpu(ours)])
        return result if to_cpu else return_and_correct_aliasing(operation, args, kwargs, on_device(result))

    def _on_the_cpu(self, operation: Any, args: Any, kwargs: Any, tensors: list) -> Any:
        name = rules.name_of(operation)
        silent = rules.LAUNCHES_NOTHING | rules.COPIES  # a number that is copied is an argument, no tensor
        if not tensors and operation.namespace == "aten" and name not in silent:
            self.log.add("CPU tensor", name)
        return operation(*args, **kwargs)

    @staticmethod
    def _copies_to_cpu(operation: Any, args: Any, device: Any) -> bool:
        name = rules.name_of(operation)
        if name == "copy_":
            return not isinstance(args[0], EmulatedTensor)
        return name == "_to_copy" and device is not None and not is_emulated(device)

    def _take_note(self, operation: Any, args: Any, kwargs: Any, to_cpu: bool, others: list) -> None:
        name = rules.name_of(operation)
        if rules.waits(operation, args, kwargs, to_cpu=to_cpu, from_cpu=others):
            self.log.add("wait", name)
        if not (operation.is_view or name in rules.LAUNCHES_NOTHING):
            self.log.add("operation", name)

    def _refuse(self, operation: Any, args: Any, tensors: list) -> None:
        for rule in self.refuses:
            if (reason := rule(rules.name_of(operation), tensors, args)) is not None:
                raise rules.Refused(f"{operation}: {reason}")


class _BeforeDispatch(TorchFunctionMode):
    """What torch does in C++ before it dispatches to a device."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function in (torch.tensor, torch.as_tensor) and is_emulated(kwargs.get("device")):
            return function(*args, **{**kwargs, "device": "cpu"}).to(DEVICE)
        if function is torch.Tensor.tolist and isinstance(args[0], EmulatedTensor):
            return args[0].cpu().tolist()
        return function(*args, **kwargs)


def _load(load: Any, *args: Any, map_location: Any = None, **kwargs: Any) -> Any:
    """Load a file as if its tensors were on the device that they are to be moved to."""
    loaded = load(*args, **kwargs)
    if map_location is None:
        return loaded
    return tree_map(lambda leaf: leaf.to(map_location) if isinstance(leaf, torch.Tensor) else leaf, loaded)


@contextmanager
def emulated_gpu(refuses: Sequence[rules.Rule] = ()) -> Iterator[EmulatedGpu]:
    """Have a GPU, whose name is `DEVICE`, that does not do what ``refuses`` says, as MPS or XPU."""
    from sklearn_dim.devices import _transfer
    from sklearn_dim.training import _device

    gpu, load = EmulatedGpu(refuses), torch.load
    with (
        mock.patch.object(EmulatedTensor, "kernels", gpu.__torch_dispatch__, create=True),
        mock.patch.object(_device, "_has_bfloat16", lambda device: True),
        mock.patch.object(_transfer, "copies_while_the_host_goes_on", is_emulated),
        mock.patch.object(torch.Tensor, "pin_memory", rules.pinned),
        mock.patch.object(torch, "load", lambda *args, **kwargs: _load(load, *args, **kwargs)),
        # Else modules assign the data of a moved parameter to the old one, which would leave the shell's inside behind.
        mock.patch.object(torch.__future__, "get_overwrite_module_params_on_conversion", lambda: True),
        torch.serialization.safe_globals([EmulatedTensor]),
        phases_of_training(gpu.enter),
        _BeforeDispatch(),
        gpu,
    ):
        yield gpu
