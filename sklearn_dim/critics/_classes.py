"""The critic of classes in closed form: how a logistic regression sees them."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from sklearn_dim.critics._base import ClosedForm

MAX_ROWS = 50_000  # more teach a few hundred numbers nothing
MAX_PRODUCTS = 100  # of two columns; beyond, squares alone join the columns
MAX_ITER = 200


class Classes(ClosedForm):
    """log P(class | other side)/P(class), by a logistic regression on the other side's columns and their products.

    Parameters
    ----------
    a_features, b_features : int
        Widths of an anchor and of a candidate; the classes' side has an indicator of each level.
    side : {"a", "b"}, default="b"
        Where the classes are.
    """

    mean: Tensor
    scale: Tensor
    weight: Tensor
    constant: Tensor
    log_share: Tensor

    def __init__(self, a_features: int, b_features: int, side: str = "b"):
        super().__init__(a_features, b_features)
        self.side = side
        width, n_classes = (a_features, b_features) if side == "b" else (b_features, a_features)
        n_terms = products(torch.zeros(1, width)).shape[1]
        self.register_buffer("mean", torch.zeros(n_terms))
        self.register_buffer("scale", torch.ones(n_terms))
        self.register_buffer("weight", torch.zeros(n_terms, n_classes))
        self.register_buffer("constant", torch.zeros(n_classes))
        self.register_buffer("log_share", torch.zeros(n_classes))

    @torch.no_grad()
    def fit(self, a: Tensor, b: Tensor) -> "Classes":
        """Set the critic from paired rows a (n, a_features), b (n, b_features)."""
        rows, classes = (a, b) if self.side == "b" else (b, a)
        rows, labels = products(rows[:MAX_ROWS].cpu().double()), classes[:MAX_ROWS].argmax(1).cpu().numpy()
        spread = rows.std(0, correction=0)
        self.mean.copy_(rows.mean(0))
        self.scale.copy_(torch.where(spread > 1e-6, spread, torch.inf))
        seen, counts = np.unique(labels, return_counts=True)
        self.weight.zero_()
        self.constant.fill_(-torch.inf)
        self.log_share.zero_()
        self.log_share[seen] = torch.as_tensor(np.log(counts / counts.sum()), dtype=self.log_share.dtype)
        if len(seen) == 1:
            self.constant[seen] = 0.0
            return self
        scaled = (rows - self.mean.cpu()) / self.scale.cpu()
        model = LogisticRegression(max_iter=MAX_ITER).fit(scaled.numpy(), labels)
        weight, constant = torch.as_tensor(model.coef_), torch.as_tensor(model.intercept_)
        if len(seen) == 2:  # the model has one score for both
            weight, constant = torch.cat([-weight / 2, weight / 2]), torch.cat([-constant / 2, constant / 2])
        self.weight[:, seen] = weight.T.to(self.weight)
        self.constant[seen] = constant.to(self.constant)
        return self

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the table of scores (..., R, M)."""
        rows, classes = (a, b) if self.side == "b" else (b, a)
        logits = ((products(rows) - self.mean) / self.scale) @ self.weight + self.constant
        # A level that was not seen has no score, and a row of none of the levels has the score 0.
        ratio = torch.nan_to_num(logits.log_softmax(-1) - self.log_share, neginf=0.0)
        table = ratio @ classes.mT
        return table if self.side == "b" else table.mT


def products(rows: Tensor) -> Tensor:
    """Return columns (..., d) with their squares, and with products of two of them if these are few."""
    d = rows.shape[-1]
    if d * (d - 1) // 2 <= MAX_PRODUCTS:
        first, second = torch.triu_indices(d, d, device=rows.device)
        return torch.cat([rows, rows[..., first] * rows[..., second]], -1)
    return torch.cat([rows, rows.square()], -1)


def is_one_hot(side: np.ndarray) -> bool:
    """Return whether each row is the indicators of one class of several."""
    return side.shape[1] > 1 and bool(((side == 0) | (side == 1)).all() and (side.sum(1) == 1).all())
