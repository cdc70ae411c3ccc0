"""Where and from which random numbers a fit runs."""

import threading
from contextlib import contextmanager
from numbers import Integral

import numpy as np
import torch
from sklearn.utils import check_random_state

from sklearn_dim.training._parallel import common_seed

# Below this many numbers a second thread saves little, and one thread adds in the same order wherever
# it runs: a search gives the same scores with n_jobs=1 and n_jobs=2.
SMALL = 2**21
_ALONE = threading.RLock()  # torch has one random stream and one number of threads for all threads of a process


def resolve_device(device: str, *, sparse: bool = False) -> torch.device:
    """Return the device a name stands for; "auto" is CUDA, then MPS (unless for ``sparse`` products), then the CPU."""
    if device != "auto":
        try:
            resolved = torch.device(device)
            torch.empty(0, device=resolved)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device={device!r} cannot be used here: {str(error).splitlines()[0]}. Pass 'auto', 'cpu', or one of "
                "the devices torch finds."
            ) from error
        return resolved
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() and not sparse else "cpu")


def device_or_cpu(device: str) -> str:
    """Return the device, or "cpu" where this machine has none of the name."""
    try:
        return str(resolve_device(device))
    except ValueError:
        return "cpu"


def resolve_precision(mixed_precision: bool | str, device: torch.device) -> torch.dtype | None:
    """Return the low precision of training steps, or None; "auto" is bfloat16 where the device computes in it."""
    if mixed_precision == "auto":
        mixed_precision = _has_bfloat16(device)
    return torch.bfloat16 if mixed_precision else None


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # torch has no public question for it; without an answer, full precision.
    return device.type == "cpu" and getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()


@contextmanager
def seeded(random_state, size: int = SMALL, epochs_before: int = 0):
    """Run torch from a seed of ``random_state``; afterwards the caller's streams and threads are as they were.

    Other threads of the process that come here wait.

    Parameters
    ----------
    random_state : int, RandomState instance or None
    size : int, default=SMALL
        How many numbers the work is about; under `SMALL` it runs on one thread.
    epochs_before : int, default=0
        Epochs already trained, so that a training that goes on does not repeat their draws.
    """
    seed = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    if not isinstance(random_state, Integral):
        seed = common_seed(seed)
    with _ALONE, torch.random.fork_rng():
        threads = torch.get_num_threads()
        torch.manual_seed(seed + epochs_before)
        torch.set_num_threads(1 if size < SMALL else threads)
        try:
            yield seed
        finally:
            torch.set_num_threads(threads)


def numpy_weights(module: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return the module's state as numpy arrays, from whatever device."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in module.state_dict().items()}
