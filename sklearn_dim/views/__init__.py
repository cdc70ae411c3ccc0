"""Views: a random change of a standardised batch that keeps what the samples are."""

from sklearn_dim.views._images import ShiftAndNoise
from sklearn_dim.views._tables import ResampleFeatures

__all__ = ["ResampleFeatures", "ShiftAndNoise"]
