"""A tensor of the emulated device: a shell around one on the CPU."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map

from emulated.backend import NAME


class EmulatedTensor(torch.Tensor):
    """A tensor that says it is on the device; its numbers are in ``on_cpu``."""

    __torch_function__ = torch._C._disabled_torch_function_impl
    on_cpu: torch.Tensor
    kernels: Callable  # set by `emulated_gpu`: what runs operations, also in the threads of autograd

    def __new__(cls, on_cpu: torch.Tensor) -> "EmulatedTensor":
        memory: dict[str, Any] = {"dispatch_layout": True}
        if on_cpu.layout == torch.strided:
            memory = {"strides": on_cpu.stride(), "storage_offset": on_cpu.storage_offset()}
        shell = torch.Tensor._make_wrapper_subclass(cls, on_cpu.shape, dtype=on_cpu.dtype, device=f"{NAME}:0", **memory)
        shell.on_cpu = on_cpu
        return shell

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return cls.kernels(operation, types, args, kwargs)

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return EmulatedTensor, (self.on_cpu,)

    @property
    def is_sparse(self) -> bool:
        return self.on_cpu.layout == torch.sparse_coo


def is_emulated(device: Any) -> bool:
    """Whether a device, or its name, is the emulated one."""
    return device is not None and torch.device(device).type == NAME


def tensors_in(*tree: Any) -> list[torch.Tensor]:
    """Return all tensors of nested arguments."""
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def on_cpu(tree: Any) -> Any:
    """Return nested arguments with the tensors inside the shells."""
    return tree_map(lambda leaf: leaf.on_cpu if isinstance(leaf, EmulatedTensor) else leaf, tree)


def on_device(tree: Any) -> Any:
    """Return a nested result with shells around its tensors."""
    return tree_map(lambda leaf: EmulatedTensor(leaf) if isinstance(leaf, torch.Tensor) else leaf, tree)
