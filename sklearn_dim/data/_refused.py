"""What is refused in plain words: scikit-learn's messages, with what was given and the next step added."""

import re
from pathlib import PurePath
from typing import Any

# Packages whose objects hold nodes and edges, by the module of their class.
_OF_GRAPHS = {"networkx", "torch_geometric", "dgl", "igraph", "torch_sparse"}
# Strings that end like this and hold no space are names of files.
_FILE = re.compile(r"\S+\.(?:png|jpe?g|tiff?|bmp|gif|webp|npy|npz|csv|tsv|parquet|txt|pdf|json)", re.IGNORECASE)


def explained(error: ValueError, X: Any, name: str, given: str = "X") -> ValueError:
    """Return the error of `check_array` with what was given and what to do, without all the numbers of X."""
    message, shape = str(error), tuple(getattr(X, "shape", ()))
    if message.startswith("Complex data not supported"):
        return ValueError(
            f"Complex data not supported: {given} holds complex numbers, but {name} takes real ones. Pass both parts "
            f"as columns: numpy.column_stack([{given}.real, {given}.imag])."
        )
    if message.startswith("Expected 2D array, got 1D array"):
        return ValueError(
            f"Expected 2D array, got 1D array instead: {given} has shape {shape}, but {name} takes rows. Reshape your "
            f"data: {given}.reshape(-1, 1) if it is one feature of many samples, {given}.reshape(1, -1) if it is one "
            "sample."
        )
    if message.startswith("Input X contains infinity"):
        return ValueError(f"{message.split('.')[0]}. Clip it, drop the rows, or replace it by NaN in a table.")
    if re.search("minimum of [2-9]", message):
        return ValueError(f"{message.rstrip('.')}, which learns by comparing rows. Give more, hundreds if you can.")
    return error


def refuse_graph(X: Any, name: str) -> None:
    """Raise TypeError if X holds nodes and edges: only nodes could be used."""
    package = type(X).__module__.partition(".")[0]
    if package in _OF_GRAPHS or (package == "sklearn_dim" and type(X).__name__ == "Graph"):
        raise TypeError(
            f"X is a {type(X).__name__} of {package}, but {name} takes samples without edges. Use DGITransformer for "
            "one vector per node, or GraphInfomaxTransformer for a list of graphs."
        )


def refuse_files(texts: Any, name: str) -> None:
    """Raise ValueError if all entries are names of files, which nobody means as documents."""
    if texts and all(isinstance(text, PurePath) or (isinstance(text, str) and _FILE.fullmatch(text)) for text in texts):
        raise ValueError(
            f"X[0] is {str(texts[0])!r}, the name of a file, but {name} opens no files. Pass what they hold: "
            "[Image.open(file).resize((32, 32)) for file in X] with Pillow, or [Path(file).read_text() for file in X]."
        )


def refuse_other_length(X: Any, y: Any) -> None:
    """Raise ValueError if an ignored y has another length than X: one of them is not what it should be."""
    n, n_targets = _length(X), _length(y)
    if None not in (n, n_targets) and n != n_targets:
        raise ValueError(
            f"X has {n} rows, but y has {n_targets}. y is ignored in training, but it should belong to the same rows: "
            "pass one entry per row, or leave y out."
        )


def check_lengths(X: Any, y: Any, name: str = "y") -> None:
    """Raise ValueError unless two tables have the same number of rows."""
    if len(X) != len(y):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {len(X)} rows, but {name} has "
            f"{len(y)}. Row i of both is one observation: pass as many rows of {name} as of X."
        )


def _length(values: Any) -> int | None:
    """Return the number of rows, or None of what has none."""
    shape = getattr(values, "shape", None)
    if isinstance(shape, tuple):
        return shape[0] if shape else None
    return len(values) if hasattr(values, "__len__") else None
