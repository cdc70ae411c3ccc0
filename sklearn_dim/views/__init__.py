"""Views: a random change of a standardised batch that keeps what the samples are."""

import torch

from sklearn_dim.views._images import ColorJitter, Compose, Flip, Noise, ResizedCrop, ShiftAndNoise
from sklearn_dim.views._mirror import mirror_asymmetry, mirrors
from sklearn_dim.views._occlude import Occlude
from sklearn_dim.views._sequences import ShiftAndScale
from sklearn_dim.views._tables import DropValues, ResampleFeatures
from sklearn_dim.views._tokens import UNKNOWN, DropWords


def make_view(augmentation, kind, sample_shape, samples=None):
    """Return the view that ``augmentation`` stands for.

    "auto" goes by the kind of samples ("table", "bag", "tokens", "sequence" or "image"), and of images by some
    ``samples`` of them.
    """
    if augmentation is None:
        return None
    if augmentation == "auto":
        return _view_of_images(sample_shape, samples) if kind == "image" else _AUTO[kind]()
    dtype = torch.int64 if kind == "tokens" else torch.float32
    shape = tuple(augmentation(torch.zeros(2, *sample_shape, dtype=dtype)).shape)
    if shape != (2, *sample_shape):
        raise ValueError(
            f"augmentation={augmentation!r} makes a batch of shape {shape} of one of shape {(2, *sample_shape)}; a "
            "view keeps the shape."
        )
    return augmentation


VIEWS = (
    ColorJitter,
    Compose,
    DropValues,
    DropWords,
    Flip,
    Noise,
    Occlude,
    ResampleFeatures,
    ResizedCrop,
    ShiftAndNoise,
    ShiftAndScale,
)
_AUTO = {"bag": DropValues, "sequence": ShiftAndScale, "table": ResampleFeatures, "tokens": DropWords}


def _view_of_images(sample_shape, samples):
    """Return a view that is safe for images: they are mirrored only where left and right look alike."""
    if sample_shape[0] != 3:
        return ShiftAndNoise()
    flip = [Flip()] if samples is not None and mirrors(torch.tensor(samples)) else []
    return Compose([ResizedCrop(), *flip, ColorJitter()])


__all__ = [
    "ColorJitter",
    "Compose",
    "UNKNOWN",
    "VIEWS",
    "DropValues",
    "DropWords",
    "Flip",
    "Noise",
    "Occlude",
    "ResampleFeatures",
    "ResizedCrop",
    "ShiftAndNoise",
    "ShiftAndScale",
    "make_view",
    "mirror_asymmetry",
    "mirrors",
]
