"""An encoder for sparse rows, such as bags of words: groups of columns are the locations, and rows stay sparse."""

import torch
from torch import Tensor, nn

from sklearn_dim.encoders._base import Encoded, Encoder, batch_normed

# Most words are in few batches: their vectors take so many times the other weights' steps.
FASTER = 10.0


class BagEncoder(Encoder):
    """Each column has a vector; the values of a row weight them, and a group's weighted sum is a location.

    Rows are given unit length first; columns keep their weights, such as those of TF-IDF. The code is a linear map of
    the sum over all groups plus an MLP of it. The work grows with the nonzeros of a row, not with the columns.

    Parameters
    ----------
    n_features : int
        Columns.
    n_components : int
        Width of the code.
    n_groups : int, default=8
        Groups of columns, drawn at random.
    location_features : int, default=64
        Width of a column's vector and of a location.
    hidden : int, default=256
        Width of the hidden layer.
    """

    takes_sparse = True

    def __init__(self, n_features, n_components, *, n_groups=8, location_features=64, hidden=256):
        super().__init__()
        self.n_groups = min(n_groups, n_features)
        self.register_buffer("group", torch.randperm(n_features) % self.n_groups)
        self.vectors = nn.Parameter(torch.randn(n_features, location_features) / (FASTER * location_features**0.5))
        self.norm = nn.BatchNorm1d(location_features)
        self.fc = batch_normed(nn.Linear(location_features, hidden, bias=False), hidden, nn.BatchNorm1d)
        self.code = nn.Linear(hidden, n_components)
        self.shortcut = nn.Linear(location_features, n_components, bias=False)

    def forward(self, x: Tensor) -> Encoded:
        """Encode rows (n, n_features), a sparse COO tensor or a dense one."""
        x = x if x.is_sparse else x.to_sparse()
        (row, column), n = x.indices(), x.shape[0]
        place = row * self.n_groups + self.group[column]
        squares = x.values().new_zeros(n).index_add(0, row, x.values().square())
        weights = FASTER * x.values() * squares.clamp(min=1e-30).rsqrt()[row]
        weighted = self.vectors.index_select(0, column) * weights[:, None]
        locations = weighted.new_zeros(n * self.n_groups, weighted.shape[1]).index_add(0, place, weighted)
        locations = locations.unflatten(0, (n, self.n_groups))
        whole = self.norm(locations.sum(1))
        fc = self.fc(whole)
        return Encoded(locations, fc, self.code(fc) + self.shortcut(whole))
