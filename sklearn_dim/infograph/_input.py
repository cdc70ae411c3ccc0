"""The input of `GraphInfomaxTransformer`: a list of graphs."""

from collections.abc import Sized
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from sklearn_dim.data import refuse_extremes
from sklearn_dim.graphs import Graph


def check_graphs(X: Any, min_graphs: int) -> None:
    """Raise TypeError or ValueError unless X is a list of at least ``min_graphs`` graphs with the same features."""
    if isinstance(X, Graph):
        raise TypeError(
            "X is a single Graph; expected a list of graphs, as there is one vector per graph. Pass [graph], or use "
            "DGITransformer for one vector per node."
        )
    is_list = isinstance(X, Sized) and hasattr(X, "__getitem__")  # a user's own class of lists will do
    if not is_list:
        raise TypeError(f"X is a {type(X).__name__}; expected a list of graphs. Pass list(X) if it is an iterator.")
    if len(X) < min_graphs:
        reason = ", to compare them" if min_graphs == 2 else ""
        graphs = "graph" if min_graphs == 1 else "graphs"
        raise ValueError(f"X needs at least {min_graphs} {graphs}{reason}; got a list of {len(X)}.")
    for position, graph in enumerate(X):
        if not isinstance(graph, Graph):
            raise TypeError(f"X[{position}] is a {type(graph).__name__}; expected a Graph(features, adjacency).")
        if graph.shape[1] != X[0].shape[1]:
            raise ValueError(
                f"X[{position}] has {graph.shape[1]} features, but X[0] has {X[0].shape[1]}. Give all graphs the same "
                "features."
            )
        if not np.array_equal(np.asarray(graph.names), np.asarray(X[0].names)):
            raise ValueError(
                f"X[{position}] has features named {graph.names}, but X[0] has {X[0].names}. Give all graphs the same "
                "names."
            )


def fit_scaler(features: Any) -> StandardScaler:
    """Return a scaler that leaves constants and columns of 0 and 1 unchanged, so that sums over nodes count them."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaler = StandardScaler(with_mean=not sparse.issparse(features)).set_output(transform="default").fit(features)
    refuse_extremes(scaler)
    # Per column, the number of values other than 0 and 1.
    others = np.asarray((features != features.astype(bool)).sum(0)).ravel()
    unchanged = (scaler.scale_ == 1) | (others == 0)  # the scale of a constant is 1
    scaler.scale_[unchanged] = 1.0
    if scaler.with_mean:
        scaler.mean_[unchanged] = 0.0
    return scaler
