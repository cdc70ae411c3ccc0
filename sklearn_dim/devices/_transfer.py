"""Copies to a device that the host does not wait for."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor


def copies_while_the_host_goes_on(device: torch.device) -> bool:
    """Whether pinned memory is copied to a device while the host goes on: to CUDA's."""
    return device.type == "cuda"


def to_device(tensor: Tensor, device: str | torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Return a dense tensor on a device, in another dtype if one is given.

    From the CPU to CUDA it is copied by way of pinned memory, and the host does not wait; torch keeps that memory until
    the copy is done. The dtype is changed first, as not every device has float64.
    """
    device = torch.device(device)
    if tensor.device.type != "cpu" or not copies_while_the_host_goes_on(device):
        return tensor.to(device, dtype)
    return tensor.to(dtype=dtype).pin_memory().to(device, non_blocking=True)


def one_ahead(batches: Iterable, device: str | torch.device) -> Iterator[Any]:
    """Yield batches; on a device the next is read, and its copy begun, before the present one is worked on.

    The host only launches work and is soon asked for more: what it reads meanwhile costs the device no time.
    """
    batches = iter(batches)
    if torch.device(device).type == "cpu":
        yield from batches
        return
    for batch in batches:
        for following in batches:
            yield batch
            batch = following
        yield batch
