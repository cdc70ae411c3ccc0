"""The concatenated critic, T(a, b) = MLP([a, b]): the concat-and-convolve of Deep InfoMax."""

from collections.abc import Sequence

from torch import Tensor, nn

from sklearn_dim._arguments import checked
from sklearn_dim.critics._base import Critic, mlp, soft_clip


@checked(a_features="[1, inf)", b_features="[1, inf)", hidden="[1, inf)", clip="(0, inf)")
class Concatenated(Critic):
    """An MLP on the joined pair, run for every pair: it can learn any interaction, and takes N·M passes.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate.
    hidden : sequence of int, default=(512, 512)
        Hidden ReLU layers (the paper's 512-512-1).
    clip : float or None, default=10.0
        Scores lie within ±clip; None leaves them free.
    """

    pairwise = True

    def __init__(
        self, a_features: int, b_features: int, *, hidden: Sequence[int] = (512, 512), clip: float | None = 10.0
    ):
        super().__init__(a_features, b_features)
        self.clip = clip
        # The first layer of the joined pair is a sum: each half is computed once per row, not once per pair.
        if not hidden:
            raise ValueError("hidden=() leaves no layer in which the two sides meet. Give one width at least.")
        self.a = nn.Linear(a_features, hidden[0])
        self.b = nn.Linear(b_features, hidden[0], bias=False)
        self.rest = nn.Sequential(nn.ReLU(), mlp([*hidden, 1]))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        pairs = self.a(a).unsqueeze(-2) + self.b(b).unsqueeze(-3)
        return soft_clip(self.rest(pairs).squeeze(-1), self.clip)
