"""The objective of `DGITransformer`, built from its parameters."""

import copy
from typing import Any

import numpy as np
from scipy import sparse
from torch import nn

from sklearn_dim.bounds import Bound, make_bound
from sklearn_dim.critics import Cosine, GroupDiscrimination, make_critic
from sklearn_dim.encoders import GRAPH_ENCODERS, GraphEncoder, TwoLayerGCN, as_graph_encoder, check_graph_encoder
from sklearn_dim.graphs import CORRUPTIONS, SparseMatrix, graph_view
from sklearn_dim.objectives import NodeSummary, NodeViews


def build_objective(
    n_features: int,
    n_components: int,
    *,
    mi_estimator: str | Bound,
    encoder: Any,
    critic: Any,
    corruption: Any,
    readout: str,
) -> NodeSummary | NodeViews:
    """Return the objective for graphs with ``n_features``, whose node embeddings have ``n_components`` columns.

    The other arguments are parameters of `DGITransformer`.
    """
    network = make_encoder(encoder, n_features, n_components, views=corruption == VIEWS)
    if critic == "auto":
        critic = Cosine if corruption == VIEWS else "bilinear"
    critic = make_critic(_MORE_CRITICS.get(critic, critic), n_components, n_components)
    bound = make_bound(mi_estimator)
    if corruption == VIEWS:
        return NodeViews(network, critic, bound, graph_view)
    corrupt = None if corruption == "other_graph" else CORRUPTIONS.get(corruption, corruption)
    return NodeSummary(network, critic, bound, corrupt, readout=readout, shuffles=corruption == "shuffle")


def make_encoder(encoder: Any, n_features: int, n_components: int, *, views: bool) -> GraphEncoder:
    """Return the encoder that the parameter ``encoder`` means, after trying it."""
    if isinstance(encoder, nn.Module):
        network = copy.deepcopy(encoder)
    elif encoder == "auto":
        network = (TwoLayerGCN if views else GRAPH_ENCODERS["gcn"])(n_features, n_components)
    else:
        network = GRAPH_ENCODERS.get(encoder, encoder)(n_features, n_components)
    network = as_graph_encoder(network.cpu(), "symmetric")  # the net moves it to its device
    pair = SparseMatrix(sparse.csr_matrix(np.array([[0.5, 0.5], [0.5, 0.5]])))
    why = f"{n_components} columns as n_components says"
    return check_graph_encoder(network, pair, n_features, n_components, why)


VIEWS = "views"
_MORE_CRITICS = {"group": GroupDiscrimination, "cosine": Cosine}
# Veličković et al., ICLR 2019, sections 3.4 and 4.
PUBLISHED: dict[str, Any] = {
    "n_components": 512,
    "mi_estimator": "jsd",
    "encoder": "gcn",
    "critic": "bilinear",
    "corruption": "shuffle",
    "readout": "mean",
    "representation": "code",
    "max_iter": 10_000,
    "learning_rate_init": 1e-3,
}
