"""The output of `DGITransformer`: node embeddings and columns of the input, both smoothed over the graph."""

import copy
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from torch import Tensor

from sklearn_dim.dgi._input import FeatureScale, Nodes, ScaledRows, whole_batch
from sklearn_dim.encoders import GraphEncoder
from sklearn_dim.graphs import (
    BUDGET,
    PropagationMatrix,
    SparseMatrix,
    encoded,
    held_bytes,
    leading_axes,
    normalized_adjacency,
    propagated,
    scale_to_unit_rows,
)

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
        if self.is_large(nodes):
            return self._blocks_in_parts(nodes)
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

    def is_large(self, nodes: Nodes) -> bool:
        """Whether the output is computed in parts: where all at once would take more than 256 MB besides it.

        An encoder of several hops has to know its steps; a GPU's memory is another matter.
        """
        in_parts = self.encoder.n_hops == 1 or self.encoder.steps is not None
        width = sum(parameter.shape[-1] for parameter in self.encoder.parameters() if parameter.ndim == 2)
        on_cpu = torch.device(self.device).type == "cpu"
        return in_parts and on_cpu and held_bytes(nodes.features, nodes.adjacency, width) > BUDGET

    def _blocks_in_parts(self, nodes: Nodes) -> list[np.ndarray]:
        """Return what `blocks` does, in float32 and up to rounding, in bounded memory."""
        X = ScaledRows(nodes.features, self.scale.for_encoder)
        matrix = PropagationMatrix(nodes.adjacency)
        same = self.encoder.normalization == "symmetric"
        own = matrix if same else PropagationMatrix(nodes.adjacency, self.encoder.normalization)
        blocks, teleports = [encoded(self.encoder, X, own, device=self.device)], [TELEPORT_EMBEDDING]
        if self.holds_input:
            rows = ScaledRows(nodes.features, self.scale.for_output)
            blocks.append(columns_in_parts(rows, self.axes))
            teleports.append(TELEPORT_INPUT)
        for block, teleport in zip(blocks, teleports, strict=True):
            scale_to_unit_rows(propagated(block, matrix, teleport, self.propagation, out=block))
        return blocks


def n_input_columns(n_components: int, n_features: int, share: float) -> int:
    """Return how many of ``n_components`` columns hold the input; at least one holds node embeddings."""
    return min(n_features, int(share * n_components), n_components - 1)


def input_axes(nodes: Nodes, scale: FeatureScale, n_axes: int, random_state: int) -> np.ndarray | None:
    """Return the leading right singular vectors of Â X, (n_features, n_axes).

    Neighbourhoods differ most along them. Return None if there are as many axes as features, or none.
    """
    n_features = nodes.features.shape[1]
    if n_axes in (0, n_features):
        return None
    if held_bytes(nodes.features, nodes.adjacency, n_features) > BUDGET:
        rows = ScaledRows(nodes.features, scale.for_output)
        return leading_axes(rows, PropagationMatrix(nodes.adjacency), n_axes, random_state=random_state)
    rows, matrix = scale.for_output(nodes.features), normalized_adjacency(nodes.adjacency)
    return randomized_svd(matrix @ rows, n_axes, n_iter=2, random_state=random_state)[2].T


def input_columns(rows: Any, axes: np.ndarray | None) -> np.ndarray:
    """Return the rows projected on the axes, or if there are none the rows themselves."""
    if axes is not None:
        return np.asarray(rows @ axes)
    return rows.toarray() if sparse.issparse(rows) else rows


def columns_in_parts(rows: ScaledRows, axes: np.ndarray | None, step: int = 2**16) -> np.ndarray:
    """Return `input_columns` of all rows, some at a time, in float32."""
    n_columns = rows.shape[1] if axes is None else axes.shape[1]
    columns = np.empty((rows.shape[0], n_columns), dtype=np.float32)
    for first in range(0, len(columns), step):
        part = slice(first, first + step)
        columns[part] = input_columns(rows[part], axes)
    return columns


def smoothed(vectors: Tensor, adjacency: Any, teleport: float, steps: int) -> np.ndarray:
    """Return the vectors (n_nodes, n_columns) smoothed over the graph, and then scaled to unit length."""
    return scale_to_unit_rows(propagated(vectors, adjacency, teleport, steps))


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
