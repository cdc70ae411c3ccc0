"""The information of paired rows: MINE."""

from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import score_tables


class PairInformation(nn.Module):
    """I(X; Y) of rows (x, y): a sample's own pair is joint, all pairs of two samples are independent.

    Parameters
    ----------
    critic : Module
        T(x, y), all pairs at once.
    bound : Bound
    """

    def __init__(self, critic: nn.Module, bound: Bound):
        super().__init__()
        self.critic = critic
        self.bound = bound

    def tables(self, batch) -> tuple[Tensor, Tensor]:
        """Return joint scores (n, 1) and independent scores (n, n − 1)."""
        x, y = batch
        return score_tables(self.critic, x, y[:, None, :])

    def forward(self, batch) -> dict[str, Tensor]:
        return {"information": -self.bound.objective(*self.tables(batch))}

    def mutual_info(self, batch) -> Tensor:
        """Return the batch's value in nats."""
        return self.bound.value(*self.tables(batch))
