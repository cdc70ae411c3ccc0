"""Critics T(a, b): anchors (R, D) and candidates (M, E) in, a score table (R, M) out."""

from sklearn_dim.critics._base import Critic, score_tables, without_diagonal
from sklearn_dim.critics._bilinear import Bilinear
from sklearn_dim.critics._concatenated import Concatenated
from sklearn_dim.critics._gaussian import CorrectedGaussian, Gaussian
from sklearn_dim.critics._separable import EncodeAndDot, Separable
from sklearn_dim.critics._stacked import MOST_FEATURES, StackedCritic, wave_features

CRITICS = {
    "separable": Separable,
    "encode_and_dot": EncodeAndDot,
    "concatenated": Concatenated,
    "bilinear": Bilinear,
    "gaussian": CorrectedGaussian,
}


def make_critic(critic, a_features: int, b_features: int) -> Critic:
    """Return a critic from a name of `CRITICS` or a function (a_features, b_features) → module."""
    factory = CRITICS[critic] if isinstance(critic, str) else critic
    return factory(a_features, b_features)


__all__ = [
    "CRITICS",
    "Bilinear",
    "Concatenated",
    "CorrectedGaussian",
    "Critic",
    "EncodeAndDot",
    "Gaussian",
    "MOST_FEATURES",
    "Separable",
    "StackedCritic",
    "make_critic",
    "score_tables",
    "wave_features",
    "without_diagonal",
]
