"""What comes out of `GraphInfomaxTransformer`: one vector per graph, of zero mean and unit variance."""

import numpy as np
import torch

from sklearn_dim.graphs import GraphBatches
from sklearn_dim.objectives import GraphSummary


@torch.no_grad()
def graph_vectors(objective: GraphSummary, batches: GraphBatches) -> np.ndarray:
    """Return the graphs' vectors as they come from the network."""
    return np.concatenate([objective.encode(*batch)[1].cpu().numpy() for batch in batches])


def mean_and_scale(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the columns; the scale of a constant is 1."""
    vectors = vectors.astype(np.float64)
    mean, scale = vectors.mean(0), vectors.std(0)
    return mean, np.where(scale > 1e-6 * np.maximum(np.abs(mean), 1.0), scale, 1.0)
