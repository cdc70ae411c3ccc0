"""Blocks of columns side by side: their leading axes, and a scale for each."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

MAX_AXES = 256  # of a block
LEAST_VARIANCE = 1e-5  # of an axis, relative to the first: less is noise


def varies(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return whether columns vary by more than rounding errors.

    In float32 the computed deviation of a constant column may be as large as one, 1e-7 of its mean.
    """
    return deviation > 1e-6 * np.maximum(np.abs(mean), 1.0)


def leading_axes(
    features: np.ndarray, n_axes: int | None = None, *, standardized: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean (n_features,) and axes (n_features, k), so that (features - mean) @ axes keep most of the variance.

    These span the principal components of the features, standardised or as they are: at most `MAX_AXES`, of which
    negligible ones are left out, or as many as ``n_axes`` says. They are turned so that all of them have the same
    variance: distances stay what they are, and a scaler behind them does no harm.
    """
    scaler = StandardScaler().fit(features.astype(np.float64))
    weight = np.where(varies(scaler.mean_, scaler.scale_), 1 / scaler.scale_ if standardized else 1.0, 0.0)
    rows = (features - scaler.mean_) * weight
    if not varies(scaler.mean_, np.sqrt(scaler.var_)).any():
        return scaler.mean_, np.zeros((rows.shape[1], n_axes or 1))
    pca = PCA(n_axes or min(MAX_AXES, len(rows) - 1, rows.shape[1]), random_state=0).fit(rows)
    kept = pca.explained_variance_ >= (0 if n_axes else LEAST_VARIANCE * pca.explained_variance_[0])
    axes = pca.components_[kept].T @ even_rotation(pca.explained_variance_[kept])
    return scaler.mean_, weight[:, None] * axes


def even_rotation(variances: np.ndarray) -> np.ndarray:
    """Return an orthogonal matrix Q, so that x @ Q has columns of equal variance where those of x are uncorrelated.

    At most k − 1 rotations of two columns each (Chan & Li, "Diagonalizing quadratic forms", 1983): of the columns with
    the largest and the smallest variance, one gets the mean.
    """
    covariance, rotation = np.diag(variances.astype(np.float64)), np.eye(len(variances))
    mean = variances.mean()
    for _ in range(len(variances) - 1):
        most, least = np.argmax(np.diag(covariance)), np.argmin(np.diag(covariance))
        pair = [most, least]
        above, below = covariance[most, most] - mean, mean - covariance[least, least]
        if min(above, below) <= 1e-12 * mean:
            break
        product = covariance[most, least]
        tangent = (product + np.sqrt(product**2 + above * below)) / below
        turn = np.array([[1.0, -tangent], [tangent, 1.0]]) / np.hypot(1.0, tangent)
        covariance[:, pair] = covariance[:, pair] @ turn
        covariance[pair] = turn.T @ covariance[pair]
        rotation[:, pair] = rotation[:, pair] @ turn
    return rotation


def block_scales(rows: np.ndarray, widths: dict[str, int], lengths: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return what to subtract from each column of blocks side by side, and to divide it by, from rows of them.

    The columns of the first block, the code, get equal variances; those of the other blocks keep their proportions.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    widths : dict of str to int
        The blocks in their order, and the number of columns of each.
    lengths : dict of str to float
        The root mean square distance of each block from its mean.
    """
    rows = rows.astype(np.float64)
    mean, deviation = rows.mean(0), rows.std(0)
    deviation = np.where(varies(mean, deviation), deviation, 0.0)
    (name, *others) = widths
    code, *rest = np.split(deviation, np.cumsum(list(widths.values()))[:-1])
    n_varying = max(1, int(np.count_nonzero(code)))
    scales = [np.where(code > 0, code * n_varying**0.5 / lengths[name], 1.0)]
    for name, block in zip(others, rest, strict=True):
        scales.append(np.full(len(block), np.linalg.norm(block) / lengths[name] or 1.0))
    return mean, np.concatenate(scales)
