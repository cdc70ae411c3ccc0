"""What the three estimators share towards scikit-learn: parameters, input rules, training glue. No formula."""

from sklearn_dim._sklearn._estimator import NeuralEstimator
from sklearn_dim._sklearn._inputs import check_rows, moments

__all__ = ["NeuralEstimator", "check_rows", "moments"]
