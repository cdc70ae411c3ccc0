"""Features of sequences that need no training: dilated kernels, after MiniRocket (Dempster et al., KDD 2021)."""

import itertools
import math
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import pad

from sklearn_dim._arguments import checked
from sklearn_dim.encoders._fixed import FixedFeatures

TAPS = 9
GOLDEN = (math.sqrt(5) + 1) / 2  # multiples of it, modulo 1, spread evenly over [0, 1) however many there are
MAX_NUMBERS = 2_000_000  # of responses at a time
MARGIN = 0.1  # around a threshold, in standard deviations of the responses: within it, they count in part


@checked(n_features="[1, inf)", n_dilations="[1, inf)")
class DilatedKernels(FixedFeatures):
    """How often each of 84 fixed kernels responds, at several dilations and above several thresholds.

    A kernel has nine taps, three of weight 2 and six of −1, so that it ignores a constant. Its features are the shares
    of positions at which its response to a sequence, or to the differences between neighbouring values, exceeds a
    threshold: a quantile of its responses to training sequences. A response close to the threshold counts in part, so
    that rounding errors do not matter. Every other kernel reads on beyond both ends, where it finds zeros; the others
    respond only where they fit in. With several channels, each kernel reads a random subset of them at each dilation.

    Parameters
    ----------
    n_features : int, default=2688
        Approximate number of features, a multiple of 84.
    n_dilations : int, default=8
        Maximum number of dilations, which grow exponentially until a kernel spans the sequence.

    References
    ----------
    A. Dempster, D. F. Schmidt, G. I. Webb, "MiniRocket: a very fast (almost) deterministic transform for time series
    classification", KDD 2021, section 3; differences as in C. W. Tan et al., "MultiRocket", 2022, section 3.1.
    """

    weights: Tensor
    dilations: Tensor
    thresholds: Tensor

    def __init__(self, n_features: int = 2688, n_dilations: int = 8):
        super().__init__()
        self.n_features, self.n_dilations = n_features, n_dilations

    def fit(self, x: Tensor) -> Self:
        """Choose dilations, channels and thresholds by sequences (n, channels, length)."""
        channels, length = x.shape[1:]
        kernels = _kernels().to(x)
        reach = max(0.0, math.log2((length - 1) / (TAPS - 1)))
        dilations = (2 ** torch.linspace(0, reach, self.n_dilations)).long().unique()
        subsets = torch.stack([_subsets(len(kernels), channels) for _ in range(2 * len(dilations))]).to(x)
        self.register_buffer("dilations", dilations)
        self.register_buffer("weights", (subsets[..., None] * kernels[:, None, :]).flatten(2))
        per_response = max(1, round(self.n_features / len(subsets) / len(kernels)))
        levels = torch.arange(1, len(subsets) * len(kernels) * per_response + 1) * GOLDEN % 1
        levels = levels.view(len(subsets), len(kernels), per_response)
        some = x[torch.randperm(len(x), device=x.device)[: max(1, MAX_NUMBERS // (len(kernels) * length))]]
        thresholds = []
        for i, level in enumerate(levels):
            deviation = torch.cat([response.std((0, 2)) for response in self._responses(some, i)])
            unit = torch.where(deviation > 0, MARGIN * deviation, 1.0)
            self.weights[i] /= torch.stack(unit.chunk(2), 1).view(-1, 1)
            first, second = self._responses(some, i)
            thresholds.append(torch.cat([_quantiles(first, level[::2]), _quantiles(second, level[1::2])]))
        self.register_buffer("thresholds", torch.stack(thresholds))
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Return the shares (n, n_features_out) of sequences (n, channels, length)."""
        rows = max(1, MAX_NUMBERS // (self.weights.shape[1] * x.shape[2]))
        return torch.cat([self._shares(part) for part in x.split(rows)])

    def _shares(self, x: Tensor) -> Tensor:
        """Return the features of a few sequences."""
        shares = []
        for i, thresholds in enumerate(self.thresholds):
            responses = self._responses(x, i)
            for response, own in zip(responses, thresholds.chunk(2), strict=True):
                shares += [(response - threshold[:, None]).clamp_(-0.5, 0.5).mean(2) + 0.5 for threshold in own.T]
        return torch.cat(shares, 1)

    def _responses(self, x: Tensor, i: int) -> tuple[Tensor, Tensor]:
        """Return the responses (n, 42, positions) of the kernels that read beyond the ends, and of the others."""
        if i >= len(self.dilations):
            x = x.diff(dim=2)
        dilation = int(self.dilations[i % len(self.dilations)])
        reach, length = dilation * (TAPS // 2), x.shape[2]
        padded = pad(x, (reach, reach))
        taps = torch.stack([padded[:, :, t * dilation : t * dilation + length] for t in range(TAPS)], 2).flatten(1, 2)
        weights = self.weights[i]
        inside = taps[:, :, reach:-reach] if length > 2 * reach else taps
        return weights[::2] @ taps, weights[1::2] @ inside


def _kernels() -> Tensor:
    """Return the 84 kernels (84, 9): every choice of three taps."""
    kernels = -torch.ones(math.comb(TAPS, 3), TAPS)
    for kernel, taps in zip(kernels, itertools.combinations(range(TAPS), 3), strict=True):
        kernel[list(taps)] = 2
    return kernels


def _subsets(n: int, channels: int) -> Tensor:
    """Return n random subsets of the channels as rows of zeros and ones; small ones are as frequent as large ones."""
    largest = min(channels, TAPS)
    sizes = (2 ** (torch.rand(n, 1) * math.log2(largest + 1))).long().clamp(max=largest)
    return (torch.rand(n, channels).argsort(1).argsort(1) < sizes).float()


def _quantiles(response: Tensor, levels: Tensor) -> Tensor:
    """Return quantiles (n_kernels, n_levels) of each kernel's responses (n, n_kernels, positions)."""
    values = response.transpose(0, 1).flatten(1).sort(1).values
    return values.gather(1, (levels.to(values.device) * values.shape[1]).long())
