"""Where a fit runs, and from which random numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral

import numpy as np
import torch
from sklearn.utils import check_random_state

from sklearn_dim.devices import has_autocast
from sklearn_dim.training import _parallel
from sklearn_dim.training._modes import own_modes

# Below this many numbers (8 MB in float32) more threads save little, and one thread adds in the same order on every
# machine, so that a search gives the same scores with n_jobs=1 and n_jobs=2.
SMALL = 2**21


def resolve_device(device: str | torch.device, *, sparse: bool = False) -> torch.device:
    """Return the device that a name means; "auto" is CUDA, then MPS (not for ``sparse`` products), then the CPU.

    Inside `data_parallel` "auto" is the device of the process.
    """
    if device != "auto":
        try:
            resolved = torch.device(device)
            torch.empty(0, device=resolved)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device={str(device)!r} cannot be used here: {str(error).splitlines()[0]}. Pass 'auto', 'cpu', or "
                "another device that torch finds."
            ) from error
        return resolved
    if _parallel.processes is not None:
        return _parallel.processes.device
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() and not sparse else "cpu")


def device_or_cpu(device: str) -> str:
    """Return the device, or "cpu" if this machine does not have it."""
    try:
        return str(resolve_device(device))
    except ValueError:
        return "cpu"


def resolve_precision(mixed_precision: bool | str, device: torch.device) -> torch.dtype | None:
    """Return the low precision of training steps, or None; "auto" is bfloat16 if the device supports it."""
    if mixed_precision == "auto":
        mixed_precision = _has_bfloat16(device)
    elif mixed_precision and not has_autocast(device):
        raise ValueError(
            f"mixed_precision=True, but torch {torch.__version__} has no mixed precision on {device.type!r}. Use "
            "'auto' or False, or a newer torch."
        )
    return torch.bfloat16 if mixed_precision else None


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        with torch.cuda.device(device):  # torch answers for the current device
            return torch.cuda.is_bf16_supported(including_emulation=False)
    # torch has no public function for the CPU; where the private one is missing, train in full precision.
    return device.type == "cpu" and getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()


@contextmanager
def seeded(
    random_state: int | np.random.RandomState | None,
    size: int = SMALL,
    epochs_before: int = 0,
    *,
    device: str | torch.device = "auto",
) -> Iterator[int]:
    """Run torch from a seed drawn from ``random_state``, and yield it.

    Afterwards the random streams, the number of threads and torch's modes (`own_modes`) are as the caller left them.
    Other threads of the process wait here. Only the CPU and ``device`` are touched: a fit on the CPU does not start
    CUDA.

    Parameters
    ----------
    random_state : int, RandomState instance or None
    size : int, default=SMALL
        How many numbers the work is about; below `SMALL` it runs in one thread.
    epochs_before : int, default=0
        Number of epochs already trained, so that a warm start does not repeat their random numbers.
    device : str or torch.device, default="auto"
        Where the work runs, as in `resolve_device`.
    """
    device = resolve_device(device)
    seed = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    if _parallel.processes is not None and not isinstance(random_state, Integral):
        seed = _parallel.processes.common_seed(seed)
    with own_modes(device) as undo:
        threads, states = torch.get_num_threads(), random_states(device)
        try:
            undo.callback(torch.set_num_threads, threads)
            set_seed(seed + epochs_before, device)
            torch.set_num_threads(1 if size < SMALL else threads)
            yield seed
        finally:
            set_random_states(states, device)


def set_seed(seed: int, device: torch.device) -> None:
    """Seed the CPU and one device; `torch.manual_seed` would seed all devices there are."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device.type != "cpu":
        torch.manual_seed(seed)


def random_states(device: str | torch.device) -> list[torch.Tensor]:
    """Return the state of the random numbers on the CPU and, if it is another that draws some, on the device."""
    device = torch.device(device)
    states = [torch.get_rng_state()]
    if _has_random_numbers(device):
        states.append(getattr(torch, device.type).get_rng_state(*_argument(device)))
    return states


def set_random_states(states: list[torch.Tensor], device: str | torch.device) -> None:
    """Restore what `random_states` returned."""
    device = torch.device(device)
    torch.set_rng_state(states[0].cpu())
    if _has_random_numbers(device):
        getattr(torch, device.type).set_rng_state(states[1].cpu(), *_argument(device))


def _has_random_numbers(device: torch.device) -> bool:
    """Return whether a device has a random stream beside the CPU's; "meta", for example, has none."""
    return device.type != "cpu" and hasattr(torch, device.type)


def _argument(device: torch.device) -> list[torch.device]:
    """Return the device as torch's module for its kind wants to be told: MPS has only one and takes none."""
    return [] if device.type == "mps" else [device]


def numpy_weights(module: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return a module's state as numpy arrays, whatever device it is on."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in module.state_dict().items()}
