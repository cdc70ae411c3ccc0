"""Critics T(a, b): anchors (R, D) and candidates (M, E) in, a score table (R, M) out."""

from torch import nn

from sklearn_dim.critics._base import Critic, TwoCritics, mlp, score_tables, soft_clip, without_diagonal
from sklearn_dim.critics._bilinear import Bilinear
from sklearn_dim.critics._concatenated import Concatenated
from sklearn_dim.critics._corrected import CorrectedGaussian, Lift
from sklearn_dim.critics._encoded import EncodedAnchor
from sklearn_dim.critics._gaussian import Gaussian
from sklearn_dim.critics._group import GroupDiscrimination
from sklearn_dim.critics._separable import EncodeAndDot, Separable
from sklearn_dim.critics._stacked import MOST_FEATURES, StackedCritic, wave_features

CRITICS = {
    "separable": Separable,
    "encode_and_dot": EncodeAndDot,
    "concatenated": Concatenated,
    "bilinear": Bilinear,
    "gaussian": CorrectedGaussian,
}


def make_critic(critic, a_features: int, b_features: int, *, second: bool = False) -> nn.Module:
    """Return a critic from a name of `CRITICS` or a function (a_features, b_features) → module; two with ``second``."""
    factory = CRITICS[critic] if isinstance(critic, str) else critic
    first = factory(a_features, b_features)
    return TwoCritics(first) if second else first


__all__ = [
    "CRITICS",
    "Bilinear",
    "Concatenated",
    "CorrectedGaussian",
    "Critic",
    "EncodeAndDot",
    "EncodedAnchor",
    "Gaussian",
    "GroupDiscrimination",
    "Lift",
    "MOST_FEATURES",
    "Separable",
    "StackedCritic",
    "TwoCritics",
    "make_critic",
    "mlp",
    "score_tables",
    "soft_clip",
    "wave_features",
    "without_diagonal",
]
