"""Columns that say where a node stands in its graph: for nodes without features, or beside them."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh

from sklearn_dim.graphs._normalize import normalized_adjacency

STRUCTURES = ("degree", "returns", "axes")
COMPARABLE = ("degree", "returns")  # that mean the same on every graph
STEPS = (2, 3, 4, 5, 6)  # of random walks; rings of six are the longest that matter in molecules
N_AXES = 8
EXACT = 10**9  # products up to which return probabilities are exact
N_PROBES = 64  # beyond; a relative error of √(2/64) = 18 % at even steps
DENSE = 64  # nodes up to which all eigenvectors are computed


def structure(adjacency: sparse.csr_matrix, parts: np.ndarray, columns: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Return structural columns (n_nodes, n_columns) of each of several graphs, and their names.

    Parameters
    ----------
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
    parts : ndarray of int of shape (n_nodes,)
        The number of each node's graph.
    columns : sequence of {"degree", "returns", "axes"}
    """
    names = {
        "degree": ["degree"],
        "returns": [f"return_{step}" for step in STEPS],
        "axes": [f"axis_{axis}" for axis in range(N_AXES)],
    }
    functions = {"degree": log_degree, "returns": return_probabilities, "axes": spectral_axes}
    order = np.argsort(parts, kind="stable")
    values = np.empty((adjacency.shape[0], sum(len(names[column]) for column in columns)))
    for nodes in np.split(order, np.flatnonzero(np.diff(parts[order])) + 1):
        edges = adjacency if len(nodes) == len(order) else adjacency[nodes][:, nodes]
        values[nodes] = np.hstack([functions[column](edges) for column in columns])
    return values, [name for column in columns for name in names[column]]


def log_degree(adjacency: sparse.csr_matrix) -> np.ndarray:
    """Return log(1 + sum of a node's weights), (n_nodes, 1)."""
    return np.log1p(np.asarray(adjacency.sum(axis=1), dtype=float).reshape(-1, 1))


def return_probabilities(
    adjacency: sparse.csr_matrix, steps: Sequence[int] = STEPS, *, exact: bool | None = None
) -> np.ndarray:
    """Return how likely a random walk is to be back after so many steps, (n_nodes, n_steps): the diagonal of (D⁻¹A)^k.

    With P = D⁻¹A and probes Z of which E[Z Zᵀ] = I, the diagonal of P^(a+b) is that of E[(P^a Z) (Pᵀ^b Z)ᵀ]. All unit
    vectors as probes make it exact, at the price of n_nodes · n_edges. On larger graphs there are 64 random probes of
    ±1, always the same. For edges both ways P is replaced by the similar symmetric matrix, whose powers have the same
    diagonal, and errors are then relative to the value at even steps.

    Source: Dwivedi et al., "Graph Neural Networks with Learnable Structural and Positional Representations", ICLR 2022
    (eq. 14); the estimate of a diagonal is that of Bekas, Kokiopoulou and Saad, 2007.
    """
    n = adjacency.shape[0]
    walk = _walk(adjacency)
    back = walk.T.tocsr()
    exact = n * adjacency.nnz <= EXACT if exact is None else exact
    width = max(1, min(n if exact else N_PROBES, 2**23 // n))
    rng = np.random.default_rng(0)
    sums = np.zeros((n, len(steps)))
    for first in range(0, n if exact else N_PROBES, width):
        if exact:
            probes = np.eye(n, min(width, n - first), -first)
        else:
            probes = rng.choice([-1.0, 1.0], (n, min(width, N_PROBES - first))) / np.sqrt(N_PROBES)
        there, home = probes, probes
        for step in range(1, max(steps) + 1):
            if step % 2:
                there = walk @ there
            else:
                home = back @ home
            if step in steps:
                sums[:, steps.index(step)] += np.einsum("ij,ij->i", there, home)
    return np.clip(np.round(sums, 12), 0.0, 1.0)  # what differs by rounding errors is equal


def _walk(adjacency: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return D⁻¹A, or D^-½ A D^-½ if edges go both ways; rows of isolated nodes are 0."""
    adjacency = adjacency.astype(float)
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    if (abs(adjacency - adjacency.T)).nnz:
        return normalized_adjacency(adjacency, "mean")
    root = np.divide(1.0, np.sqrt(degree), out=np.zeros_like(degree), where=degree > 0)
    return adjacency.multiply(root[:, None]).multiply(root[None, :]).tocsr()


def spectral_axes(adjacency: sparse.csr_matrix, n_axes: int = N_AXES) -> np.ndarray:
    """Return the leading eigenvectors of Â = D^-½ (A + I) D^-½ but the first, times √n_nodes, (n_nodes, n_axes).

    They are the first axes of the normalised Laplacian I − Â, and tell apart the parts that few edges join. The first
    eigenvector is left out: it is the root of the degrees. The largest entry of an axis is positive; axes that a small
    graph has not are 0. Edges count both ways.

    Source: M. Belkin and P. Niyogi, "Laplacian Eigenmaps", Neural Computation 15, 2003.
    """
    n = adjacency.shape[0]
    both = adjacency.astype(float).maximum(adjacency.astype(float).T)
    matrix = normalized_adjacency(both.tocsr())
    first = np.sqrt(np.asarray(both.sum(axis=1)).ravel() + 1)
    first /= np.linalg.norm(first)
    if n <= max(DENSE, 2 * n_axes):
        vectors = np.linalg.eigh(matrix.toarray() - 2 * np.outer(first, first))[1]
    else:
        rest = LinearOperator((n, n), matvec=lambda x: matrix @ x - 2 * first * (first @ x), dtype=float)
        start = np.random.default_rng(0).normal(size=n)
        vectors = eigsh(rest, n_axes, which="LA", v0=start, tol=1e-4, ncv=max(40, 2 * n_axes + 1))[1]
    vectors = vectors[:, ::-1][:, : min(n_axes, n - 1)]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    axes = np.zeros((n, n_axes))
    axes[:, : vectors.shape[1]] = vectors * signs * np.sqrt(n)
    return axes
