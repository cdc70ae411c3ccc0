"""The cosine critic, T(a, b) = cos(a, b)/τ: what contrastive learning compares two views by."""

from torch import Tensor
from torch.nn.functional import normalize

from sklearn_dim._arguments import checked
from sklearn_dim.critics._base import Critic


@checked(a_features="[1, inf)", b_features="[1, inf)", temperature="(0, inf)")
class Cosine(Critic):
    """cos(a, b)/τ, without weights of its own (Chen et al., ICML 2020, eq. 1).

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate, which are equal.
    temperature : float, default=0.5
        τ: scores lie within ±1/τ.

    Raises
    ------
    ValueError
        If the two widths differ.
    """

    def __init__(self, a_features: int, b_features: int, *, temperature: float = 0.5):
        super().__init__(a_features, b_features)
        if a_features != b_features:
            raise ValueError(
                f"critic='cosine' compares vectors of one width, but these have {a_features} and {b_features} columns. "
                "Use critic='separable', which maps both to a common space."
            )
        self.temperature = temperature

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        scaled = normalize(a, dim=-1) / self.temperature  # before the product: the table is larger than its factors
        return scaled @ normalize(b, dim=-1).mT
