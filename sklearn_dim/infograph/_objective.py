"""The objective of `GraphInfomaxTransformer`, built from its parameters."""

import copy
from typing import Any

import numpy as np
from scipy import sparse
from torch import nn

from sklearn_dim.bounds import Bound, make_bound
from sklearn_dim.critics import make_critic
from sklearn_dim.encoders import GRAPH_ENCODERS, as_graph_encoder, check_graph_encoder
from sklearn_dim.graphs import SparseMatrix
from sklearn_dim.objectives import GraphSummary


def build_graph_summary(
    n_features: int, n_components: int, *, mi_estimator: str | Bound, encoder: Any, critic: Any, readout: str
) -> GraphSummary:
    """Return the objective for graphs with ``n_features``; the rest are parameters of `GraphInfomaxTransformer`."""
    if isinstance(encoder, nn.Module):
        network = copy.deepcopy(encoder)
    else:
        network = GRAPH_ENCODERS.get(encoder, encoder)(n_features, n_components)
    network = as_graph_encoder(network.cpu(), "sum")  # the net moves it to its device
    pair = SparseMatrix(sparse.csr_matrix(np.array([[0.0, 1.0], [1.0, 0.0]])))
    why = f"n_components={n_components} columns"
    network = check_graph_encoder(network, pair, n_features, n_components, why)
    critic = make_critic(critic, n_components, n_components)
    return GraphSummary(network, critic, make_bound(mi_estimator), n_components, readout)
