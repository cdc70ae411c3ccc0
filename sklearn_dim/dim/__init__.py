"""Deep InfoMax for tables, bags of words, documents, sequences and images: `DIMTransformer`."""

from sklearn_dim.dim._estimator import DIMTransformer

__all__ = ["DIMTransformer"]
