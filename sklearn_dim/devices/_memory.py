"""What fits into a device's memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

FULL = "the GPU's memory is full"
SHARE = 0.5  # of the free memory that data may take; weights, their optimizer and a step's tensors need the rest


def free_bytes(device: torch.device) -> int | None:
    """Return how many bytes of a device's own memory are free; None if it has none, or does not say."""
    ask = getattr(getattr(torch, device.type, None), "mem_get_info", None)
    return None if ask is None else int(ask(device)[0])


def fits(n_bytes: float, device: torch.device, *, verbose: int = 0) -> bool:
    """Return whether data may live on a device: they take at most half of its free memory, or it does not say.

    With ``verbose`` it is printed if they may not.
    """
    free = free_bytes(device)
    if free is None or n_bytes <= SHARE * free:
        return True
    if verbose:
        print(
            f"X stays in the host's memory, and is copied to {device} batch by batch: it takes {n_bytes / 1e9:.3g} GB, "
            f"more than half of the {free / 1e9:.3g} GB that are free there."
        )
    return False


@contextmanager
def explained_memory() -> Iterator[None]:
    """Say what helps where a GPU's memory runs out."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        if str(error).startswith(FULL):  # by an inner context
            raise
        raise torch.cuda.OutOfMemoryError(
            f"{FULL} ({str(error).splitlines()[0]}). Lower batch_size, or n_components and the size "
            "of the encoder, end other programs on the GPU, or use device='cpu'."
        ) from error
