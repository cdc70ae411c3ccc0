"""Total correlation: rows against rows whose components come from different samples."""

import math
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import mlp, soft_clip, start_at_zero
from sklearn_dim.objectives._base import Information


class TotalCorrelation(Information):
    """KL(p(z) ‖ Π p(zᵢ)) of rows z whose components are standard normal one by one.

    For any density g it is E_p[log g/Πp(zᵢ)] + KL(p ‖ g). With g the Gaussian that has the rows' correlations the first
    term has a closed form, and a network has to learn only the second, which is zero for Gaussian rows. Rows of g are
    rows with their columns shuffled one by one, then multiplied by a root of the correlations. Neither term needs the
    e^TC samples that shuffling alone would. With uncorrelated components g = Πp(zᵢ), which is the dependency measure of
    Hjelm et al. (ICLR 2019) itself.

    Parameters
    ----------
    n_components : int
    bound : Bound
        Trains the network.
    hidden : sequence of int, default=(128, 128)
        The network's ReLU layers.
    shuffles : int, default=4
        Shuffled rows per row in a training step.
    valued_against : int, default=4096
        The minimum number of shuffled rows with which a batch is evaluated.
    clip : float, default=10.0
        The network's scores lie within ±clip nats.
    """

    def __init__(
        self,
        n_components: int,
        bound: Bound,
        *,
        hidden: Sequence[int] = (128, 128),
        shuffles: int = 4,
        valued_against: int = 4096,
        clip: float = 10.0,
    ):
        super().__init__(RowCritic(n_components, hidden, clip), bound)
        self.closed_form = GaussianCopula(n_components)
        self.shuffles, self.valued_against = shuffles, valued_against

    def forward(self, batch: tuple[Tensor]) -> dict[str, Tensor]:
        """Return the loss of a batch (z,)."""
        return {"total_correlation": self.loss(self.tables(batch[0], self.shuffles))}

    def mutual_info(self, batch: tuple[Tensor]) -> Tensor:
        """Return the batch's total correlation in nats."""
        (z,) = batch
        shuffles = max(self.shuffles, -(-self.valued_against // len(z)))
        return self.closed_form(z).mean() + self.value(self.tables(z, shuffles))

    def scores(self, critic: nn.Module, z: Tensor, shuffles: int) -> tuple[Tensor, Tensor]:
        """Return the network's scores of the rows (1, n) and of rows of g (1, n · shuffles)."""
        return critic(z), critic(self.closed_form.correlate(shuffle_columns(z, shuffles)))

    def joint_scores(self, critic: nn.Module, z: Tensor, shuffles: int) -> Tensor:
        """Return the scores of the rows (1, n)."""
        return critic(z)


class RowCritic(nn.Module):
    """A network that scores rows z (n, n_components) and starts at zero, softly clipped to ±clip."""

    def __init__(self, n_components: int, hidden: Sequence[int], clip: float):
        super().__init__()
        self.clip = clip
        self.network = mlp([2 * n_components, *hidden, 1])
        start_at_zero(self.network)

    def forward(self, z: Tensor) -> Tensor:
        """Return the scores (1, n)."""
        # Dependence without correlation often shows in correlated squares: a good start for wide codes.
        features = torch.cat([z, (z.square() - 1) / math.sqrt(2)], 1)
        return soft_clip(self.network(features).T, self.clip)


class GaussianCopula(nn.Module):
    """log g(z)/Π φ(zᵢ) of standard normal components with correlations R: ½ zᵀ(I − R⁻¹)z − ½ log det R.

    Its mean over Gaussian rows is −½ log det R.
    """

    root: Tensor
    whiten: Tensor
    constant: Tensor

    def __init__(self, n_components: int):
        super().__init__()
        self.register_buffer("root", torch.eye(n_components))
        self.register_buffer("whiten", torch.eye(n_components))
        self.register_buffer("constant", torch.zeros(()))

    @torch.no_grad()
    def fit(self, z: Tensor) -> Self:
        """Set R from rows z (n, n_components), shrunk towards I as cross-validation says."""
        z = z.cpu().double()
        root = torch.linalg.cholesky(_correlation(z, _shrinkage(z)))
        self.root.copy_(root)
        self.whiten.copy_(torch.linalg.inv(root))
        self.constant.copy_(-root.diagonal().log().sum())
        return self

    def forward(self, z: Tensor) -> Tensor:
        """Return the log-ratio of each row (n,)."""
        return 0.5 * (z.square() - (z @ self.whiten.T).square()).sum(1) + self.constant

    def correlate(self, z: Tensor) -> Tensor:
        """Return rows of g, made of rows z of independent standard normal components."""
        return z @ self.root.T


def _correlation(z: Tensor, shrinkage: float) -> Tensor:
    """Return the correlations of z, shrunk towards zero by a fraction."""
    d = z.shape[1]
    return (1 - shrinkage) * torch.corrcoef(z.T).reshape(d, d) + shrinkage * torch.eye(d, dtype=z.dtype)


def _shrinkage(z: Tensor, folds: int = 4) -> float:
    """Return the fraction, from 1e-6 to 1, with the largest log-ratio on rows that did not set the correlations."""
    fractions: list[float] = torch.logspace(-6, 0, 13).tolist()
    fold = torch.arange(len(z)) % folds
    gains = []
    for fraction in fractions:
        first, *others = (_gain(_correlation(z[fold != k], fraction), z[fold == k]) for k in range(folds))
        gains.append(sum(others, first))
    return fractions[int(torch.stack(gains).argmax())]


def _gain(correlation: Tensor, z: Tensor) -> Tensor:
    """Return the sum of the log-ratio over rows z."""
    root = torch.linalg.cholesky(correlation)
    white = torch.linalg.solve_triangular(root, z.T, upper=False)
    return (z.square().sum() - white.square().sum()) / 2 - len(z) * root.diagonal().log().sum()


def shuffle_columns(z: Tensor, shuffles: int) -> Tensor:
    """Return rows (n · shuffles, d) whose components come from different rows of z (n, d).

    Each column is rotated by an offset of its own, so that no two components of a row stay together; rows are in random
    order already. With fewer rows than columns offsets repeat.
    """
    n, d = z.shape
    rounds = -(-d // n)
    offsets = torch.rand(shuffles, rounds, n, device=z.device).argsort(-1).flatten(1)[:, :d]
    rows = (torch.arange(n, device=z.device)[:, None] + offsets[:, None, :]) % n
    return z.gather(0, rows.flatten(0, 1))
