"""Rows on their way through `DIMTransformer`: near zero for float32, and out of a layer of the encoder."""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import issparse

from sklearn_dim.training import sparse_tensor

FAR_FROM_ZERO = 1e4  # standard deviations


def offset_of(X, mean: np.ndarray, scale: np.ndarray) -> np.ndarray | None:
    """Return what to take from the columns of a dense table, or None.

    float32 would round away the differences of a column of years in seconds, say, if it was not centred before.
    """
    far = np.abs(mean) > FAR_FROM_ZERO * scale
    return np.where(far, mean, 0.0) if far.any() and len(X.shape) == 2 and not issparse(X) else None


def near_zero(X, offset: np.ndarray | None):
    """Return X less the offset, in float64."""
    return X if offset is None else (X.toarray() if issparse(X) else X) - offset


def encode(encoder, X, layer: str, offset: np.ndarray | None, batch_size: int = 1024) -> Iterator[np.ndarray]:
    """Yield "code", "fc" or "conv" of X batch by batch; rows of a float64 table are encoded in float64.

    A layer's rows are flattened: several code vectors stand side by side, as all locations do.
    """
    if X.dtype == np.float64 and len(X.shape) == 2:
        encoder = copy.deepcopy(encoder).cpu().double()
    device, takes_sparse = next(encoder.buffers()).device, getattr(encoder, "takes_sparse", False)
    for start in range(0, X.shape[0], batch_size):
        batch = near_zero(X[start : start + batch_size], offset)
        if issparse(batch) and takes_sparse:
            rows = sparse_tensor(batch)
        else:
            rows = torch.tensor(batch.toarray() if issparse(batch) else batch)
        with torch.no_grad():
            encoded = encoder(rows.to(device))
        layers = {"code": encoded.code, "fc": encoded.fc, "conv": encoded.locations}
        yield layers[layer].flatten(1).cpu().numpy()


def centre_and_scale(outputs) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the columns of some batches; the scale of a constant is 1."""
    output = np.concatenate(list(outputs)).astype(np.float64)
    mean, scale = output.mean(0), output.std(0)
    return mean, np.where(scale > 1e-6 * np.maximum(np.abs(mean), 1.0), scale, 1.0)
