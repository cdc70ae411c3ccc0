"""The bilinear critic, T(a, b) = bᵀ W a + c: the discriminator of Deep Graph Infomax."""

import torch
from torch import Tensor, nn

from sklearn_dim._arguments import checked
from sklearn_dim.critics._base import Critic, soft_clip


@checked(a_features="[1, inf)", b_features="[1, inf)", clip="(0, inf)")
class Bilinear(Critic):
    """bᵀ W a + c (Veličković et al., ICLR 2019, section 4.2).

    W is initialised Glorot-uniform as in the paper's code, where it is a stack of one matrix: the fan-in is the number
    of products in a score, a_features · b_features, and the fan-out is 1. So W starts small. With the fans of a plain
    matrix Deep Graph Infomax stops later, its embeddings are twice as long, and accuracy on Citeseer is one or two
    points lower.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.
    clip : float or None, default=None
        Scores lie within ±clip; None leaves them free.
    """

    def __init__(self, a_features: int, b_features: int, *, clip: float | None = None):
        super().__init__(a_features, b_features)
        self.clip = clip
        self.weight = nn.Parameter(torch.empty(b_features, a_features))
        self.bias = nn.Parameter(torch.zeros(()))
        nn.init.xavier_uniform_(self.weight[None])

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        # W a first: one vector per anchor, then one product with each candidate.
        return soft_clip(a @ self.weight.T @ b.mT + self.bias, self.clip)

    def direction(self, a: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return W a and c, unless scores are clipped."""
        return (a @ self.weight.T, self.bias) if self.clip is None else None
