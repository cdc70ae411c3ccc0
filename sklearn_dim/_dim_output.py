"""What `DIMTransformer` returns: a layer of its encoder, batch by batch, and its scale."""

import copy
from collections.abc import Iterator

import numpy as np
import torch


def encode(encoder, X, layer: str, batch_size: int = 1024) -> Iterator[np.ndarray]:
    """Yield "code", "fc" or "conv" of X batch by batch; rows of a float64 table are encoded in float64.

    A layer's rows are flattened: several code vectors stand side by side, as all locations do.
    """
    if X.dtype == np.float64 and len(X.shape) == 2:
        encoder = copy.deepcopy(encoder).cpu().double()
    device = next(encoder.buffers()).device
    for start in range(0, X.shape[0], batch_size):
        batch = X[start : start + batch_size]
        dense = batch.toarray() if hasattr(batch, "toarray") else np.asarray(batch)
        with torch.no_grad():
            encoded = encoder(torch.tensor(dense, device=device))
        layers = {"code": encoded.code, "fc": encoded.fc, "conv": encoded.locations}
        yield layers[layer].flatten(1).cpu().numpy()


def centre_and_scale(outputs) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the columns of some batches; the scale of a constant is 1."""
    output = np.concatenate(list(outputs)).astype(np.float64)
    mean, scale = output.mean(0), output.std(0)
    return mean, np.where(scale > 1e-6 * np.maximum(np.abs(mean), 1.0), scale, 1.0)
