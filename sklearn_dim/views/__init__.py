"""Views: a random change of a standardised batch that keeps what the samples are."""

from sklearn_dim.views._images import ShiftAndNoise
from sklearn_dim.views._tables import ResampleFeatures


def make_view(augmentation, sample_shape):
    """Return the view that ``augmentation`` stands for; "auto" goes by the kind of sample."""
    if augmentation != "auto":
        return augmentation
    return ShiftAndNoise() if len(sample_shape) == 3 else ResampleFeatures()


__all__ = ["ResampleFeatures", "ShiftAndNoise", "make_view"]
