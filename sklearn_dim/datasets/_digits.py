"""scikit-learn's digits, moved by one pixel."""

import numpy as np
from sklearn.datasets import load_digits


def load_nudged_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's digits, followed by copies moved by one pixel left, right, up and down.

    These are the data of scikit-learn's example "Restricted Boltzmann machine features for digit classification".

    Returns
    -------
    X : ndarray of shape (8985, 64)
        Flat 8 × 8 images with values in [0, 1], float32.
    y : ndarray of shape (8985,)
        The digit.
    """
    X, y = load_digits(return_X_y=True)
    images = X.reshape(-1, 8, 8).astype(np.float32) / 16
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    corners = [(1, 1), (1, 0), (1, 2), (0, 1), (2, 1)]
    nudged = [padded[:, top : top + 8, left : left + 8] for top, left in corners]
    return np.concatenate(nudged).reshape(-1, 64), np.tile(y, len(corners))
