"""Wide or collinear sides by their leading components, as many as held-out rows want."""

import itertools

import numpy as np
import torch

from sklearn_dim.mine._closed_forms import class_forms, held_out_value

WIDE = 32  # columns of a side up to which all are used: a critic of a few thousand rows copes with them
COLLINEAR = 1e-3  # the least variance of a direction beside the largest; below it, whitening shows rounding and ranks
CHOICES = (1, 2, 4, 8, 16, 32, 64, 128)  # numbers of components that are tried, beside all columns
MAX_ALL = 256  # columns up to which all of them are tried as well
MAX_ROWS = 2048  # that choose: pairs of so many make a table of 16 MB


class Components:
    """A map of rows (n, width) to components (n, k) of unit variance.

    Parameters
    ----------
    mean : ndarray of shape (width,)
    axes : ndarray of shape (width, k)
    """

    def __init__(self, mean: np.ndarray, axes: np.ndarray):
        self.mean, self.axes = mean, axes

    def transform(self, rows: np.ndarray) -> np.ndarray:
        """Return the components of rows, in float32."""
        return ((rows - self.mean) @ self.axes).astype(np.float32)


def choose_components(x: np.ndarray, y: np.ndarray, stops: np.ndarray) -> tuple[Components | None, Components | None]:
    """Return maps of the sides to their leading components, None for a side that stays as it is.

    A side of many columns mostly has few dimensions; the others are noise, by which a critic of few rows is misled. So
    has one of collinear columns: what is left of them in other directions is due to ranks, and far from Gaussian.
    Each number of components has a closed form (a joint Gaussian, or a logistic regression where a side is a class)
    fitted to the rows that train, and its value on the rows that ``stops`` marks, which train nothing. The fewest
    components count whose value is less than the best by no more than the standard error of the difference: what a
    network finds besides, it finds in few columns sooner.

    Parameters
    ----------
    x, y : ndarray of shape (n, width)
        Codes of the training rows of a fold.
    stops : ndarray of bool of shape (n,)
    """
    sides = [_candidates(side[~stops]) for side in (x, y)]
    if all(len(side) == 1 for side in sides):
        return None, None
    columns = [[_mapped(side, one) for one in candidates] for side, candidates in zip((x, y), sides, strict=True)]
    form = [*class_forms(x, y), "gaussian"][0]
    values, widths, choices = [], [], []
    for (i, a), (j, b) in itertools.product(*map(enumerate, columns)):
        values.append(held_out_value(form, a, b, stops, MAX_ROWS))
        widths.append(a.shape[1] + b.shape[1])
        choices.append((sides[0][i], sides[1][j]))
    best = max(values, key=torch.mean)
    losses = [best - value for value in values]
    enough = [k for k, loss in enumerate(losses) if loss.mean() <= loss.std() / len(loss) ** 0.5]
    return choices[min(enough, key=widths.__getitem__)]


def _candidates(side: np.ndarray) -> list[Components | None]:
    """Return maps to 1, 2, 4, … leading components, and None for all columns; None alone if these are few."""
    n, width = side.shape
    mean = side.mean(0, dtype=np.float64)
    centred = side - mean
    _, scales, axes = np.linalg.svd(centred, full_matrices=False) if n < width else _by_covariance(centred)
    has_indicators = ((side == 0) | (side == 1)).all(0).any()  # a rare level is no collinearity
    if width <= WIDE and (has_indicators or np.square(scales[-1]) >= COLLINEAR * np.square(scales[0])):
        return [None]
    rank = int((scales > 1e-5 * scales[0]).sum())
    sizes = [k for k in CHOICES if k < min(rank, n // 4)] or [max(1, min(rank, n // 4))]
    unit = axes.T[:, : max(sizes)] * (np.sqrt(n) / scales[: max(sizes)])
    maps: list[Components | None] = [Components(mean, unit[:, :k]) for k in sizes]
    return [*maps, None] if width <= min(MAX_ALL, n // 4) else maps


def _by_covariance(centred: np.ndarray) -> tuple[None, np.ndarray, np.ndarray]:
    """Return singular values and right singular vectors of a tall matrix."""
    values, vectors = np.linalg.eigh(centred.T @ centred)
    return None, np.sqrt(np.maximum(values[::-1], 0.0)), vectors[:, ::-1].T


def _mapped(side: np.ndarray, components: Components | None) -> np.ndarray:
    return side if components is None else components.transform(side)
