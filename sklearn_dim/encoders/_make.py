"""From a parameter ``encoder`` to an `Encoder`."""

import copy
from collections.abc import Callable

from torch import nn

from sklearn_dim.encoders._bags import BagEncoder
from sklearn_dim.encoders._base import Encoder, as_encoder
from sklearn_dim.encoders._images import image_encoder, published_encoder
from sklearn_dim.encoders._resnet import FoldedResNet
from sklearn_dim.encoders._sequences import sequence_encoder
from sklearn_dim.encoders._tables import TableEncoder
from sklearn_dim.encoders._tokens import TokenEncoder

IMAGE_ENCODERS: dict[str, Callable[..., Encoder]] = {
    "auto": image_encoder,
    "paper": published_encoder,
    "resnet": FoldedResNet,
}


def make_encoder(
    encoder: str | nn.Module | Callable,
    kind: str,
    sample_shape: tuple[int, ...],
    n_components: int,
    *,
    n_globals: int = 1,
    vocabulary_size: int = 0,
    word_weight=None,
) -> Encoder:
    """Return the encoder that a name, a module (of which it is a copy) or a function stands for.

    Parameters
    ----------
    encoder : str, Module or callable (sample_shape, n_components) → module
    kind : {"table", "bag", "tokens", "sequence", "image"}
        What the samples are; a bag is a sparse row.
    sample_shape : tuple of int
    n_components : int
    n_globals : int, default=1
        Code vectors per image.
    vocabulary_size, word_weight
        Of tokens, see `TokenEncoder`.

    Raises
    ------
    ValueError
        If the name is not for this kind of samples, or ``n_globals`` is more than 1 for anything but images.
    """
    if n_globals > 1 and (kind != "image" or not isinstance(encoder, str)):
        raise ValueError(
            f"n_global_vectors={n_globals} is for images and encoders by name. Pass image_shape, or 1; "
            "a module of your own may return codes of three axes, (n, vectors, features)."
        )
    if isinstance(encoder, nn.Module):
        return as_encoder(copy.deepcopy(encoder))
    if callable(encoder):
        return as_encoder(encoder(sample_shape, n_components))
    if kind == "tokens":
        return TokenEncoder(vocabulary_size, n_components, weight=word_weight)
    if kind == "image":
        return IMAGE_ENCODERS[encoder](sample_shape, n_components, n_globals=n_globals)
    if encoder != "auto":
        what = "sequences" if kind == "sequence" else "plain rows"
        raise ValueError(f"encoder={encoder!r} is for images; X has {what}. Pass image_shape, or encoder='auto'.")
    if kind == "sequence":
        return sequence_encoder(sample_shape, n_components)
    return (BagEncoder if kind == "bag" else TableEncoder)(sample_shape[0], n_components)
