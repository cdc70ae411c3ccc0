"""A convolutional encoder for sequences of length 8 or more: its locations are segments of the sequence."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool1d

from sklearn_dim._arguments import checked
from sklearn_dim.encoders._base import Encoded, Encoder, batch_normed
from sklearn_dim.encoders._pooling import pooled_means


class SequenceEncoder(Encoder):
    """Convolutions up to the locations, then one more convolution and two kinds of pooling for the code.

    Parameters
    ----------
    sequence_shape : tuple (channels, length)
    n_components : int
        Width of the code.
    local : sequence of tuple (channels, kernel, stride, padding)
        Convolutions (each with BatchNorm and ReLU) up to the locations.
    rest : tuple (channels, kernel, stride, padding)
        The convolution after them.
    fc : int
        Units of the fully connected layer before the code.
    stretches : int, default=4
        Number of segments of the sequence. The code is computed from each segment's mean, which tells where something
        is, and from the maximum of each feature over the sequence, which tells that it is there.
    """

    def __init__(
        self,
        sequence_shape: tuple[int, ...],
        n_components: int,
        *,
        local: Sequence[tuple[int, int, int, int]],
        rest: tuple[int, int, int, int],
        fc: int,
        stretches: int = 4,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        width, length = sequence_shape
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
        maps = []
        for block in [*self.local, self.rest]:
            x = block(x)
            maps.append(x)
        fc = self.fc(self.pool(x))
        hidden = () if self.training else tuple(maps)
        return Encoded(maps[-2].transpose(1, 2), fc, self.code(fc), hidden)

    def pool(self, features: Tensor) -> Tensor:
        """Return segment means and overall maxima of features (n, C, length), as (n, (n_segments + 1)·C)."""
        means, maxima = pooled_means(features, (self.stretches,)), adaptive_max_pool1d(features, 1)
        return torch.cat([means, maxima], dim=2).flatten(1)


@checked(sequence_shape="[1, inf)", n_components="[1, inf)", width="[1, inf)")
def sequence_encoder(sequence_shape: tuple[int, ...], n_components: int, width: int = 32) -> SequenceEncoder:
    """Return an encoder for sequences of length 8 or more, with 4 to 32 locations.

    A length of 64 is halved once. Beyond that, strides of 4 do two halvings at a time, so that long sequences stay
    cheap.

    Parameters
    ----------
    sequence_shape : tuple (channels, length)
    n_components : int
        Width of the code.
    width : int, default=32
        Channels of the first convolution.

    Raises
    ------
    ValueError
        If the length is less than 8.
    """
    length = sequence_shape[1]
    if length < 8:
        raise ValueError(
            f"sequences of length {length} are shorter than 8, the minimum of a sequence encoder (X is n_samples, "
            "channels, length). Pad them to 8, or pass them flattened, as plain rows; if time comes first in your "
            "samples, pass X.transpose(0, 2, 1); images have a fourth axis."
        )
    halvings = max(1, math.ceil(math.log2(length / 32)))
    strides = [4] * ((halvings - 1) // 2) + [2] * (halvings - 2 * ((halvings - 1) // 2))
    if len(strides) == 1:  # one more convolution, at full length
        strides = [1, *strides]
    local = [(width * min(2**i, 4), *_KERNELS[stride]) for i, stride in enumerate(strides)]
    return SequenceEncoder(sequence_shape, n_components, local=local, rest=(4 * width, 4, 2, 1), fc=8 * width)


_KERNELS = {1: (3, 1, 1), 2: (4, 2, 1), 4: (8, 4, 2)}  # stride → kernel, stride, padding
