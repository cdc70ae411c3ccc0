"""An encoder for sparse rows, such as bags of words: groups of columns are the locations, and rows stay sparse."""

import torch
from torch import Tensor, nn

from sklearn_dim._arguments import checked
from sklearn_dim.encoders._base import Encoded, Encoder, batch_normed
from sklearn_dim.encoders._word_axes import WordAxes

# A word occurs in few batches, so its vector gets few steps; each is to move it this many times as far. Adam's steps do
# not depend on the size of a gradient, so the parameters are the vectors divided by this factor.
STEP_FACTOR = 10.0


@checked(
    n_features="[1, inf)", n_components="[1, inf)", n_groups="[1, inf)", location_features="[1, inf)", hidden="[1, inf)"
)
class BagEncoder(Encoder):
    """Each column has a vector; a location is the sum of a group's vectors, weighted by the values of a row.

    Rows are scaled to unit length first; columns keep their weights, such as those of TF-IDF. The code is a linear map
    of the sum over all groups plus an MLP of that sum. The work grows with the nonzeros of a row, not with the columns.

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
    group: Tensor

    def __init__(
        self,
        n_features: int,
        n_components: int,
        *,
        n_groups: int = 8,
        location_features: int = 64,
        hidden: int = 256,
    ):
        super().__init__()
        self.n_groups = min(n_groups, n_features)
        self.register_buffer("group", torch.randperm(n_features) % self.n_groups)
        scale = STEP_FACTOR * location_features**0.5
        self.vectors = nn.Parameter(torch.randn(n_features, location_features) / scale)
        self.norm = nn.BatchNorm1d(location_features)
        self.fc = batch_normed(nn.Linear(location_features, hidden, bias=False), hidden, nn.BatchNorm1d)
        self.code = nn.Linear(hidden, n_components)
        self.shortcut = nn.Linear(location_features, n_components, bias=False)

    @property
    def width(self) -> int:
        """Width of a column's vector."""
        return self.vectors.shape[1]

    @torch.no_grad()
    def start_from(self, axes: WordAxes) -> None:
        """Set the columns' vectors to the leading axes of the rows, so that training begins with what they say.

        These vectors are ten times as long as random ones, and so change less in a step.
        """
        n_words, n_axes = axes.components.shape
        width = min(n_axes, self.vectors.shape[1])
        columns = axes.components if axes.idf is None else axes.components * axes.idf[:, None]
        scale = (n_words / self.vectors.shape[1]) ** 0.5
        place = axes.columns.to(self.vectors.device)
        self.vectors[place, :width] = scale * columns[:, :width].to(self.vectors)

    def forward(self, x: Tensor) -> Encoded:
        """Encode rows (n, n_features), a sparse COO tensor or a dense one."""
        x = x if x.is_sparse else x.to_sparse()
        (row, column), n = x.indices(), x.shape[0]
        location = row * self.n_groups + self.group[column]
        squares = x.values().new_zeros(n).index_add(0, row, x.values().square())
        # The clamp keeps a row of explicit zeros at zero.
        weights = STEP_FACTOR * x.values() * squares.clamp(min=1e-30).rsqrt()[row]
        weighted = self.vectors.index_select(0, column) * weights[:, None]
        locations = weighted.new_zeros(n * self.n_groups, weighted.shape[1]).index_add(0, location, weighted)
        locations = locations.unflatten(0, (n, self.n_groups))
        total = self.norm(locations.sum(1))
        fc = self.fc(total)
        return Encoded(locations, fc, self.code(fc) + self.shortcut(total))
