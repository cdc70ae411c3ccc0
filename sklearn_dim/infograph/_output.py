"""The output of `GraphInfomaxTransformer`: one vector per graph, standardised."""

import numpy as np
import torch

from sklearn_dim.devices import explained_memory
from sklearn_dim.graphs import GraphBatches
from sklearn_dim.objectives import GraphSummary


@torch.no_grad()
def graph_vectors(objective: GraphSummary, batches: GraphBatches) -> np.ndarray:
    """Return one vector per graph, before they are standardised."""
    with explained_memory():
        return np.concatenate([objective.encode(*batch)[1].cpu().numpy() for batch in batches])


def mean_and_scale(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each column; the scale of a constant is 1.

    In float32 the computed deviation of a constant column may be as large as a rounding error, 1e-7 of its mean.
    """
    vectors = vectors.astype(np.float64)
    mean, scale = vectors.mean(0), vectors.std(0)
    return mean, np.where(scale > 1e-6 * np.maximum(np.abs(mean), 1.0), scale, 1.0)
