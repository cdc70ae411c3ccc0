"""Measures on representations, without labels: how dependent a code's components are, how much the code carries."""

from sklearn_dim.metrics._dependency import neural_dependency_measure
from sklearn_dim.metrics._information import information_score, make_information_scorer

__all__ = ["information_score", "make_information_scorer", "neural_dependency_measure"]
