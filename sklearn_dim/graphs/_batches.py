"""Batches of a graph: all of it, or some nodes with a sample of their neighbourhood."""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from sklearn_dim.devices import one_ahead, to_device
from sklearn_dim.graphs._arrays import in_file
from sklearn_dim.graphs._matrix import SparseMatrix, as_matrix, read_only_tensor
from sklearn_dim.graphs._normalize import PropagationMatrix


class GraphBatch(NamedTuple):
    """What an encoder is given of a graph, and which of its embeddings count.

    Attributes
    ----------
    X : Tensor or SparseMatrix of shape (n_sources, n_features)
    adjacency : SparseMatrix, or a list of them
        One square matrix for a whole graph, one matrix per hop for a sample.
    n_nodes : int
        Number of nodes that the batch is about. They come first in X; the others are their neighbours.
    graph_ids : Tensor of int of shape (n_nodes,)
        Which of several graphs each node belongs to; zeros for a single graph.
    n_graphs : int
        Number of graphs.
    """

    X: Tensor | SparseMatrix
    adjacency: SparseMatrix | list[SparseMatrix]
    n_nodes: int
    graph_ids: Tensor
    n_graphs: int


class Hops(list):
    """The matrices of a sampled batch, outermost first, which can be cut to what some of its nodes depend on."""

    def part(self, X: Any, own: Tensor) -> tuple[Any, "Hops"]:
        """Return the rows of X and the matrices that the embeddings of the nodes ``own`` depend on.

        Parameters
        ----------
        X : Tensor or matrix of shape (n_sources, n_features)
        own : Tensor of int of shape (n_own,)
            Their places among the nodes of the batch.
        """
        rows, cut = own.cpu().numpy(), Hops()
        for hop in reversed(self):
            gathered = hop.take_rows(rows).columns
            sources = np.concatenate([rows, np.setdiff1d(gathered, rows)])
            cut.insert(0, hop.part(rows, sources))
            rows = sources
        return X[torch.as_tensor(rows, device=X.device)] if isinstance(X, Tensor) else X.take_rows(rows), cut


def whole_graph(
    X: Any,
    matrix: Any,
    graph_ids: np.ndarray,
    *,
    dense: bool = False,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
) -> GraphBatch:
    """Return a graph as one batch.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_nodes, n_features)
    matrix : CSR matrix of shape (n_nodes, n_nodes)
        The propagation matrix.
    graph_ids : ndarray of int of shape (n_nodes,)
    dense : bool, default=False
        Whether X has to be a dense tensor.
    dtype : torch.dtype, default=torch.float32
    device : str or torch.device, default="cpu"
    """
    ids = read_only_tensor(graph_ids)
    inputs = as_matrix(X, dense=dense, dtype=dtype, device=device), SparseMatrix(matrix, dtype, device)
    return GraphBatch(*inputs, X.shape[0], to_device(ids, device), int(ids.max()) + 1)


class NeighborBatches:
    """An iterable of batches of nodes, each with a new sample of its neighbourhood; one pass over it is one epoch.

    Time and memory of a batch do not grow with the graph, which may lie in memory maps. Of a node with more neighbours
    than ``fan_out``, as many are drawn with replacement, and their entries are scaled so that their sum has the same
    expectation (Hamilton et al., NeurIPS 2017).

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_nodes, n_features)
        Or an object with this shape that returns such rows where it is indexed with an array of int.
    matrix : PropagationMatrix or CSR matrix of shape (n_nodes, n_nodes)
        The propagation matrix.
    graph_ids : ndarray of int of shape (n_nodes,)
        See `GraphBatch`.
    batch_size : int
        Maximum number of nodes in a batch, but no batch has fewer than two.
    fan_out : sequence of int or None
        Number of neighbours drawn in each hop, that of the batch's own nodes first; None takes all of them.
    square : bool, default=False
        Whether a batch has one matrix over all nodes of the sample instead of one matrix per hop, for an encoder that
        knows no hops.
    dense : bool, default=False
        Whether X has to be a dense tensor.
    device : str or torch.device, default="cpu"
    max_batches : int, default=None
        Maximum number of batches in an epoch, which then sees some of the nodes, others each time.

    Notes
    -----
    It has the methods of `sklearn_dim.training.Batches`.
    """

    _share: Callable[[int, torch.device], Tensor] | None = None

    def __init__(
        self,
        X: Any,
        matrix: PropagationMatrix | sparse.csr_matrix,
        graph_ids: np.ndarray,
        *,
        batch_size: int,
        fan_out: Sequence[int | None],
        square: bool = False,
        dense: bool = False,
        device: str | torch.device = "cpu",
        max_batches: int | None = None,
    ):
        self.X, self.graph_ids = X, read_only_tensor(graph_ids)
        self.matrix = matrix if isinstance(matrix, PropagationMatrix) else PropagationMatrix(matrix.tocsr(), "sum")
        self.n_graphs = int(self.graph_ids.max()) + 1
        self.fan_out, self.square, self.dense, self.device = tuple(fan_out), square, dense, device
        self.n_batches = max(1, min(math.ceil(X.shape[0] / batch_size), X.shape[0] // 2))
        self.max_batches = self.n_batches if max_batches is None else min(max_batches, self.n_batches)
        self._position = np.full(X.shape[0], -1)  # of each node in the sample, −1 for those outside

    @property
    def n_rows(self) -> int:
        """Number of nodes in an epoch."""
        return self.X.shape[0]

    def shared(self, share: Callable[[int, torch.device], Tensor]) -> "NeighborBatches":
        """Return the part of each of these batches that ``share(n_nodes_of_batch, device)`` picks.

        Neighbours are drawn for these nodes only.
        """
        other = copy.copy(self)
        other._share = share
        return other

    def __len__(self) -> int:
        return self.max_batches

    def __iter__(self) -> Iterator[tuple[GraphBatch]]:
        return one_ahead(self._batches(), self.device)

    def _batches(self) -> Iterator[tuple[GraphBatch]]:
        rng = np.random.default_rng(int(torch.randint(2**62, ())))
        for nodes in np.array_split(rng.permutation(self.X.shape[0]), self.n_batches)[: self.max_batches]:
            own = nodes if self._share is None else nodes[self._share(len(nodes), torch.device("cpu")).numpy()]
            yield (self.batch(own, rng),)

    def batch(self, nodes: np.ndarray, rng: np.random.Generator) -> GraphBatch:
        """Return the batch of these nodes, an array of their numbers."""
        reached = nodes
        hops: list[sparse.csr_matrix] = []
        for fan_out in self.fan_out:
            reached, hop = self._reach(reached, fan_out, rng)
            hops.insert(0, hop)
        adjacency: SparseMatrix | Hops
        if self.square:
            adjacency = SparseMatrix(_join_hops(hops), device=self.device)
        else:
            adjacency = Hops(SparseMatrix(hop, device=self.device) for hop in hops)
        X = as_matrix(take_nodes(self.X, reached), dense=self.dense, device=self.device)
        return GraphBatch(X, adjacency, len(nodes), to_device(self.graph_ids[nodes], self.device), self.n_graphs)

    def _reach(
        self, targets: np.ndarray, fan_out: int | None, rng: np.random.Generator
    ) -> tuple[np.ndarray, sparse.csr_matrix]:
        """Draw neighbours of the targets.

        Returns
        -------
        reached : ndarray of int of shape (n_reached,)
            The targets, followed by their neighbours.
        hop : CSR matrix of shape (n_targets, n_reached)
            The entries of the propagation matrix between them.
        """
        degree = self.matrix.lengths(targets)
        drawn = degree if fan_out is None else np.minimum(degree, fan_out)
        pointers = np.concatenate([[0], np.cumsum(drawn)])
        row = np.repeat(np.arange(len(targets)), drawn)
        entry = np.arange(pointers[-1]) - pointers[row]
        crowded = (degree > drawn)[row]
        entry[crowded] = rng.random(crowded.sum()) * degree[row[crowded]]
        columns, values = self.matrix.entries(targets[row], entry)
        values = values * (degree / np.maximum(drawn, 1))[row]
        self._position[targets] = np.arange(len(targets))
        others = np.unique(columns[self._position[columns] < 0])
        reached = np.concatenate([targets, others])
        self._position[others] = np.arange(len(targets), len(reached))
        hop = sparse.csr_matrix((values, self._position[columns], pointers), shape=(len(targets), len(reached)))
        hop.sum_duplicates()
        self._position[reached] = -1
        return reached, hop


def take_nodes(X: Any, nodes: np.ndarray) -> Any:
    """Return these rows of X; those of a memory map are read in the order of the file."""
    if not in_file(X):
        return X[nodes]
    order = np.argsort(nodes)
    rows = np.empty((len(nodes), *X.shape[1:]), dtype=X.dtype)
    rows[order] = X[nodes[order]]
    return rows


def _join_hops(hops: list[sparse.csr_matrix]) -> sparse.csr_matrix:
    """Return one square matrix, in which the row of a node is its row in the innermost hop that has one."""
    outermost, *inner = hops
    size = outermost.shape[1]
    joined, done = [], 0
    for hop in [*reversed(inner), outermost]:
        hop.resize(hop.shape[0], size)
        joined.append(hop[done:])
        done = hop.shape[0]
    return sparse.vstack([*joined, sparse.csr_matrix((size - done, size))]).tocsr()
