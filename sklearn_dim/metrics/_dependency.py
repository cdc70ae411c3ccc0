"""How far a code's components depend on each other: the neural dependency measure of Deep InfoMax."""

from functools import partial
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.model_selection import KFold
from sklearn.utils import check_array, check_random_state

from sklearn_dim.bounds import make_bound
from sklearn_dim.data import continuous_scores
from sklearn_dim.estimator import Interval, StrOptions, validate_params
from sklearn_dim.objectives import TotalCorrelation
from sklearn_dim.training import BestWeights, InformationNet, RowBatches, drawn_once, resolve_device, seeded


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
    codes,
    *,
    cv=3,
    max_iter="auto",
    batch_size=256,
    learning_rate_init=3e-3,
    validation_fraction=0.15,
    n_iter_no_change=5,
    tol=1e-3,
    device="auto",
    random_state=None,
) -> float:
    """Return the total correlation of the components of a code, KL(p(code) ‖ Π p(codeᵢ)), in nats.

    It is 0 for independent components and unchanged by an increasing map of each. Deep InfoMax [1]_ values it by the
    Donsker–Varadhan bound between the code and the code with every component shuffled by itself. Here the
    discriminator starts from the closed form for correlated Gaussians and a network corrects it, and every row is
    valued by a discriminator that never saw it.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_components)
        What a `transform` returned. Components may have ties, or be discrete: ties are broken at random,
        which changes no information.
    cv : int, default=3
        Folds; for each a discriminator is trained on the others.
    max_iter : int or "auto", default="auto"
        Most epochs a fold; "auto" makes at most about 1000 steps, in at most 100 epochs.
    batch_size : int, default=256
        Most rows in a batch; each comes with four shuffled ones, fresh at every step.
    learning_rate_init : float, default=0.003
        Adam's step size.
    validation_fraction : float, default=0.15
        Share of a fold's training rows that decides when to stop; the network trains on none of them.
    n_iter_no_change : int, default=5
        Epochs without an improvement by ``tol`` before a stop. The best epoch counts, the closed form among them.
    tol : float, default=1e-3
        The least improvement, in nats.
    device : str, default="auto"
        "auto" is CUDA, then MPS, then the CPU; or a torch device.
    random_state : int, RandomState instance or None, default=None
        Seeds ties, folds, weights and shuffles. Global random streams are left alone.

    Returns
    -------
    float
        In nats: a plug-in estimate, not a bound; of independent components it may be a little negative. Dependence
        that is not correlation is underestimated: of two bits that share 0.37 nats 3000 rows show 0.27, and among 64
        components and 5000 rows a single pair that depends through its square alone goes unnoticed. With fewer than
        about five rows a component, strong dependence is overestimated by a tenth. Where a component is a function
        of the others, the truth is infinite, and the number says only that it is large.

    Raises
    ------
    ValueError
        If a parameter is out of range, codes have missing or infinite values, or rows are too few for the folds.

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
    >>> correlated = independent + rng.normal(size=(500, 1))  # correlations ½: −½ log det R = 0.35
    >>> bool(abs(neural_dependency_measure(correlated, random_state=0) - 0.35) < 0.1)
    True
    """
    codes = check_array(codes, dtype=np.float64, input_name="codes")
    n, d = codes.shape
    _check_rows(n, cv, validation_fraction)
    if d == 1:
        return 0.0  # one component depends on no other
    device = resolve_device(device)
    fit = {"learning_rate_init": learning_rate_init, "n_iter_no_change": n_iter_no_change, "tol": tol, "device": device}
    with seeded(random_state, codes.size, device=device) as seed:
        scores, total = continuous_scores(codes, seed), 0.0
        for rows, held_out in KFold(cv, shuffle=True, random_state=seed).split(scores):
            rows = check_random_state(seed).permutation(rows)
            n_stop = _n_stop(len(rows), validation_fraction)
            parts = {"train": rows[n_stop:], "stop": rows[:n_stop], "batch_size": batch_size, "max_iter": max_iter}
            net = _fit(scores, **parts, **fit)
            value = net.evaluate(_batches(scores, drawn_once(held_out), device))["mutual_info"]
            total += len(held_out) * (value + _shortfall(net, scores, rows, held_out))
    return float(total / n)


def _fit(scores, *, train, stop, batch_size, max_iter, learning_rate_init, n_iter_no_change, tol, device):
    """Return a net trained on the rows ``train`` until it is no better on the rows ``stop``."""
    keep = BestWeights(
        "valid_mutual_info", lower_is_better=False, n_iter_no_change=n_iter_no_change, tol=tol, from_start=True
    )
    net = InformationNet(
        partial(TotalCorrelation, scores.shape[1], make_bound("dv")),
        lr=learning_rate_init,
        device=str(device),
        callbacks=[keep],
        optimizer__fused=device.type in ("cpu", "cuda"),
    ).initialize()
    net.module_.closed_form.fit(torch.as_tensor(scores[np.concatenate([train, stop])]))
    batches = RowBatches(scores, rows=train, batch_size=batch_size, device=device)
    epochs = int(np.clip(1000 // len(batches), 1, 100)) if max_iter == "auto" else max_iter
    net.set_params(max_epochs=epochs)
    net.partial_fit(batches, _batches(scores, stop, device))
    net.module_.eval()
    return net


def _shortfall(net, scores, seen, unseen) -> float:
    """Return what the closed form lacks on unseen rows because its correlations were fitted.

    To first order it gains on the rows it was fitted on what it loses on others, so half the gap lies between either
    and the truth.
    """
    closed_form = net.module_.closed_form
    with torch.no_grad():
        mean = [closed_form(torch.as_tensor(scores[rows], device=net.device)).mean().item() for rows in (seen, unseen)]
    return (mean[0] - mean[1]) / 2


def _batches(scores, rows, device, most=4096):
    """Return the batches in which rows are valued."""
    return RowBatches(scores, rows=rows, batch_size=most, shuffle=False, device=device)


def _n_stop(n_rows, validation_fraction) -> int:
    return max(2, round(validation_fraction * n_rows))


def _check_rows(n, cv, validation_fraction):
    """Refuse codes that leave too few rows to train, stop or value on."""
    if n < 4 * cv:
        raise ValueError(
            f"codes has n_samples = {n}, too few for cv={cv}: give at least {4 * cv} rows (an estimate worth reading "
            "wants hundreds), or lower cv."
        )
    fold = n - -(-n // cv)
    if fold - _n_stop(fold, validation_fraction) < 2:
        raise ValueError(
            f"validation_fraction={validation_fraction} leaves fewer than 2 of a fold's {fold} training rows to train "
            "on. Lower it, or give more rows."
        )
