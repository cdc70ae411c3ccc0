"""Sequences and documents with classes: generated, and real ones that need no download or one package."""

import importlib.util
import pathlib

import numpy as np
from sklearn.datasets import load_digits

from sklearn_dim.datasets import load_docstrings, make_motif_sequences, make_topic_corpus


def digits():
    """scikit-learn's digits, read from left to right: columns are times, rows are channels."""
    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 8, 8), y


def docstrings():
    """Docstrings of numpy, scipy and scikit-learn by their module; modules with 30 or more."""
    X, y, _ = load_docstrings()
    labels, index, counts = np.unique(y, return_inverse=True, return_counts=True)
    frequent = counts[index] >= 30
    return X[frequent], labels[index][frequent]


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


def tasks(seed):
    """Return name → (kind, function that makes X and y) of all tasks at hand."""
    found = {
        "motifs, generated": ("sequences", lambda: make_motif_sequences(1500, random_state=seed)),
        "motifs, long, generated": (
            "sequences",
            lambda: make_motif_sequences(1000, 2, 300, n_classes=6, motif_length=24, random_state=seed),
        ),
        "digits by columns": ("sequences", digits),
        "topics, generated": ("tokens", lambda: make_topic_corpus(1500, random_state=seed)),
        "docstrings": ("tokens", docstrings),
    }
    if aeon_folder():
        names = "ItalyPowerDemand", "JapaneseVowels_eq", "ArrowHead", "GunPoint"
        found |= {name: ("sequences", from_aeon(name)) for name in names}
    return found
