"""The objective of `DIMTransformer`, built from its parameters, and the parameters of the paper."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from sklearn_dim.bounds import Bound, make_bound
from sklearn_dim.critics import Critic, make_critic
from sklearn_dim.encoders import (
    BagEncoder,
    Encoder,
    FoldedResNet,
    Layout,
    PatchEncoder,
    Standardized,
    TableEncoder,
    TokenEncoder,
    as_encoder,
    check_encoder,
    published_encoder,
    sequence_encoder,
)
from sklearn_dim.objectives import AdversarialPrior, Coordinates, DeepInfoMax
from sklearn_dim.views import (
    ColorJitter,
    Compose,
    DropValues,
    DropWords,
    Flip,
    MaskColumns,
    Occlude,
    ResampleFeatures,
    ResizedCrop,
    ShiftAndNoise,
    ShiftAndScale,
    mirrors,
)

_IMAGE_ENCODERS: dict[str, Callable[..., Encoder]] = {
    "auto": PatchEncoder,
    "paper": published_encoder,
    "resnet": FoldedResNet,
}


def build_deep_infomax(
    kind: str,
    sample_shape: tuple[int, ...],
    n_components: int,
    *,
    mi_estimator: str | Bound,
    weights: dict[str, float],
    prior: Any,
    occlusion: float,
    n_locations: int | None,
    n_global_vectors: int,
    encoder: Any,
    critic: Any,
    global_critic: Any,
    view: Callable[[Tensor], Tensor] | None,
    statistics: dict[str, Any],
) -> DeepInfoMax:
    """Return the objective for samples of a kind and shape.

    ``weights`` are those of the objective's terms, and ``statistics`` are keyword arguments of the encoder: a mean and
    a scale, or a vocabulary size and word weights. The other arguments are parameters of `DIMTransformer`.
    """
    network = make_network(encoder, kind, sample_shape, n_components, n_global_vectors, statistics)
    if kind == "image":
        # Convolutions are 10 to 25 % faster. torch's annotations lack this argument.
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    bound, layout = make_bound(mi_estimator), check_encoder(network, sample_shape, n_components)
    critics = make_critics(critic, global_critic, layout, weights)
    prior_term = make_prior(prior, n_components) if weights["prior"] else None
    coordinates = None
    if weights["coordinates"]:
        coordinates = Coordinates(n_components, layout.location_features, layout.grid)
    return DeepInfoMax(
        network if kind == "tokens" else Standardized(network, sample_shape, **statistics),
        bound,
        weights=weights,
        **critics,
        prior=prior_term,
        coordinates=coordinates,
        view=view,
        occlude=Occlude(occlusion) if occlusion else None,
        n_locations=n_locations,
    )


def make_network(
    encoder: Any,
    kind: str,
    sample_shape: tuple[int, ...],
    n_components: int,
    n_globals: int = 1,
    statistics: dict[str, Any] | None = None,
) -> Encoder:
    """Return the network for the parameter ``encoder``: a name, a module, which is copied, or a callable."""
    if n_globals > 1 and (kind != "image" or not isinstance(encoder, str)):
        raise ValueError(
            f"n_global_vectors={n_globals} needs images and an encoder given by name. Use 1, or pass image_shape; a "
            "module of your own may return a code of shape (n_samples, n_vectors, n_features)."
        )
    if isinstance(encoder, nn.Module):
        return as_encoder(copy.deepcopy(encoder).to("cpu", torch.float32))  # the net moves it to its device
    if callable(encoder):
        return as_encoder(encoder(sample_shape, n_components).to("cpu", torch.float32))
    if kind == "tokens":
        return TokenEncoder(n_components=n_components, **(statistics or {}))
    if kind == "image":
        return _IMAGE_ENCODERS[encoder](sample_shape, n_components, n_globals=n_globals)
    if encoder != "auto":
        what = "sequences" if kind == "sequence" else "plain rows"
        raise ValueError(f"encoder={encoder!r} is for images, but X has {what}. Pass image_shape, or encoder='auto'.")
    if kind == "sequence":
        return sequence_encoder(sample_shape, n_components)
    return (BagEncoder if kind == "bag" else TableEncoder)(sample_shape[0], n_components)


def make_view(
    augmentation: Any,
    kind: str,
    sample_shape: tuple[int, ...],
    some_images: Any = None,
    device: str | torch.device = "cpu",
    missing: tuple[np.ndarray, np.ndarray] | None = None,
) -> Callable[[Tensor], Tensor] | None:
    """Return the random view for the parameter ``augmentation``; "auto" depends on the kind of samples.

    ``missing`` are the arguments of `MaskColumns`, for a table whose columns are coded.
    """
    if augmentation is None:
        return None
    if augmentation != "auto":
        return _checked_view(augmentation, kind, sample_shape, device)
    if missing is not None:
        return MaskColumns(*missing)
    if kind != "image":
        return {
            "bag": DropValues, "sequence": ShiftAndScale, "table": ResampleFeatures, "tokens": DropWords,
        }[kind]()  # fmt: skip
    if sample_shape[0] != 3:
        return ShiftAndNoise()
    # Mirror images only if these look like their mirror images: a mirrored digit or letter is another or none.
    flip = [Flip()] if some_images is not None and mirrors(torch.tensor(some_images)) else []
    return Compose([ResizedCrop(), *flip, ColorJitter()])


def _checked_view(
    augmentation: Callable[[Tensor], Tensor], kind: str, sample_shape: tuple[int, ...], device: str | torch.device
) -> Callable[[Tensor], Tensor]:
    dtype = torch.int64 if kind == "tokens" else torch.float32
    shape = (2, *sample_shape)
    try:
        view = augmentation(torch.zeros(shape, dtype=dtype, device=device))
    except RuntimeError as error:
        if "device" not in str(error):
            raise
        raise ValueError(
            f"augmentation={augmentation!r} holds tensors on another device than the batch, which is on {device} "
            f"({error}). Move them there when it is called: .to(x.device)."
        ) from error
    if not isinstance(view, Tensor) or tuple(view.shape) != shape:
        is_tensor = isinstance(view, Tensor)
        returned = (
            f"a batch of shape {tuple(view.shape)} for one" if is_tensor else f"a {type(view).__name__} for a batch"
        )
        raise ValueError(
            f"augmentation={augmentation!r} returned {returned} of shape {shape}. Return a tensor of the same shape."
        )
    return augmentation


def make_critics(critic: Any, global_critic: Any, layout: Layout, weights: dict[str, float]) -> dict[str, Critic]:
    """Return the critics of those information terms whose weight is not 0."""
    critics: dict[str, Critic] = {}
    width = layout.location_features
    if weights["global"]:
        kind = critic if global_critic is None else global_critic
        critics["global_critic"] = make_critic(kind, layout.code_features, layout.n_locations * width)
    if weights["local"]:
        critics["local_critic"] = make_critic(critic, layout.code_features, width)
    return critics


def make_prior(prior: Any, n_components: int) -> nn.Module:
    """Return the term on the code for the parameter ``prior``."""
    known = isinstance(prior, str | Distribution)
    return AdversarialPrior(n_components, prior) if known else prior(n_components)


# Hjelm et al., ICLR 2019, section 4 and appendix A: DIM(L), DIM(G), DIM(L+G).
_PAPER: dict[str, Any] = {
    "augmentation": None,
    "encoder": "paper",
    "critic": "encode_and_dot",
    "global_critic": "concatenated",
    "prior": partial(AdversarialPrior, hidden=(1000, 200), penalty=0.0),
    "batch_size": 64,
    "learning_rate_init": 1e-4,
    "beta_1": 0.5,
    "representation": "code",
    "max_iter": 1000,
}
PUBLISHED = {
    "local": {**_PAPER, "global_weight": 0.0, "local_weight": 1.0, "prior_weight": 0.1},
    "global": {**_PAPER, "global_weight": 1.0, "local_weight": 0.0, "prior_weight": 1.0},
    "local+global": {**_PAPER, "global_weight": 0.5, "local_weight": 0.1, "prior_weight": 0.1},
}
