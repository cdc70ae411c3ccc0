"""Features of tables that need no training: similarities to some of the rows (Williams & Seeger, NIPS 2000)."""

from typing import Self

import torch
from torch import Tensor

from sklearn_dim._arguments import checked
from sklearn_dim.encoders._fixed import FixedFeatures

TINY = 1e-3  # of the largest: smaller eigenvalues magnify the rounding errors of float32


@checked(n_landmarks="[1, inf)", reach="(0, inf)")
class KernelMap(FixedFeatures):
    """A map of rows whose inner products are about exp(−γ‖x − x′‖²), with γ = 1 / n_features (Nyström's method).

    Parameters
    ----------
    n_landmarks : int, default=300
        Maximum number of training rows that rows are compared with.
    reach : float, default=3.0
        Values are clipped to ± this many standard deviations, as in `TableEncoder`.

    References
    ----------
    C. Williams and M. Seeger, "Using the Nyström method to speed up kernel machines", NIPS 2000.
    """

    landmarks: Tensor
    normalization: Tensor

    def __init__(self, n_landmarks: int = 300, reach: float = 3.0):
        super().__init__()
        self.n_landmarks, self.reach = n_landmarks, reach

    def fit(self, x: Tensor) -> Self:
        """Draw the landmarks from standardised rows (n, n_features)."""
        x = x.clamp(-self.reach, self.reach)
        self.register_buffer("landmarks", x[torch.randperm(len(x), device=x.device)[: self.n_landmarks]])
        values, vectors = torch.linalg.eigh(self._similarities(self.landmarks).double())
        root = torch.where(values > TINY * values[-1], values, torch.inf).rsqrt()
        self.register_buffer("normalization", ((vectors * root) @ vectors.T).to(x.dtype))
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Return the map (n, at most n_landmarks) of standardised rows (n, n_features)."""
        return self._similarities(x.clamp(-self.reach, self.reach)) @ self.normalization

    def _similarities(self, x: Tensor) -> Tensor:
        """Return exp(−‖x − landmark‖² / n_features), (n, n_landmarks)."""
        squares = x.square().sum(1)[:, None] + self.landmarks.square().sum(1) - 2 * x @ self.landmarks.T
        return torch.exp(-squares.clamp(min=0) / x.shape[1])
