"""One information, cross-fitted: a critic a fold, and every row valued by a critic that never saw it."""

from collections.abc import Callable, Iterable

import numpy as np
import torch

from sklearn_dim.objectives import Valued, shortfall
from sklearn_dim.training import InformationNet, RowBatches, seeded

TOGETHER = 2048  # most rows whose pairs are the independent ones of an estimate


class CrossFit:
    """I(X; y) of coded rows.

    Parameters
    ----------
    x_coder, y_coder : objects with ``transform``
        Fitted coders of the two tables, see `ColumnCoder`.
    sign : {1, -1}, default=1
        How this information enters what is estimated.
    """

    def __init__(self, x_coder, y_coder, sign: int = 1):
        self.x_coder, self.y_coder, self.sign = x_coder, y_coder, sign
        self.nets: list[InformationNet] = []
        self.references: list[tuple[np.ndarray, np.ndarray]] = []

    def codes(self, X, y) -> tuple[np.ndarray, np.ndarray]:
        """Return two tables as the critics take them."""
        return self.x_coder.transform(X), self.y_coder.transform(y)

    def fit(self, x, y, folds: Iterable, fit_fold: Callable) -> tuple[np.ndarray, np.ndarray]:
        """Train a net a fold on coded rows with ``fit_fold(x, y, rows)`` and value the others' rows.

        Returns
        -------
        influence, lower : ndarray of shape (n_samples,)
            Each row's part in the estimate and in InfoNCE's lower bound.
        """
        influence, lower = np.empty(len(x)), np.empty(len(x))
        for train, held_out in folds:
            net = fit_fold(x, y, train)
            influence[held_out], lower[held_out] = value(net, x[held_out], y[held_out])
            influence[held_out] += missing(net, x, y, train, held_out)
            self.nets.append(net)
            self.references.append((x[held_out[:TOGETHER]], y[held_out[:TOGETHER]]))
        return self.sign * influence, lower

    def influence(self, X, y) -> np.ndarray:
        """Return each new row's part in the estimate (n_samples,), by the mean of the folds' critics."""
        rows = self.codes(X, y)
        with steady(self.nets[0], *rows):
            return self.sign * np.mean([value(net, *rows)[0] for net in self.nets], axis=0)

    def pointwise(self, X, y) -> np.ndarray:
        """Return log p(x, y)/p(x)p(y) of each new row (n_samples,), by the mean of the folds' critics."""
        rows = self.codes(X, y)
        values = []
        with steady(self.nets[0], *rows), torch.no_grad():
            for net, reference in zip(self.nets, self.references, strict=True):
                values.append(net.module_.pointwise(tensors(net, *rows), tensors(net, *reference)).cpu().numpy())
        return self.sign * np.mean(values, axis=0)

    def log_ratios(self, X=None, y=None) -> np.ndarray:
        """Return the table of log-ratios of all pairs: of new rows, or of those that the first critic never saw."""
        nets, rows = (self.nets[:1], self.references[0]) if X is None else (self.nets, self.codes(X, y))
        with steady(self.nets[0], *rows):
            return np.mean([all_pairs(net, *rows) for net in nets], axis=0)


def steady(net, *arrays):
    """Return a context in which small work adds up in one order, whatever the number of threads."""
    return seeded(0, sum(array.size for array in arrays), device=net.device)


def tensors(net, *arrays):
    """Return arrays as tensors on the net's device."""
    return tuple(torch.as_tensor(array, device=net.device) for array in arrays)


def closed_form_of(net) -> torch.nn.Module | None:
    """Return the part of the net's critic that is set without training, if it has one."""
    return getattr(net.module_.critic, "closed_form", None)


def valued_in(net, x, y) -> RowBatches:
    """Return the batches whose pairs are the independent ones of an estimate, smaller ones where a pair is dear."""
    together = TOGETHER // 4 if net.module_.block else TOGETHER
    return RowBatches(x, y, batch_size=together, shuffle=False, device=net.device)


@torch.no_grad()
def value(net, x, y) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows' influences, whose mean is the estimate, and their parts in the lower bound."""
    valued: list[Valued] = [net.module_.valued(batch) for batch in valued_in(net, x, y)]
    return tuple(torch.cat([getattr(part, name) for part in valued]).cpu().numpy() for name in ("influence", "lower"))


def missing(net, x, y, train, held_out) -> np.ndarray | float:
    """Return what the rows' influences lack because a critic in closed form was fitted on few rows."""
    if (closed_form := closed_form_of(net)) is None:
        return 0.0
    batches = valued_in(net, x[held_out], y[held_out])
    return shortfall(closed_form, tensors(net, x[train], y[train]), batches).cpu().numpy()


@torch.no_grad()
def all_pairs(net, x, y) -> np.ndarray:
    """Return a critic's log-ratios of all pairs (n, n)."""
    return net.module_.table(*tensors(net, x, y)).double().cpu().numpy()
