"""mutual_info_features: a score for each column of X, with all critics trained at once."""

from collections.abc import Callable, Iterator
from functools import partial
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_consistent_length
from skorch.callbacks import Callback, LRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from sklearn_dim.bounds import BOUNDS, Bound, make_bound
from sklearn_dim.critics import Separable, StackedCritic
from sklearn_dim.data import check_table, check_targets
from sklearn_dim.estimator import Interval, StrOptions, validate_params
from sklearn_dim.features._codes import Code, code_columns, stacks_of
from sklearn_dim.features._pairs import pairs_with
from sklearn_dim.objectives import ColumnInformation, MaskedInformation
from sklearn_dim.training import (
    BestWeights,
    BestWeightsEach,
    InformationNet,
    RowBatches,
    drawn_once,
    resolve_device,
    seeded,
    set_seed,
)


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


@validate_params(
    {
        "jointly": ["boolean"],
        "discrete_features": [StrOptions({"auto"}), "boolean", "array-like"],
        "discrete_target": [StrOptions({"auto"}), "boolean", "array-like"],
        "mi_estimator": [StrOptions(set(BOUNDS)), Bound],
        "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "batch_size": [Interval(Integral, 4, None, closed="left"), StrOptions({"auto"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "device": [str],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def mutual_info_features(
    X: Any,
    y: Any,
    *,
    jointly: bool = False,
    discrete_features: Any = "auto",
    discrete_target: Any = "auto",
    mi_estimator: str | Bound = "dv",
    max_iter: int | str = "auto",
    batch_size: int | str = "auto",
    learning_rate_init: float | str = "auto",
    validation_fraction: float = 0.15,
    device: str = "auto",
    random_state: Any = None,
) -> np.ndarray:
    """Return the mutual information of each column of X with y, in nats: a ``score_func`` for `SelectKBest`.

    Unless ``jointly``, the score of a column does not depend on the other columns. With one column of y it comes from
    two estimates. The column has its own critic, a network trained with the bound of MINE [1]_ or another; all critics
    are trained at once, as one batched network. A critic has little noise, so that weak dependences are told from none,
    and leans low where the dependence is intricate. Nearest neighbours [2]_ see a dependence of any shape, also with
    zeros, rounded values and classes, and have more noise. The score is the critic's, raised to the neighbours' if that
    is larger, as far as what they see is more than noise. Two columns of classes have the information of their table.

    With several columns of y, and ``jointly``, the score is the critics' alone. The rows are split into two halves, and
    each half is evaluated by critics that were trained on the other. Negative estimates, which are noise around zero,
    are returned as 0, as scikit-learn does.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Columns of numbers, in a DataFrame also of categories or strings. At least 8 rows.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Numbers, classes or strings.
    jointly : bool, default=False
        False returns I(column; y). True returns what the column adds to all others, I(X; y) − I(X without it; y). This
        finds columns that are informative only together, as in an exclusive or. But a column that others can replace
        adds nothing: two copies of a column both get 0.
    discrete_features : "auto", bool, or array-like of bool, positions or names, default="auto"
        Which columns of X are discrete. "auto" takes text, categories and booleans for discrete, and numbers with at
        most 20 distinct values of at least five rows each.
    discrete_target : "auto", bool, or array-like of bool, positions or names, default="auto"
        The same of y.
    mi_estimator : str or Bound, default="dv"
        The bound to train the critics with: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.
    max_iter : int or "auto", default="auto"
        Number of epochs for each half; "auto" takes about 600 steps, or 1000 if ``jointly``.
    batch_size : int or "auto", default="auto"
        Maximum number of rows in a batch; "auto" is 32, or 256 if ``jointly``.
    learning_rate_init : float or "auto", default="auto"
        AdamW's initial step size; "auto" is 0.02, or 0.003 if ``jointly``.
    validation_fraction : float, default=0.15
        Fraction of the training half that decides which epoch of a critic was the best; it is not trained on.
    device : str, default="auto"
        A torch device. "auto" uses CUDA if there is any, else MPS, else the CPU.
    random_state : int, RandomState instance or None, default=None
        Seeds the halves, the weights and the order of the rows. Global random states are not changed.

    Returns
    -------
    ndarray of shape (n_features,)
        In nats; 0 for a constant column.

    Raises
    ------
    ValueError
        If X or y has missing or infinite values, or fewer than 8 rows, or if a parameter is out of range.
    FloatingPointError
        If training diverges.

    Notes
    -----
    To a critic, all but the 62 most frequent levels of a text column with more than 63 count as one. Critics' held-out
    estimates are too low if the dependence is complicated and there are few rows: y = x² + noise with 0.8 nats gets
    about 0.71 of them with 2000 rows. Nearest neighbours make up for it with one column of y.

    References
    ----------
    .. [1] M. I. Belghazi et al., "Mutual information neural estimation", ICML 2018.
    .. [2] W. Gao, S. Kannan, S. Oh, P. Viswanath, "Estimating mutual information for discrete-continuous mixtures",
       NeurIPS 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.feature_selection import SelectKBest
    >>> from sklearn_dim import mutual_info_features
    >>> X, y = load_iris(return_X_y=True)
    >>> SelectKBest(mutual_info_features, k=2).fit(X, y).get_support()
    array([False, False,  True,  True])
    """
    table, targets = _check(X, y)
    auto = AUTO[jointly]
    plan = Plan(
        jointly,
        make_bound(mi_estimator),
        None if max_iter == "auto" else int(max_iter),
        validation_fraction,
        resolve_device(device),
        int(auto.batch_size if batch_size == "auto" else batch_size),
        float(auto.lr if learning_rate_init == "auto" else learning_rate_init),
    )
    table, columns = code_columns(table, discrete_features)
    targets, coded_y = code_columns(targets, discrete_target)
    y_codes = [code for code in coded_y if code is not None]
    values, pairs = np.zeros(table.shape[1]), None
    if len(y_codes) == 1 and not jointly:
        (j,) = (j for j, code in enumerate(coded_y) if code is not None)
        pairs = pairs_with(targets.iloc[:, j], y_codes[0].continuous, table, columns)
        if not y_codes[0].continuous:  # two columns of classes need no critic
            columns = [code if code is not None and code.continuous else None for code in columns]
    # Size 0, so on one thread: steps are short, and on a busy machine threads that wait for each other are far slower.
    with seeded(random_state, 0, device=plan.device) as seed:
        for stack in stacks_of(columns, len(table), jointly) if y_codes else []:
            set_seed(seed, plan.device)
            y_features = (np.hstack([code.features for code in y_codes]) / np.sqrt(len(y_codes))).astype(np.float32)
            codes = [code for code in (columns[j] for j in stack) if code is not None]
            if jointly:
                values[stack] = _scores_jointly(codes, y_features, seed, plan)
            else:
                continuous_y = len(y_codes) == 1 and y_codes[0].continuous
                values[stack] = _scores_alone(codes, y_features, continuous_y, seed, plan)
    return np.maximum(values, 0.0) if pairs is None else pairs.with_critics(values)


class Plan(NamedTuple):
    """The parameters of `mutual_info_features`, with "auto" resolved; ``max_iter`` is then None."""

    jointly: bool
    bound: Bound
    max_iter: int | None
    validation_fraction: float
    device: torch.device
    batch_size: int
    lr: float


def _check(X: Any, y: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = check_table(X, "mutual_info_features")
    if y is None:
        raise ValueError("mutual_info_features requires y to be passed, but the target y is None. Pass the target.")
    targets = check_targets(y)
    check_consistent_length(table, targets)
    if len(table) < 8:
        raise ValueError(
            f"n_samples = {len(table)} is too few for mutual_info_features: it needs 8 rows to train, stop and "
            "evaluate. Give more rows (a useful estimate needs hundreds)."
        )
    return table, targets


def _halves(n: int, seed: int, plan: Plan) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield, for each half, the rows to train on, those to stop on, and those of the other half."""
    for train, held_out in KFold(2, shuffle=True, random_state=seed).split(np.empty(n)):
        order = np.random.default_rng(seed).permutation(train)
        stop = min(max(2, round(plan.validation_fraction * len(train))), len(train) - 2)
        fit = order[stop:]
        if plan.max_iter is None:  # no more rows than the steps visit
            fit = fit[: AUTO[plan.jointly].n_steps * plan.batch_size]
        yield fit, order[:stop], drawn_once(held_out)


def _scores_alone(codes: list[Code], y: np.ndarray, continuous_y: bool, seed: int, plan: Plan) -> np.ndarray:
    """Return the information of each column with y, (p,)."""
    width = -(-max(code.features.shape[1] for code in codes) // 16) * 16  # multiples of 16 are fastest
    x = np.zeros((len(y), len(codes), width), dtype=np.float32)
    y = np.hstack([y, np.zeros((len(y), -y.shape[1] % 16), dtype=np.float32)])
    for position, code in enumerate(codes):
        x[:, position, : code.features.shape[1]] = code.features
    gaussian = torch.tensor([code.continuous and continuous_y for code in codes])
    total = np.zeros(len(codes))
    for fit, stop, held_out in _halves(len(y), seed, plan):
        batches = RowBatches(x, y, rows=fit, batch_size=plan.batch_size, device=plan.device)
        every = -(-STEPS_PER_EVALUATION // len(batches))
        keep = BestWeightsEach(list(_evaluation_batches(x, y, stop, plan)), every=every)
        net = _make_net(partial(build_alone, x.shape[1:], y.shape[1], plan.bound), len(batches), keep, plan)
        rows = (torch.as_tensor(array[fit], device=plan.device) for array in (x, y))
        net.module_.start(*rows, gaussian.to(plan.device))
        net.partial_fit(batches, None)
        total += _held_out(net, _evaluation_batches(x, y, held_out, plan))
    return total / len(y)


def _scores_jointly(codes: list[Code], y: np.ndarray, seed: int, plan: Plan) -> np.ndarray:
    """Return the information that each column adds to all others, (p,)."""
    blocks = [code.features[:, :1] if code.continuous else code.features[:, :-1] for code in codes]
    x = np.hstack(blocks)
    owner = torch.as_tensor(np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks]))
    total = np.zeros(len(codes))
    for fit, stop, held_out in _halves(len(y), seed, plan):
        batches = RowBatches(x, y, rows=fit, batch_size=plan.batch_size, device=plan.device)
        keep = BestWeights("valid_mutual_info", lower_is_better=False, from_start=True)  # runs all epochs
        net = _make_net(partial(build_jointly, owner, y.shape[1], plan.bound), len(batches), keep, plan)
        net.partial_fit(batches, _evaluation_batches(x, y, stop, plan))
        total += _held_out(net, _evaluation_batches(x, y, held_out, plan))
    return total / len(y)


def _evaluation_batches(x: np.ndarray, y: np.ndarray, rows: np.ndarray, plan: Plan) -> RowBatches:
    size = EVALUATION_ROWS[plan.jointly]
    return RowBatches(x, y, rows=rows, shuffle=False, batch_size=size, device=plan.device)


@torch.no_grad()
def _held_out(net: InformationNet, batches: RowBatches) -> np.ndarray:
    """Return the columns' information (p,) on the batches, times the number of rows."""
    net.module_.eval()
    return sum(len(batch[0]) * net.module_.values(batch) for batch in batches).cpu().double().numpy()


def _make_net(build: Callable[[], nn.Module], n_batches: int, keep: Callback, plan: Plan) -> InformationNet:
    epochs = -(-AUTO[plan.jointly].n_steps // n_batches) if plan.max_iter is None else plan.max_iter
    decay = LRScheduler(LambdaLR, lr_lambda=partial(_rate, epochs * n_batches), step_every="batch")
    return InformationNet(
        build,
        optimizer=torch.optim.AdamW,
        lr=plan.lr,
        optimizer__weight_decay=WEIGHT_DECAY,
        optimizer__fused=plan.device.type in ("cpu", "cuda"),
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
