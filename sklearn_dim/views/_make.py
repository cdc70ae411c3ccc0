"""From a parameter ``augmentation`` to a view."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sklearn_dim.views._base import View
from sklearn_dim.views._images import ColorJitter, Compose, Flip, ResizedCrop, ShiftAndNoise
from sklearn_dim.views._mirror import mirrors
from sklearn_dim.views._sequences import ShiftAndScale
from sklearn_dim.views._tables import DropValues, ResampleFeatures
from sklearn_dim.views._tokens import DropWords

# What augmentation="auto" stands for, by the kind of samples; images are looked at first, by `image_view`.
AUTO_VIEWS: dict[str, type[View]] = {
    "bag": DropValues,
    "sequence": ShiftAndScale,
    "table": ResampleFeatures,
    "tokens": DropWords,
}


def make_view(
    augmentation: str | Callable[[Tensor], Tensor] | None,
    kind: str,
    sample_shape: tuple[int, ...],
    samples: Any = None,
) -> Callable[[Tensor], Tensor] | None:
    """Return the view that a name or a function stands for.

    Parameters
    ----------
    augmentation : "auto", callable or None
        A callable is tried on a batch of two.
    kind : {"table", "bag", "tokens", "sequence", "image"}
        What the samples are; "auto" depends on it.
    sample_shape : tuple of int
    samples : ndarray of shape (n, *sample_shape), default=None
        Some of the images, to find out whether they may be mirrored. Without them none are.

    Raises
    ------
    ValueError
        If a callable changes the shape of the batch.
    """
    if augmentation is None:
        return None
    if isinstance(augmentation, str):
        return image_view(sample_shape, samples) if kind == "image" else AUTO_VIEWS[kind]()
    dtype = torch.int64 if kind == "tokens" else torch.float32
    shape = tuple(augmentation(torch.zeros(2, *sample_shape, dtype=dtype)).shape)
    if shape != (2, *sample_shape):
        raise ValueError(
            f"augmentation={augmentation!r} makes a batch of shape {shape} out of one of shape {(2, *sample_shape)}; a "
            "view keeps the shape."
        )
    return augmentation


def image_view(image_shape: tuple[int, ...], images: Any = None) -> View:
    """Return a view that is safe for images: colour images are mirrored only if left and right look alike in them."""
    if image_shape[0] != 3:
        return ShiftAndNoise()
    flip = [Flip()] if images is not None and mirrors(torch.tensor(images)) else []
    return Compose([ResizedCrop(), *flip, ColorJitter()])
