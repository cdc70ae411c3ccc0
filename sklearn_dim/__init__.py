"""Deep InfoMax, Deep Graph Infomax and neural mutual information as scikit-learn estimators.

The public names are loaded when first used, so that importing the package does not load torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` below imports, where a type checker sees it
    from sklearn_dim.dgi import DGITransformer
    from sklearn_dim.dim import DIMTransformer
    from sklearn_dim.features import MutualInfoSelector, mutual_info_features
    from sklearn_dim.graphs import Graph
    from sklearn_dim.infograph import GraphInfomaxTransformer
    from sklearn_dim.mine import MutualInfoEstimator, mutual_info

__version__ = "0.1.0"

_HOMES = {
    "DGITransformer": "dgi",
    "DIMTransformer": "dim",
    "Graph": "graphs",
    "GraphInfomaxTransformer": "infograph",
    "MutualInfoEstimator": "mine",
    "MutualInfoSelector": "features",
    "mutual_info": "mine",
    "mutual_info_features": "features",
}

__all__ = [
    "DGITransformer",
    "DIMTransformer",
    "Graph",
    "GraphInfomaxTransformer",
    "MutualInfoEstimator",
    "MutualInfoSelector",
    "mutual_info",
    "mutual_info_features",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sklearn_dim' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sklearn_dim.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
