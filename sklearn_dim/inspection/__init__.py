"""Plots of fitted estimators, with the interface of scikit-learn's displays."""

from sklearn_dim.inspection._embedding import EmbeddingDisplay
from sklearn_dim.inspection._information import InformationDisplay
from sklearn_dim.inspection._pointwise import PointwiseInformationDisplay
from sklearn_dim.inspection._training_curve import TrainingCurveDisplay

__all__ = ["EmbeddingDisplay", "InformationDisplay", "PointwiseInformationDisplay", "TrainingCurveDisplay"]
