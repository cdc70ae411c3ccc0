"""The information of y with all columns, and with all but one, from one critic."""

import torch
from torch import Tensor

from sklearn_dim.bounds import Bound
from sklearn_dim.critics import Critic
from sklearn_dim.objectives._columns import ColumnEvaluation
from sklearn_dim.objectives._pairs import PairInformation, Pairs


class MaskedInformation(PairInformation):
    """I(X∘m; y) for any mask m of columns, by one critic T((X∘m, m), y).

    In training, a random half of the rows are whole, and the others lack one column drawn at random.

    Parameters
    ----------
    critic : Critic
        T(a, b), a of x_features + p features: the masked row and its mask.
    bound : Bound
    owner : Tensor of int of shape (x_features,)
        The column, 0 … p − 1, that each feature of x belongs to.
    """

    owner: Tensor

    def __init__(self, critic: Critic, bound: Bound, owner: Tensor):
        super().__init__(critic, bound)
        self.register_buffer("owner", owner)
        self.n_columns = int(owner.max()) + 1

    def masked(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return rows x (n, x_features) without the columns where mask (n, p) is 0, and the mask."""
        return torch.cat([x * mask[:, self.owner], mask], 1)

    def forward(self, batch: Pairs) -> dict[str, Tensor]:
        """Return the loss of a batch (x, y) under random masks."""
        x, y = batch
        n, p, device = len(x), self.n_columns, x.device
        mask = x.new_ones(n, p)
        whole = (torch.rand(n, device=device) < 0.5).to(mask)
        mask[torch.arange(n, device=device), torch.randint(p, (n,), device=device)] = whole
        return {"information": self.loss(self.tables(self.masked(x, mask), y))}

    def mutual_info(self, batch: Pairs, without: int | None = None) -> Tensor:
        """Return the batch's information in nats, of all columns or ``without`` one."""
        x, y = batch
        mask = x.new_ones(len(x), self.n_columns)
        if without is not None:
            mask[:, without] = 0
        return self.value(self.tables(self.masked(x, mask), y))

    def values(self, batch: Pairs) -> Tensor:
        """Return what each column adds to all others (p,) in nats."""
        whole = self.mutual_info(batch)
        return torch.stack([whole - self.mutual_info(batch, without=j) for j in range(self.n_columns)])

    @torch.no_grad()
    def evaluate_columns(self, batch: Pairs) -> ColumnEvaluation:
        """Return what each column adds to all others, as `values` does, and each row's contribution to it."""
        x, y = batch
        masks = torch.cat([x.new_ones(1, self.n_columns), 1 - torch.eye(self.n_columns, device=x.device)])
        parts = [self.evaluate((self.masked(x, mask.expand(len(x), -1)), y)) for mask in masks]
        values = x.new_tensor([part.value for part in parts])
        contributions = torch.stack([part.contributions for part in parts])
        return ColumnEvaluation(values[0] - values[1:], contributions[0] - contributions[1:])
