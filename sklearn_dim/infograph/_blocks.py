"""What ``representation="auto"`` puts beside the code: blocks of columns that need no training.

Training keeps what tells the nodes of one graph from those of another. That need not be what tells graphs of two kinds
apart, so the output also holds what is known to do so on many sets. As in `DIMTransformer` each block has a scale of
its own, so that what stands behind can take the whole as it is.
"""

from typing import Any, Self

import numpy as np

from sklearn_dim.encoders import leading_axes
from sklearn_dim.graphs import Graph
from sklearn_dim.infograph._pools import FeaturePools
from sklearn_dim.infograph._structure import Structure
from sklearn_dim.infograph._subtrees import Subtrees

MAX_GRAPHS = 2000  # that the axes are computed from
# The root mean square distance of each block from its mean, chosen on many sets (benchmarks/RESULTS.md).
LENGTHS = {"code": 3.0, "features": 3.0, "structure": 3.0, "subtrees": 3.0}


class FixedBlocks:
    """Maps graphs to blocks of columns, each of at most 256 leading axes, in which all columns vary alike.

    Attributes
    ----------
    axes : dict of str to tuple (mean, axes)
        Of each block.
    """

    axes: dict[str, tuple[np.ndarray, np.ndarray]]

    def __init__(self):
        self.features, self.structure, self.subtrees = FeaturePools(), Structure(), Subtrees()

    def fit(self, graphs: Graph, features: Any, rows: np.ndarray) -> Self:
        """Set bins, labels and axes.

        Parameters
        ----------
        graphs : Graph
            A union.
        features : ndarray or CSR matrix of shape (n_nodes, n_features)
            Standardised.
        rows : ndarray of int
            The numbers of the graphs that may be looked at, in random order.
        """
        train = np.isin(np.arange(graphs.parts.max() + 1), rows)
        self.features.fit(graphs, features, train)
        self.structure.fit(graphs, train)
        self.subtrees.fit(graphs, train)
        self.axes = {}
        for name, block in self._raw(graphs, features).items():
            some = block[np.sort(rows[:MAX_GRAPHS])]
            some = some.toarray() if name == "subtrees" else some
            self.axes[name] = leading_axes(some, standardized=name != "subtrees")
        return self

    @property
    def widths(self) -> dict[str, int]:
        """The number of columns of each block."""
        return {name: axes.shape[1] for name, (_, axes) in self.axes.items()}

    def __call__(self, graphs: Graph, features: Any) -> np.ndarray:
        """Return the blocks side by side, (n_graphs, n_columns)."""
        raw = self._raw(graphs, features)
        return np.hstack([raw[name] @ axes - mean @ axes for name, (mean, axes) in self.axes.items()])

    def _raw(self, graphs: Graph, features: Any) -> dict[str, Any]:
        """Return the blocks with all of their features."""
        return {
            "features": self.features(graphs, features),
            "structure": self.structure(graphs),
            "subtrees": self.subtrees(graphs),
        }
