"""The objective of `DGITransformer`, built from its parameters."""

import copy
from typing import Any

import numpy as np
from scipy import sparse
from torch import nn

from sklearn_dim.bounds import Bound, make_bound
from sklearn_dim.critics import GroupDiscrimination, make_critic
from sklearn_dim.encoders import GRAPH_ENCODERS, as_graph_encoder, check_graph_encoder
from sklearn_dim.graphs import CORRUPTIONS, SparseMatrix
from sklearn_dim.objectives import NodeSummary


def build_node_summary(
    n_features: int,
    n_components: int,
    *,
    mi_estimator: str | Bound,
    encoder: Any,
    critic: Any,
    corruption: Any,
    readout: str,
) -> NodeSummary:
    """Return the objective for graphs with ``n_features``, whose node embeddings have ``n_components`` columns.

    The other arguments are parameters of `DGITransformer`.
    """
    if isinstance(encoder, nn.Module):
        network = copy.deepcopy(encoder)
    else:
        network = GRAPH_ENCODERS.get(encoder, encoder)(n_features, n_components)
    network = as_graph_encoder(network.cpu(), "symmetric")  # the net moves it to its device
    pair = SparseMatrix(sparse.csr_matrix(np.array([[0.5, 0.5], [0.5, 0.5]])))
    why = f"{n_components} columns, which is n_components minus the columns of the input (input_share)"
    network = check_graph_encoder(network, pair, n_features, n_components, why)
    critic = make_critic(GroupDiscrimination if critic == "group" else critic, n_components, n_components)
    corrupt = None if corruption == "other_graph" else CORRUPTIONS.get(corruption, corruption)
    return NodeSummary(
        network, critic, make_bound(mi_estimator), corrupt, readout=readout, shuffles=corruption == "shuffle"
    )
