"""What torch can do on a device."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch.amp.autocast_mode import is_autocast_available
from torch.utils import _foreach_utils


def has_fused_adam(device: str | torch.device) -> bool:
    """Return whether torch has Adam as one operation for all weights there; which devices do depends on the release."""
    # torch has no public function for this; where the private one is missing, the devices that have had it for long.
    ask = getattr(_foreach_utils, "_get_fused_kernels_supported_devices", lambda: ["cpu", "cuda"])
    return torch.device(device).type in ask()


def has_autocast(device: torch.device) -> bool:
    """Return whether there is mixed precision on a device: not on MPS in torch 2.4."""
    return is_autocast_available(device.type)


def without_autocast(device: torch.device) -> AbstractContextManager:
    """Return a context in which everything is computed in the precision of its input."""
    return torch.autocast(device.type, enabled=False) if has_autocast(device) else nullcontext()
