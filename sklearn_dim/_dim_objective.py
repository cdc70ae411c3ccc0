"""How `DIMTransformer` makes its objective from its parameters, and which parameters the paper's are."""

from functools import partial
from types import SimpleNamespace

import torch
from torch.distributions import Distribution

from sklearn_dim.bounds import make_bound
from sklearn_dim.critics import make_critic
from sklearn_dim.encoders import Layout, Standardized, check_encoder, make_encoder
from sklearn_dim.objectives import AdversarialPrior, Coordinates, DeepInfoMax
from sklearn_dim.views import Occlude

OBJECTIVE_PARAMETERS = (
    "mi_estimator",
    "global_weight",
    "local_weight",
    "prior_weight",
    "prior",
    "coordinate_weight",
    "occlusion",
    "n_locations",
    "n_global_vectors",
    "encoder",
    "critic",
    "global_critic",
    "augmentation",
)


def build_deep_infomax(kind, sample_shape, n_components, *, vocabulary_size=None, **parameters) -> DeepInfoMax:
    """Wire an objective for samples of a kind and shape from `OBJECTIVE_PARAMETERS`, the view made already."""
    given = SimpleNamespace(**parameters)
    options = {"n_globals": given.n_global_vectors, "vocabulary_size": vocabulary_size}
    network = make_encoder(given.encoder, kind, sample_shape, n_components, **options)
    if kind == "image":
        network = network.to(memory_format=torch.channels_last)  # convolutions are a tenth to a quarter faster
    bound, layout = make_bound(given.mi_estimator), check_encoder(network, sample_shape, n_components)
    return DeepInfoMax(
        network if kind == "tokens" else Standardized(network, sample_shape),
        bound,
        weights={
            "global": given.global_weight,
            "local": given.local_weight,
            "prior": given.prior_weight,
            "coordinates": given.coordinate_weight,
        },
        **_critics(given, layout),
        prior=_make_prior(given.prior, n_components) if given.prior_weight else None,
        coordinates=Coordinates(n_components, layout.location_features, layout.grid)
        if given.coordinate_weight
        else None,
        view=given.view,
        occlude=Occlude(given.occlusion) if given.occlusion else None,
        n_locations=given.n_locations,
    )


def _critics(given, layout: Layout) -> dict:
    """Return the critics of the information terms that have a weight."""
    critics, width = {}, layout.location_features
    if given.global_weight:
        kind = given.critic if given.global_critic is None else given.global_critic
        whole = layout.n_locations * width
        critics["global_critic"] = make_critic(kind, layout.code_features, whole)
    if given.local_weight:
        critics["local_critic"] = make_critic(given.critic, layout.code_features, width)
    return critics


def _make_prior(prior, n_components):
    """Return the term on the code that ``prior`` stands for."""
    known = isinstance(prior, str | Distribution)
    return AdversarialPrior(n_components, prior) if known else prior(n_components)


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
# Hjelm et al., ICLR 2019, section 4 and appendix A: DIM(L), DIM(G), DIM(L+G).
PUBLISHED = {
    "local": {**_PAPER, "global_weight": 0.0, "local_weight": 1.0, "prior_weight": 0.1},
    "global": {**_PAPER, "global_weight": 1.0, "local_weight": 0.0, "prior_weight": 1.0},
    "local+global": {**_PAPER, "global_weight": 0.5, "local_weight": 0.1, "prior_weight": 0.1},
}
