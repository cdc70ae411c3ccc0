"""Views: a random change of a standardised batch that keeps what the samples are."""

import torch

from sklearn_dim.views._images import ShiftAndNoise
from sklearn_dim.views._occlude import Occlude
from sklearn_dim.views._sequences import ShiftAndScale
from sklearn_dim.views._tables import ResampleFeatures
from sklearn_dim.views._tokens import UNKNOWN, DropWords


def make_view(augmentation, sample_shape, tokens=False):
    """Return the view that ``augmentation`` stands for; "auto" goes by the shape of a sample, or by its being words."""
    if augmentation is None:
        return None
    if augmentation == "auto":
        return DropWords() if tokens else {1: ResampleFeatures, 2: ShiftAndScale, 3: ShiftAndNoise}[len(sample_shape)]()
    dtype = torch.int64 if tokens else torch.float32
    shape = tuple(augmentation(torch.zeros(2, *sample_shape, dtype=dtype)).shape)
    if shape != (2, *sample_shape):
        raise ValueError(
            f"augmentation={augmentation!r} makes a batch of shape {shape} of one of shape {(2, *sample_shape)}; a "
            "view keeps the shape."
        )
    return augmentation


__all__ = ["UNKNOWN", "DropWords", "Occlude", "ResampleFeatures", "ShiftAndNoise", "ShiftAndScale", "make_view"]
