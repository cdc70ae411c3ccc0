"""From a parameter ``encoder`` to a network that keeps the contract."""

import copy
import math
from typing import NamedTuple

import torch
from torch import nn

from sklearn_dim.encoders._bags import BagEncoder
from sklearn_dim.encoders._base import Encoded
from sklearn_dim.encoders._images import image_encoder, published_encoder
from sklearn_dim.encoders._resnet import FoldedResNet
from sklearn_dim.encoders._sequences import sequence_encoder
from sklearn_dim.encoders._tables import TableEncoder
from sklearn_dim.encoders._tokens import TokenEncoder


def make_encoder(encoder, kind, sample_shape, n_components, *, n_globals=1, vocabulary_size=None) -> nn.Module:
    """Return the network that ``encoder`` stands for: a name, a copy of a module, or what a function makes.

    ``kind`` of samples: "table", "bag" (sparse rows), "tokens", "sequence" or "image".
    """
    if n_globals > 1 and (kind != "image" or not isinstance(encoder, str)):
        raise ValueError(
            f"n_global_vectors={n_globals} is for images and encoders by name. Pass image_shape, or 1; "
            "a module of your own may return codes of three axes, (n, vectors, features)."
        )
    if isinstance(encoder, nn.Module):
        return copy.deepcopy(encoder)
    if callable(encoder):
        return encoder(sample_shape, n_components)
    if kind == "tokens":
        return TokenEncoder(vocabulary_size, n_components)
    if kind != "image":
        if encoder != "auto":
            what = "sequences" if kind == "sequence" else "plain rows"
            raise ValueError(f"encoder={encoder!r} is for images; X has {what}. Pass image_shape, or encoder='auto'.")
        if kind == "sequence":
            return sequence_encoder(sample_shape, n_components)
        return {"bag": BagEncoder, "table": TableEncoder}[kind](sample_shape[0], n_components)
    named = {"auto": image_encoder, "paper": published_encoder, "resnet": FoldedResNet}
    return named[encoder](sample_shape, n_components, n_globals=n_globals)


class Layout(NamedTuple):
    """The sizes of what an encoder says of a sample.

    Attributes
    ----------
    n_locations, location_features : int
    code_features : int
        Width of a code vector: n_components, or a part of it if there are several.
    grid : tuple of int
        Locations along each axis of the map.
    """

    n_locations: int
    location_features: int
    code_features: int
    grid: tuple[int, ...]


def check_encoder(network, sample_shape, n_components) -> Layout:
    """Try the network on two samples and return the sizes of what it says of them."""
    network.eval()
    with torch.no_grad():
        output = network(torch.zeros(2, *sample_shape))
    try:
        encoded = Encoded.of(output)
        n_locations, width = encoded.locations.shape[1:]
        fits = encoded.locations.shape[0] == 2 and encoded.code.flatten(1).shape == (2, n_components)
    except (TypeError, ValueError, AttributeError):
        fits = False
    if not fits:
        raise ValueError(
            f"the encoder must map (n, {', '.join(map(str, sample_shape))}) to (locations (n, L, C), code (n, "
            f"{n_components})), optionally with fc (n, F) between them; {type(network).__name__} does not. "
            f"Give its code n_components={n_components} units and its locations three axes."
        )
    grid = tuple(getattr(network, "location_shape", ())[1:])
    grid = grid if math.prod(grid) == n_locations and grid else (n_locations,)
    return Layout(n_locations, width, encoded.code.shape[-1], grid)
