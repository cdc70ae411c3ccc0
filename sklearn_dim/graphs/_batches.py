"""Batches of a graph: all of it, or some nodes with a sample of their neighbourhood."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from sklearn_dim.graphs._matrix import SparseMatrix, as_matrix


class GraphBatch(NamedTuple):
    """What an encoder is given of a graph.

    Attributes
    ----------
    X : Tensor or SparseMatrix of shape (n_sources, n_features)
    adjacency : SparseMatrix, or a list of them
        Of a whole graph, square; of a sample, a matrix a hop.
    n_nodes : int
        The first nodes, which the batch is about; the others only lend their features.
    parts : Tensor of int of shape (n_nodes,)
        Of several graphs the number of each node's own, else 0.
    n_parts : int
        How many graphs there are.
    """

    X: "Tensor | SparseMatrix"
    adjacency: "SparseMatrix | list[SparseMatrix]"
    n_nodes: int
    parts: Tensor
    n_parts: int


def whole_graph(X, matrix, parts, *, dense=False, dtype=torch.float32, device="cpu") -> GraphBatch:
    """Return features and propagation matrix (scipy or NumPy) of a graph as one batch."""
    where = {"dtype": dtype, "device": device}
    X, matrix, parts = as_matrix(X, dense=dense, **where), SparseMatrix(matrix, **where), torch.as_tensor(parts)
    return GraphBatch(X, matrix, X.shape[0], parts.to(device), int(parts.max()) + 1)


class NeighborBatches:
    """An iterable of batches of nodes, each with a fresh sample of its neighbourhood; a pass over it is an epoch.

    What a batch takes does not grow with the graph. A node with more neighbours than ``fan_out`` draws as many of
    them, with replacement, and their entries are scaled so that what they add up to is the same in expectation
    (Hamilton et al., NeurIPS 2017).

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_nodes, n_features)
    matrix : CSR matrix of shape (n_nodes, n_nodes)
        The propagation matrix.
    parts : ndarray of int of shape (n_nodes,)
    batch_size : int
    fan_out : sequence of int or None
        Neighbours drawn a hop, that of the batch's own nodes first; None takes all.
    square : bool, default=False
        One matrix over all nodes of the sample in the place of a matrix a hop, for an encoder that knows no hops.
    dense : bool, default=False
        X as a dense tensor.
    device : str or torch.device, default="cpu"
    """

    def __init__(self, X, matrix, parts, *, batch_size, fan_out, square=False, dense=False, device="cpu"):
        self.X, self.matrix, self.parts = X, matrix.tocsr(), torch.as_tensor(parts)
        self.n_parts = int(self.parts.max()) + 1
        self.fan_out, self.square, self.dense, self.device = tuple(fan_out), square, dense, device
        self.n_batches = max(1, min(math.ceil(X.shape[0] / batch_size), X.shape[0] // 2))
        self._place = np.full(X.shape[0], -1)

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[tuple[GraphBatch]]:
        rng = np.random.default_rng(int(torch.randint(2**62, ())))
        for nodes in np.array_split(rng.permutation(self.X.shape[0]), self.n_batches):
            yield (self.batch(nodes, rng),)

    def batch(self, nodes: np.ndarray, rng: np.random.Generator) -> GraphBatch:
        """Return the batch of some nodes."""
        reached, hops = nodes, []
        for fan_out in self.fan_out:
            reached, hop = self._reach(reached, fan_out, rng)
            hops.insert(0, hop)
        if self.square:
            adjacency = SparseMatrix(_joined(hops), device=self.device)
        else:
            adjacency = [SparseMatrix(hop, device=self.device) for hop in hops]
        X = as_matrix(self.X[reached], dense=self.dense, device=self.device)
        return GraphBatch(X, adjacency, len(nodes), self.parts[nodes].to(self.device), self.n_parts)

    def _reach(self, targets, fan_out, rng) -> tuple[np.ndarray, sparse.csr_matrix]:
        """Return the targets followed by the neighbours drawn, and the rows of the matrix between them."""
        start, stop = self.matrix.indptr[targets], self.matrix.indptr[targets + 1]
        degree = stop - start
        drawn = degree if fan_out is None else np.minimum(degree, fan_out)
        pointers = np.concatenate([[0], np.cumsum(drawn)])
        row = np.repeat(np.arange(len(targets)), drawn)
        entry = np.arange(pointers[-1]) - pointers[row]
        crowded = (degree > drawn)[row]
        entry[crowded] = rng.random(crowded.sum()) * degree[row[crowded]]
        entry += start[row]
        columns, values = self.matrix.indices[entry], self.matrix.data[entry] * (degree / np.maximum(drawn, 1))[row]
        self._place[targets] = np.arange(len(targets))
        others = np.unique(columns[self._place[columns] < 0])
        reached = np.concatenate([targets, others])
        self._place[others] = np.arange(len(targets), len(reached))
        hop = sparse.csr_matrix((values, self._place[columns], pointers), shape=(len(targets), len(reached)))
        hop.sum_duplicates()
        self._place[reached] = -1
        return reached, hop


def _joined(hops: list[sparse.csr_matrix]) -> sparse.csr_matrix:
    """Return one square matrix: each node's row is that of the hop that comes last and has it."""
    outermost, *inner = hops
    size = outermost.shape[1]
    joined, done = [], 0
    for hop in [*reversed(inner), outermost]:
        hop.resize(hop.shape[0], size)
        joined.append(hop[done:])
        done = hop.shape[0]
    return sparse.vstack([*joined, sparse.csr_matrix((size - done, size))]).tocsr()
