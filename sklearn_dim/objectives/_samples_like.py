"""Samples of a distribution on the device where they are needed."""

import copy
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, Transform

from sklearn_dim.devices import to_device


class SamplesLike:
    """Draws as many samples of a distribution as there are codes.

    Parameters
    ----------
    distribution : Distribution
        Of one component, or of all. Its parameters may be on the CPU: they are copied to the codes' device once.
    """

    def __init__(self, distribution: Distribution):
        self.distribution = distribution
        self._copies: dict[torch.device, Distribution] = {}

    def __call__(self, code: Tensor) -> Tensor:
        """Return samples of the shape, the type and the device of codes (n, n_components)."""
        axes = len(self.distribution.batch_shape) + len(self.distribution.event_shape)
        return self._on(code.device).sample(code.shape[: max(1, code.ndim - axes)]).to(code)

    def _on(self, device: torch.device) -> Distribution:
        if device.type == "cpu":
            return self.distribution
        if device not in self._copies:
            self._copies[device] = moved(self.distribution, device)
        return self._copies[device]


def moved(value: Any, device: torch.device) -> Any:
    """Return a copy of a distribution with all tensors in it, or in what it is made of, on a device."""
    if isinstance(value, Tensor):
        return to_device(value, device)
    if isinstance(value, list | tuple):
        return type(value)([moved(part, device) for part in value])
    if not isinstance(value, Distribution | Transform):
        return value
    copied = copy.copy(value)
    vars(copied).update({name: moved(part, device) for name, part in vars(value).items()})
    return copied
