"""A score for each column of X: `mutual_info_features`."""

from sklearn_dim.features._scores import mutual_info_features

__all__ = ["mutual_info_features"]
