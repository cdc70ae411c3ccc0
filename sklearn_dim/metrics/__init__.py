"""Scores of embeddings that need no labels: how dependent the components are, how much of the input is kept."""

from sklearn_dim.metrics._dependency import neural_dependency_measure
from sklearn_dim.metrics._information import information_score, make_information_scorer

__all__ = ["information_score", "make_information_scorer", "neural_dependency_measure"]
