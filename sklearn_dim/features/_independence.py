"""Is a column independent of y? Permutation tests of all columns at once.

The critics cannot say. Those of one half of the rows were trained on the other, so that under independence the values
of both halves rise and fall together, while permutations of held-out rows take them for independent: of 5 % they make 7
to 9 %. What is tested here is the covariance of fixed features, on all rows, which is exact and has more power.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sklearn_dim.data import continuous_scores
from sklearn_dim.features._codes import Code
from sklearn_dim.features._pairs import numbers_of
from sklearn_dim.mine import neighbor_contributions
from sklearn_dim.training import drawn_once

MAX_NUMBERS = 2**24  # held at once
ROUNDING = 1e-5  # by which equal statistics may differ
# Neighbours see in few rows already what they are here for, and take milliseconds for each permutation.
NEIGHBOR_ROWS = 1000
NEIGHBOR_PERMUTATIONS = 499
FEATURE_SHARE = 0.75  # of the errors that the test by features may make; the rest is the neighbours', for odd shapes


def p_values_of(
    table: pd.DataFrame,
    columns: Sequence[Code | None],
    y_codes: Sequence[Code],
    y: pd.Series | None,
    n_permutations: int,
    seed: int,
    device: torch.device,
) -> np.ndarray:
    """Return a p-value of the independence of each column and y, (p,); 1 for constants.

    Where neighbours may see what features do not, with one column ``y`` and unless both sides are classes, the smaller
    p-value of two tests counts, corrected for the choice (Šidák, with unequal shares).
    """
    varying = [(j, code) for j, code in enumerate(columns) if code is not None]
    p_values = np.ones(len(columns))
    if not varying or not y_codes:
        return p_values
    places = [j for j, _ in varying]
    p_values[places] = _by_features([code for _, code in varying], y_codes, n_permutations, seed, device)
    if y is None:
        return p_values
    seen = [j for j, code in varying if code.continuous or y_codes[0].continuous]
    draws = min(n_permutations, NEIGHBOR_PERMUTATIONS)
    by_neighbors = _by_neighbors(table, seen, y, not y_codes[0].continuous, draws, seed)
    of_both = [(p_values[seen], FEATURE_SHARE), (by_neighbors, 1 - FEATURE_SHARE)]
    p_values[seen] = np.min([1 - (1 - p) ** (1 / share) for p, share in of_both], axis=0)
    return p_values


def kernel_features(code: Code) -> np.ndarray:
    """Return centred features (n, d) whose inner products are a kernel.

    Of numbers it is Mehler's kernel with ρ = ½ of their normal scores z, up to the third Hermite polynomial: straight
    lines count most, then what depends on z² and z³. Of classes it is Pearson's χ², in which rare ones weigh less.
    """
    if code.continuous:
        z = code.features[:, :1].astype(float)
        features = np.hstack([z, 0.5 * z**2, 0.5 * (z**3 - 3 * z) / np.sqrt(6)])
    else:
        features = code.features[:, :-1]
    return (features - features.mean(0)).astype(np.float32)


def _by_features(
    codes: Sequence[Code], y_codes: Sequence[Code], n_permutations: int, seed: int, device: torch.device
) -> np.ndarray:
    """Return the p-value of the squared covariances of a column's features and those of y, summed (HSIC), (p,)."""
    y = torch.as_tensor(np.hstack([kernel_features(code) for code in y_codes]), device=device)
    reached = []
    for part in _parts(codes, y.shape[1]):
        features = [kernel_features(code) for code in part]
        x = torch.as_tensor(np.hstack(features), device=device)
        owner = torch.as_tensor(np.repeat(np.arange(len(part)), [block.shape[1] for block in features]), device=device)
        random = np.random.default_rng([seed, 1])
        observed = _statistics(x, owner, y[:, None])[:, 0]
        least = observed * (1 - ROUNDING)
        count = torch.zeros_like(observed)
        for draws in _draws(y, n_permutations, x.shape[1], random):
            count += (_statistics(x, owner, draws) >= least[:, None]).sum(1)
        reached.append(count)
    return (1 + torch.cat(reached).cpu().double().numpy()) / (n_permutations + 1)


def _parts(codes: Sequence[Code], y_width: int) -> Iterator[Sequence[Code]]:
    """Yield the columns in parts that fit into memory."""
    widest = max(code.features.shape[1] for code in codes)
    size = max(1, MAX_NUMBERS // (widest * max(len(codes[0].features), y_width)))
    for start in range(0, len(codes), size):
        yield codes[start : start + size]


def _draws(y: Tensor, n_permutations: int, x_width: int, random: np.random.Generator) -> Iterator[Tensor]:
    """Yield permutations of the rows of y (n, d), several at once: (n, n_draws, d)."""
    at_once = max(1, MAX_NUMBERS // (y.shape[1] * max(len(y), x_width)))
    for start in range(0, n_permutations, at_once):
        orders = [random.permutation(len(y)) for _ in range(min(at_once, n_permutations - start))]
        yield y[torch.as_tensor(np.stack(orders, axis=1), device=y.device)]


def _statistics(x: Tensor, owner: Tensor, draws: Tensor) -> Tensor:
    """Return the sum of the squared covariances of each column (p, n_draws), times n²."""
    squares = (x.T @ draws.flatten(1)).square_().unflatten(1, draws.shape[1:]).sum(2)
    return squares.new_zeros(int(owner[-1]) + 1, squares.shape[1]).index_add_(0, owner, squares)


def _by_neighbors(
    table: pd.DataFrame, places: Sequence[int], y: pd.Series, classes: bool, n_permutations: int, seed: int
) -> np.ndarray:
    """Return the p-value of each column's information by nearest neighbours, (len(places),).

    With ties broken at random the ranks of every column are, under independence, a random order of the same numbers:
    all columns have one null distribution, and are compared with the same permutations.
    """
    rows = drawn_once(len(table), NEIGHBOR_ROWS)
    of_y = numbers_of(y)[rows]

    def information(x: np.ndarray) -> float:
        return float(neighbor_contributions(x, of_y, y_discrete=[classes]).mean())

    random = np.random.default_rng([seed, 2])
    null = np.array([information(random.permutation(len(rows))) for _ in range(n_permutations)])
    ties = np.random.RandomState(seed)
    ranks = (continuous_scores(numbers_of(table.iloc[:, j])[rows, None], ties) for j in places)
    reached = np.array([np.sum(null >= information(x) - ROUNDING) for x in ranks])
    return (1 + reached) / (n_permutations + 1)
