"""Batches of whole graphs."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from sklearn_dim.devices import one_ahead, to_device
from sklearn_dim.graphs._matrix import SparseMatrix


class GraphBatches:
    """An iterable of batches of graphs, each a tuple (sizes, X, adjacency) of graphs joined into one.

    Parameters
    ----------
    features : ndarray or CSR matrix of shape (n_nodes, n_features)
        Nodes of all graphs, graph by graph.
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Their edges, none between two graphs.
    sizes : ndarray of shape (n_graphs,)
        Nodes of each graph.
    picks : Batches of tuple (Tensor,)
        The numbers of each batch's graphs; each pass over it is an epoch.
    device : str or torch.device, default="cpu"

    Notes
    -----
    It has the methods of `sklearn_dim.training.Batches`.
    """

    def __init__(
        self,
        features: Any,
        adjacency: sparse.csr_matrix,
        sizes: np.ndarray,
        picks: Any,
        device: str | torch.device = "cpu",
    ):
        self.features, self.adjacency, self.sizes = features, adjacency, sizes
        self.starts = np.cumsum(sizes) - sizes
        self.picks = picks
        self.device = device

    @property
    def n_rows(self) -> int:
        """Number of graphs in an epoch."""
        return self.picks.n_rows

    def shared(self, share: Callable[[int, torch.device], Tensor]) -> "GraphBatches":
        """Return the part of each of these batches that ``share(n_graphs_of_batch, device)`` picks."""
        other = copy.copy(self)
        other.picks = self.picks.shared(share)
        return other

    def __len__(self) -> int:
        return len(self.picks)

    def __iter__(self) -> Iterator[tuple]:
        return one_ahead((self._join(graphs.cpu().numpy()) for (graphs,) in self.picks), self.device)

    def _join(self, graphs: np.ndarray) -> tuple:
        """Return the graphs of these numbers as one."""
        sizes = self.sizes[graphs]
        n = sizes.sum()
        shift = np.repeat(np.cumsum(sizes) - sizes - self.starts[graphs], sizes)  # by how much a node's number grows
        nodes = np.arange(n) - shift
        edges = self.adjacency[nodes]
        columns = edges.indices + np.repeat(shift, np.diff(edges.indptr)).astype(edges.indices.dtype)
        block = sparse.csr_matrix((edges.data, columns, edges.indptr), shape=(n, n))
        X = self.features[nodes]
        X = to_device(torch.as_tensor(X.toarray() if sparse.issparse(X) else X), self.device, torch.float32)
        return to_device(torch.as_tensor(sizes), self.device), X, SparseMatrix(block, device=self.device)
