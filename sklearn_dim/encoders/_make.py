"""From a parameter ``encoder`` to a network that keeps the contract."""

import copy

import torch
from torch import nn

from sklearn_dim.encoders._base import Encoded
from sklearn_dim.encoders._images import image_encoder, published_encoder
from sklearn_dim.encoders._resnet import FoldedResNet
from sklearn_dim.encoders._tables import TableEncoder


def make_encoder(encoder, sample_shape, n_components) -> nn.Module:
    """Return the network that ``encoder`` stands for: a name, a copy of a module, or what a function makes."""
    if isinstance(encoder, nn.Module):
        return copy.deepcopy(encoder)
    if callable(encoder):
        return encoder(sample_shape, n_components)
    if len(sample_shape) == 1:
        if encoder != "auto":
            raise ValueError(
                f"encoder={encoder!r} is for images; X has plain rows. Pass image_shape, or encoder='auto'."
            )
        return TableEncoder(sample_shape[0], n_components)
    named = {"auto": image_encoder, "paper": published_encoder, "resnet": FoldedResNet}
    return named[encoder](sample_shape, n_components)


def check_encoder(network, sample_shape, n_components) -> tuple[int, int]:
    """Try the network on two samples and return the number of locations and their width."""
    network.eval()
    with torch.no_grad():
        output = network(torch.zeros(2, *sample_shape))
    try:
        encoded = Encoded.of(output)
        n_locations, width = encoded.locations.shape[1:]
        fits = encoded.locations.shape[0] == 2 and encoded.code.shape == (2, n_components)
    except (TypeError, ValueError, AttributeError):
        fits = False
    if not fits:
        raise ValueError(
            f"the encoder must map (n, {', '.join(map(str, sample_shape))}) to (locations (n, L, C), code (n, "
            f"{n_components})), optionally with fc (n, F) between them; {type(network).__name__} does not. "
            f"Give its code n_components={n_components} units and its locations three axes."
        )
    return n_locations, width
