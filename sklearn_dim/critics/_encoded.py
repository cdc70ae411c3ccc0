"""A critic whose anchors are encoded first."""

from torch import Tensor, nn

from sklearn_dim.critics._base import Critic


class EncodedAnchor(Critic):
    """T(encoder(a), b): anchors of any shape, such as images, are encoded once for all their pairs.

    Parameters
    ----------
    encoder : Module
        Anchors (R, ...) → features (R, a_features).
    critic : Critic
        Of those features.
    """

    def __init__(self, encoder: nn.Module, critic: Critic):
        super().__init__(critic.a_features, critic.b_features)
        self.encoder, self.critic = encoder, critic

    @property
    def rowwise(self) -> nn.Module:
        """The encoder, whose work is the larger part."""
        return self.encoder

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (R, M)."""
        return self.critic(self.encoder(a), b)
