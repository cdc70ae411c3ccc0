"""The output of `DIMTransformer`: blocks of columns, or one layer of the encoder."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from sklearn_dim.data import chunks, sparse_tensor
from sklearn_dim.devices import explained_memory, full_precision
from sklearn_dim.dim._blocks import Blocks, fixed_features
from sklearn_dim.encoders import SampleEncoder, varies

MAX_ROWS = 1024  # encoded at a time: more are not faster, and need more memory


class SampleOutput(nn.Module):
    """Maps samples to the output of `DIMTransformer.transform`; `sklearn_dim.persistence.to_torch` returns a copy.

    It takes the samples that `transform` takes, as a dense tensor; images may be flat or have their channels last.

    Parameters
    ----------
    encoder : SampleEncoder
    layer : {"auto", "code", "fc", "conv"}
        The layer of the encoder that is returned, flattened to one row per sample; "auto" returns the blocks.
    blocks : Blocks, default=None
        For "auto".
    mean, scale : ndarray of shape (n_features_out,), default=None
        What is subtracted from the output, and what the difference is divided by; None leaves it as it is.
    offset : ndarray of shape (n_features,), (channels, 1) or (channels, 1, 1), default=None
        Subtracted from the columns or channels of X in float64, if float32 would round their differences away.
    sample_shape : tuple of int
    channels_last : bool, default=False
        Whether flat images have their channels last.
    """

    mean: Tensor | None
    scale: Tensor | None
    offset: Tensor | None

    def __init__(
        self,
        encoder: SampleEncoder,
        layer: str,
        *,
        blocks: Blocks | None = None,
        mean: np.ndarray | None = None,
        scale: np.ndarray | None = None,
        offset: np.ndarray | None = None,
        sample_shape: tuple[int, ...] = (),
        channels_last: bool = False,
    ):
        super().__init__()
        self.encoder, self.layer = encoder, layer
        self.blocks = None if blocks is None else blocks.to(next(encoder.buffers()).device)
        self.sample_shape, self.channels_last = sample_shape, channels_last
        self.register_buffer("mean", None if mean is None else torch.tensor(mean))
        self.register_buffer("scale", None if scale is None else torch.tensor(scale))
        self.register_buffer("offset", None if offset is None else torch.tensor(offset))

    def forward(self, x: Tensor) -> Tensor:
        """Return rows (n, n_features_out) in the float dtype of the batch, float32 if it has integers."""
        dtype = x.dtype if x.is_floating_point() else torch.float32
        rows = self.layer_of(self.shifted(self.arranged(x)))
        return self.standardized(rows).to(dtype)

    def layer_of(self, x: Tensor) -> Tensor:
        """Return the layer or the blocks (n, n_features_out) before they are standardised."""
        if self.blocks is not None:
            return self.blocks(self.encoder, x)
        encoded = self.encoder(x)
        return {"code": encoded.code, "fc": encoded.fc, "conv": encoded.locations}[self.layer].flatten(1)

    def standardized(self, rows: Tensor) -> Tensor:
        """Return the rows with the training rows' mean and scale removed."""
        return rows if self.mean is None or self.scale is None else (rows - self.mean) / self.scale

    def shifted(self, x: Tensor) -> Tensor:
        """Return the samples minus the offset."""
        return x if self.offset is None else x.double() - self.offset

    def arranged(self, x: Tensor) -> Tensor:
        """Return flat images in their shape, with channels first."""
        if len(self.sample_shape) != 3:
            return x
        channels, height, width = self.sample_shape
        if x.ndim == 2:
            x = x.view(-1, height, width, channels) if self.channels_last else x.view(-1, *self.sample_shape)
        if x.shape[1:] == (height, width, channels) and (self.channels_last or x.shape[1:] != self.sample_shape):
            x = x.movedim(3, 1)
        return x

    @torch.no_grad()
    def batches(self, X: Any, rows: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Yield the output for X, which has been checked, or for some of its rows.

        A table in float64 is encoded in float64.
        """
        module = self
        if X.dtype == np.float64 and len(X.shape) == 2:
            module = copy.deepcopy(self).cpu().double()
        device = next(module.encoder.buffers()).device
        for x in module.inputs(X, rows):  # no batch outlives what is made of it
            with full_precision(device), explained_memory():
                layer = module.layer_of(x).cpu()
            yield self.standardized(layer).numpy()

    def inputs(self, X: Any, rows: np.ndarray | None = None) -> Iterator[Tensor]:
        """Yield X, or some of its rows, in batches as the encoder takes them."""
        like = next(self.encoder.buffers())
        for x in map(self.as_input, chunks(X, rows, max_rows=MAX_ROWS)):
            yield x.to(like.device, like.dtype if x.is_floating_point() else x.dtype)

    @torch.no_grad()
    def fit_blocks(self, kind: str, X: Any, rows: np.ndarray) -> tuple[Blocks, np.ndarray]:
        """Return the blocks for samples of a kind, fitted to these rows of X or continued, and their output."""
        batches = list(self.inputs(X, rows))
        if self.blocks is None:
            own = self.encoder(batches[0]).fixed is not None
            samples = None if own else torch.cat([self.encoder.standardize(x) for x in batches]).cpu()
            self.blocks = Blocks(kind, None if samples is None else fixed_features(kind, samples))
            self.blocks.to(batches[0].device)
        return self.blocks, self.blocks.fit(self.encoder, batches).cpu().numpy()

    def as_input(self, batch: Any) -> Tensor:
        """Return rows as the tensor that the encoder takes."""
        if issparse(batch) and self.encoder.takes_sparse:
            return sparse_tensor(batch)
        return self.shifted(torch.tensor(batch.toarray() if issparse(batch) else batch))

    def exported(self) -> "SampleOutput":
        """Return a copy in float32 on the CPU that shares nothing with the estimator."""
        module = copy.deepcopy(self).cpu().float().eval()
        if self.offset is not None:
            module.offset = self.offset.double().cpu()  # float32 would defeat its purpose
        module.zero_grad()
        return module


def mean_and_scale(outputs: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each column of the batches; the scale of a constant is 1."""
    scaler = StandardScaler()
    for output in outputs:
        scaler.partial_fit(output.astype(np.float64))
    mean, scale = scaler.mean_, np.sqrt(scaler.var_)
    return mean, np.where(varies(mean, scale), scale, 1.0)
