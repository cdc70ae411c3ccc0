"""Rows on their way through `DIMTransformer`: near zero for float32, and out of a layer of the encoder."""

import copy
import math
from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler

from sklearn_dim.training import sparse_tensor, take_rows

FAR_FROM_ZERO = 1e4  # standard deviations
MOST_ROWS, MOST_NUMBERS = 1024, 2**22  # that are encoded at a time


def offset_of(X, mean: np.ndarray, scale: np.ndarray) -> np.ndarray | None:
    """Return what to take from the columns of a dense table, or None.

    float32 would round away the differences of a column of years in seconds, say, if it was not centred before.
    """
    far = np.abs(mean) > FAR_FROM_ZERO * scale
    return np.where(far, mean, 0.0) if far.any() and len(X.shape) == 2 and not issparse(X) else None


def near_zero(X, offset: np.ndarray | None):
    """Return X less the offset, in float64."""
    return X if offset is None else (X.toarray() if issparse(X) else X) - offset


class NearZero:
    """Samples in memory, a file or a Dataset less an offset, taken from them when they are picked."""

    def __init__(self, X, offset: np.ndarray):
        self.X, self.offset, self.shape = X, offset, X.shape

    def __getitem__(self, rows) -> np.ndarray:
        return near_zero(take_rows(self.X, rows), self.offset)


def encode(encoder, X, layer: str, offset: np.ndarray | None, rows=None) -> Iterator[np.ndarray]:
    """Yield "code", "fc" or "conv" of X, or of some of its rows, batch by batch.

    Rows of a float64 table are encoded in float64. A layer's rows are flattened: several code vectors stand side by
    side, as all locations do.
    """
    if X.dtype == np.float64 and len(X.shape) == 2:
        encoder = copy.deepcopy(encoder).cpu().double()
    device, takes_sparse = next(encoder.buffers()).device, encoder.takes_sparse
    n = X.shape[0] if rows is None else len(rows)
    size = MOST_ROWS if issparse(X) else max(1, min(MOST_ROWS, MOST_NUMBERS // math.prod(X.shape[1:])))
    for start in range(0, n, size):
        picked = slice(start, start + size)
        batch = near_zero(take_rows(X, picked if rows is None else rows[picked]), offset)
        if issparse(batch) and takes_sparse:
            batch = sparse_tensor(batch)
        else:
            batch = torch.tensor(batch.toarray() if issparse(batch) else batch)
        with torch.no_grad():
            encoded = encoder(batch.to(device))
        layers = {"code": encoded.code, "fc": encoded.fc, "conv": encoded.locations}
        yield layers[layer].flatten(1).cpu().numpy()


def centre_and_scale(outputs) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the columns of some batches; the scale of a constant is 1."""
    scaler = StandardScaler()
    for output in outputs:
        scaler.partial_fit(output.astype(np.float64))
    mean, scale = scaler.mean_, np.sqrt(scaler.var_)
    return mean, np.where(scale > 1e-6 * np.maximum(np.abs(mean), 1.0), scale, 1.0)
