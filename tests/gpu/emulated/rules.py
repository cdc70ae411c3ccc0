"""Which operations make the host wait, which launch nothing, and what devices refuse."""

from collections.abc import Callable
from typing import Any

import torch

COPIES = {"copy_", "_to_copy"}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}
# The size of the result, or the branch that Python takes, depends on numbers that are on the device.
READS_NUMBERS = {
    "_local_scalar_dense", "nonzero", "masked_select", "equal", "_unique", "_unique2", "unique_dim",
    "unique_consecutive", "_to_sparse", "_coalesce", "bincount",
}  # fmt: skip
LAUNCHES_NOTHING = {
    "detach", "alias", "empty", "new_empty", "empty_like", "empty_strided", "new_empty_strided", "_unsafe_view",
    "lift_fresh", "_sparse_coo_tensor_with_dims_and_tensors", "_sparse_compressed_tensor_unsafe",
}  # fmt: skip


class Refused(RuntimeError):
    """What the device cannot do."""


def check_devices(operation: Any, args: tuple, ours: list, others: list) -> None:
    """Raise an error if an operation mixes devices: only copies may, scalars, and the indices of a tensor."""
    name = name_of(operation)
    if name in COPIES:
        return
    fixed = [tensor for tensor in others if name not in INDEXING or tensor is args[0]]
    if ours and any(tensor.ndim for tensor in fixed):
        raise Refused(f"{operation}: Expected all tensors to be on the same device, but found the GPU and cpu")


def waits(operation: Any, args: tuple, kwargs: dict, *, to_cpu: bool, from_cpu: list) -> bool:
    """Return whether the host waits for the device until an operation is done.

    Parameters
    ----------
    operation : OpOverload
    args, kwargs : tuple, dict
    to_cpu : bool
        Whether it copies from the device.
    from_cpu : list of Tensor
        What it reads that is on the CPU: only pinned memory is copied while the host goes on.
    """
    name = name_of(operation)
    if to_cpu or name in READS_NUMBERS:
        return True
    if name in COPIES and from_cpu:
        asynchronous = kwargs.get("non_blocking") or (name == "copy_" and args[2:3] == (True,))
        return not (asynchronous and all(is_pinned(tensor) for tensor in from_cpu))
    if name in INDEXING:
        return bool(from_cpu) or any(index.dtype in (torch.bool, torch.uint8) for index in _indices(args))
    return name == "repeat_interleave" and kwargs.get("output_size") is None


def _indices(args: tuple) -> list[torch.Tensor]:
    return [index for index in args[1] if index is not None]


def pinned(tensor: torch.Tensor) -> torch.Tensor:
    """Return a copy of a tensor on the CPU that counts as pinned."""
    copied = tensor.clone()
    copied.emulated_pinned = True  # type: ignore[attr-defined]
    return copied


def is_pinned(tensor: torch.Tensor) -> bool:
    """Return whether a tensor came from `pinned`."""
    return getattr(tensor, "emulated_pinned", False)


def name_of(operation: Any) -> str:
    """Return the name of an operation without its overload."""
    return operation.overloadpacket.__name__


# What devices other than today's CUDA refuse. Each rule is given an operation, the tensors that it reads or makes, and
# its arguments.

Rule = Callable[[str, list, tuple], "str | None"]


def no_float64(name: str, tensors: list, args: tuple) -> str | None:
    """MPS has no float64."""
    return "MPS does not support float64" if any(tensor.dtype == torch.float64 for tensor in tensors) else None


def no_sorted_booleans(name: str, tensors: list, args: tuple) -> str | None:
    """CUDA refuses to sort booleans in torch 2.4; some releases for MPS and XPU sort them wrongly."""
    sorts = name in ("sort", "argsort", "topk", "msort") and args[0].dtype == torch.bool
    return "Sort currently does not support bool dtype" if sorts else None


def pools_multiples(name: str, tensors: list, args: tuple) -> str | None:
    """MPS pools adaptively only if the sides of the input are multiples of those of the output."""
    if not name.startswith(("_adaptive_avg_pool", "adaptive_avg_pool", "adaptive_max_pool")) or "backward" in name:
        return None
    sides = args[1]
    uneven = any(size % side for size, side in zip(args[0].shape[-len(sides) :], sides, strict=True))
    return "Adaptive pool MPS: input sizes must be divisible by output sizes" if uneven else None


MPS: tuple[Rule, ...] = (no_float64, no_sorted_booleans, pools_multiples)
XPU: tuple[Rule, ...] = (no_sorted_booleans,)
OLD_CUDA: tuple[Rule, ...] = (no_sorted_booleans,)
