"""What an encoder is."""

from typing import NamedTuple

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


def batch_normed(layer: nn.Module, width: int, norm: type[nn.Module]) -> nn.Sequential:
    """layer → BatchNorm → ReLU, the block of the published encoders."""
    return nn.Sequential(layer, norm(width), nn.ReLU())
