"""What torch can do on a device."""

import torch
from torch.utils import _foreach_utils


def has_fused_adam(device: str | torch.device) -> bool:
    """Return whether torch has Adam as one operation for all weights there; which devices do depends on the release."""
    # torch has no public function for this; where the private one is missing, the devices that have had it for long.
    ask = getattr(_foreach_utils, "_get_fused_kernels_supported_devices", lambda: ["cpu", "cuda"])
    return torch.device(device).type in ask()
