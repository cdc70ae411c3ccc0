"""mutual_info_features: a score for each column of X, all critics trained at once."""

from functools import partial
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_consistent_length
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import LambdaLR

from sklearn_dim.bounds import BOUNDS, Bound, make_bound
from sklearn_dim.critics import Separable, StackedCritic
from sklearn_dim.data import check_table, check_targets
from sklearn_dim.estimator import Interval, StrOptions, validate_params
from sklearn_dim.features._codes import Code, code_columns, stacks_of
from sklearn_dim.objectives import ColumnInformation, MaskedInformation
from sklearn_dim.training import (
    BestWeights,
    BestWeightsEach,
    InformationNet,
    RowBatches,
    resolve_device,
    seeded,
    set_seed,
)

STEPS = {False: 600, True: 1000}  # of training per fold, by ``jointly``, where max_iter is "auto"
NEVER = 10**6  # epochs without improvement before a stop: the best epoch counts, but all are run
WEIGHT_DECAY = 0.3  # AdamW's; large, as each column has a critic of its own and rows are few


@validate_params(
    {
        "jointly": ["boolean"],
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
    X,
    y,
    *,
    jointly=False,
    mi_estimator="dv",
    max_iter="auto",
    batch_size="auto",
    learning_rate_init="auto",
    validation_fraction=0.15,
    device="auto",
    random_state=None,
) -> np.ndarray:
    """Return the information of each column of X about y, in nats: a ``score_func`` for `SelectKBest`.

    Each column has a critic of its own, trained by the bound of MINE [1]_ or another. All are trained at once, as one
    batched network. The rows are cut into two halves, and each is valued by critics that saw only the other.
    Negative estimates, which are noise around zero, are given as 0, as scikit-learn does. Unless ``jointly``, what a
    column is given does not depend on the columns beside it.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Columns of numbers; in a DataFrame also categories and strings. At least 8 rows.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Numbers, classes or strings.
    jointly : bool, default=False
        False gives I(column; y). True gives what the column adds to all others, I(X; y) − I(X without it; y): it finds
        a column that says nothing alone, as in an exclusive or. But a column that others stand in for adds nothing:
        of two copies both are given 0.
    mi_estimator : str or Bound, default="dv"
        The bound that trains the critics: a name of `sklearn_dim.bounds.BOUNDS` or a bound object.
    max_iter : int or "auto", default="auto"
        Epochs a half; "auto" makes about 600 steps, with ``jointly`` 1000.
    batch_size : int or "auto", default="auto"
        Most rows in a batch; "auto" is 32, with ``jointly`` 256.
    learning_rate_init : float or "auto", default="auto"
        Adam's first step size; "auto" is 0.02, with ``jointly`` 0.003.
    validation_fraction : float, default=0.15
        Share of a half that decides when a column's critic was best; it is neither trained on nor valued.
    device : str, default="auto"
        "auto" is CUDA, then MPS, then the CPU; or a torch device.
    random_state : int, RandomState instance or None, default=None
        Seeds halves, weights and order. Global random streams are left alone.

    Returns
    -------
    ndarray of shape (n_features,)
        Nats; 0 for a constant column.

    Raises
    ------
    ValueError
        If X or y has missing or infinite values, or fewer than 8 rows, or a parameter cannot be used.
    FloatingPointError
        If training diverges.

    Notes
    -----
    Of the levels of a text column the 62 most frequent are told apart. Held-out values lean low where the dependence is
    intricate and rows are few: y = x² + noise of 0.8 nats is given about 0.71 at 2000 rows.

    References
    ----------
    .. [1] M. I. Belghazi et al., "Mutual information neural estimation", ICML 2018.

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
    auto: dict[str, Any] = {"batch_size": 256, "lr": 0.003} if jointly else {"batch_size": 32, "lr": 0.02}
    given = {"batch_size": batch_size, "lr": learning_rate_init}
    plan = Plan(
        jointly, make_bound(mi_estimator), max_iter, validation_fraction, resolve_device(device),
        **{name: auto[name] if value == "auto" else value for name, value in given.items()},
    )  # fmt: skip
    columns, answers = code_columns(table), [code for code in code_columns(targets) if code is not None]
    values = np.zeros(table.shape[1])
    # On one thread: steps are short, and threads that wait for each other take many times as long on a busy machine.
    with seeded(random_state, 0, device=plan.device) as seed:
        for stack in stacks_of(columns, len(table), jointly) if answers else []:
            set_seed(seed, plan.device)
            y_features = np.hstack([code.features for code in answers]) / np.sqrt(len(answers))
            value = _value_jointly if jointly else _value_alone
            numbers = len(answers) == 1 and answers[0].continuous
            codes = [code for j in stack if (code := columns[j]) is not None]
            values[stack] = value(codes, y_features.astype(np.float32), numbers, seed, plan)
    return np.maximum(values, 0.0)


class Plan(NamedTuple):
    """How critics are trained."""

    jointly: bool
    bound: Bound
    max_iter: int | str
    validation_fraction: float
    device: torch.device
    batch_size: int
    lr: float


def _check(X, y) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = check_table(X, "mutual_info_features")
    if y is None:
        raise ValueError("mutual_info_features requires y to be passed, but the target y is None. Pass the target.")
    targets = check_targets(y)
    check_consistent_length(table, targets)
    if len(table) < 8:
        raise ValueError(
            f"n_samples = {len(table)} is too few for mutual_info_features: it needs 8 rows to train, stop and value. "
            "Give more rows (an estimate worth reading wants hundreds)."
        )
    return table, targets


def _halves(n: int, seed: int, plan: Plan):
    """Yield the rows to train on, to decide by and to value, twice."""
    for train, held_out in KFold(2, shuffle=True, random_state=seed).split(np.empty(n)):
        order = np.random.default_rng(seed).permutation(train)
        stop = min(max(2, round(plan.validation_fraction * len(train))), len(train) - 2)
        fit = order[stop:]
        most = STEPS[plan.jointly] * plan.batch_size if plan.max_iter == "auto" else len(fit)
        yield fit[:most], order[:stop], held_out


def _value_alone(codes: list[Code], y, numbers: bool, seed: int, plan: Plan) -> np.ndarray:
    """Return each column's information about y (p,)."""
    width = -(-max(code.features.shape[1] for code in codes) // 16) * 16  # faster than what is not a multiple
    x = np.zeros((len(y), len(codes), width), dtype=np.float32)
    y = np.hstack([y, np.zeros((len(y), -y.shape[1] % 16), dtype=np.float32)])
    for place, code in enumerate(codes):
        x[:, place, : code.features.shape[1]] = code.features
    gaussian = torch.tensor([code.continuous and numbers for code in codes])
    total = np.zeros(len(codes))
    for fit, stop, held_out in _halves(len(y), seed, plan):
        options: dict[str, Any] = {"shuffle": False, "batch_size": 2048, "device": plan.device}
        batches = RowBatches(x, y, rows=fit, batch_size=plan.batch_size, device=plan.device)
        keep = BestWeightsEach(list(RowBatches(x, y, rows=stop, **options)), every=-(-40 // len(batches)))
        net = _make_net(partial(build_alone, x.shape[1:], y.shape[1], plan.bound), len(batches), keep, plan)
        rows = (torch.as_tensor(array[fit], device=plan.device) for array in (x, y))
        net.module_.start(*rows, gaussian.to(plan.device))
        net.partial_fit(batches, None)
        total = total + _held_out(net, RowBatches(x, y, rows=held_out, **options))
    return total / len(y)


def _value_jointly(codes: list[Code], y, numbers: bool, seed: int, plan: Plan) -> np.ndarray:
    """Return what each column adds to all others (p,)."""
    parts = [code.features[:, :1] if code.continuous else code.features[:, :-1] for code in codes]
    x = np.hstack(parts)
    owner = torch.as_tensor(np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts]))
    total = np.zeros(len(codes))
    for fit, stop, held_out in _halves(len(y), seed, plan):
        options: dict[str, Any] = {"shuffle": False, "batch_size": 1024, "device": plan.device}
        batches = RowBatches(x, y, rows=fit, batch_size=plan.batch_size, device=plan.device)
        keep = BestWeights("valid_mutual_info", lower_is_better=False, n_iter_no_change=NEVER, tol=0.0, from_start=True)
        net = _make_net(partial(build_jointly, owner, y.shape[1], plan.bound), len(batches), keep, plan)
        net.partial_fit(batches, RowBatches(x, y, rows=stop, **options))
        total = total + _held_out(net, RowBatches(x, y, rows=held_out, **options))
    return total / len(y)


@torch.no_grad()
def _held_out(net, batches) -> np.ndarray:
    """Return the columns' values (p,) on the batches, times the number of rows."""
    net.module_.eval()
    return sum(len(batch[0]) * net.module_.values(batch) for batch in batches).cpu().double().numpy()


def _make_net(build, n_batches: int, keep, plan: Plan) -> InformationNet:
    epochs = -(-STEPS[plan.jointly] // n_batches) if plan.max_iter == "auto" else int(plan.max_iter)
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
    """Return the share of the first step size at a step: whole for half the training, then falling to about 0."""
    return min(1.0, 2 * (1 - step / steps) + 0.02)


def build_alone(shape: tuple[int, int], y_features: int, bound: Bound) -> ColumnInformation:
    """Wire an objective for p columns of x_features each, shape = (p, x_features)."""
    return ColumnInformation(StackedCritic(*shape, y_features), bound)


def build_jointly(owner, y_features: int, bound: Bound) -> MaskedInformation:
    """Wire an objective for columns whose features are ``owner``'s."""
    critic = Separable(len(owner) + int(owner.max()) + 1, y_features, units=32, hidden=(128,))
    return MaskedInformation(critic, bound, owner)
