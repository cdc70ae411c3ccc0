"""The propagation matrix of graph convolutions."""

import numpy as np
from scipy import sparse


def normalized_adjacency(adjacency: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return Â = D^-½ (A + I) D^-½, D the row sums of A + I (Kipf & Welling, ICLR 2017, eq. 2)."""
    looped = (adjacency + sparse.identity(adjacency.shape[0], dtype=adjacency.dtype, format="csr")).tocsr()
    root = 1.0 / np.sqrt(np.asarray(looped.sum(axis=1)).ravel())
    return looped.multiply(root[:, None]).multiply(root[None, :]).tocsr()
