"""What an encoder is."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Encoded(NamedTuple):
    """What an encoder says of a batch of n samples.

    Attributes
    ----------
    locations : Tensor of shape (n, n_locations, location_features)
        Local features, one row a place of the input (``representation="conv"``, flattened).
    fc : Tensor of shape (n, fc_features)
        The last hidden layer (``representation="fc"``).
    code : Tensor of shape (n, n_components)
        The representation (``representation="code"``).
    """

    locations: Tensor
    fc: Tensor
    code: Tensor

    @classmethod
    def of(cls, output) -> "Encoded":
        """Return what a network gave, (locations, fc, code) or (locations, code), as an `Encoded`."""
        return cls(*output) if len(output) == 3 else cls(output[0], output[1], output[1])


def batch_normed(layer: nn.Module, width: int, norm: type[nn.Module]) -> nn.Sequential:
    """layer → BatchNorm → ReLU, the block of the published encoders."""
    return nn.Sequential(layer, norm(width), nn.ReLU())


class Standardized(nn.Module):
    """An encoder behind the standardising of its input, channel by channel or column by column.

    Parameters
    ----------
    network : Module
        x → `Encoded`, for x of zero mean and unit variance.
    shape : tuple of int
        Shape of one sample; the first axis is what has a mean and a scale of its own.
    """

    def __init__(self, network: nn.Module, shape: tuple[int, ...]):
        super().__init__()
        self.network = network
        own = (shape[0], *[1] * (len(shape) - 1))
        self.register_buffer("mean", torch.zeros(own))
        self.register_buffer("scale", torch.ones(own))

    def set(self, mean, scale) -> None:
        """Set the statistics, arrays of as many numbers as channels or columns."""
        self.mean.copy_(torch.as_tensor(mean).view_as(self.mean))
        self.scale.copy_(torch.as_tensor(scale).view_as(self.scale))

    @property
    def takes_sparse(self) -> bool:
        """Whether batches may be sparse COO tensors: the network says so."""
        return getattr(self.network, "takes_sparse", False)

    def standardize(self, x: Tensor) -> Tensor:
        """Return x of any dtype with zero mean and unit variance; sparse rows keep their columns' weights."""
        if self.takes_sparse:
            x = x if x.is_sparse else x.to_sparse()
            return x.to(self.scale.dtype)
        return (x.to(self.mean.dtype) - self.mean) / self.scale

    def forward(self, x: Tensor, view=None) -> Encoded:
        """Encode x, or a view of it: a function of the standardised batch."""
        x = self.standardize(x)
        return Encoded.of(self.network(x if view is None else view(x)))
