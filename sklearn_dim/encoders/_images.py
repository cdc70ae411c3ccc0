"""Convolutional encoders for images, as published and for any size from 8 × 8 (Hjelm et al., ICLR 2019, appendix A)."""

import math
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any

from torch import Tensor, nn

from sklearn_dim._arguments import checked
from sklearn_dim.encoders._base import Encoded, Encoder, batch_normed
from sklearn_dim.encoders._pooling import pooled_means

Convolution = tuple[int, int, int, int]  # channels, kernel, stride, padding


class ConvEncoder(Encoder):
    """Convolutions up to a feature map, more convolutions and fully connected layers from it to the code.

    Parameters
    ----------
    image_shape : tuple (channels, height, width)
    n_components : int
        Width of the code.
    local : sequence of tuple (channels, kernel, stride, padding)
        Convolutions (each with BatchNorm and ReLU) up to the feature map, whose pixels are the locations.
    rest : sequence of tuple (channels, kernel, stride, padding)
        Convolutions after it.
    fc : sequence of int
        Units of the fully connected layers before the code.
    pool_after : set of int, default=()
        Convolutions (counted from 0) that are followed by max-pooling of size 3 and stride 2.
    n_globals : int, default=1
        Number of code vectors, a square number g². With more than one, the same layers make a vector from each cell
        of a g × g grid over the last map, and the code is (n, n_globals, n_components / n_globals).
    """

    def __init__(
        self,
        image_shape: tuple[int, ...],
        n_components: int,
        *,
        local: Sequence[Convolution],
        rest: Sequence[Convolution],
        fc: Sequence[int],
        pool_after: Collection[int] = (),
        n_globals: int = 1,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        shape = tuple(image_shape)
        for index, (width, kernel, stride, padding) in enumerate([*local, *rest]):
            block = batch_normed(nn.Conv2d(shape[0], width, kernel, stride, padding, bias=False), width, nn.BatchNorm2d)
            shape = (width, *_sides_after(shape[1:], kernel, stride, padding))
            if index in pool_after:
                block.append(nn.MaxPool2d(3, 2))
                shape = (width, *_sides_after(shape[1:], 3, 2, 0))
            if index == len(local) - 1:
                self.location_shape = shape
            layers.append(block)
        self.local = nn.Sequential(*layers[: len(local)])
        self.rest = nn.Sequential(*layers[len(local) :])
        self.head = Head(shape, n_components, fc, n_globals)

    def forward(self, x: Tensor) -> Encoded:
        """Encode standardised images (n, channels, height, width)."""
        features = self.local(x)
        return Encoded(features.flatten(2).transpose(1, 2), *self.head(self.rest(features)))


class Head(nn.Module):
    """Fully connected layers from a feature map to the code, or from each cell of the map to one code vector.

    Parameters
    ----------
    map_shape : tuple (channels, height, width)
    n_components : int
    fc : sequence of int
        Units of the layers (each with BatchNorm and ReLU) before the code.
    n_globals : int, default=1
        Number of code vectors, see `ConvEncoder`.
    """

    def __init__(self, map_shape: tuple[int, ...], n_components: int, fc: Sequence[int], n_globals: int = 1):
        super().__init__()
        self.side = math.isqrt(n_globals)
        if self.side**2 != n_globals or n_components % n_globals or self.side > min(map_shape[1:]):
            raise ValueError(
                f"n_global_vectors={n_globals} with n_components={n_components} and a last feature map of "
                f"{map_shape[1]}x{map_shape[2]}: it must be a square number g² that divides n_components, with g at "
                "most the map's shorter side. Use 1 or 4, and a multiple of it as n_components."
            )
        self.n_globals = n_globals
        width = math.prod(map_shape) if n_globals == 1 else map_shape[0]
        hidden: OrderedDict[str, nn.Module] = OrderedDict()
        for index, units in enumerate(fc):
            hidden[f"fc{index + 1}"] = batch_normed(nn.Linear(width, units, bias=False), units, nn.BatchNorm1d)
            width = units
        self.fc = nn.Sequential(hidden)
        self.code = nn.Linear(width, n_components // n_globals)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return fc and code of feature maps (n, channels, height, width)."""
        n = len(features)
        if self.n_globals == 1:
            fc = self.fc(features.flatten(1))
            return fc, self.code(fc)
        cells = pooled_means(features, (self.side, self.side)).flatten(2).transpose(1, 2)
        fc = self.fc(cells.flatten(0, 1))
        return fc.view(n, -1), self.code(fc).view(n, self.n_globals, -1)


def _sides_after(sides: tuple[int, ...], kernel: int, stride: int, padding: int) -> tuple[int, ...]:
    """Return height and width after a convolution or pooling."""
    return tuple((side + 2 * padding - kernel) // stride + 1 for side in sides)


@checked(image_shape="[1, inf)", n_components="[1, inf)", n_globals="[1, inf)")
def published_encoder(image_shape: tuple[int, ...], n_components: int, *, n_globals: int = 1) -> ConvEncoder:
    """Return the paper's encoder for images of 28 × 28, 32 × 32 or 64 × 64 pixels.

    Parameters
    ----------
    image_shape : tuple (channels, height, width)
    n_components : int
        Width of the code.
    n_globals : int, default=1
        Number of code vectors, see `ConvEncoder`.

    Raises
    ------
    ValueError
        If images have another size.
    """
    try:
        layout = _PUBLISHED[tuple(image_shape[1:])]
    except KeyError:
        raise ValueError(
            f"encoder='paper' has layouts for images of 28x28, 32x32 and 64x64 pixels; got "
            f"{image_shape[1]}x{image_shape[2]}. Use encoder='auto', which fits any size from 8x8."
        ) from None
    return ConvEncoder(image_shape, n_components, n_globals=n_globals, **layout)


_PUBLISHED: dict[tuple[int, ...], dict[str, Any]] = {
    (28, 28): {"local": [(64, 5, 2, 2), (128, 5, 2, 2)], "rest": [], "fc": [1024]},
    (32, 32): {"local": [(64, 4, 2, 1), (128, 4, 2, 1)], "rest": [(256, 4, 2, 1)], "fc": [1024]},
    # AlexNet-like; pooling after the first, second and last convolution.
    (64, 64): {
        "local": [(96, 3, 1, 1), (192, 3, 1, 1), (384, 3, 1, 1)],
        "rest": [(384, 3, 1, 1), (192, 3, 1, 1)],
        "fc": [4096, 4096],
        "pool_after": {0, 1, 4},
    },
}


@checked(image_shape="[1, inf)", n_components="[1, inf)", width="[1, inf)", n_globals="[1, inf)")
def image_encoder(image_shape: tuple[int, ...], n_components: int, width: int = 32, n_globals: int = 1) -> ConvEncoder:
    """Return an encoder for images of 8 × 8 pixels or more, whose feature map has 4 to 15 locations per side.

    It is the published layout with half the channels before and after that map, and half the hidden units.

    Parameters
    ----------
    image_shape : tuple (channels, height, width)
    n_components : int
        Width of the code.
    width : int, default=32
        Channels of the first convolution.
    n_globals : int, default=1
        Number of code vectors, see `ConvEncoder`.

    Raises
    ------
    ValueError
        If images are smaller.
    """
    side = shorter_side(image_shape)
    if side < 16:  # two convolutions at full size before the only halving
        local = [(width, 3, 1, 1), (2 * width, 3, 1, 1), (2 * width, 4, 2, 1)]
    else:
        halvings = max(2, math.ceil(math.log2(side / 8)))
        widths = [*(width * min(2**i, 4) for i in range(halvings - 1)), 4 * width]
        local = [(channels, 4, 2, 1) for channels in widths]
    return ConvEncoder(
        image_shape, n_components, local=local, rest=[(4 * width, 4, 2, 1)], fc=[16 * width], n_globals=n_globals
    )


def shorter_side(image_shape: tuple[int, ...]) -> int:
    """Return the shorter side of images in pixels; below 8 it is a ValueError."""
    side = min(image_shape[1:])
    if side < 8:
        raise ValueError(
            f"images of {image_shape[1]}x{image_shape[2]} pixels are smaller than 8x8, the minimum of an image "
            "encoder (an image is channels, height, width). Pass the pixels as plain rows, without image_shape."
        )
    return side
