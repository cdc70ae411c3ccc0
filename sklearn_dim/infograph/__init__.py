"""InfoGraph, for whole graphs: `GraphInfomaxTransformer`."""

from sklearn_dim.infograph._estimator import GraphInfomaxTransformer

__all__ = ["GraphInfomaxTransformer"]
