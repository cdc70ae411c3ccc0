"""Critics T(a, b): anchors (R, D) and candidates (M, E) in, a score table (R, M) out."""

from sklearn_dim.critics._base import (
    CRITICS,
    ClosedForm,
    Critic,
    SplitDiagonal,
    UserCritic,
    anchors_of,
    make_critic,
    mlp,
    score_tables,
    soft_clip,
    start_at_zero,
    without_diagonal,
)
from sklearn_dim.critics._bilinear import Bilinear
from sklearn_dim.critics._classes import Classes, is_one_hot
from sklearn_dim.critics._concatenated import Concatenated
from sklearn_dim.critics._corrected import Corrected, FeatureMap
from sklearn_dim.critics._cosine import Cosine
from sklearn_dim.critics._encoded import EncodedAnchor
from sklearn_dim.critics._gaussian import Gaussian
from sklearn_dim.critics._group import GroupDiscrimination
from sklearn_dim.critics._separable import EncodeAndDot, Separable
from sklearn_dim.critics._stacked import MAX_FEATURES, StackedCritic, fourier_features
from sklearn_dim.critics._student import Student

CRITICS |= {
    "separable": Separable,
    "encode_and_dot": EncodeAndDot,
    "concatenated": Concatenated,
    "bilinear": Bilinear,
    "gaussian": Corrected,
}

CorrectedGaussian, Lift, wave_features = Corrected, FeatureMap, fourier_features  # names of version 0.1

# For users; what else is imported above is for the objectives.
__all__ = [
    "CRITICS",
    "Bilinear",
    "Concatenated",
    "Corrected",
    "Cosine",
    "Critic",
    "EncodeAndDot",
    "GroupDiscrimination",
    "Separable",
]
