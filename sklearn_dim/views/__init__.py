"""Views: a random change of a standardised batch that keeps what the samples are."""

import torch

from sklearn_dim.views._images import ShiftAndNoise
from sklearn_dim.views._occlude import Occlude
from sklearn_dim.views._sequences import ShiftAndScale
from sklearn_dim.views._tables import DropValues, ResampleFeatures
from sklearn_dim.views._tokens import UNKNOWN, DropWords

AUTO = {
    "bag": DropValues,
    "image": ShiftAndNoise,
    "sequence": ShiftAndScale,
    "table": ResampleFeatures,
    "tokens": DropWords,
}


def make_view(augmentation, kind, sample_shape):
    """Return the view that ``augmentation`` stands for; "auto" goes by the kind of samples, a key of `AUTO`."""
    if augmentation is None:
        return None
    if augmentation == "auto":
        return AUTO[kind]()
    dtype = torch.int64 if kind == "tokens" else torch.float32
    shape = tuple(augmentation(torch.zeros(2, *sample_shape, dtype=dtype)).shape)
    if shape != (2, *sample_shape):
        raise ValueError(
            f"augmentation={augmentation!r} makes a batch of shape {shape} of one of shape {(2, *sample_shape)}; a "
            "view keeps the shape."
        )
    return augmentation


__all__ = [
    "AUTO",
    "UNKNOWN",
    "DropValues",
    "DropWords",
    "Occlude",
    "ResampleFeatures",
    "ShiftAndNoise",
    "ShiftAndScale",
    "make_view",
]
