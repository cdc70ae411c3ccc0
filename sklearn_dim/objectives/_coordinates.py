"""Where a local feature comes from, told from it and the code (Hjelm et al., ICLR 2019, section 4.3)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sklearn_dim.critics import mlp


class Coordinates(nn.Module):
    """Cross-entropy of a local feature's coordinates, and of another's coordinates relative to it.

    Minimising −log p(i, j | feature, code) and −log p(i − i', j − j' | both features, code) raises the information in
    the features about their position. Each axis has a softmax of its own, in nats.

    Parameters
    ----------
    n_components, location_features : int
        Widths of the code and of a local feature.
    grid : tuple of int
        Positions along each axis: (rows, columns) of a feature map, (length,) of a sequence.
    hidden : int, default=512
        Width of the hidden layer.
    """

    positions: Tensor
    offset: Tensor

    def __init__(self, n_components: int, location_features: int, grid: tuple[int, ...], *, hidden: int = 512):
        super().__init__()
        axes = [torch.arange(side) for side in grid]
        self.register_buffer("positions", torch.cartesian_prod(*axes).view(-1, len(grid)), persistent=False)
        self.absolute = _Axes(n_components + location_features, grid, hidden)
        self.relative = _Axes(n_components + 2 * location_features, [2 * side - 1 for side in grid], hidden)
        self.register_buffer("offset", torch.tensor(grid) - 1, persistent=False)  # makes differences classes from 0

    def forward(self, code: Tensor, locations: Tensor, places: Tensor) -> Tensor:
        """Return the loss of local features (n, L, C), which are those number ``places`` (L,) of the feature map."""
        n, count = locations.shape[:2]
        code = code.flatten(1)[:, None].expand(-1, count, -1)
        here, other = self.positions[places], torch.randperm(count, device=places.device)
        absolute = self.absolute(torch.cat([code, locations], 2), here.expand(n, -1, -1))
        between = here - here[other] + self.offset
        relative = self.relative(torch.cat([code, locations, locations[:, other]], 2), between.expand(n, -1, -1))
        return absolute + relative


class _Axes(nn.Module):
    """An MLP with a softmax per axis."""

    def __init__(self, inputs: int, classes: Sequence[int], hidden: int):
        super().__init__()
        self.classes = list(classes)
        self.net = mlp([inputs, hidden, sum(self.classes)])

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy of targets (n, L, axes) given x (n, L, inputs), summed over the axes."""
        logits = self.net(x).flatten(0, 1).split(self.classes, 1)
        first, *others = map(cross_entropy, logits, target.flatten(0, 1).T)
        return sum(others, first)
