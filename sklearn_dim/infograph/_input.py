"""What `GraphInfomaxTransformer` takes X for: a list of graphs."""

from collections.abc import Sized
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from sklearn_dim.graphs import Graph


def check_graphs(X: Any, min_graphs: int) -> None:
    """Refuse what is not a list of at least ``min_graphs`` graphs with the same features."""
    if isinstance(X, Graph):
        raise TypeError(
            "X is a single Graph; expected a list of graphs, of which each gets a vector. Pass [graph], or take "
            "DGITransformer for the vectors of its nodes."
        )
    is_list = isinstance(X, Sized) and hasattr(X, "__getitem__")  # one of the user's own kind will do
    if not is_list:
        raise TypeError(f"X is a {type(X).__name__}; expected a list of graphs. Pass list(X) if it yields some.")
    if len(X) < min_graphs:
        reason = " to compare one with others" if min_graphs == 2 else ""
        graphs = "graph" if min_graphs == 1 else "graphs"
        raise ValueError(f"X needs at least {min_graphs} {graphs}{reason}; got a list of {len(X)}.")
    for position, graph in enumerate(X):
        if not isinstance(graph, Graph):
            raise TypeError(f"X[{position}] is a {type(graph).__name__}; expected a Graph(features, adjacency).")
        if graph.shape[1] != X[0].shape[1]:
            raise ValueError(
                f"X[{position}] has {graph.shape[1]} features, but X[0] has {X[0].shape[1]}. Give all graphs the same."
            )
        if not np.array_equal(graph.names, X[0].names):  # type: ignore[arg-type]  # None equals None
            raise ValueError(f"X[{position}] has features named {graph.names}, but X[0] has {X[0].names}. Align them.")


def fit_scaler(features) -> StandardScaler:
    """Return a scaler for all columns but indicators and constants, which are used unchanged: sums count them."""
    scaler = StandardScaler(with_mean=not sparse.issparse(features)).set_output(transform="default").fit(features)
    others = np.asarray((features != features.astype(bool)).sum(0)).ravel()  # values of a column but 0 and 1
    unchanged = (scaler.scale_ == 1) | (others == 0)  # of a constant the scale is 1
    scaler.scale_[unchanged] = 1.0
    if scaler.with_mean:
        scaler.mean_[unchanged] = 0.0
    return scaler
