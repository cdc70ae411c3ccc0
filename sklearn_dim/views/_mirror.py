"""Whether images may be mirrored, found out without labels."""

from torch import Tensor
from torch.nn.functional import avg_pool2d

MAX_ASYMMETRY = 0.01  # between photos, below 0.001, and handwritten digits, at 0.05
# Chance contributes about 1/n, which is subtracted. Its spread is too large beside MAX_ASYMMETRY for fewer images than
# the minimum, and negligible with the maximum.
MIN_IMAGES, MAX_IMAGES = 50, 1000


def mirror_asymmetry(images: Tensor) -> float:
    """Return how far a set of images differs from the set of their mirror images: 0 if not at all, at most 1.

    What is compared are the directions of edges: the product of horizontal and vertical slope at each pixel. It changes
    its sign in a mirror, and depends neither on colours nor on which side is dark. Its odd part is the part that is
    negated when the image is mirrored. The asymmetry is the fraction of it that all images have in common,
    ‖mean‖²/mean ‖·‖², less what chance gives. Photos of CIFAR-10 have less than 0.001, handwritten digits 0.05,
    whatever their colours.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
        Of any dtype and scale.
    """
    images = images.float()
    down = images[..., 1:, :] - images[..., :-1, :]
    across = images[..., :, 1:] - images[..., :, :-1]
    slant = (avg_pool2d(down, (1, 2), stride=1) * avg_pool2d(across, (2, 1), stride=1)).sum(1)
    slant = slant / slant.square().mean((1, 2), keepdim=True).sqrt().clamp(min=1e-20)  # 0 where an image is flat
    odd = (slant + slant.flip(-1)) / 2  # the mirror image has −slant.flip(-1)
    n, total = len(odd), odd.square().sum().item() / len(odd)
    common = odd.mean(0).square().sum().item() / total if total else 1.0
    return (common * n - 1) / (n - 1)


def mirrors(images: Tensor, max_asymmetry: float = MAX_ASYMMETRY) -> bool:
    """Return whether images (n, channels, height, width) look the same in a mirror, by `mirror_asymmetry`."""
    return len(images) >= MIN_IMAGES and mirror_asymmetry(images[:: -(-len(images) // MAX_IMAGES)]) < max_asymmetry
