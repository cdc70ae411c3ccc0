"""Total correlation: rows against rows whose components come from different samples."""

import math

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import mlp, soft_clip


class TotalCorrelation(nn.Module):
    """KL(p(z) ‖ Π p(zᵢ)) of rows z whose components are standard normal one by one.

    For any density g it is E_p[log g/Πp(zᵢ)] + KL(p ‖ g). With g the Gaussian of the rows' own correlations the first
    term is closed, and a network has to find only the second, which is zero for Gaussian rows. Rows of g are rows with
    their columns shuffled one by one, then coloured. Neither term needs the e^TC samples that bare shuffles would.
    With uncorrelated components g = Πp(zᵢ), which is the dependency measure of Hjelm et al. (ICLR 2019) itself.

    Parameters
    ----------
    n_components : int
    bound : Bound
        Trains the network.
    hidden : sequence of int, default=(128, 128)
        The network's ReLU layers.
    shuffles : int, default=4
        Shuffled rows a row in a training step.
    valued_against : int, default=4096
        Least number of shuffled rows against which a batch is valued.
    clip : float, default=10.0
        The network's scores lie within ±clip nats.
    """

    def __init__(
        self, n_components: int, bound: Bound, *, hidden=(128, 128), shuffles=4, valued_against=4096, clip=10.0
    ):
        super().__init__()
        self.bound = bound
        self.shuffles, self.valued_against, self.clip = shuffles, valued_against, clip
        self.closed_form = GaussianCopula(n_components)
        self.correction = mlp([2 * n_components, *hidden, 1])
        nn.init.zeros_(self.correction[-1].weight)
        nn.init.zeros_(self.correction[-1].bias)

    def forward(self, batch) -> dict[str, Tensor]:
        """Return the loss of a batch (z,)."""
        return {"total_correlation": -self.bound.objective(*self.tables(batch[0], self.shuffles))}

    def mutual_info(self, batch) -> Tensor:
        """Return the batch's value in nats."""
        z = batch[0]
        shuffles = max(self.shuffles, -(-self.valued_against // len(z)))
        return self.closed_form(z).mean() + self.bound.value(*self.tables(z, shuffles))

    def tables(self, z: Tensor, shuffles: int) -> tuple[Tensor, Tensor]:
        """Return the network's scores of the rows (1, n) and of rows of g (1, n · shuffles)."""
        return self._score(z), self._score(self.closed_form.colour(shuffle_columns(z, shuffles)))

    def _score(self, z: Tensor) -> Tensor:
        # Components that swing together without correlating show in their squares: a start for wide codes.
        features = torch.cat([z, (z.square() - 1) / math.sqrt(2)], 1)
        return soft_clip(self.correction(features).T, self.clip)


class GaussianCopula(nn.Module):
    """log g(z)/Π φ(zᵢ) of standard normal components with correlations R: ½ zᵀ(I − R⁻¹)z − ½ log det R.

    Its mean over Gaussian rows is −½ log det R.
    """

    def __init__(self, n_components: int):
        super().__init__()
        self.register_buffer("root", torch.eye(n_components))
        self.register_buffer("whiten", torch.eye(n_components))
        self.register_buffer("constant", torch.zeros(()))

    @torch.no_grad()
    def fit(self, z: Tensor) -> "GaussianCopula":
        """Set R from rows z (n, n_components), shrunk to I as far as serves rows unseen."""
        z = z.cpu().double()
        root = torch.linalg.cholesky(_correlation(z, _shrinkage(z)))
        self.root.copy_(root)
        self.whiten.copy_(torch.linalg.inv(root))
        self.constant.copy_(-root.diagonal().log().sum())
        return self

    def forward(self, z: Tensor) -> Tensor:
        """Return the log-ratio of each row (n,)."""
        return 0.5 * (z.square() - (z @ self.whiten.T).square()).sum(1) + self.constant

    def colour(self, z: Tensor) -> Tensor:
        """Return independent standard normal columns as rows of g."""
        return z @ self.root.T


def _correlation(z: Tensor, share: float) -> Tensor:
    """Return the correlations of z, shrunk by a share to none."""
    d = z.shape[1]
    return (1 - share) * torch.corrcoef(z.T).reshape(d, d) + share * torch.eye(d, dtype=z.dtype)


def _shrinkage(z: Tensor, folds: int = 4) -> float:
    """Return the share, from 1e-6 to 1, that says most of rows which it was not fitted on."""
    shares = torch.logspace(-6, 0, 13).tolist()
    fold = torch.arange(len(z)) % folds
    gains = [sum(_gain(_correlation(z[fold != k], share), z[fold == k]) for k in range(folds)) for share in shares]
    return shares[int(torch.stack(gains).argmax())]


def _gain(correlation: Tensor, z: Tensor) -> Tensor:
    """Return the sum of the log-ratio over rows z."""
    root = torch.linalg.cholesky(correlation)
    white = torch.linalg.solve_triangular(root, z.T, upper=False)
    return (z.square().sum() - white.square().sum()) / 2 - len(z) * root.diagonal().log().sum()


def shuffle_columns(z: Tensor, shuffles: int) -> Tensor:
    """Return rows (n · shuffles, d) whose components come from different rows of z (n, d).

    Each column is turned by an offset of its own, so that no two components keep company and none stays with its
    row's number; rows are in random order already. With fewer rows than columns offsets repeat.
    """
    n, d = z.shape
    rounds = -(-d // n)
    offsets = torch.rand(shuffles, rounds, n, device=z.device).argsort(-1).flatten(1)[:, :d]
    rows = (torch.arange(n, device=z.device)[:, None] + offsets[:, None, :]) % n
    return z.gather(0, rows.flatten(0, 1))
