"""Deep Graph Infomax for the nodes of graphs: `DGITransformer`."""

from sklearn_dim.dgi._estimator import DGITransformer

__all__ = ["DGITransformer"]
