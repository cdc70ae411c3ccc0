"""What ``representation="auto"`` puts side by side: the code, what the layers say, and features without training.

A code alone loses what it has no room for, and so does any one layer. Each block has a scale of its own, so that what
stands behind, such as LogisticRegression(C=1), k-means or nearest neighbours, can take the whole as it is.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Self

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from sklearn_dim.encoders import DilatedKernels, FixedFeatures, KernelMap, PlainModule, SampleEncoder

MAX_AXES = 256  # of a block
LEAST_VARIANCE = 1e-5  # of an axis, relative to the first: less is noise
CODE, LAYERS, INPUT = "code", "layers", "input"
FIXED_FEATURES = KernelMap, DilatedKernels  # that files of an estimator may name


class Recipe(NamedTuple):
    """How the output is made for a kind of samples.

    Attributes
    ----------
    fixed : callable or None
        Makes the features of the input that need no training.
    spread : float
        Root mean square distance of the output from its mean. The larger it is, the less does a penalty on the weights
        of a classifier matter.
    """

    fixed: Callable[[], FixedFeatures] | None
    spread: float


# Chosen on many sets (benchmarks/RESULTS.md). A few noisy columns tell rows of tables apart, which calls for a stronger
# penalty than sequences do, of which thousands of features repeat each other.
RECIPES = {
    "table": Recipe(KernelMap, 3.0),
    "sequence": Recipe(DilatedKernels, 16.0),
    "image": Recipe(None, 16.0),
    "bag": Recipe(None, 10.0),
    "tokens": Recipe(None, 10.0),
}


class Blocks(PlainModule):
    """Maps raw samples to the blocks side by side, of which all but the code are reduced to their leading axes.

    Parameters
    ----------
    fixed : FixedFeatures or None
        Features of the standardised input, fitted. None if there are none, or if the encoder gives its own.
    """

    fixed: nn.Module | None

    def __init__(self, fixed: FixedFeatures | None = None):
        super().__init__()
        self.fixed = fixed

    @torch.no_grad()
    def fit(self, encoder: SampleEncoder, batches: Iterable[Tensor]) -> Self:
        """Compute the axes from raw samples; later calls only renew those of the layers.

        They keep their number then, and if there are too few samples, all axes stay.
        """
        parts = [self.features(encoder, x) for x in batches]
        for name in parts[0]:
            rows = torch.cat([part[name] for part in parts]).cpu().numpy()
            fitted = f"{name}_axes" in self._buffers
            n_axes = self.get_buffer(f"{name}_axes").shape[1] if fitted else None
            if name == CODE or (fitted and (name == INPUT or len(rows) <= (n_axes or 0))):
                continue
            mean, axes = leading_axes(rows, n_axes)
            like = parts[0][name]
            self.register_buffer(f"{name}_mean", torch.as_tensor(mean).to(like))
            self.register_buffer(f"{name}_axes", torch.as_tensor(axes).to(like))
        return self

    def forward(self, encoder: SampleEncoder, x: Tensor) -> Tensor:
        """Return the blocks side by side, (n, n_features_out)."""
        blocks = self.features(encoder, x)
        for name in blocks.keys() - {CODE}:
            blocks[name] = (blocks[name] - self.get_buffer(f"{name}_mean")) @ self.get_buffer(f"{name}_axes")
        return torch.cat(list(blocks.values()), 1)

    def features(self, encoder: SampleEncoder, x: Tensor) -> dict[str, Tensor]:
        """Return the blocks of raw samples by name, with all of their features."""
        encoded = encoder(x)
        blocks = {CODE: encoded.code.flatten(1), LAYERS: torch.cat([pooled(layer) for layer in encoded.layers()], 1)}
        if encoded.fixed is not None:
            blocks[INPUT] = encoded.fixed
        elif self.fixed is not None:
            blocks[INPUT] = self.fixed(encoder.standardize(x))
        return blocks

    def widths(self, n_features_out: int) -> dict[str, int]:
        """Return the number of columns of each block, of ``n_features_out`` in all."""
        widths = {name: self.get_buffer(f"{name}_axes").shape[1] for name in (LAYERS, INPUT) if self._has(name)}
        return {CODE: n_features_out - sum(widths.values()), **widths}

    def _has(self, name: str) -> bool:
        return f"{name}_axes" in self._buffers


def pooled(layer: Tensor) -> Tensor:
    """Return mean, maximum and share of positive values over all places of a layer (n, channels, ...)."""
    if layer.ndim == 2:
        return layer
    layer = layer.flatten(2)
    return torch.cat([layer.mean(2), layer.amax(2), (layer > 0).to(layer.dtype).mean(2)], 1)


def leading_axes(features: np.ndarray, n_axes: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return mean (n_features,) and axes (n_features, k), so that (features - mean) @ axes are principal components.

    These are the components of the standardised features, at most `MAX_AXES`, of which negligible ones are left out;
    or as many as ``n_axes`` says.
    """
    scaler = StandardScaler().fit(features.astype(np.float64))
    constant = scaler.scale_ <= 1e-6 * np.maximum(np.abs(scaler.mean_), 1.0)  # but for rounding errors
    weight = np.where(constant, 0.0, 1 / scaler.scale_)
    rows = (features - scaler.mean_) * weight
    pca = PCA(n_axes or min(MAX_AXES, len(rows) - 1, rows.shape[1]), random_state=0).fit(rows)
    kept = pca.explained_variance_ >= (0 if n_axes else LEAST_VARIANCE * pca.explained_variance_[0])
    return scaler.mean_, weight[:, None] * pca.components_[kept].T


def block_mean_and_scale(rows: np.ndarray, widths: Iterable[int], spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what to subtract from each column, and to divide it by, so that blocks contribute equally to the spread.

    The columns of the first block, the code, get equal variances; those of the others keep their proportions.
    """
    rows = rows.astype(np.float64)
    mean, deviation = rows.mean(0), rows.std(0)
    deviation = np.where(deviation > 1e-6 * np.maximum(np.abs(mean), 1.0), deviation, 0.0)
    blocks = np.split(deviation, np.cumsum(list(widths))[:-1])
    each = spread / np.sqrt(len(blocks))
    n_varying = max(1, int(np.count_nonzero(blocks[0])))
    code = np.where(blocks[0] > 0, blocks[0] * n_varying**0.5 / each, 1.0)
    rest = [np.full(len(block), np.linalg.norm(block) / each or 1.0) for block in blocks[1:]]
    return mean, np.concatenate([code, *rest])
