"""The matrices that graph convolutions multiply with."""

import numpy as np
from scipy import sparse

NORMALIZATIONS = ("symmetric", "mean", "sum")


def normalized_adjacency(adjacency: sparse.csr_matrix, kind: str = "symmetric") -> sparse.csr_matrix:
    """Return what a convolution multiplies with, row i gathering the neighbours of node i.

    Parameters
    ----------
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Weights, without loops.
    kind : {"symmetric", "mean", "sum"}, default="symmetric"
        "symmetric" is Â = D^-½ (A + I) D^-½, D the row sums of A + I (Kipf & Welling, ICLR 2017, eq. 2);
        "mean" is D^-1 A, D the row sums of A, zero rows for isolated nodes (Hamilton et al., NeurIPS 2017);
        "sum" is A.

    Raises
    ------
    ValueError
        If ``kind`` is another.
    """
    if kind not in NORMALIZATIONS:
        raise ValueError(f"normalization={kind!r} is unknown; use one of {NORMALIZATIONS}.")
    if kind == "sum":
        return adjacency
    if kind == "mean":
        degree = np.asarray(adjacency.sum(axis=1)).ravel()
        inverse = np.divide(1.0, degree, out=np.zeros_like(degree), where=degree > 0)
        return adjacency.multiply(inverse[:, None]).tocsr()
    looped = (adjacency + sparse.identity(adjacency.shape[0], dtype=adjacency.dtype, format="csr")).tocsr()
    root = 1.0 / np.sqrt(np.asarray(looped.sum(axis=1)).ravel())
    return looped.multiply(root[:, None]).multiply(root[None, :]).tocsr()
