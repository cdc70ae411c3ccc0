"""A ResNet over overlapping crops of an image (strided crops, as in the paper's comparison with CPC on STL-10)."""

from torch import Tensor, nn
from torch.nn.functional import relu, unfold

from sklearn_dim._arguments import checked
from sklearn_dim.encoders._base import Encoded, Encoder, batch_normed
from sklearn_dim.encoders._images import Head


@checked(image_shape="[1, inf)", n_components="[1, inf)", crop="[1, inf)", width="[1, inf)", n_globals="[1, inf)")
class FoldedResNet(Encoder):
    """One small ResNet sees each crop by itself; a crop's pooled features are a location, and their map gives the code.

    So a location depends on its crop and on nothing else in the image (Hjelm et al., ICLR 2019, section 4.3).

    Parameters
    ----------
    image_shape : tuple (channels, height, width)
    n_components : int
        Width of the code.
    crop : int, default=None
        Side of a crop in pixels, a quarter of the shorter side by default, but at least 4. Crops overlap by half.
    width : int, default=16
        Channels of the first layers; a location has four times as many.
    n_globals : int, default=1
        Number of code vectors, see `ConvEncoder`.
    """

    def __init__(
        self,
        image_shape: tuple[int, ...],
        n_components: int,
        *,
        crop: int | None = None,
        width: int = 16,
        n_globals: int = 1,
    ):
        super().__init__()
        channels, sides = image_shape[0], image_shape[1:]
        self.crop = max(4, min(sides) // 4) if crop is None else crop
        self.stride = max(1, self.crop // 2)
        self.places = tuple((side - self.crop) // self.stride + 1 for side in sides)
        if min(self.places) < 2:
            raise ValueError(
                f"crops of {self.crop} pixels leave no map of images of {sides[0]}x{sides[1]} pixels. Pass a crop of "
                "at most two thirds of the shorter side, or larger images."
            )
        self.location_shape = (4 * width, *self.places)
        self.of_a_crop = nn.Sequential(
            batch_normed(nn.Conv2d(channels, width, 3, padding=1, bias=False), width, nn.BatchNorm2d),
            ResidualBlock(width, width),
            ResidualBlock(width, 2 * width, stride=2),
            ResidualBlock(2 * width, 4 * width, stride=2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.of_the_map = ResidualBlock(4 * width, 8 * width, stride=2 if min(self.places) > 4 else 1)
        last_sides = tuple(-(-side // self.of_the_map.stride) for side in self.places)
        self.head = Head((8 * width, *last_sides), n_components, [16 * width], n_globals)

    def forward(self, x: Tensor) -> Encoded:
        """Encode standardised images (n, channels, height, width)."""
        crops = unfold(x, self.crop, stride=self.stride)  # (n, channels · crop², n_locations)
        n, _, n_locations = crops.shape
        crops = crops.transpose(1, 2).reshape(n * n_locations, x.shape[1], self.crop, self.crop)
        locations = self.of_a_crop(crops).view(n, n_locations, -1)
        feature_map = locations.transpose(1, 2).unflatten(2, self.places)
        return Encoded(locations, *self.head(self.of_the_map(feature_map)))


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions with BatchNorm and a shortcut (He et al., CVPR 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.stride = stride
        self.first = batch_normed(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), outputs, nn.BatchNorm2d)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs or stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, height / stride, width / stride)."""
        return relu(self.second(self.first(x)) + self.shortcut(x))
