"""What ``representation="auto"`` puts side by side: the code, what the layers say, and features without training.

A code alone loses what it has no room for, and so does any one layer. Each block has a scale of its own, so that what
stands behind, such as LogisticRegression(C=1), k-means or nearest neighbours, can take the whole as it is.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_dim.encoders import (
    DilatedKernels,
    FixedFeatures,
    KernelMap,
    PlainModule,
    SampleEncoder,
    WhitenedPatches,
    WordAxes,
    block_scales,
    leading_axes,
)

LEAST_SIDE = 8  # of images and sequences that have features without training
CODE, LAYERS, INPUT = "code", "layers", "input"
FIXED_FEATURES = DilatedKernels, KernelMap, WhitenedPatches, WordAxes  # that files of an estimator may name


class Recipe(NamedTuple):
    """How the output is made for a kind of samples.

    Attributes
    ----------
    lengths : dict of str to float
        The blocks, and the root mean square distance of each from its mean. The larger it is, the more does a block
        weigh, and the less does a penalty on the weights of a classifier matter.
    standardized : bool
        Whether the features of the input are standardised before their axes are computed.
    reduced : bool, default=True
        Whether they are reduced to axes. Those of documents are axes already.
    """

    lengths: dict[str, float]
    standardized: bool
    reduced: bool = True


# Chosen on many sets (benchmarks/RESULTS.md). A few noisy columns tell rows of tables apart, which calls for a stronger
# penalty than sequences do, of which thousands of features repeat each other. The code of images makes clusters.
WORDS = Recipe({CODE: 6.0, INPUT: 10.0}, standardized=False, reduced=False)
RECIPES = {
    "table": Recipe({CODE: 1.75, LAYERS: 1.75, INPUT: 1.75}, standardized=True),
    "sequence": Recipe({CODE: 9.0, LAYERS: 9.0, INPUT: 9.0}, standardized=True),
    "image": Recipe({CODE: 5.0, LAYERS: 3.0, INPUT: 3.0}, standardized=False),
    "bag": WORDS,
    "tokens": WORDS,
}


def fixed_features(kind: str, samples: Tensor) -> FixedFeatures | None:
    """Return the features without training of standardised samples of a kind, fitted; None if these are too small."""
    if kind == "table":
        return KernelMap().fit(samples)
    if min(samples.shape[2:]) < LEAST_SIDE:
        return None
    return (WhitenedPatches(samples.shape[1:]) if kind == "image" else DilatedKernels()).fit(samples)


class Blocks(PlainModule):
    """Maps raw samples to the blocks side by side; layers and features without training are reduced to their axes.

    Parameters
    ----------
    kind : str
        The kind of samples.
    fixed : FixedFeatures or None
        Features of the standardised input, fitted. None if there are none, or if the encoder gives its own.

    Attributes
    ----------
    widths : dict of str to int
        The number of columns of each block, set by `fit`.
    """

    widths: dict[str, int]
    fixed: nn.Module | None

    def __init__(self, kind: str, fixed: FixedFeatures | None = None):
        super().__init__()
        self.kind, self.fixed, self.widths = kind, fixed, {}

    @torch.no_grad()
    def fit(self, encoder: SampleEncoder, batches: Iterable[Tensor]) -> Tensor:
        """Compute the axes from raw samples, and return what `forward` makes of these.

        Later calls only renew the axes of the layers. They keep their number then, and if there are too few samples,
        all axes stay.
        """
        parts = [self.features(encoder, x) for x in batches]
        for name, like in parts[0].items():
            rows = torch.cat([part[name] for part in parts]).cpu().numpy()
            n_axes = self.widths.get(name)
            if not self._has_axes(name):
                self.widths[name] = rows.shape[1]
            elif n_axes is None or (name == LAYERS and len(rows) > n_axes):
                standardized = name == LAYERS or RECIPES[self.kind].standardized
                mean, axes = leading_axes(rows, n_axes, standardized=standardized)
                self.widths[name] = axes.shape[1]
                self.register_buffer(f"{name}_mean", torch.as_tensor(mean).to(like))
                self.register_buffer(f"{name}_axes", torch.as_tensor(axes).to(like))
        return torch.cat([self._reduced(part) for part in parts])

    def forward(self, encoder: SampleEncoder, x: Tensor) -> Tensor:
        """Return the blocks side by side, (n, n_features_out)."""
        return self._reduced(self.features(encoder, x))

    def _reduced(self, blocks: dict[str, Tensor]) -> Tensor:
        """Return the features of the blocks, or their values on the axes, side by side."""
        columns = []
        for name, block in blocks.items():
            if self._has_axes(name):
                block = (block - getattr(self, f"{name}_mean")) @ getattr(self, f"{name}_axes")
            columns.append(block)
        return torch.cat(columns, 1)

    def features(self, encoder: SampleEncoder, x: Tensor) -> dict[str, Tensor]:
        """Return the blocks of raw samples by name, with all of their features."""
        encoded = encoder(x)
        blocks = {CODE: encoded.code.flatten(1)}
        if LAYERS in RECIPES[self.kind].lengths:
            blocks[LAYERS] = torch.cat([pooled(layer) for layer in encoded.layers()], 1)
        if encoded.fixed is not None:
            blocks[INPUT] = encoded.fixed
        elif self.fixed is not None:
            blocks[INPUT] = self.fixed(encoder.standardize(x)).to(encoded.code.dtype)
        return blocks

    def _has_axes(self, name: str) -> bool:
        return name == LAYERS or (name == INPUT and RECIPES[self.kind].reduced)

    def mean_and_scale(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what to subtract from each column of the output, and to divide it by, from rows of it.

        The columns of the code get equal variances; those of the other blocks keep their proportions.
        """
        return block_scales(rows, self.widths, RECIPES[self.kind].lengths)


def pooled(layer: Tensor) -> Tensor:
    """Return mean, maximum and share of positive values over all places of a layer (n, channels, ...)."""
    if layer.ndim == 2:
        return layer
    layer = layer.flatten(2)
    return torch.cat([layer.mean(2), layer.amax(2), (layer > 0).to(layer.dtype).mean(2)], 1)
