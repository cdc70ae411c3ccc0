"""Views: a random change of a standardised batch that keeps what the samples are."""

import torch

from sklearn_dim.views._images import ColorJitter, Compose, Flip, Noise, ResizedCrop, ShiftAndNoise
from sklearn_dim.views._mirror import mirror_asymmetry, mirrors
from sklearn_dim.views._tables import ResampleFeatures


def make_view(augmentation, sample_shape, samples=None):
    """Return the view that ``augmentation`` stands for; "auto" goes by the kind of sample, and by ``samples``."""
    if augmentation is None:
        return None
    if augmentation == "auto":
        return _fitting_view(sample_shape, samples)
    shape = tuple(augmentation(torch.zeros(2, *sample_shape)).shape)
    if shape != (2, *sample_shape):
        raise ValueError(
            f"augmentation={augmentation!r} makes a batch of shape {shape} of one of shape {(2, *sample_shape)}; a "
            "view keeps the shape."
        )
    return augmentation


def _fitting_view(sample_shape, samples):
    """Return a view that is safe for a kind of sample; images are mirrored only where left and right look alike."""
    if len(sample_shape) != 3:
        return ResampleFeatures()
    if sample_shape[0] != 3:
        return ShiftAndNoise()
    flip = [Flip()] if samples is not None and mirrors(torch.tensor(samples)) else []
    return Compose([ResizedCrop(), *flip, ColorJitter()])


__all__ = [
    "ColorJitter",
    "Compose",
    "Flip",
    "Noise",
    "ResampleFeatures",
    "ResizedCrop",
    "ShiftAndNoise",
    "make_view",
    "mirror_asymmetry",
    "mirrors",
]
