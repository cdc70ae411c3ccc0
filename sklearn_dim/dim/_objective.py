"""How `DIMTransformer` makes its objective from its parameters, and which parameters the paper's are."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.distributions import Distribution

from sklearn_dim.bounds import make_bound
from sklearn_dim.critics import make_critic
from sklearn_dim.encoders import (
    BagEncoder,
    FoldedResNet,
    Layout,
    Standardized,
    TableEncoder,
    TokenEncoder,
    as_encoder,
    check_encoder,
    image_encoder,
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
    Occlude,
    ResampleFeatures,
    ResizedCrop,
    ShiftAndNoise,
    ShiftAndScale,
    mirrors,
)


def build_deep_infomax(
    kind,
    sample_shape,
    n_components,
    *,
    mi_estimator,
    weights,
    prior,
    occlusion,
    n_locations,
    n_global_vectors,
    encoder,
    critic,
    global_critic,
    view,
    statistics,
) -> DeepInfoMax:
    """Wire an objective for samples of a kind and shape.

    ``weights`` are those of the terms, ``view`` is made already, and ``statistics`` are keyword arguments of the
    encoder: mean and scale, or a vocabulary with the weights of its words. The rest are `DIMTransformer`'s parameters.
    """
    network = make_network(encoder, kind, sample_shape, n_components, n_global_vectors, statistics)
    if kind == "image":
        # Convolutions are a tenth to a quarter faster.
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    bound, layout = make_bound(mi_estimator), check_encoder(network, sample_shape, n_components)
    critics = make_critics(critic, global_critic, layout, weights)
    return DeepInfoMax(
        network if kind == "tokens" else Standardized(network, sample_shape, **statistics),
        bound,
        weights=weights,
        **critics,
        prior=make_prior(prior, n_components) if weights["prior"] else None,
        coordinates=Coordinates(n_components, layout.location_features, layout.grid)
        if weights["coordinates"]
        else None,
        view=view,
        occlude=Occlude(occlusion) if occlusion else None,
        n_locations=n_locations,
    )


def make_network(encoder, kind, sample_shape, n_components, n_globals=1, statistics=None) -> nn.Module:
    """Return the network that ``encoder`` stands for: one by name, a copy of a module, or what a function makes."""
    if n_globals > 1 and (kind != "image" or not isinstance(encoder, str)):
        raise ValueError(
            f"n_global_vectors={n_globals} is for images and encoders by name. Pass image_shape, or 1; "
            "a module of your own may return codes of three axes, (n, vectors, features)."
        )
    if isinstance(encoder, nn.Module):
        return as_encoder(copy.deepcopy(encoder).cpu())  # the net moves it to its device
    if callable(encoder):
        return as_encoder(encoder(sample_shape, n_components).cpu())
    if kind == "tokens":
        return TokenEncoder(n_components=n_components, **statistics)
    if kind == "image":
        named: dict[str, Callable] = {"auto": image_encoder, "paper": published_encoder, "resnet": FoldedResNet}
        return named[encoder](sample_shape, n_components, n_globals=n_globals)
    if encoder != "auto":
        what = "sequences" if kind == "sequence" else "plain rows"
        raise ValueError(f"encoder={encoder!r} is for images; X has {what}. Pass image_shape, or encoder='auto'.")
    if kind == "sequence":
        return sequence_encoder(sample_shape, n_components)
    return {"bag": BagEncoder, "table": TableEncoder}[kind](sample_shape[0], n_components)


def make_view(augmentation, kind, sample_shape, some_images=None, device="cpu"):
    """Return the view that ``augmentation`` stands for; "auto" goes by the kind of samples, and by some images."""
    if augmentation is None:
        return None
    if augmentation != "auto":
        return _checked_view(augmentation, kind, sample_shape, device)
    if kind != "image":
        return {
            "bag": DropValues, "sequence": ShiftAndScale, "table": ResampleFeatures, "tokens": DropWords,
        }[kind]()  # fmt: skip
    if sample_shape[0] != 3:
        return ShiftAndNoise()
    # Images are mirrored only where left and right look alike.
    flip = [Flip()] if some_images is not None and mirrors(torch.tensor(some_images)) else []
    return Compose([ResizedCrop(), *flip, ColorJitter()])


def _checked_view(augmentation, kind, sample_shape, device):
    dtype = torch.int64 if kind == "tokens" else torch.float32
    shape = tuple(augmentation(torch.zeros(2, *sample_shape, dtype=dtype, device=device)).shape)
    if shape != (2, *sample_shape):
        raise ValueError(
            f"augmentation={augmentation!r} makes a batch of shape {shape} of one of shape {(2, *sample_shape)}; a "
            "view keeps the shape."
        )
    return augmentation


def make_critics(critic, global_critic, layout: Layout, weights: dict[str, float]) -> dict[str, Any]:
    """Return the critics of the information terms that have a weight."""
    critics, width = {}, layout.location_features
    if weights["global"]:
        kind = critic if global_critic is None else global_critic
        critics["global_critic"] = make_critic(kind, layout.code_features, layout.n_locations * width)
    if weights["local"]:
        critics["local_critic"] = make_critic(critic, layout.code_features, width)
    return critics


def make_prior(prior, n_components) -> nn.Module:
    """Return the term on the code that ``prior`` stands for."""
    known = isinstance(prior, str | Distribution)
    return AdversarialPrior(n_components, prior) if known else prior(n_components)


# Hjelm et al., ICLR 2019, section 4 and appendix A: DIM(L), DIM(G), DIM(L+G).
_PAPER = {
    "augmentation": None,
    "encoder": "paper",
    "critic": "encode_and_dot",
    "global_critic": "concatenated",
    "prior": partial(AdversarialPrior, hidden=(1000, 200), penalty=0.0),
    "batch_size": 64,
    "learning_rate_init": 1e-4,
    "beta_1": 0.5,
    "max_iter": 1000,
}
PUBLISHED = {
    "local": {**_PAPER, "global_weight": 0.0, "local_weight": 1.0, "prior_weight": 0.1},
    "global": {**_PAPER, "global_weight": 1.0, "local_weight": 0.0, "prior_weight": 1.0},
    "local+global": {**_PAPER, "global_weight": 0.5, "local_weight": 0.1, "prior_weight": 0.1},
}
