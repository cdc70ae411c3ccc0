"""Series with classes that need no download, or come with the package aeon."""

import importlib.util
import pathlib

import numpy as np
from sklearn.datasets import load_digits


def digits():
    """scikit-learn's digits, read from left to right: columns are times, rows are channels."""
    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 8, 8), y


def from_aeon(name):
    """Return a function that reads both parts of a data set that comes with the package aeon."""

    def load():
        rows, y = [], []
        for part in ("TRAIN", "TEST"):
            (path,) = aeon_folder().glob(f"*/{name}_{part}.ts")
            for line in path.read_text(errors="replace").splitlines():
                if line and line[0] not in "@#":
                    *channels, label = line.split(":")
                    rows.append([[float(value) for value in channel.split(",")] for channel in channels])
                    y.append(label)
        return np.array(rows), np.array(y)

    return load


def aeon_folder():
    """Return the folder of aeon's data sets, without importing it; None if it is not installed."""
    spec = importlib.util.find_spec("aeon")
    return pathlib.Path(spec.origin).parent / "datasets" / "data" if spec else None
