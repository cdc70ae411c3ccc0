"""Patches of the training images as filters, which need no training, and an encoder that stands on them."""

import math
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, softshrink

from sklearn_dim._arguments import checked
from sklearn_dim.devices import without_autocast
from sklearn_dim.encoders._base import Encoded, Encoder, batch_normed
from sklearn_dim.encoders._fixed import FixedFeatures
from sklearn_dim.encoders._images import Head, shorter_side
from sklearn_dim.encoders._pooling import pooled_means

MAX_SIDE = 32  # images of twice this side or more are shrunk: what is told apart is rarely in single pixels
MAX_VALUES = 1024  # of a patch over all channels: the eigenvectors of their covariance take its cube of time
LEAST = 1e-4  # added to a mean before its root is taken, whose slope would be infinite at 0
SAMPLED = 20_000  # patches that the covariance is estimated from


@checked(
    image_shape="[1, inf)",
    n_filters="[1, inf)",
    grid="[1, inf)",
    patch="[1, inf)",
    stride="[1, inf)",
    threshold="[0, inf)",
    contrast="[0, inf)",
    whitening="[0, inf)",
)
class WhitenedPatches(FixedFeatures):
    """Responses to random patches of the training images, pooled over the cells of a grid (Coates & Ng, ICML 2011).

    A patch is brought to zero mean and unit contrast, and whitened (ZCA). Its products with ``n_filters`` whitened
    patches of unit length, z, become max(0, z − t) and max(0, −z − t). Each of them is averaged over each cell of a
    grid over the image, and √(mean + 1e-4) is a feature: the root keeps a few large ones from hiding the others. It
    takes one convolution, as the whitening is part of the filters.

    Nothing is trained: `fit` draws the patches from torch's generator. Before, all features are equal, and so they
    are if all images of `fit` are constant.

    Parameters
    ----------
    image_shape : tuple (channels, height, width)
    n_filters : int or None, default=None
        None is 8 for each value of a patch, but at most 200.
    grid : int, default=3
        Cells along each side.
    patch : int or None, default=None
        Side of a patch. None is a quarter of the image's shorter side, from 3 to 8 pixels; fewer if there are more
        than 16 channels. An image of 64 × 64 or more is first shrunk to sides of 32 to 63 pixels, by a whole number.
    stride : int or None, default=None
        Pixels between patches. None is 1 for images smaller than 24 × 24, and 2 for others.
    threshold : float, default=0.5
        t, for filters whose products with whitened patches have unit variance.
    contrast : float, default=0.1
        Added to a patch's variance before its root is divided by; the training images have unit variance. Patches of
        little contrast remain small.
    whitening : float, default=0.3
        Added to the eigenvalues of the patches' covariance.

    References
    ----------
    A. Coates and A. Y. Ng, "The importance of encoding versus training with sparse coding and vector quantization",
    ICML 2011.
    """

    filters: Tensor
    bias: Tensor

    def __init__(
        self,
        image_shape: tuple[int, ...],
        n_filters: int | None = None,
        *,
        grid: int = 3,
        patch: int | None = None,
        stride: int | None = None,
        threshold: float = 0.5,
        contrast: float = 0.1,
        whitening: float = 0.3,
    ):
        super().__init__()
        channels = image_shape[0]
        side = shorter_side(image_shape)
        self.shrinking = max(1, side // MAX_SIDE)
        side = side // self.shrinking
        if patch is None:
            patch = min(max(3, side // 4), 8, max(1, math.isqrt(MAX_VALUES // channels)))
        if n_filters is None:
            n_filters = min(8 * channels * patch**2, 200)
        self.stride = (1 if side < 24 else 2) if stride is None else stride
        self.grid, self.threshold, self.contrast, self.whitening = grid, threshold, contrast, whitening
        self.register_buffer("filters", torch.zeros(n_filters, channels, patch, patch))
        self.register_buffer("bias", torch.zeros(n_filters, 1, 1))

    @property
    def patch(self) -> int:
        """Side of a patch."""
        return int(self.filters.shape[-1])

    @torch.no_grad()
    def fit(self, x: Tensor) -> Self:
        """Draw the patches of standardised images (n, channels, height, width); a few thousand images are enough."""
        patches = self._drawn(self._shrunk(x))
        patches = patches - patches.mean(1, keepdim=True)
        patches = patches / (patches.square().mean(1, keepdim=True) + self.contrast).sqrt()
        mean = patches.mean(0)
        patches = patches - mean
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        whiten = (vectors * (values.clamp(min=0) + self.whitening).rsqrt()) @ vectors.T
        filters = self._of_unit_length(patches @ whiten) @ whiten
        self.bias.copy_(-(filters @ mean)[:, None, None])
        filters = filters - filters.mean(1, keepdim=True)  # which takes the mean off each patch
        self.filters.copy_(filters.view_as(self.filters))
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (n, 2 · n_filters · grid²) of standardised images."""
        return self.maps(x).flatten(1)

    def maps(self, x: Tensor) -> Tensor:
        """Return the features in their places, (n, 2 · n_filters, grid, grid)."""
        x = x.to(self.filters.dtype)  # a view may be in bfloat16, which has too few digits to take the mean off
        x = self._shrunk(x.contiguous(memory_format=torch.channels_last))
        mean, square = (avg_pool2d(y.mean(1, keepdim=True), self.patch, self.stride) for y in (x, x.square()))
        scale = ((square - mean.square()).clamp(min=0) + self.contrast).rsqrt()
        with without_autocast(x.device):
            products = conv2d(x, self.filters, stride=self.stride)
        products = softshrink(torch.addcmul(self.bias, products, scale), self.threshold)
        size, signed = (pooled_means(y, (self.grid, self.grid)) for y in (products.abs(), products))
        return (torch.cat([size + signed, size - signed], 1).clamp(min=0) / 2 + LEAST).sqrt()

    def _shrunk(self, x: Tensor) -> Tensor:
        return avg_pool2d(x, self.shrinking) if self.shrinking > 1 else x

    def _drawn(self, x: Tensor) -> Tensor:
        """Return random patches (n_patches, channels · patch²), float64, which not every device has, on the CPU."""
        sides = (len(x), *(side - self.patch + 1 for side in x.shape[2:]))
        image, top, left = (torch.randint(side, (SAMPLED, 1, 1)).to(x.device) for side in sides)
        reach = torch.arange(self.patch, device=x.device)
        patches = x[image, :, top + reach[:, None], left + reach]
        return patches.movedim(3, 1).flatten(1).cpu().double()

    def _of_unit_length(self, patches: Tensor) -> Tensor:
        """Return as many patches as there are filters, of unit length; constant ones only if there are no others."""
        length = patches.norm(dim=1, keepdim=True)
        some = (length > 0.1 * length.mean()).flatten().nonzero().flatten()
        if not len(some):
            return patches.new_zeros(len(self.filters), patches.shape[1])
        some = some[torch.arange(len(self.filters), device=some.device) % len(some)]
        return patches[some] / length[some]


@checked(image_shape="[1, inf)", n_components="[1, inf)", width="[1, inf)", fc="[1, inf)", n_globals="[1, inf)")
class PatchEncoder(Encoder):
    """Whitened patches, which `fit` draws, and trained layers on them: one at each location, and two to the code.

    Parameters
    ----------
    image_shape : tuple (channels, height, width)
        At least 8 × 8 pixels.
    n_components : int
        Width of the code.
    width : int, default=128
        Channels of the feature map, whose locations are the cells of the patches' grid.
    fc : int, default=512
        Units of the fully connected layer before the code.
    n_globals : int, default=1
        Number of code vectors, see `ConvEncoder`.
    """

    def __init__(
        self, image_shape: tuple[int, ...], n_components: int, *, width: int = 128, fc: int = 512, n_globals: int = 1
    ):
        super().__init__()
        self.patches = WhitenedPatches(image_shape)
        channels, grid = 2 * len(self.patches.filters), self.patches.grid
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.local = batch_normed(nn.Conv2d(channels, width, 1, bias=False), width, nn.BatchNorm2d)
        self.location_shape = (width, grid, grid)
        self.head = Head(self.location_shape, n_components, [fc], n_globals)

    def fit(self, x: Tensor) -> Self:
        """Draw the patches of standardised images (n, channels, height, width); the other layers are trained."""
        self.patches.fit(x)
        return self

    def forward(self, x: Tensor) -> Encoded:
        """Encode standardised images (n, channels, height, width)."""
        patches = self.patches.maps(x)
        features = self.local(self.norm(patches))
        fc, code = self.head(features)
        locations = features.flatten(2).transpose(1, 2)
        if self.training:
            return Encoded(locations, fc, code)
        return Encoded(locations, fc, code, hidden=(features, fc), fixed=patches.flatten(1))
