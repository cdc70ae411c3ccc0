"""Views: random changes of a standardised batch that keep what the samples are."""

from sklearn_dim.views._base import View
from sklearn_dim.views._images import ColorJitter, Compose, Flip, Noise, ResizedCrop, ShiftAndNoise
from sklearn_dim.views._mirror import mirror_asymmetry, mirrors
from sklearn_dim.views._occlude import Occlude
from sklearn_dim.views._sequences import ShiftAndScale
from sklearn_dim.views._tables import DropValues, MaskColumns, ResampleFeatures
from sklearn_dim.views._tokens import UNKNOWN, DropWords

# The views that files of an estimator may name.
VIEWS = (
    ColorJitter,
    Compose,
    DropValues,
    DropWords,
    Flip,
    Noise,
    Occlude,
    MaskColumns,
    ResampleFeatures,
    ResizedCrop,
    ShiftAndNoise,
    ShiftAndScale,
)

# For users; what else is imported above is for the estimators.
__all__ = [
    "ColorJitter",
    "Compose",
    "UNKNOWN",
    "DropValues",
    "DropWords",
    "Flip",
    "Noise",
    "Occlude",
    "MaskColumns",
    "ResampleFeatures",
    "ResizedCrop",
    "ShiftAndNoise",
    "ShiftAndScale",
    "View",
]
