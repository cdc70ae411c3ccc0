"""Critics of columns: how they are trained on one half of the rows and value the other."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.model_selection import KFold
from skorch.callbacks import Callback, LRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from sklearn_dim.bounds import Bound, make_bound
from sklearn_dim.critics import Separable, StackedCritic
from sklearn_dim.devices import has_fused_adam
from sklearn_dim.features._codes import Code
from sklearn_dim.objectives import ColumnInformation, MaskedInformation
from sklearn_dim.training import BestWeights, BestWeightsEach, InformationNet, RowBatches, drawn_once, resolve_device


class Auto(NamedTuple):
    """What max_iter, batch_size and learning_rate_init of "auto" mean; ``n_steps`` is for each half of the rows."""

    n_steps: int
    batch_size: int
    lr: float


# By ``jointly``: many small critics want many small steps; a single network for all columns wants larger batches.
AUTO = {False: Auto(600, 32, 0.02), True: Auto(1000, 256, 0.003)}
WEIGHT_DECAY = 0.3  # AdamW's; large, as each column has its own critic and rows are few
FINAL_RATE = 0.02  # the fraction of the step size that is left at the end
# Maximum numbers of rows to evaluate at a time, by ``jointly``, which scores all pairs of them.
EVALUATION_ROWS = {False: 512, True: 1024}
STEPS_PER_EVALUATION = 40  # unless ``jointly``: evaluations at the end of every epoch could take longer than training


class Plan(NamedTuple):
    """The parameters of `mutual_info_features`, with "auto" resolved; ``max_iter`` is then None."""

    jointly: bool
    bound: Bound
    max_iter: int | None
    validation_fraction: float
    device: torch.device
    batch_size: int
    lr: float


def make_plan(
    jointly: bool,
    mi_estimator: str | Bound,
    max_iter: int | str,
    batch_size: int | str,
    learning_rate_init: float | str,
    validation_fraction: float,
    device: str,
) -> Plan:
    """Resolve "auto" in the parameters of `mutual_info_features`."""
    auto = AUTO[jointly]
    return Plan(
        bool(jointly),
        make_bound(mi_estimator),
        None if max_iter == "auto" else int(max_iter),
        validation_fraction,
        resolve_device(device),
        int(auto.batch_size if batch_size == "auto" else batch_size),
        float(auto.lr if learning_rate_init == "auto" else learning_rate_init),
    )


def _halves(n: int, seed: int, plan: Plan) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield, for each half, the rows to train on, those to stop on, and those of the other half."""
    for train, held_out in KFold(2, shuffle=True, random_state=seed).split(np.empty(n)):
        order = np.random.default_rng(seed).permutation(train)
        stop = min(max(2, round(plan.validation_fraction * len(train))), len(train) - 2)
        fit = order[stop:]
        if plan.max_iter is None:  # no more rows than the steps visit
            fit = fit[: AUTO[plan.jointly].n_steps * plan.batch_size]
        yield fit, order[:stop], drawn_once(held_out)


class Half(NamedTuple):
    """Critics of all columns of a stack, and half of the rows, none of which they were trained on."""

    net: InformationNet
    rows: RowBatches


def trained(codes: list[Code], y: np.ndarray, continuous_y: bool, seed: int, plan: Plan) -> Iterator[Half]:
    """Yield critics of the columns ``codes`` for each half of the rows; ``y`` are the features of the target."""
    return (
        _trained_jointly(codes, y, seed, plan) if plan.jointly else _trained_alone(codes, y, continuous_y, seed, plan)
    )


def values_of(halves: Iterable[Half]) -> np.ndarray:
    """Return the information of each column, (p,): the mean over the rows of all halves."""
    total: Any = 0.0
    n = 0
    for half in halves:
        total += _sum_of_values(half)
        n += half.rows.n_rows
    return total / n


class Evaluated(NamedTuple):
    """What critics say of the columns, by rows.

    Attributes
    ----------
    values : ndarray of shape (p,)
        The information, as of `values_of`.
    contributions : ndarray of shape (p, n)
        Of the rows.
    disagreement : ndarray of shape (p,)
        The information of the first half less that of the second.
    n_epochs : int
        Number of epochs of each training.
    """

    values: np.ndarray
    contributions: np.ndarray
    disagreement: np.ndarray
    n_epochs: int


@torch.no_grad()
def evaluate(halves: Iterable[Half], n: int) -> Evaluated:
    """Return what critics say of n rows, in two halves."""
    sums, parts, n_epochs = [], [], 0
    for half in halves:
        module = half.net.module_.eval()
        n_epochs = len(half.net.history)
        found = [module.evaluate_columns(batch) for batch in half.rows]
        sums.append(sum(part.contributions.shape[1] * part.values for part in found).cpu().double().numpy())
        parts.append((half.rows.rows, torch.cat([part.contributions for part in found], 1).cpu().numpy()))
    contributions = np.empty((len(sums[0]), n), dtype=np.float32)
    for rows, of_rows in parts:
        contributions[:, rows] = of_rows
    first, second = (total / len(rows) for total, (rows, _) in zip(sums, parts, strict=True))
    return Evaluated((sums[0] + sums[1]) / n, contributions, first - second, n_epochs)


def _trained_alone(codes: list[Code], y: np.ndarray, continuous_y: bool, seed: int, plan: Plan) -> Iterator[Half]:
    width = -(-max(code.features.shape[1] for code in codes) // 16) * 16  # multiples of 16 are fastest
    x = np.zeros((len(y), len(codes), width), dtype=np.float32)
    y = np.hstack([y, np.zeros((len(y), -y.shape[1] % 16), dtype=np.float32)])
    for position, code in enumerate(codes):
        x[:, position, : code.features.shape[1]] = code.features
    gaussian = torch.tensor([code.continuous and continuous_y for code in codes])
    for fit, stop, held_out in _halves(len(y), seed, plan):
        batches = RowBatches(x, y, rows=fit, batch_size=plan.batch_size, device=plan.device)
        every = -(-STEPS_PER_EVALUATION // len(batches))
        keep = BestWeightsEach(list(_evaluation_batches(x, y, stop, plan)), every=every)
        net = _make_net(partial(build_alone, x.shape[1:], y.shape[1], plan.bound), len(batches), keep, plan)
        rows = (torch.as_tensor(array[fit], device=plan.device) for array in (x, y))
        net.module_.start(*rows, gaussian.to(plan.device))
        net.partial_fit(batches, None)
        yield Half(net, _evaluation_batches(x, y, held_out, plan))


def _trained_jointly(codes: list[Code], y: np.ndarray, seed: int, plan: Plan) -> Iterator[Half]:
    blocks = [code.features[:, :1] if code.continuous else code.features[:, :-1] for code in codes]
    x = np.hstack(blocks)
    owner = torch.as_tensor(np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks]))
    for fit, stop, held_out in _halves(len(y), seed, plan):
        batches = RowBatches(x, y, rows=fit, batch_size=plan.batch_size, device=plan.device)
        keep = BestWeights("valid_mutual_info", lower_is_better=False, from_start=True)  # runs all epochs
        net = _make_net(partial(build_jointly, owner, y.shape[1], plan.bound), len(batches), keep, plan)
        net.partial_fit(batches, _evaluation_batches(x, y, stop, plan))
        yield Half(net, _evaluation_batches(x, y, held_out, plan))


def _evaluation_batches(x: np.ndarray, y: np.ndarray, rows: np.ndarray, plan: Plan) -> RowBatches:
    size = EVALUATION_ROWS[plan.jointly]
    return RowBatches(x, y, rows=rows, shuffle=False, batch_size=size, device=plan.device)


@torch.no_grad()
def _sum_of_values(half: Half) -> np.ndarray:
    """Return the columns' information (p,) on the half, times its number of rows."""
    module = half.net.module_.eval()
    return sum(len(batch[0]) * module.values(batch) for batch in half.rows).cpu().double().numpy()


def _make_net(build: Callable[[], nn.Module], n_batches: int, keep: Callback, plan: Plan) -> InformationNet:
    epochs = -(-AUTO[plan.jointly].n_steps // n_batches) if plan.max_iter is None else plan.max_iter
    decay = LRScheduler(LambdaLR, lr_lambda=partial(_rate, epochs * n_batches), step_every="batch")
    return InformationNet(
        build,
        optimizer=torch.optim.AdamW,
        lr=plan.lr,
        optimizer__weight_decay=WEIGHT_DECAY,
        optimizer__fused=has_fused_adam(plan.device),
        max_epochs=epochs,
        device=str(plan.device),
        callbacks=[keep, decay],
    ).initialize()


def _rate(steps: int, step: int) -> float:
    """Return the factor of the step size at a step: 1 for the first half, then decreasing linearly to `FINAL_RATE`."""
    return min(1.0, 2 * (1 - step / steps) + FINAL_RATE)


def build_alone(shape: tuple[int, int], y_features: int, bound: Bound) -> ColumnInformation:
    """Return an objective for columns of the same width; ``shape`` is (number of columns, features of a column)."""
    n_columns, x_features = shape
    return ColumnInformation(StackedCritic(n_columns, x_features, y_features), bound)


def build_jointly(owner: Tensor, y_features: int, bound: Bound) -> MaskedInformation:
    """Return an objective for columns of any width; ``owner`` is the column that each feature belongs to."""
    critic = Separable(len(owner) + int(owner.max()) + 1, y_features, units=32, hidden=(128,))
    return MaskedInformation(critic, bound, owner)
