"""The output of `DGITransformer`: node embeddings and columns of the input, both smoothed over the graph."""

import copy
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import Tensor, nn

from sklearn_dim.dgi._input import FeatureScale, Nodes, whole_batch
from sklearn_dim.encoders import GraphEncoder
from sklearn_dim.graphs import SparseMatrix, normalized_adjacency

# The teleport probability of each smoothing step, which is the weight of a node's own vector: 0.1 for node embeddings,
# as in APPNP, and more for the input, of which less smoothing keeps more. Chosen on random splits of ten graphs and
# tables (benchmarks/RESULTS.md).
TELEPORT_EMBEDDING, TELEPORT_INPUT = 0.1, 0.35
SPREAD = 2.0  # root mean square distance of the output from its mean: suits LogisticRegression with its default C=1


class NodeOutput:
    """Computes the blocks of columns of `DGITransformer.transform`, before they are centered and scaled.

    Parameters
    ----------
    encoder : GraphEncoder
    scale : FeatureScale
    propagation : int
        Number of smoothing steps.
    axes : ndarray of shape (n_features, n_axes) or None
        The input is projected on these axes; None leaves it as it is.
    holds_input : bool
        Whether there is a block of the input beside that of the node embeddings.
    device : str or torch.device
    """

    def __init__(
        self,
        encoder: GraphEncoder,
        scale: FeatureScale,
        *,
        propagation: int,
        axes: np.ndarray | None,
        holds_input: bool,
        device: str | torch.device,
    ):
        self.encoder, self.scale, self.device = encoder, scale, device
        self.propagation, self.axes, self.holds_input = propagation, axes, holds_input

    @torch.no_grad()
    def blocks(self, nodes: Nodes, dtype: torch.dtype = torch.float32) -> list[np.ndarray]:
        """Return the node embeddings of all nodes, smoothed, and then the input, smoothed, if the output holds it."""
        options: dict[str, Any] = {"dtype": dtype, "device": self.device}
        graph = whole_batch(nodes, self.scale, self.encoder, **options)
        encoder = copy.deepcopy(self.encoder).double() if dtype == torch.float64 else self.encoder
        symmetric = encoder.normalization == "symmetric"
        matrix = graph.adjacency if symmetric else SparseMatrix(normalized_adjacency(nodes.adjacency), **options)
        blocks = [smoothed(encoder(graph.X, graph.adjacency), matrix, TELEPORT_EMBEDDING, self.propagation)]
        if self.holds_input:
            columns = input_columns(self.scale.for_output(nodes.features), self.axes)
            blocks.append(smoothed(torch.as_tensor(columns).to(**options), matrix, TELEPORT_INPUT, self.propagation))
        return blocks


def n_input_columns(n_components: int, n_features: int, share: float) -> int:
    """Return how many of ``n_components`` columns hold the input; at least one holds node embeddings."""
    return min(n_features, int(share * n_components), n_components - 1)


def input_axes(rows: Any, matrix: sparse.csr_matrix, n_axes: int, random_state: int) -> np.ndarray | None:
    """Return the leading right singular vectors of Â X, (n_features, n_axes).

    Neighbourhoods differ most along them. Return None if there are as many axes as features, or none.
    """
    if n_axes in (0, rows.shape[1]):
        return None
    return randomized_svd(matrix @ rows, n_axes, n_iter=2, random_state=random_state)[2].T


def input_columns(rows: Any, axes: np.ndarray | None) -> np.ndarray:
    """Return the rows projected on the axes, or if there are none the rows themselves."""
    if axes is not None:
        return np.asarray(rows @ axes)
    return rows.toarray() if sparse.issparse(rows) else rows


def smoothed(vectors: Tensor, adjacency: Any, teleport: float, steps: int) -> np.ndarray:
    """Return the vectors (n_nodes, n_columns) smoothed over the graph, and then scaled to unit length.

    Personalised PageRank: Z ← (1 − teleport) Â Z + teleport Z₀, ``steps`` times (Klicpera et al., "Predict then
    Propagate", ICLR 2019, eq. 4).
    """
    spread = vectors
    for _ in range(steps):
        spread = (adjacency @ spread).mul_(1 - teleport).add_(vectors, alpha=teleport)
    return nn.functional.normalize(spread).cpu().numpy()


def mean_and_scale(blocks: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of each column, and the scale that gives the rows a root mean square distance `SPREAD` from it.

    Each block contributes equally to that distance.
    """
    moments = [_mean_and_spread(block) for block in blocks]
    spread_of_block = SPREAD / np.sqrt(len(blocks))
    scales = [np.full(len(mean), spread / spread_of_block) for mean, spread in moments]
    return np.concatenate([mean for mean, _ in moments]), np.concatenate(scales)


def _mean_and_spread(unit_vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean of the rows, and their root mean square distance from it."""
    mean = unit_vectors.mean(0, dtype=np.float64)
    squares = np.einsum("ij,ij->i", unit_vectors, unit_vectors).mean(dtype=np.float64)
    spread = float(np.sqrt(max(squares - mean @ mean, 0.0)))
    return mean, spread if spread > 1e-3 else 1.0  # if all rows are equal, do not magnify rounding errors
