"""Mixed precision as CUDA has it: products in bfloat16, what needs more digits in float32."""

from typing import Any

import torch
from torch.utils._pytree import tree_map

from emulated.tensors import EmulatedTensor

KEY = torch._C.DispatchKey.AutocastPrivateUse1
LOW = ("mm", "addmm", "bmm", "baddbmm", "addmv", "mv", "convolution")
HIGH = (
    "exp", "log", "log1p", "expm1", "pow", "rsqrt", "reciprocal", "softplus", "logsumexp", "native_layer_norm", "sum",
    "prod", "_log_softmax", "cumsum",
)  # fmt: skip


def _cast(operation: Any, dtype: torch.dtype) -> Any:
    """Return a kernel that calls an operation with all of its floats in one precision."""
    below = torch._C.DispatchKeySet(KEY)

    def cast(leaf: Any) -> Any:
        floats = isinstance(leaf, EmulatedTensor) and leaf.dtype in (torch.float32, torch.bfloat16)
        return leaf.to(dtype) if floats else leaf

    def kernel(*args: Any, **kwargs: Any) -> Any:
        with torch._C._ExcludeDispatchKeyGuard(below):
            return operation(*tree_map(cast, args), **kwargs)

    return kernel


def register() -> list[torch.library.Library]:
    """Register the kernels, and return what has to be kept for them to stay."""
    others, ours = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    others.fallback(torch.library.fallthrough_kernel, KEY.name)
    for names, dtype in ((LOW, torch.bfloat16), (HIGH, torch.float32)):
        for packet in (getattr(torch.ops.aten, name) for name in names):
            for operation in (getattr(packet, overload) for overload in packet.overloads()):
                schema = operation._schema
                if not (schema.is_mutable or "Dimname" in str(schema) or "_dtype" in operation._overloadname):
                    ours.impl(operation, _cast(operation, dtype), KEY.name)
    return [others, ours]
