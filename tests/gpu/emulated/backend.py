"""torch is told that there is a device: under its key for backends of other makers, whose kernels are Python.

This happens at import and once per process, before anything is trained: autograd counts devices at its first backward.
"""

from types import ModuleType

import torch
from torch.utils import backend_registration

NAME = "emulated"


def _why_not() -> str | None:
    """Return why there can be no emulated GPU here, if so."""
    if torch.cuda.is_available() or torch.backends.mps.is_available() or torch.xpu.is_available():
        return "there is a real GPU, whose pinned memory torch would ask of the emulated one: set SKLEARN_DIM_GPU"
    if not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"):
        return f"torch {torch.__version__} takes no backend that is written in Python, as the emulated GPU is"
    return None


WHY_NOT = _why_not()


def _module() -> ModuleType:
    """Return what ``torch.cuda`` is for CUDA."""
    module = ModuleType(f"torch.{NAME}")
    state = torch.zeros(16, dtype=torch.uint8)  # of random numbers, which are the CPU's
    vars(module).update(
        is_available=lambda: True,
        is_initialized=lambda: True,
        _is_in_bad_fork=lambda: False,
        device_count=lambda: 1,
        current_device=lambda: 0,
        manual_seed_all=lambda seed: None,
        get_rng_state=lambda device=0: state.clone(),
        set_rng_state=lambda state, device=0: None,
        get_amp_supported_dtype=lambda: [torch.bfloat16],
    )
    return module


if WHY_NOT is None:
    backend_registration._setup_privateuseone_for_python_backend(NAME, backend_module=_module())
