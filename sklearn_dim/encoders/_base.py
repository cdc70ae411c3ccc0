"""What an encoder is: the protocols, the wrapper of a user's module, and the standardising of its input."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Encoded(NamedTuple):
    """What an encoder returns for a batch of n samples.

    Attributes
    ----------
    locations : Tensor of shape (n, n_locations, location_features)
        Local features, one row per location (``representation="conv"``, flattened).
    fc : Tensor of shape (n, fc_features)
        The last hidden layer (``representation="fc"``).
    code : Tensor of shape (n, n_components) or (n, n_vectors, code_features)
        The representation (``representation="code"``), one vector per sample or several.
    hidden : tuple of Tensor of shape (n, channels, ...), default=()
        What the hidden layers say, for ``representation="auto"``. Not needed in training.
    fixed : Tensor of shape (n, n_features) or None, default=None
        Features that need no training, if the encoder stands on them.
    """

    locations: Tensor
    fc: Tensor
    code: Tensor
    hidden: tuple[Tensor, ...] = ()
    fixed: Tensor | None = None

    def layers(self) -> tuple[Tensor, ...]:
        """Return the hidden layers, or if the encoder does not give them, the locations and the last of them."""
        return self.hidden or (self.locations.transpose(1, 2), self.fc)

    @classmethod
    def of(cls, output: Any) -> "Encoded":
        """Return a network's output, (locations, fc, code) or (locations, code), as an `Encoded`."""
        return cls(*output) if len(output) == 3 else cls(output[0], output[1], output[1])


class Encoder(nn.Module):
    """The protocol of an encoder: ``forward(x)`` maps a standardised batch to `Encoded`.

    Any module with such a ``forward`` will do as a parameter ``encoder``. A subclass can say more about itself.

    Attributes
    ----------
    takes_sparse : bool, default=False
        Whether a batch may be a sparse COO tensor.
    location_shape : tuple of int or None, default=None
        Shape (location_features, …) of a sample's feature map, flattened to its locations: (channels, height, width)
        for an image. None if the locations have no order.
    """

    takes_sparse: bool = False
    location_shape: tuple[int, ...] | None = None

    @property
    def grid(self) -> tuple[int, ...] | None:
        """Number of locations along each axis of the feature map, or None if the locations have no order."""
        return None if self.location_shape is None else self.location_shape[1:]

    @property
    def name(self) -> str:
        """What messages call this encoder."""
        return type(self).__name__

    def forward(self, x: Tensor) -> Encoded:
        """Encode a standardised batch, ``(n, *sample_shape)``."""
        raise NotImplementedError(f"{self.name} has no forward(x) that returns an Encoded.")


class UserEncoder(Encoder):
    """A user's module as an `Encoder`.

    Parameters
    ----------
    network : Module
        Maps a standardised batch to (locations, code) or (locations, fc, code). It may have the attributes
        ``takes_sparse`` and ``location_shape`` of an `Encoder`.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        # By name, as a module of the user's need not be one of our classes.
        self.takes_sparse = bool(getattr(network, "takes_sparse", False))
        shape = getattr(network, "location_shape", None)
        self.location_shape = None if shape is None else tuple(shape)

    @property
    def name(self) -> str:
        """What messages call this encoder: the user's class."""
        return type(self.network).__name__

    def forward(self, x: Tensor) -> Encoded:
        """Encode a standardised batch, ``(n, *sample_shape)``."""
        output = self.network(x)
        if not isinstance(output, tuple | list) or len(output) not in (2, 3):
            raise ValueError(
                "the encoder must return (locations (n, L, C), code (n, n_components)), optionally with fc (n, F) "
                f"between them; {self.name} does not (it returned a {type(output).__name__})."
            )
        return Encoded.of(output)


class SampleEncoder(Encoder):
    """The protocol of the encoder in `sklearn_dim.objectives.DeepInfoMax`: it takes raw samples.

    It standardises a batch, and then encodes it or a random view of it.

    Attributes
    ----------
    core : Module
        The trainable network inside, by default the module itself. It is what ``compile=True`` compiles, and what
        `sklearn_dim.training.data_parallel` calls with a fraction of the rows in each process. So its output for a row
        may depend on other rows by batch normalisation only.
    """

    @property
    def core(self) -> Encoder:
        """The trainable network inside."""
        return self

    def standardize(self, x: Tensor) -> Tensor:
        """Return raw samples as the network takes them; by default as they are."""
        return x

    def forward(self, x: Tensor, view: Callable[[Tensor], Tensor] | None = None) -> Encoded:
        """Encode raw samples ``(n, *sample_shape)``, or a view of them: a function of the standardised batch."""
        raise NotImplementedError(f"{self.name} has no forward(x, view=None) that returns an Encoded.")


class Standardized(SampleEncoder):
    """An encoder that standardises its input: each channel of images and sequences, each column of tables.

    Sparse rows are only converted to float32: the values of a column keep their scale, and zeros stay zeros.

    Parameters
    ----------
    network : Module
        Maps a batch of zero mean and unit variance to `Encoded`, or to (locations, code).
    shape : tuple of int
        Shape of one sample. Each index of the first axis, a channel or a column, has a mean and a scale.
    mean, scale : array-like of shape (shape[0],), default=None
        What is subtracted, and what the difference is divided by; by default 0 and 1.
    """

    network: Encoder
    mean: Tensor
    scale: Tensor

    def __init__(self, network: nn.Module, shape: tuple[int, ...], mean: Any = None, scale: Any = None):
        super().__init__()
        self.network = as_encoder(network)
        self.takes_sparse = self.network.takes_sparse
        self.location_shape = self.network.location_shape
        per_channel = (shape[0], *[1] * (len(shape) - 1))
        self.register_buffer("mean", _filled(torch.zeros(per_channel), mean))
        self.register_buffer("scale", _filled(torch.ones(per_channel), scale))

    @property
    def core(self) -> Encoder:
        """The network that encodes the standardised batch."""
        return self.network

    def standardize(self, x: Tensor) -> Tensor:
        """Return a batch of any dtype with zero mean and unit variance, or as a sparse tensor if the network takes one.

        Sparse tensors are float32, with the values they came with.
        """
        if self.takes_sparse:
            x = x if x.is_sparse else x.to_sparse()
            return x.to(self.scale.dtype)
        return (x.to(self.mean.dtype) - self.mean) / self.scale

    def forward(self, x: Tensor, view: Callable[[Tensor], Tensor] | None = None) -> Encoded:
        """Encode raw samples ``(n, *sample_shape)``, or a view of them: a function of the standardised batch."""
        x = self.standardize(x)
        return self.network(x if view is None else view(x))


class Layout(NamedTuple):
    """Sizes of an encoder's output for one sample.

    Attributes
    ----------
    n_locations, location_features : int
    code_features : int
        Width of a code vector: n_components, or a part of it if there are several vectors.
    grid : tuple of int
        Number of locations along each axis of the feature map.
    """

    n_locations: int
    location_features: int
    code_features: int
    grid: tuple[int, ...]


def as_encoder(network: nn.Module) -> Encoder:
    """Return an `Encoder` as it is, and any other module as a `UserEncoder`."""
    return network if isinstance(network, Encoder) else UserEncoder(network)


def check_encoder(network: nn.Module, sample_shape: tuple[int, ...], n_components: int) -> Layout:
    """Call a network on two samples of zeros and return the sizes of its output.

    Parameters
    ----------
    network : Module
        An `Encoder` or a user's module; it is left in eval mode.
    sample_shape : tuple of int
    n_components : int
        Size that the code of a sample should have, over all of its vectors.

    Raises
    ------
    ValueError
        If the output is not what an encoder returns, or its code has another width.
    """
    encoder = as_encoder(network).eval()
    with torch.no_grad():
        encoded = encoder(torch.zeros(2, *sample_shape))
    try:
        n_locations, width = encoded.locations.shape[1:]
        fits = encoded.locations.shape[0] == 2 and encoded.code.flatten(1).shape == (2, n_components)
    except (TypeError, ValueError, AttributeError):  # not tensors, or of other numbers of axes
        fits = False
    if not fits:
        raise ValueError(
            f"the encoder must map (n, {', '.join(map(str, sample_shape))}) to (locations (n, L, C), code (n, "
            f"{n_components})), optionally with fc (n, F) between them; {encoder.name} does not. "
            f"Give its code n_components={n_components} units and its locations three axes."
        )
    grid = encoder.grid
    if not grid or math.prod(grid) != n_locations:
        grid = (n_locations,)
    return Layout(n_locations, width, encoded.code.shape[-1], grid)


def batch_normed(layer: nn.Module, width: int, norm: type[nn.Module]) -> nn.Sequential:
    """Return layer → BatchNorm → ReLU, the block of the published encoders."""
    return nn.Sequential(layer, norm(width), nn.ReLU())


def _filled(buffer: Tensor, values: Any) -> Tensor:
    """Return a buffer with these values, in its shape and type; None leaves it as it is."""
    return buffer if values is None else buffer.copy_(torch.tensor(values).view_as(buffer))
