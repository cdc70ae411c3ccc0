"""Group discrimination, T(a, b) = w·b + c: Deep Graph Infomax without its summary (Zheng et al., NeurIPS 2022)."""

import torch
from torch import Tensor, nn

from sklearn_dim._arguments import checked
from sklearn_dim.critics._base import Critic


@checked(a_features="[1, inf)", b_features="[1, inf)")
class GroupDiscrimination(Critic):
    """w·b + c whatever the anchor, w Glorot-uniform.

    It tells candidates of one kind from those of another (nodes of a graph from nodes of its corrupted graph), which is
    what remains of the bilinear critic when all anchors are the same. It does not estimate I(A; B).

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.
    """

    def __init__(self, a_features: int, b_features: int):
        super().__init__(a_features, b_features)
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, b_features)))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        return (self.weight @ b.mT + self.bias).expand(len(a), -1)

    def direction(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """Return w and c."""
        return self.weight.expand(len(a), -1), self.bias
