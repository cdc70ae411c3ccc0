"""What comes out of `DGITransformer`: what was learnt and what the input says, both smoothed over the graph."""

import copy

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import Tensor, nn

from sklearn_dim.dgi._input import FeatureScale, Nodes, whole_batch
from sklearn_dim.graphs import SparseMatrix, normalized_adjacency

# Fraction of itself that a node keeps at every step: the learnt columns are smoothed as in APPNP; the input is clearer
# the nearer it stays. Chosen on random splits of ten graphs and tables (benchmarks/RESULTS.md).
KEPT_OF_LEARNT, KEPT_OF_INPUT = 0.1, 0.35
SPREAD = 2.0  # root mean square distance of the output from its mean: LogisticRegression(C=1) works on it as it is


class NodeOutput:
    """Nodes → the blocks of columns of `DGITransformer.transform`, rows of unit length.

    Parameters
    ----------
    encoder : GraphEncoder
    scale : FeatureScale
    propagation : int
        Steps of smoothing.
    axes : ndarray of shape (n_features, n_axes) or None
        Along which the input is given; None gives it as it is.
    holds_input : bool
        Whether there is a block of the input beside what was learnt.
    device : str
    """

    def __init__(self, encoder, scale: FeatureScale, *, propagation, axes, holds_input, device):
        self.encoder, self.scale, self.device = encoder, scale, device
        self.propagation, self.axes, self.holds_input = propagation, axes, holds_input

    @torch.no_grad()
    def blocks(self, nodes: Nodes, dtype=torch.float32) -> list[np.ndarray]:
        """Return the learnt columns of all nodes and, if it is held, the input's."""
        where = {"dtype": dtype, "device": self.device}
        graph = whole_batch(nodes, self.scale, self.encoder, **where)
        encoder = copy.deepcopy(self.encoder).double() if dtype == torch.float64 else self.encoder
        symmetric = encoder.normalization == "symmetric"
        matrix = graph.adjacency if symmetric else SparseMatrix(normalized_adjacency(nodes.adjacency), **where)
        blocks = [smoothed(encoder(graph.X, graph.adjacency), matrix, KEPT_OF_LEARNT, self.propagation)]
        if self.holds_input:
            columns = input_columns(self.scale.for_output(nodes.features), self.axes)
            blocks.append(smoothed(torch.as_tensor(columns).to(**where), matrix, KEPT_OF_INPUT, self.propagation))
        return blocks


def n_input_columns(n_components: int, n_features: int, share: float) -> int:
    """Return how many of ``n_components`` columns hold the input; at least one is left to what is learnt."""
    return min(n_features, int(share * n_components), n_components - 1)


def input_axes(rows, matrix, n_axes: int, random_state: int) -> np.ndarray | None:
    """Return the axes (n_features, n_axes) along which neighbourhoods differ most, or None if rows are no wider.

    The leading right singular vectors of Â X.
    """
    if n_axes in (0, rows.shape[1]):
        return None
    return randomized_svd(matrix @ rows, n_axes, n_iter=2, random_state=random_state)[2].T


def input_columns(rows, axes: np.ndarray | None) -> np.ndarray:
    """Return the coordinates of rows along the axes; without axes the rows themselves."""
    if axes is not None:
        return np.asarray(rows @ axes)
    return rows.toarray() if sparse.issparse(rows) else rows


def smoothed(vectors: Tensor, adjacency, kept: float, steps: int) -> np.ndarray:
    """Return the vectors (n_nodes, width) spread over the graph, each of unit length.

    Z ← (1 − kept) Â Z + kept Z₀, ``steps`` times: personalised PageRank (Klicpera et al., "Predict then Propagate",
    ICLR 2019, eq. 4).
    """
    spread = vectors
    for _ in range(steps):
        spread = (adjacency @ spread).mul_(1 - kept).add_(vectors, alpha=kept)
    return nn.functional.normalize(spread).cpu().numpy()


def mean_and_scale(blocks: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return what centres the columns of all blocks, and what gives them together the root mean square `SPREAD`."""
    moments = [_mean_and_spread(block) for block in blocks]
    share = SPREAD / np.sqrt(len(blocks))
    scales = [np.full(len(mean), spread / share) for mean, spread in moments]
    return np.concatenate([mean for mean, _ in moments]), np.concatenate(scales)


def _mean_and_spread(unit_vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean of the rows and the root mean square distance from it."""
    mean = unit_vectors.mean(0, dtype=np.float64)
    squares = np.einsum("ij,ij->i", unit_vectors, unit_vectors).mean(dtype=np.float64)
    spread = float(np.sqrt(max(squares - mean @ mean, 0.0)))
    return mean, spread if spread > 1e-3 else 1.0  # rows that are all alike are left so, not blown up
