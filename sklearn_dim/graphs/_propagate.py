"""Work over all nodes of a graph in bounded memory: smoothing by blocks of columns, encoding by blocks of rows."""

from collections.abc import Iterator
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from scipy import linalg, sparse
from torch import Tensor, nn

from sklearn_dim.graphs._batches import NeighborBatches
from sklearn_dim.graphs._matrix import SparseMatrix, read_only_tensor
from sklearn_dim.graphs._normalize import PropagationMatrix

BUDGET = 2**28  # bytes that work over all nodes may hold besides what it is given and what it returns: 256 MB
NARROW = 1024  # columns up to which XᵀX is made, 8 MB; wider X is multiplied with a few vectors instead
MORE_AXES, PASSES = 10, 3  # of the subspace iteration: what scikit-learn's randomized_svd takes with n_iter=2


def held_bytes(features: Any, adjacency: sparse.csr_matrix, n_columns: int) -> int:
    """Return how many bytes the plain way takes: scaled features, a matrix with its transpose, three times the output.

    Parameters
    ----------
    features : array or CSR matrix of shape (n_nodes, n_features)
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
    n_columns : int
        Columns of what is computed.
    """
    numbers = 2 * features.nnz if sparse.issparse(features) else features.shape[0] * features.shape[1]
    return 4 * numbers + 16 * adjacency.nnz + 12 * features.shape[0] * n_columns


@torch.no_grad()
def propagated(
    vectors: Tensor | np.ndarray,
    adjacency: Any,
    teleport: float,
    steps: int,
    *,
    block_bytes: int = BUDGET,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Return vectors smoothed over a graph, a block of columns at a time.

    Personalised PageRank: Z ← (1 − teleport) Â Z + teleport Z₀, ``steps`` times (Klicpera et al., "Predict then
    Propagate", ICLR 2019, eq. 4). Columns do not depend on each other.

    Parameters
    ----------
    vectors : Tensor or ndarray of shape (n_nodes, n_columns)
        Z₀; an array may be a memory map.
    adjacency : SparseMatrix or PropagationMatrix of shape (n_nodes, n_nodes)
        Â.
    teleport : float
        Weight of a node's own vector.
    steps : int
        0 returns the vectors as they are.
    block_bytes : int, default=2**28
        Memory for the columns that are worked on.
    out : ndarray of shape (n_nodes, n_columns), default=None
        Where to write the result: a new array by default. It may be ``vectors``, or columns of a wider array.

    Returns
    -------
    ndarray of shape (n_nodes, n_columns)
    """
    whole = read_only_tensor(vectors) if isinstance(vectors, np.ndarray) and vectors.flags.c_contiguous else vectors
    n_nodes, n_columns = vectors.shape
    width = max(1, block_bytes // (4 * n_nodes * 4))  # Z₀, Z, its scaled copy and Â Z, mostly of four bytes a number
    if n_columns <= width and out is None and isinstance(whole, Tensor):
        return _smooth(whole, adjacency, teleport, steps).cpu().numpy()
    dtype = vectors.dtype if isinstance(vectors, np.ndarray) else vectors.cpu().numpy().dtype
    out = np.empty(vectors.shape, dtype=dtype) if out is None else out
    for first in range(0, n_columns, width):
        block = vectors[:, first : first + width]
        block = torch.tensor(np.array(block)) if isinstance(block, np.ndarray) else block.contiguous()
        out[:, first : first + width] = _smooth(block, adjacency, teleport, steps).cpu().numpy()
    return out


def _smooth(vectors: Tensor, adjacency: Any, teleport: float, steps: int) -> Tensor:
    spread = vectors
    for _ in range(steps):
        spread = (adjacency @ spread).mul_(1 - teleport).add_(vectors, alpha=teleport)
    return spread


def scale_to_unit_rows(vectors: np.ndarray, *, n_numbers: int = 2**22) -> np.ndarray:
    """Scale the rows of an array to unit length, in place and some rows at a time; zero rows stay. Return the array."""
    step = max(1, n_numbers // max(1, vectors.shape[1]))
    for first in range(0, len(vectors), step):
        rows = vectors[first : first + step]
        rows[:] = nn.functional.normalize(torch.from_numpy(np.ascontiguousarray(rows))).numpy()
    return vectors


@torch.no_grad()
def encoded(
    encoder: Any,
    X: Any,
    adjacency: PropagationMatrix,
    *,
    rows_per_chunk: int | None = None,
    device: str | torch.device = "cpu",
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Return the embeddings of all nodes, computed for some nodes at a time from all of their neighbours.

    Parameters
    ----------
    encoder : GraphEncoder
        Its ``n_hops`` says how far neighbourhoods reach, so that the result is exact. With None it is not known, and
        nothing but the whole graph will do.
    X : ndarray or CSR matrix of shape (n_nodes, n_features)
        Or an object as in ``NeighborBatches``.
    adjacency : PropagationMatrix of shape (n_nodes, n_nodes)
        Of the encoder's kind.
    rows_per_chunk : int, default=None
        Number of nodes at a time; by default as many as are expected to stay within 256 MB. A node with very many
        neighbours takes what they take.
    device : str or torch.device, default="cpu"
    out : ndarray of shape (n_nodes, n_components), default=None
        Where to write the embeddings: a new array of float32 by default.

    Returns
    -------
    ndarray of shape (n_nodes, n_components)

    Raises
    ------
    ValueError
        If the encoder's ``n_hops`` is None.
    """
    if encoder.n_hops is None:
        raise ValueError(
            f"{encoder.name} does not say how many hops its embeddings depend on (n_hops is None), so they cannot be "
            "computed for some nodes at a time. Give the encoder an attribute n_hops, or encode the whole graph."
        )
    hop_by_hop = [lambda X, hops, step=step: step(X, hops[0]) for step in encoder.steps or ()]
    steps, n_hops = (hop_by_hop, 1) if hop_by_hop else ([encoder], encoder.n_hops)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for number, step in enumerate(steps):
            make: Any = partial(np.empty, dtype=np.float32) if out is None else lambda shape: out
            if number < len(steps) - 1:  # as large as the output: a file holds it, not memory
                make = partial(np.lib.format.open_memmap, f"{folder}/{number}.npy", "w+", np.float32)
            X = _encode(step, X, _neighborhoods(X, adjacency, n_hops, rows_per_chunk, device), make)
    return X


def _encode(step: Any, X: Any, neighborhoods: Iterator, make: Any) -> np.ndarray:
    """Return what a step of an encoder makes of all nodes, in an array that ``make(shape=shape)`` returns."""
    out = None
    for nodes, batch in neighborhoods:
        embeddings = step(batch.X, batch.adjacency)[: batch.n_nodes].cpu().numpy()
        out = make(shape=(X.shape[0], embeddings.shape[1])) if out is None else out
        out[nodes] = embeddings
    return out  # type: ignore[return-value]  # there is at least one node


def leading_axes(
    X: Any, adjacency: PropagationMatrix, n_axes: int, *, random_state: int = 0, rows_per_chunk: int | None = None
) -> np.ndarray:
    """Return the leading right singular vectors of Â X, some rows of which are computed at a time.

    Up to 1024 columns they are the eigenvectors of (Â X)ᵀ Â X; for more columns they come from a subspace iteration
    (Halko, Martinsson & Tropp, SIAM Review 2011, algorithm 4.4), which reads the graph three times.

    Parameters
    ----------
    X, adjacency, rows_per_chunk
        As in `encoded`.
    n_axes : int
        At most n_features.
    random_state : int, default=0
        Seed of the subspace iteration.

    Returns
    -------
    ndarray of shape (n_features, n_axes)
        The largest entry of each axis is positive.
    """

    def gram(basis: np.ndarray | None, rayleigh: bool = False) -> np.ndarray:
        """Return MᵀM, or (MᵀM) basis, or basisᵀ (MᵀM) basis, M being Â X."""
        total: Any = 0.0
        for _, batch in _neighborhoods(X, adjacency, 1, rows_per_chunk, "cpu"):
            M = _product(batch.adjacency[0], batch.X)
            right = M if basis is None else M @ basis
            total = total + (right if rayleigh else M).T @ right
        return total.toarray() if sparse.issparse(total) else total

    n_features = X.shape[1]
    if n_features <= NARROW:
        basis, square = None, gram(None)
    else:
        rng = np.random.default_rng(random_state)
        basis = rng.standard_normal((n_features, min(n_axes + MORE_AXES, n_features)))
        for _ in range(PASSES):
            basis = np.linalg.qr(gram(basis))[0]
        square = gram(basis, rayleigh=True)
    axes = linalg.eigh(square)[1][:, ::-1][:, :n_axes]
    axes = axes if basis is None else basis @ axes
    return axes * np.where(axes[np.abs(axes).argmax(0), np.arange(n_axes)] < 0, -1.0, 1.0)


def _product(hop: SparseMatrix, X: Tensor | SparseMatrix) -> Any:
    """Return hop X in float64, as an array or, of sparse X, as a CSR matrix."""
    if isinstance(X, SparseMatrix):
        return (hop.scipy() @ X.scipy()).astype(np.float64)
    return hop.times(X).numpy().astype(np.float64)


def _neighborhoods(
    X: Any, adjacency: PropagationMatrix, n_hops: int, rows_per_chunk: int | None, device: str | torch.device
) -> Iterator[tuple[slice, Any]]:
    """Yield slices of the nodes, and each as a batch with all neighbours of each hop."""
    n_nodes = X.shape[0]
    if rows_per_chunk is None:
        rows_per_chunk = _rows_within(BUDGET, X, adjacency, n_hops)
    batches = NeighborBatches(
        X, adjacency, np.zeros(n_nodes, dtype=int), batch_size=n_nodes, fan_out=[None] * n_hops, device=device
    )
    rng = np.random.default_rng(0)  # which draws nothing, as all neighbours are taken
    for first in range(0, n_nodes, rows_per_chunk):
        nodes = np.arange(first, min(first + rows_per_chunk, n_nodes))
        yield slice(first, first + len(nodes)), batches.batch(nodes, rng)


def _rows_within(n_bytes: int, X: Any, adjacency: PropagationMatrix, n_hops: int) -> int:
    """Return how many rows a chunk has that is expected to take so many bytes: the rows it reaches, and its entries."""
    n_nodes, n_features = X.shape
    degree = 1 + adjacency.adjacency.nnz / n_nodes
    reached = min(degree**n_hops, n_nodes)
    return max(1, min(int(n_bytes / (reached * (3 * 4 * n_features + 100))), n_nodes))
