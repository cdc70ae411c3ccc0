"""Views: a random change of a standardised batch that keeps what the samples are."""

import torch

from sklearn_dim.views._images import ShiftAndNoise
from sklearn_dim.views._tables import DropValues, ResampleFeatures


def make_view(augmentation, sample_shape, *, sparse=False):
    """Return the view that ``augmentation`` stands for; "auto" goes by the kind of sample, which may be sparse rows."""
    if augmentation is None:
        return None
    if augmentation == "auto":
        if len(sample_shape) == 3:
            return ShiftAndNoise()
        return DropValues() if sparse else ResampleFeatures()
    shape = tuple(augmentation(torch.zeros(2, *sample_shape)).shape)
    if shape != (2, *sample_shape):
        raise ValueError(
            f"augmentation={augmentation!r} makes a batch of shape {shape} of one of shape {(2, *sample_shape)}; a "
            "view keeps the shape."
        )
    return augmentation


__all__ = ["DropValues", "ResampleFeatures", "ShiftAndNoise", "make_view"]
