"""An encoder for tables: groups of columns are the locations."""

import torch
from torch import Tensor, nn

from sklearn_dim.encoders._base import Encoded, batch_normed


class TableEncoder(nn.Module):
    """A small network a group of columns makes the locations; an MLP on all columns makes the code.

    Parameters
    ----------
    n_features : int
        Columns of the table.
    n_components : int
        Width of the code.
    n_groups : int, default=8
        Groups of neighbouring columns, of sizes that differ by at most one.
    location_features : int, default=64
        Width of a location.
    hidden : int, default=256
        Width of the hidden layers.
    """

    def __init__(self, n_features, n_components, *, n_groups=8, location_features=64, hidden=256):
        super().__init__()
        sizes = [len(group) for group in torch.arange(n_features).tensor_split(min(n_groups, n_features))]
        self.sizes = sizes
        self.groups = nn.ModuleList(
            nn.Sequential(nn.Linear(size, location_features), nn.ReLU(), nn.Linear(location_features, location_features))
            for size in sizes
        )
        self.location_shape = (location_features, len(sizes))
        self.fc = nn.Sequential(
            batch_normed(nn.Linear(n_features, hidden, bias=False), hidden, nn.BatchNorm1d),
            batch_normed(nn.Linear(hidden, hidden, bias=False), hidden, nn.BatchNorm1d),
        )
        self.code = nn.Linear(hidden, n_components)
        self.shortcut = nn.Linear(n_features, n_components, bias=False)

    def forward(self, x: Tensor) -> Encoded:
        parts = x.split(self.sizes, dim=1)
        locations = torch.stack([group(part) for group, part in zip(self.groups, parts, strict=True)], dim=1)
        fc = self.fc(x)
        return Encoded(locations, fc, self.code(fc) + self.shortcut(x))
