"""The tasks of rivals.py by kind: samples with classes, generated, shipped by packages, or in SKLEARN_DIM_DATA."""

import functools
import os
import pathlib
import subprocess
import zlib

import numpy as np
import pandas as pd
from _cifar10 import load_cifar10
from _package_docstrings import package_docstrings
from _series import aeon_folder, digits, from_aeon
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from sklearn_dim.datasets import load_docstrings, load_nudged_digits, make_motif_sequences

SERIES = (
    "ACSF1", "ArrowHead", "BasicMotions", "GunPoint", "ItalyPowerDemand", "JapaneseVowels_eq", "OSULeaf",
    "PickupGestureWiimoteZ_eq",
)  # fmt: skip
TABLES = (
    "sonar", "ionosphere", "pima", "banknote", "phoneme", "german", "breast-cancer", "adult", "abalone",
    "auto_imports", "horse_colic",
)  # fmt: skip
SHIPPED = {"wine": load_wine, "breast cancer, Wisconsin": load_breast_cancer, "digits": load_digits, "iris": load_iris}


def tasks(kind):
    """Return name → function that makes X and y, of the tasks of a kind that are at hand."""
    return {name: make for name, make in _all(kind).items() if make is not None}


def missing_tasks(kinds):
    """Return the names of the tasks that are not at hand."""
    return [name for kind in kinds for name, make in _all(kind).items() if make is None]


def folder():
    """Return the folder of data that cannot be shipped, or None."""
    name = os.environ.get("SKLEARN_DIM_DATA")
    return None if name is None else pathlib.Path(name)


@functools.cache
def _all(kind):
    return {"sequences": _sequences, "images": _images, "documents": _documents, "tables": _tables}[kind]()


def _sequences():
    found = {
        "motifs": functools.partial(make_motif_sequences, 1000, random_state=0),
        "digits by columns": digits,
    }
    return found | {name: functools.partial(series, name) if aeon_folder() else None for name in SERIES}


def series(name):
    """Return a data set that comes with aeon."""
    X, y = from_aeon(name)()
    return X, pd.factorize(y)[0]


def _images():
    return {
        "CIFAR-10, 6000 / 2000": cifar if folder() else None,
        "digits": lambda: (load_digits().images[:, None].astype(np.float32), load_digits().target),
        "nudged digits": nudged_digits,
    }


def cifar():
    """Return 8000 of CIFAR-10's training images."""
    return load_cifar10("train", 8000)


def nudged_digits():
    """Return digits and their nudges; the copies of one digit follow each other."""
    X, y = load_nudged_digits()
    order = np.arange(len(y)).reshape(5, -1).T.ravel()
    return X[order].reshape(-1, 1, 8, 8), y[order]


def _documents():
    return {
        "docstrings by module": by_module,
        "docstrings by package": by_package,
        "package descriptions": package_descriptions if _descriptions() else None,
    }


def by_module():
    """Return docstrings of numpy, scipy and scikit-learn by their module; modules with 30 or more."""
    X, y, words = load_docstrings()
    texts = [" ".join(words[word] for word in row if word) for row in X]
    return _frequent(texts, y, 30)


def by_package():
    """Return docstrings of installed packages by package and submodule, of the ten largest."""
    texts, labels = zip(*package_docstrings(), strict=True)
    largest = pd.Series(labels).value_counts().index[:10]
    return _some([(text, label) for text, label in zip(texts, labels, strict=True) if label in largest], 3000)


@functools.cache
def _descriptions():
    """Return what Debian says of its packages, with their sections; nothing where that is not known."""
    try:
        text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    found = []
    for entry in text.split("\n\n"):
        section = entry.partition("\nSection: ")[2].partition("\n")[0]
        words = entry.partition("\nDescription")[2].partition(": ")[2].partition("\n")[0]
        if section and words:
            found.append((words, section.rpartition("/")[2]))
    return found


def package_descriptions():
    """Return the short descriptions of Debian's packages by section, of the twenty largest."""
    largest = pd.Series([section for _, section in _descriptions()]).value_counts().index[:20]
    return _some([each for each in _descriptions() if each[1] in largest], 4000)


def _some(pairs, n):
    """Return n pairs of a text and a label, the same ones wherever this runs."""
    pairs = sorted(pairs, key=lambda pair: zlib.crc32(repr(pair).encode()))[:n]
    return _frequent(*zip(*pairs, strict=True), 20)


def _frequent(texts, labels, least):
    labels, y, counts = np.unique(labels, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(counts[y] >= least)
    return [texts[row] for row in rows], np.unique(y[rows], return_inverse=True)[1]


def _tables():
    found = {name: functools.partial(table, name) if folder() else None for name in TABLES}
    return found | {name: functools.partial(shipped, load) for name, load in SHIPPED.items()}


def shipped(load):
    """Return a table of scikit-learn's."""
    X, y = load(return_X_y=True)
    return pd.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])]), y


def table(name):
    """Return a real table, with its categories and missing cells; a number as the target is cut into three classes."""
    frame = pd.read_csv(
        folder() / "tables" / f"{name}.csv", header=None, skipinitialspace=True, na_values="?", quotechar="'"
    )
    label = 23 if name == "horse_colic" else frame.columns[-1]
    frame = frame[frame[label].notna()].reset_index(drop=True)
    X = frame.drop(columns=[2, 22, 23, 24, 25, 26, 27] if name == "horse_colic" else label)
    if name == "pima":
        X[[1, 2, 3, 4, 5]] = X[[1, 2, 3, 4, 5]].replace(0, np.nan)
    y = frame[label]
    if name in ("abalone", "auto_imports"):
        y = pd.qcut(y, 3, labels=False)
    return X.set_axis([f"column {i}" for i in range(X.shape[1])], axis=1), pd.factorize(y)[0]
