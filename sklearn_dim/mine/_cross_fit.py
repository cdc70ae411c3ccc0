"""One information, cross-fitted: one critic per fold, and every row valued by a critic that never saw it."""

import copy
import math
from collections.abc import Iterator
from functools import partial
from numbers import Integral
from typing import NamedTuple

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold

from sklearn_dim.bounds import Bound, make_bound
from sklearn_dim.critics import Concatenated, Corrected, EncodedAnchor, Separable, make_critic
from sklearn_dim.devices import explained_memory, full_precision
from sklearn_dim.mine._closed_forms import FORMS
from sklearn_dim.objectives import PairInformation, bias_correction
from sklearn_dim.training import InformationNet, RowBatches, seeded

SAME = 1 - 2e-6  # a correlation of columns that are one: float32 has no more digits
DISCRETE_NATS = 5.0  # discrete columns, which may well be one, seldom share more
NEAR_CAP = 0.3  # nats below a bound's cap, where it begins to read low
MAX_TOGETHER = 2048  # rows whose pairs are the negatives of an estimate: a table of 16 MB in float32
MAX_REFERENCE = 512  # held-out rows of each fold that a fitted estimator keeps
RATE = 2 / 3  # of regression on curves that bend, in two dimensions; it would be 1 if a few numbers were all to learn
MAX_FACTOR = 3.0  # by which a gap is multiplied at most
MAX_STOP = 10 * MAX_TOGETHER  # rows that decide when to stop: they tell epochs apart to hundredths of a nat
MAX_CORRECTED = 4 * MAX_TOGETHER  # rows of a fold whose correction is computed; of more it is their mean


class Pairs(NamedTuple):
    """Rows of X and y as the critics take them.

    Attributes
    ----------
    codes : list of tuple (x, y)
        Arrays for each term of the chain rule.
    numbers : list of tuple or None
        Arrays for nearest neighbours, for each term with few columns.
    caps : list of float or None
        The most that each term can be, in nats.
    order : ndarray of int of shape (n,)
        The rows in random order; it depends on what the rows hold, not on the order in which they came.
    groups : ndarray of int of shape (n,) or None
        Rows of one group depend on each other: they share a fold, and count as one in standard errors.
    given : ndarray of shape (n, d) or None
        The conditions as numbers.
    size : int
        How many numbers there are.
    """

    codes: list[tuple[np.ndarray, np.ndarray]]
    numbers: list
    caps: list[float | None]
    order: np.ndarray
    groups: np.ndarray | None
    given: np.ndarray | None
    size: int


class Part(NamedTuple):
    """What one term of the chain rule says of the rows.

    Attributes
    ----------
    contributions, lower : ndarray of shape (n_valued,)
        To the estimate, and to the lower bound.
    valued : ndarray of bool of shape (n,)
        The rows that were held out.
    base : {"network", "neighbors", "table"}
        What the contributions are from.
    extra_error : float
        Standard error of the base beyond what the spread of the rows shows.
    missed : float
        Nats that more rows would probably add, never negative.
    """

    contributions: np.ndarray
    lower: np.ndarray
    valued: np.ndarray
    base: str = "network"
    extra_error: float = 0.0
    missed: float = 0.0


# Held-out rows of a fold that a fitted estimator keeps, for its p-value and to normalise pointwise values: coded X and
# y, their groups and their conditions, if there are any.
Reference = tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]


class CrossFit:
    """I(X; y) of coded rows, by one net per fold.

    Parameters
    ----------
    x_coder, y_coder : objects with ``transform``
        Fitted coders of the two tables, see `sklearn_dim.data.ColumnCoder`.
    sign : {1, -1}, default=1
        How this information enters what is estimated.
    """

    def __init__(self, x_coder, y_coder, sign: int = 1):
        self.x_coder, self.y_coder, self.sign = x_coder, y_coder, sign
        self.nets: list[InformationNet] = []
        self.components: list[tuple] = []  # for each fold what maps x and y to leading components, None for all columns
        self.references: list[Reference] = []
        self.half: CrossFit | None = None  # the critic of half the rows, for what needs rows that none has seen

    def has_learned(self) -> bool:
        """Return whether the network of any fold gained anything over where it began."""
        return any(net.improved_ for net in self.nets)

    def codes(self, X, y) -> tuple[np.ndarray, np.ndarray]:
        """Return two tables as the critics take them."""
        return self.x_coder.transform(X), self.y_coder.transform(y)

    def in_fold(self, fold: int, x, y) -> tuple[np.ndarray, np.ndarray]:
        """Return coded rows as the critic of a fold takes them."""
        maps = self.components[fold]
        return tuple(side if one is None else one.transform(side) for side, one in zip((x, y), maps, strict=True))

    def add(self, net: InformationNet, x, y, train, held_out) -> tuple[np.ndarray, np.ndarray]:
        """Take in the critic of a fold and value the rows that it never saw.

        Returns
        -------
        contributions, lower : ndarray of shape (n_held_out,)
            Of each row to the estimate, and to InfoNCE's lower bound.
        """
        x, y = self.in_fold(len(self.nets), x, y)
        contributions, lower = value(net, x[held_out], y[held_out])
        contributions = contributions.astype(np.float64) + closed_form_bias(net, x, y, train, held_out)
        self.nets.append(net)
        return contributions, lower

    def contributions(self, X, y) -> np.ndarray:
        """Return the contribution of each new row to the estimate (n_samples,), by the mean of the folds' critics."""
        x, y = self.codes(X, y)
        order = random_order(x, y)
        contributions = np.empty(len(x))
        with deterministic(self.nets[0], x, y):
            rows = [self.in_fold(fold, x[order], y[order]) for fold in range(len(self.nets))]
            values = [value(net, *own)[0] for net, own in zip(self.nets, rows, strict=True)]
            contributions[order] = np.mean(values, axis=0)
        return self.sign * contributions

    def pointwise(self, X, y) -> np.ndarray:
        """Return log p(x, y)/p(x)p(y) of each new row (n_samples,), by the mean of the folds' critics."""
        rows = self.codes(X, y)
        values = []
        with deterministic(self.nets[0], *rows), torch.no_grad():
            for fold, (net, reference) in enumerate(zip(self.nets, self.references, strict=True)):
                pairs = tensors(net, *self.in_fold(fold, *reference[:2]))
                own = tensors(net, *self.in_fold(fold, *rows))
                values.append(net.module_.pointwise(own, pairs).cpu().numpy())
        return self.sign * np.mean(values, axis=0)

    def log_ratios(self, x, y) -> np.ndarray:
        """Return the log-ratios of all pairs of coded rows (n, n), by the mean of the folds' critics."""
        total = np.zeros((len(x), len(x)), dtype=np.float32)
        with deterministic(self.nets[0], x, y):
            for fold, net in enumerate(self.nets):
                total += all_pairs(net, *self.in_fold(fold, x, y))
        total *= self.sign / len(self.nets)
        return total


def halves_of(pairs: Pairs) -> list[np.ndarray]:
    """Return the rows as two halves, in random order and whole groups."""
    if pairs.groups is None:
        return np.array_split(pairs.order, 2)
    first = stop_rows(pairs.order, pairs.groups, 0.5)
    return [pairs.order[first], pairs.order[~first]]


def extrapolated(gap: float, n_fewer: int, n: float) -> float:
    """Return what critics of ``n`` rows probably lack, if those of fewer rows lack ``gap`` nats more; never negative.

    What they lack falls as n^−`RATE`.
    """
    fewer = (n / n_fewer) ** RATE  # what the others lack, in units of what is asked
    return max(0.0, gap) / max(fewer - 1, 1 / MAX_FACTOR)


def reference_of(pairs: Pairs, x, y, held_out: np.ndarray, most: int = MAX_REFERENCE) -> Reference:
    """Return some held-out rows of a term's codes, for a fitted estimator to keep."""
    rows = reference_rows(pairs, held_out, most)
    groups, given = (None if part is None else part[rows] for part in (pairs.groups, pairs.given))
    return x[rows], y[rows], groups, given


def reference_rows(pairs: Pairs, held_out: np.ndarray, most: int) -> np.ndarray:
    """Return some held-out rows; of groups whole ones, in the order in which they came."""
    rows = held_out[:most]
    if pairs.groups is None:
        return rows
    whole = np.isin(pairs.groups[held_out], np.unique(pairs.groups[rows]))
    return np.sort(held_out[whole])[: max(most, 4 * MAX_REFERENCE)]


def random_order(*arrays: np.ndarray) -> np.ndarray:
    """Return the rows of arrays in an order that is random, and decided by what the rows hold alone.

    Rows are sorted by their content first and then shuffled from a fixed seed. So an estimate on sorted rows is that on
    the same rows shuffled; rows that are equal are interchangeable.
    """
    rows = np.hstack([array.reshape(len(array), -1) for array in arrays])
    rows = np.ascontiguousarray(rows + 0.0)  # -0.0 and 0.0 are equal, but not their bytes
    keys = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    return np.argsort(keys, kind="stable")[np.random.default_rng(0).permutation(len(rows))]


def folds_of(pairs: Pairs, cv, seed: int, X=None, y=None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (train, held_out) for each fold, both in random order.

    ``cv`` is a number of folds, or a splitter of scikit-learn's, which is given X, y and the groups. A group is
    never on both sides.
    """
    n = len(pairs.order)
    rank = np.empty(n, dtype=np.intp)
    rank[pairs.order] = np.arange(n)
    if not isinstance(cv, Integral):
        splits = list(cv.split(np.empty((n, 0)) if X is None else X, y, pairs.groups))
    elif pairs.groups is None:
        pieces = np.array_split(pairs.order[np.random.RandomState(seed).permutation(n)], cv)
        splits = [(np.setdiff1d(pairs.order, piece, assume_unique=True), piece) for piece in pieces]
    else:
        by_group = GroupKFold(cv, shuffle=True, random_state=seed)
        splits = list(by_group.split(pairs.groups, groups=pairs.groups))
    return [(train[np.argsort(rank[train])], held_out[np.argsort(rank[held_out])]) for train, held_out in splits]


def stop_rows(train: np.ndarray, groups: np.ndarray | None, fraction: float) -> np.ndarray:
    """Return a mask (n_train,) of the rows of a fold that decide when to stop: the first ones, in whole groups."""
    n_stop = min(MAX_STOP, max(2, round(fraction * len(train))))
    if groups is None:
        return np.arange(len(train)) < n_stop
    _, first, group = np.unique(groups[train], return_index=True, return_inverse=True)
    by_appearance = np.argsort(first)
    sizes = np.bincount(group)[by_appearance]
    n_groups = max(1, min(int(np.searchsorted(np.cumsum(sizes), n_stop) + 1), len(sizes) - 1))
    return np.isin(group, by_appearance[:n_groups])


def build_pair_information(critic, mi_estimator, x_features, y_features, encoder=None, form=None) -> PairInformation:
    """Wire an objective for pairs of rows of two widths; those of x may be an encoder's features.

    ``form`` is the name of the closed form that was chosen for these rows, if any.
    """
    bound = make_bound(mi_estimator)
    made = make_critic(_sized(critic, bound, encoder, form), x_features, y_features)
    return PairInformation(made if encoder is None else EncodedAnchor(copy.deepcopy(encoder), made), bound)


def _sized(critic, bound: Bound, encoder, form):
    """Return the critic that a name stands for here: pairs of rows need smaller ones than images."""
    if critic == "auto":
        critic = "gaussian" if encoder is None else "separable"
    if isinstance(critic, str) and (form := form or critic) in FORMS:
        capped = math.isfinite(bound.cap(1))  # such a bound needs many negatives per anchor
        return partial(Corrected, closed_form=FORMS[form], pairwise=False if capped else None)
    if critic == "separable":
        return partial(Separable, units=32, hidden=(64, 64))
    return partial(Concatenated, hidden=(64, 64)) if critic == "concatenated" else critic


def features_of(encoder, x) -> int:
    """Return how many features the encoder, or the rows themselves, have."""
    if encoder is None:
        return x.shape[1]
    module = copy.deepcopy(encoder).eval()
    with torch.no_grad():
        features = module(torch.as_tensor(x[:2]).to(next(module.parameters(), torch.empty(0)).device))
    if not isinstance(features, torch.Tensor) or features.ndim != 2:
        got = tuple(features.shape) if isinstance(features, torch.Tensor) else type(features).__name__
        raise ValueError(
            f"encoder must return a tensor (n_samples, features); for X {x[:2].shape} it returned {got}. Flatten its "
            "output, or wrap it in a Module that returns the part to use."
        )
    return features.shape[1]


def deterministic(net, *arrays):
    """Return a context in which small work is summed in one order, whatever the number of threads."""
    return seeded(0, sum(array.size for array in arrays), device=net.device)


def tensors(net, *arrays):
    """Return arrays as tensors on the net's device."""
    return tuple(torch.as_tensor(array, device=net.device) for array in arrays)


def valued_in(net, x, y) -> RowBatches:
    """Return the batches whose pairs are the negatives of an estimate, smaller ones where each pair takes a pass."""
    together = MAX_TOGETHER // 4 if net.module_.critic.pairwise else MAX_TOGETHER
    return RowBatches(x, y, batch_size=together, shuffle=False, device=net.device)


@torch.no_grad()
def value(net, x, y) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows' contributions, whose mean is the estimate, and those to the lower bound."""
    with full_precision(net.device), explained_memory():
        parts = [net.module_.evaluate(batch) for batch in valued_in(net, x, y)]
    contributions = torch.cat([part.contributions for part in parts])
    return contributions.cpu().numpy(), torch.cat([part.lower for part in parts]).cpu().numpy()


def closed_form_bias(net, x, y, train, held_out) -> np.ndarray | float:
    """Return what the rows' contributions lack because a critic in closed form was fitted on few rows."""
    if (closed_form := net.module_.critic.closed_form) is None:
        return 0.0
    rows = held_out[:MAX_CORRECTED]  # they are in random order
    correction = bias_correction(closed_form, tensors(net, x[train], y[train]), valued_in(net, x[rows], y[rows]))
    return np.pad(correction.cpu().numpy(), (0, len(held_out) - len(rows)), mode="mean")


@torch.no_grad()
def all_pairs(net, x, y) -> np.ndarray:
    """Return a critic's log-ratios of all pairs (n, n)."""
    return net.module_.log_ratios(*tensors(net, x, y)).cpu().numpy()


def mean_and_error(contributions: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    """Return the mean over rows and its standard error: that of independent rows, or of independent groups of rows."""
    mean, n = float(contributions.mean()), len(contributions)
    if groups is None:
        return mean, float(contributions.std(ddof=1) / np.sqrt(n))
    totals = np.bincount(np.unique(groups, return_inverse=True)[1], contributions - mean)
    n_groups = len(totals)
    return mean, float(np.sqrt(n_groups / max(1, n_groups - 1) * np.square(totals).sum()) / n)


def estimate_and_error(
    contributions: np.ndarray, n_correlations: int = 0, groups: np.ndarray | None = None
) -> tuple[float, float]:
    """Return the estimate and its standard error.

    Near independence rows no longer tell the error, which is then of second order. An estimate below zero, where no
    information lies, errs by at least its size; and ½Σρ² of ``n_correlations`` = p·q chance correlations, the
    information that independent Gaussians seem to have, varies by √(p·q/2)/n.
    """
    estimate, error = mean_and_error(contributions, groups)
    return estimate, math.hypot(error, min(estimate, 0.0), math.sqrt(n_correlations / 2) / len(contributions))


def limits(value, nets, n_rows: int, *, mi_estimator, batch_size: int, max_iter) -> Iterator[tuple[str, type[Warning]]]:
    """Yield what to warn of where an estimate is beyond what the sample, the bound or the training can show."""
    module = nets[0].module_
    closed_form = module.critic.closed_form
    if closed_form is not None and closed_form.strongest > SAME and value > DISCRETE_NATS:
        yield (
            (
                "a part of y is a function of X to six digits. If both are continuous, the information is infinite, "
                f"and the estimate of {value:.3g} nats is only where a critic stops. Drop what y and X share."
            ),
            UserWarning,
        )
    elif value > np.log(n_rows):
        yield (
            (
                f"the estimate of {value:.3g} nats is beyond ln n = {np.log(n_rows):.1f}, about the most that "
                f"n_samples = {n_rows} can certify. Give more rows, or report lower_bound_."
            ),
            UserWarning,
        )
    rows = min(batch_size, n_rows)
    if value > (cap := module.bound.cap(rows - 1)) - NEAR_CAP:
        yield (
            (
                f"the estimate of {value:.3g} nats is within {NEAR_CAP} of {cap:.3g}, the most that "
                f"mi_estimator={mi_estimator!r} can tell apart with {rows} rows per batch. Raise batch_size, or use "
                "mi_estimator='dv'."
            ),
            UserWarning,
        )
    unfinished = sum(not net.converged_ and len(net.history) >= net.max_epochs for net in nets)
    if unfinished > len(nets) / 2:
        yield (
            (
                f"{unfinished} of {len(nets)} critics were still improving when their {nets[-1].max_epochs} epochs "
                f"ran out (max_iter={max_iter!r}): the estimate may be too low. Raise max_iter."
            ),
            ConvergenceWarning,
        )
