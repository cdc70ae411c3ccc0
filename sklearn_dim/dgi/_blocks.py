"""What ``representation="auto"`` puts beside the code: features as they are and smoothed, and structure.

Where edges join nodes of a class, smoothed features are what counts; where they do not, a node's own features and its
place in the graph are. Each block has a scale of its own, so that what stands behind can take the whole as it is.
"""

from typing import Any, Self

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from sklearn_dim.dgi._input import FeatureScale, Nodes, ScaledRows
from sklearn_dim.dgi._positions import Positions
from sklearn_dim.encoders import even_rotation
from sklearn_dim.graphs import (
    BUDGET,
    PropagationMatrix,
    held_bytes,
    leading_axes,
    normalized_adjacency,
    propagated,
    scale_to_unit_rows,
)

MAX_AXES = 256  # of a block
ROWS = 2**16  # of a large graph that are projected at a time
# Weights of the blocks' mean squares, chosen on graphs that are not reported (benchmarks/RESULTS.md).
WEIGHTS = {"code": 1.0, "input": 2.0, "near": 1.0, "far": 1.0, "position": 1.0, "degree": 0.2}
NAMES = {"code": "code", "input": "input", "near": "smoothed", "far": "smoothed"}  # of columns; others are "structure"
TELEPORT, STEPS = 0.1, 10  # of personalised PageRank, by which features are smoothed far


class FixedBlocks:
    """Maps the nodes of a graph to blocks of columns that need no training.

    Attributes
    ----------
    own_axes, smoothed_axes : ndarray of shape (n_features, 256), or None
        The leading right singular vectors of X and of ÂX, turned so that all columns vary alike; None if there are no
        more than 256 features.
    """

    own_axes: np.ndarray | None = None
    smoothed_axes: np.ndarray | None = None

    def __init__(self, scale: FeatureScale, positions: Positions):
        self.scale, self.positions = scale, positions

    def fit(self, nodes: Nodes, random_state: int) -> Self:
        """Compute the axes."""
        n_nodes, n_features = nodes.features.shape
        if n_features <= MAX_AXES:
            return self
        n_axes = min(MAX_AXES, n_nodes - 1)
        if held_bytes(nodes.features, nodes.adjacency, 0) > BUDGET:
            matrix = PropagationMatrix(nodes.adjacency)
            rows = ScaledRows(nodes.features, self.scale.for_output)
            axes = leading_axes(rows, matrix, n_axes, random_state=random_state).astype(np.float32)
            smoothed = propagated(projected(rows, axes, np.float32), matrix, 0.0, 1)
            self.smoothed_axes = (axes @ even_rotation(smoothed.var(0))).astype(np.float32)
            self.own_axes = self.smoothed_axes  # the graph is read once less
            return self
        rows = self.scale.for_output(nodes.features)
        self.own_axes = even_axes(rows, n_axes, random_state)
        smoothed = normalized_adjacency(nodes.adjacency) @ rows
        self.smoothed_axes = even_axes(smoothed, n_axes, random_state)
        return self

    def __call__(self, nodes: Nodes, dtype: torch.dtype = torch.float32) -> dict[str, np.ndarray]:
        """Return the blocks by name, before they are centered and scaled."""
        matrix = PropagationMatrix(nodes.adjacency)
        rows = ScaledRows(nodes.features, self.scale.for_output)
        number = np.float64 if dtype == torch.float64 else np.float32
        own = projected(rows, self.own_axes, number)
        plain = own if self.smoothed_axes is None else projected(rows, self.smoothed_axes, number)
        blocks = {"input": own, "near": propagated(plain, matrix, 0.0, 1)}
        blocks["far"] = propagated(plain, matrix, TELEPORT, STEPS)
        if self.positions.share:
            blocks["position"] = self.positions.columns(nodes.adjacency).astype(number)
        if self.scale.scaler_ is None:
            blocks |= {name: scale_to_unit_rows(blocks[name].copy()) for name in ("input", "near", "far")}
        blocks["degree"] = degree_columns(nodes.adjacency).astype(number)
        return blocks

    def lengths(self, names: list[str], spread: float) -> dict[str, float]:
        """Return the root mean square distance of each block from its mean; that of the whole is ``spread``."""
        weights = {name: WEIGHTS[name] * (self.positions.share if name == "position" else 1.0) for name in names}
        return {name: spread * (weight / sum(weights.values())) ** 0.5 for name, weight in weights.items()}


def even_axes(rows: Any, n_axes: int, random_state: int) -> np.ndarray:
    """Return leading right singular vectors, turned so that all columns of ``rows @ axes`` vary alike."""
    left, size, right = randomized_svd(rows, n_axes, n_iter=2, random_state=random_state)
    return (right.T @ even_rotation((left * size).var(0))).astype(np.float32)


def projected(rows: ScaledRows, axes: np.ndarray | None, dtype: Any) -> np.ndarray:
    """Return rows on the axes, or if there are none the rows themselves, some at a time."""
    n_columns = rows.shape[1] if axes is None else axes.shape[1]
    columns = np.empty((rows.shape[0], n_columns), dtype=dtype)
    for first in range(0, len(columns), ROWS):
        part = rows[first : first + ROWS]
        part = part if axes is None else part @ axes
        columns[first : first + ROWS] = part.toarray() if sparse.issparse(part) else part
    return columns


def degree_columns(adjacency: sparse.csr_matrix) -> np.ndarray:
    """Return the logarithm of degrees, its mean one to three steps away and spread one step away, and PageRank's."""
    degree = np.asarray(adjacency.sum(axis=1), dtype=np.float64).ravel()
    inverse = np.divide(1.0, degree, out=np.zeros_like(degree), where=degree > 0)
    columns = [np.log1p(degree)]
    for _ in range(3):
        columns.append(inverse * (adjacency @ columns[-1]))
    squares = inverse * (adjacency @ columns[0] ** 2)
    columns.append(np.sqrt(np.maximum(squares - columns[1] ** 2, 0.0)))
    n_nodes = len(degree)
    rank, arriving = np.full(n_nodes, 1 / n_nodes), adjacency.T
    for _ in range(STEPS):
        rank = 0.85 * (arriving @ (inverse * rank)) + 0.15 / n_nodes
    columns.append(np.log(n_nodes * rank))
    return np.column_stack(columns)
