"""What the three estimators share towards scikit-learn: parameters, input rules, training glue. No formula."""

from sklearn_dim._sklearn._callbacks import begin_fit, subtask
from sklearn_dim._sklearn._columns import AsTheyAre, ColumnCoder, copies_of_rows
from sklearn_dim._sklearn._estimator import NeuralEstimator
from sklearn_dim._sklearn._inputs import check_nodes, check_numbers, check_table, check_targets
from sklearn_dim._sklearn._samples import check_rows, kind_of, moments
from sklearn_dim._sklearn._state import is_plain
from sklearn_dim._sklearn._tokens import check_tokens, word_weights

__all__ = [
    "AsTheyAre",
    "ColumnCoder",
    "NeuralEstimator",
    "begin_fit",
    "check_nodes",
    "check_numbers",
    "check_rows",
    "check_table",
    "check_targets",
    "check_tokens",
    "copies_of_rows",
    "is_plain",
    "kind_of",
    "moments",
    "subtask",
    "word_weights",
]
