"""The concatenated critic, T(a, b) = MLP([a, b]): the concat-and-convolve of Deep InfoMax."""

from typing import ClassVar

from torch import Tensor, nn

from sklearn_dim.critics._base import Critic, mlp, soft_clip


class Concatenated(Critic):
    """An MLP on the joined pair, run for every pair: sees any interaction, costs N·M passes.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.
    hidden : sequence of int, default=(512, 512)
        Hidden ReLU layers (the paper's 512-512-1).
    clip : float or None, default=10.0
        Scores lie within ±clip; None leaves them free.
    """

    pairwise: ClassVar[bool] = True

    def __init__(self, a_features, b_features, *, hidden=(512, 512), clip=10.0):
        super().__init__(a_features, b_features)
        self.clip = clip
        # The first layer of the joined pair is a sum: its two halves are computed once a row, not once a pair.
        self.a = nn.Linear(a_features, hidden[0])
        self.b = nn.Linear(b_features, hidden[0], bias=False)
        self.rest = nn.Sequential(nn.ReLU(), mlp([*hidden, 1]))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        pairs = self.a(a).unsqueeze(-2) + self.b(b).unsqueeze(-3)
        return soft_clip(self.rest(pairs).squeeze(-1), self.clip)
