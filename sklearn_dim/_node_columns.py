"""The columns that `DGITransformer` returns: what was learnt and what the input says, both smoothed over the graph."""

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import Tensor, nn

# Share of itself that a node keeps at every step: the learnt columns are smoothed as in APPNP; the input is clearer
# the nearer it stays. Chosen on random splits of ten graphs and tables (benchmarks/RESULTS.md).
KEPT_OF_LEARNT, KEPT_OF_INPUT = 0.1, 0.35


def is_bag(features) -> bool:
    """Whether features are like bags of words: sparse and not negative. Such rows are given unit sum, as published."""
    values = features.data if sparse.issparse(features) else features
    filled = features.nnz if sparse.issparse(features) else np.count_nonzero(features)
    return filled < 0.1 * np.prod(features.shape) and values.min(initial=0.0) >= 0


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


def centre_and_spread(unit_vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean of the rows and the root mean square distance from it."""
    mean = unit_vectors.mean(0, dtype=np.float64)
    squares = np.einsum("ij,ij->i", unit_vectors, unit_vectors).mean(dtype=np.float64)
    spread = float(np.sqrt(max(squares - mean @ mean, 0.0)))
    return mean, spread if spread > 1e-3 else 1.0
