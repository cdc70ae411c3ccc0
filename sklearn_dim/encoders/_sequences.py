"""A convolutional encoder for sequences of any length from 8: its locations are the places of the sequence."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool1d, adaptive_max_pool1d

from sklearn_dim.encoders._base import Encoded, Encoder, batch_normed


class SequenceEncoder(Encoder):
    """Convolutions to a row of locations, one more and two poolings to the code.

    Parameters
    ----------
    sequence_shape : tuple (channels, length)
    n_components : int
        Width of the code.
    local : sequence of tuple (channels, kernel, stride, padding)
        Convolutions (each with BatchNorm and ReLU) up to the locations.
    rest : tuple (channels, kernel, stride, padding)
        The one after them.
    fc : int
        Units of the fully connected layer before the code.
    stretches : int, default=4
        The code sees the mean of each of so many stretches of the sequence, which tell where something is, and the
        largest value of each feature anywhere, which tells that it is.
    """

    def __init__(self, sequence_shape, n_components, *, local, rest, fc, stretches=4):
        super().__init__()
        layers, (width, length) = [], sequence_shape
        for units, kernel, stride, padding in [*local, rest]:
            convolution = nn.Conv1d(width, units, kernel, stride, padding, bias=False)
            layers.append(batch_normed(convolution, units, nn.BatchNorm1d))
            width, length = units, (length + 2 * padding - kernel) // stride + 1
            if len(layers) == len(local):
                self.location_shape = (width, length)
        self.local, self.rest = nn.Sequential(*layers[:-1]), layers[-1]
        self.stretches = min(stretches, length)
        self.fc = batch_normed(nn.Linear(width * (self.stretches + 1), fc, bias=False), fc, nn.BatchNorm1d)
        self.code = nn.Linear(fc, n_components)

    def forward(self, x: Tensor) -> Encoded:
        """Encode standardised sequences (n, channels, length)."""
        features = self.local(x)
        fc = self.fc(self.pool(self.rest(features)))
        return Encoded(features.transpose(1, 2), fc, self.code(fc))

    def pool(self, features: Tensor) -> Tensor:
        """Return the means of the stretches and the maxima of features (n, C, places) as (n, (stretches + 1)·C)."""
        means, most = adaptive_avg_pool1d(features, self.stretches), adaptive_max_pool1d(features, 1)
        return torch.cat([means, most], dim=2).flatten(1)


def sequence_encoder(sequence_shape, n_components, width=32) -> SequenceEncoder:
    """Return an encoder for sequences of any length from 8, with 4 to 32 locations.

    Halvings beyond those that a length of 64 needs are made two at a time, so that long sequences stay cheap.
    """
    length = sequence_shape[1]
    if length < 8:
        raise ValueError(
            f"sequences of length {length} are shorter than 8, the least a sequence encoder takes (X is n_samples, "
            "channels, length). Pad them to 8, or pass them flattened, as plain rows; images have a fourth axis."
        )
    halvings = max(1, math.ceil(math.log2(length / 32)))
    strides = [4] * ((halvings - 1) // 2) + [2] * (halvings - 2 * ((halvings - 1) // 2))
    if len(strides) == 1:  # look once at full length before halving
        strides = [1, *strides]
    local = [(width * min(2**i, 4), *_KERNELS[stride]) for i, stride in enumerate(strides)]
    return SequenceEncoder(sequence_shape, n_components, local=local, rest=(4 * width, 4, 2, 1), fc=8 * width)


_KERNELS = {1: (3, 1, 1), 2: (4, 2, 1), 4: (8, 4, 2)}  # stride → kernel, stride, padding
