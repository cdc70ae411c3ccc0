"""What comes out of `DIMTransformer`: the rows of one layer of the encoder, of zero mean and unit variance."""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from sklearn_dim.data import chunks, sparse_tensor

MAX_ROWS = 1024  # that are encoded at a time: more are no faster, and take more memory


class SampleOutput(nn.Module):
    """Samples → the output of `DIMTransformer.transform`. `sklearn_dim.persistence.to_torch` returns a copy.

    It takes samples as `transform` does, as dense tensors, images flat or with their channels last as well.

    Parameters
    ----------
    encoder : Module
        Samples → `sklearn_dim.encoders.Encoded`.
    layer : {"code", "fc", "conv"}
        Several vectors of a sample stand side by side, as all locations do.
    mean, scale : ndarray of shape (n_features_out,), default=None
        Statistics of the layer; None leaves it as it is.
    offset : ndarray of shape (n_features,), default=None
        What is subtracted from the columns of X in float64, where float32 would lose their differences.
    sample_shape : tuple of int
    channels_last : bool, default=False
        Whether flat images have their channels last.
    """

    mean: Tensor
    scale: Tensor
    offset: Tensor | None

    def __init__(self, encoder, layer, *, mean=None, scale=None, offset=None, sample_shape=(), channels_last=False):
        super().__init__()
        self.encoder, self.layer = encoder, layer
        self.sample_shape, self.channels_last = sample_shape, channels_last
        self.register_buffer("mean", None if mean is None else torch.tensor(mean))
        self.register_buffer("scale", None if scale is None else torch.tensor(scale))
        self.register_buffer("offset", None if offset is None else torch.tensor(offset))

    def forward(self, x: Tensor) -> Tensor:
        """Return rows (n, n_features_out) in the batch's float dtype, float32 of integers."""
        dtype = x.dtype if x.is_floating_point() else torch.float32
        rows = self.layer_of(self.shifted(self.arranged(x)))
        return ((rows - self.mean) / self.scale).to(dtype)

    def layer_of(self, x: Tensor) -> Tensor:
        """Return the layer's rows as they come."""
        encoded = self.encoder(x)
        return {"code": encoded.code, "fc": encoded.fc, "conv": encoded.locations}[self.layer].flatten(1)

    def shifted(self, x: Tensor) -> Tensor:
        """Return samples less the offset."""
        return x if self.offset is None else x.double() - self.offset

    def arranged(self, x: Tensor) -> Tensor:
        """Return flat images with their shape, and channels first."""
        if len(self.sample_shape) != 3:
            return x
        channels, height, width = self.sample_shape
        if x.ndim == 2:
            x = x.view(-1, height, width, channels) if self.channels_last else x.view(-1, *self.sample_shape)
        if x.shape[1:] == (height, width, channels) and (self.channels_last or x.shape[1:] != self.sample_shape):
            x = x.movedim(3, 1)
        return x

    @torch.no_grad()
    def batches(self, X, rows=None) -> Iterator[np.ndarray]:
        """Yield the layer of checked samples X, or of some rows of them, standardised if there are statistics.

        Rows of a float64 table are encoded in float64.
        """
        module = self
        if X.dtype == np.float64 and len(X.shape) == 2:
            module = copy.deepcopy(self).cpu().double()
        like = next(module.encoder.buffers())
        for batch in chunks(X, rows, max_rows=MAX_ROWS):
            if issparse(batch):
                batch = (
                    sparse_tensor(batch) if self.encoder.takes_sparse else module.shifted(torch.tensor(batch.toarray()))
                )
            else:
                batch = module.shifted(torch.tensor(batch))
            x = batch.to(like.device, like.dtype if batch.is_floating_point() else batch.dtype)
            output = module.layer_of(x).cpu()
            yield output.numpy() if self.mean is None else ((output - self.mean) / self.scale).numpy()

    def exported(self) -> "SampleOutput":
        """Return a copy in float32 on the CPU, with no tie to the estimator."""
        module = copy.deepcopy(self).cpu().float().eval()
        if self.offset is not None:
            module.offset = self.offset.double().cpu()  # float32 is what the offset is there to avoid
        module.zero_grad()
        return module


def mean_and_scale(outputs) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the columns of some batches; the scale of a constant is 1."""
    scaler = StandardScaler()
    for output in outputs:
        scaler.partial_fit(output.astype(np.float64))
    mean, scale = scaler.mean_, np.sqrt(scaler.var_)
    return mean, np.where(scale > 1e-6 * np.maximum(np.abs(mean), 1.0), scale, 1.0)
