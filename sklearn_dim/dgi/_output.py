"""The output of `DGITransformer`: node embeddings, and beside them blocks that need no training."""

import copy

import numpy as np
import torch
from torch import nn

from sklearn_dim.devices import explained_memory, full_precision
from sklearn_dim.dgi._blocks import NAMES, FixedBlocks
from sklearn_dim.dgi._input import EncoderInput, Nodes, ScaledRows, whole_batch
from sklearn_dim.encoders import GraphEncoder
from sklearn_dim.graphs import BUDGET, PropagationMatrix, encoded, held_bytes, scale_to_unit_rows

# Root mean square distance of the output from its mean; both suit LogisticRegression with its default C=1.
SPREAD_CODE, SPREAD_BLOCKS = 2.0, 2.5


class NodeOutput:
    """Computes the blocks of columns of `DGITransformer.transform`, before they are centered and scaled.

    Parameters
    ----------
    encoder : GraphEncoder
    inputs : EncoderInput
    fixed : FixedBlocks or None
        None leaves the code alone.
    device : str or torch.device
    """

    def __init__(
        self, encoder: GraphEncoder, inputs: EncoderInput, fixed: FixedBlocks | None, *, device: str | torch.device
    ):
        self.encoder, self.inputs, self.fixed, self.device = encoder, inputs, fixed, device

    @torch.no_grad()
    def blocks(self, nodes: Nodes, dtype: torch.dtype = torch.float32) -> dict[str, np.ndarray]:
        """Return the blocks of all nodes by name: the code, rows of unit length, and the fixed ones."""
        with full_precision(self.device), explained_memory():
            code = self._code_in_parts(nodes) if self.is_large(nodes) else self._code(nodes, dtype)
        return {"code": code, **({} if self.fixed is None else self.fixed(nodes, dtype))}

    def _code(self, nodes: Nodes, dtype: torch.dtype) -> np.ndarray:
        graph = whole_batch(nodes, self.inputs, self.encoder, dtype=dtype, device=self.device)
        encoder = copy.deepcopy(self.encoder).double() if dtype == torch.float64 else self.encoder
        return nn.functional.normalize(encoder(graph.X, graph.adjacency)).cpu().numpy()

    def is_large(self, nodes: Nodes) -> bool:
        """Whether nodes are encoded in parts: where all at once would take more than 256 MB besides the output.

        An encoder of several hops has to know its steps; a GPU's memory is another matter.
        """
        in_parts = self.encoder.n_hops == 1 or self.encoder.steps is not None
        width = sum(parameter.shape[-1] for parameter in self.encoder.parameters() if parameter.ndim == 2)
        on_cpu = torch.device(self.device).type == "cpu"
        return in_parts and on_cpu and held_bytes(nodes.features, nodes.adjacency, width) > BUDGET

    def _code_in_parts(self, nodes: Nodes) -> np.ndarray:
        """Return the code in float32 and up to rounding, in bounded memory."""
        X = ScaledRows(nodes.features, self.inputs.features) if self.inputs.neighbors is None else self.inputs(nodes)
        matrix = PropagationMatrix(nodes.adjacency, self.encoder.normalization)
        return scale_to_unit_rows(encoded(self.encoder, X, matrix, device=self.device))

    def mean_and_scale(self, blocks: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean of each column, and the scale that gives every block its length."""
        lengths = {"code": SPREAD_CODE} if self.fixed is None else self.fixed.lengths(list(blocks), SPREAD_BLOCKS)
        moments = {name: _mean_and_spread(block) for name, block in blocks.items()}
        scales = [np.full(len(mean), spread / lengths[name]) for name, (mean, spread) in moments.items()]
        return np.concatenate([mean for mean, _ in moments.values()]), np.concatenate(scales)


def column_names(widths: dict[str, int]) -> list[str]:
    """Return what block each column belongs to, and its number there: "code0", "input0", and so on."""
    counts: dict[str, int] = {}
    names = []
    for name, width in widths.items():
        name = NAMES.get(name, "structure")
        start = counts.get(name, 0)
        counts[name] = start + width
        names += [f"{name}{number}" for number in range(start, start + width)]
    return names


def _mean_and_spread(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean of the rows, and their root mean square distance from it."""
    mean = rows.mean(0, dtype=np.float64)
    squares = np.einsum("ij,ij->i", rows, rows).mean(dtype=np.float64)
    spread = float(np.sqrt(max(squares - mean @ mean, 0.0)))
    least = 1e-3 * max(1.0, float(np.sqrt(mean @ mean)))  # if all rows are equal, do not magnify rounding errors
    return mean, spread if spread > least else 1.0
