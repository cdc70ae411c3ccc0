"""How strongly the components of an embedding depend on each other: the neural dependency measure of Deep InfoMax."""

from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import KFold
from sklearn.utils import check_array, check_random_state

from sklearn_dim._arguments import refuse_few_to_train_on
from sklearn_dim.bounds import make_bound
from sklearn_dim.data import continuous_scores, without_torch
from sklearn_dim.devices import has_fused_adam
from sklearn_dim.estimator import Interval, StrOptions, validate_params
from sklearn_dim.objectives import TotalCorrelation
from sklearn_dim.training import BestWeights, InformationNet, RowBatches, drawn_once, resolve_device, seeded

EVALUATION_ROWS = 4096  # at a time; the table of scores has five entries per row, so memory is no concern


@validate_params(
    {
        "codes": ["array-like"],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "device": [str],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def neural_dependency_measure(
    codes: Any,
    *,
    cv: int = 3,
    max_iter: int | str = "auto",
    batch_size: int = 256,
    learning_rate_init: float = 3e-3,
    validation_fraction: float = 0.15,
    n_iter_no_change: int = 5,
    tol: float = 1e-3,
    device: str = "auto",
    random_state: Any = None,
) -> float:
    """Return the total correlation of the components of an embedding, KL(p(code) ‖ Π p(codeᵢ)), in nats.

    It is 0 for independent components, and increasing maps of single components do not change it. Deep InfoMax [1]_
    (where an embedding is a code) estimates it with the Donsker–Varadhan bound between codes and codes whose components
    were shuffled independently. Here the discriminator is the closed form for correlated Gaussians plus a network that
    corrects it, and each row is evaluated by a discriminator that was not trained on it.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_components)
        The output of a `transform`. Components may be discrete or have ties; ties are broken at random, which does not
        change the information.
    cv : int, default=3
        Number of folds; for each, a discriminator is trained on the others.
    max_iter : int or "auto", default="auto"
        Maximum number of epochs per fold; "auto" takes at most about 1000 steps, in at most 100 epochs.
    batch_size : int, default=256
        Maximum number of rows in a batch; with each come four shuffled ones, drawn anew at every step.
    learning_rate_init : float, default=0.003
        Adam's step size.
    validation_fraction : float, default=0.15
        Fraction of the training rows of a fold that decides when to stop; the network is not trained on them.
    n_iter_no_change : int, default=5
        Number of epochs without an improvement of at least ``tol`` before training stops early. The weights of the best
        epoch are kept; before the first one, the discriminator is the closed form.
    tol : float, default=1e-3
        The smallest change in nats that counts as an improvement.
    device : str, default="auto"
        A torch device. "auto" uses CUDA if there is any, else MPS, else the CPU.
    random_state : int, RandomState instance or None, default=None
        Seeds the ties, the folds, the weights and the shuffles. Global random states are not changed.

    Returns
    -------
    float
        In nats. This is a plug-in estimate, not a bound, and may be slightly negative if the components are
        independent. Dependence other than correlation is underestimated: two bits whose information is 0.37 nats get
        0.27 with 3000 rows, and among 64 components and 5000 rows, a single pair that depends through its square alone
        goes unnoticed. With fewer than about five rows per component, strong dependence is overestimated by a tenth.
        If a component is a function of the others, the true value is infinite, and the estimate is merely large.

    Raises
    ------
    ValueError
        If a parameter is out of range, codes have missing or infinite values, or there are too few rows for the folds.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and
       maximization", ICLR 2019, section 4.1 (NDM).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dim.metrics import neural_dependency_measure
    >>> rng = np.random.default_rng(0)
    >>> independent = rng.normal(size=(500, 3))
    >>> bool(abs(neural_dependency_measure(independent, random_state=0)) < 0.05)
    True
    >>> # Correlations of ½ make −½ log det R = 0.35:
    >>> correlated = independent + rng.normal(size=(500, 1))
    >>> bool(abs(neural_dependency_measure(correlated, random_state=0) - 0.35) < 0.1)
    True
    """
    codes = check_array(without_torch(codes), dtype=np.float64, input_name="codes")
    n, d = codes.shape
    _check_rows(n, cv, validation_fraction)
    if d == 1:
        return 0.0  # one component depends on no other
    where = resolve_device(device)
    fit = partial(
        _fit,
        batch_size=batch_size,
        max_iter=max_iter,
        learning_rate_init=learning_rate_init,
        n_iter_no_change=n_iter_no_change,
        tol=tol,
        device=where,
    )
    with seeded(random_state, codes.size, device=where) as seed:
        scores, total = continuous_scores(codes, seed), 0.0
        for rows, held_out in KFold(cv, shuffle=True, random_state=seed).split(scores):
            rows = check_random_state(seed).permutation(rows)
            n_stop = _n_stop(len(rows), validation_fraction)
            net = fit(scores, train=rows[n_stop:], stop=rows[:n_stop])
            value = net.evaluate(_evaluation_batches(scores, drawn_once(held_out), where))["mutual_info"]
            total += len(held_out) * (value + bias_correction(net, scores, rows, held_out))
    return float(total / n)


def _fit(
    scores: np.ndarray,
    *,
    train: np.ndarray,
    stop: np.ndarray,
    batch_size: int,
    max_iter: int | str,
    learning_rate_init: float,
    n_iter_no_change: int,
    tol: float,
    device: torch.device,
) -> InformationNet:
    """Return a net trained on the rows ``train`` until it no longer improves on the rows ``stop``."""
    keep = BestWeights(
        "valid_mutual_info", lower_is_better=False, n_iter_no_change=n_iter_no_change, tol=tol, from_start=True
    )
    net = InformationNet(
        partial(TotalCorrelation, scores.shape[1], make_bound("dv")),
        lr=learning_rate_init,
        device=str(device),
        callbacks=[keep],
        optimizer__fused=has_fused_adam(device),
    ).initialize()
    net.module_.closed_form.fit(torch.as_tensor(scores[np.concatenate([train, stop])]))
    batches = RowBatches(scores, rows=train, batch_size=batch_size, device=device)
    epochs = int(np.clip(1000 // len(batches), 1, 100)) if max_iter == "auto" else max_iter  # see its documentation
    net.set_params(max_epochs=epochs)
    net.partial_fit(batches, _evaluation_batches(scores, stop, device))
    net.module_.eval()
    return net


def bias_correction(net: InformationNet, scores: np.ndarray, seen: np.ndarray, unseen: np.ndarray) -> float:
    """Return the bias, on unseen rows, of the closed form, whose correlations were fitted to the rows ``seen``.

    To first order its mean is as much too high on the rows that it was fitted to as it is too low on others. So the
    true value lies halfway between the two.
    """
    closed_form = net.module_.closed_form
    with torch.no_grad():
        mean = [closed_form(torch.as_tensor(scores[rows], device=net.device)).mean().item() for rows in (seen, unseen)]
    return (mean[0] - mean[1]) / 2


def _evaluation_batches(scores: np.ndarray, rows: np.ndarray, device: torch.device) -> RowBatches:
    return RowBatches(scores, rows=rows, batch_size=EVALUATION_ROWS, shuffle=False, device=device)


def _n_stop(n_rows: int, validation_fraction: float) -> int:
    return max(2, round(validation_fraction * n_rows))


def _check_rows(n: int, cv: int, validation_fraction: float) -> None:
    """Raise ValueError if there are too few rows to train, stop and evaluate."""
    if n < 4 * cv:
        raise ValueError(
            f"codes has n_samples = {n}, too few for cv={cv}: give at least {4 * cv} rows (a useful estimate needs "
            "hundreds), or lower cv."
        )
    fold = n - -(-n // cv)
    refuse_few_to_train_on(fold, _n_stop(fold, validation_fraction), validation_fraction)
