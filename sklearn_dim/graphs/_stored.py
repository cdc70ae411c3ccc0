"""Graphs in a directory: arrays that are opened as memory maps, and a page of JSON that says what they are."""

import pathlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_dim.files import digest, failures_named, read_page, replaced, write_page
from sklearn_dim.graphs._arrays import described, open_array
from sklearn_dim.graphs._normalize import csr_of
from sklearn_dim.graphs._stored_checks import check_columns, check_edges, check_finite

FORMAT, VERSION = "sklearn-dim graph", 1
ABOUT = "graph.json"
CSR = ("data", "indices", "indptr")


def save_graph(
    directory: Any,
    features: Any,
    adjacency: Any,
    *,
    rows: np.ndarray,
    parts: np.ndarray,
    node_names: pd.Index | None,
    **about: Any,
) -> None:
    """Write a checked graph to a new directory; ``about`` is what the JSON holds of it besides."""
    with new_directory(directory) as folder:
        arrays = {"adjacency": adjacency, "features": features}
        if not np.array_equal(rows, np.arange(features.shape[0])):
            arrays["rows"] = rows.astype(np.int64)
        if parts.any():
            arrays["parts"] = parts.astype(np.int64)
        if node_names is not None:
            arrays["node_names"] = _plain_names(node_names)
        for name, array in arrays.items():
            for file, part in _files(name, array).items():
                np.save(folder / f"{file}.npy", part, allow_pickle=False)
        finish(folder, features.shape, **about)


def open_graph(directory: Any, *, check: bool = False) -> dict[str, Any]:
    """Return the attributes of a graph; features and edges are not read yet.

    ``check`` reads all of it, and looks whether it is what was written, and a graph.
    """
    folder = pathlib.Path(directory)
    try:
        about = _about(folder)
        n_nodes, n_features = about["shape"]
        arrays = {name: open_array(folder / f"{name}.npy", what) for name, what in about["arrays"].items()}
        if arrays["adjacency_indptr"].shape != (n_nodes + 1,):
            raise ValueError(f"adjacency_indptr.npy is not that of {n_nodes} nodes.")
        graph = {
            "features": _matrix("features", arrays, (n_nodes, n_features)),
            "adjacency": _matrix("adjacency", arrays, (n_nodes, n_nodes)),
            "rows": np.asarray(arrays.get("rows", np.arange(n_nodes))),
            "parts": np.asarray(arrays.get("parts", np.zeros(n_nodes, dtype=int))),
            "names": _names(about["names"], n_features),
            "node_names": pd.Index(np.asarray(arrays["node_names"])) if "node_names" in arrays else None,
            "directed": about["directed"],
            "structural": about["structural"],
        }
        _check_sizes(graph)
        if check:
            _check_all(graph)
            _check_digests(arrays, about.get("sha256"))
    except Exception as error:  # what wrong content makes NumPy and SciPy raise is of any kind
        why = f"{error} is not in {ABOUT}." if isinstance(error, KeyError) else error
        raise ValueError(f"{str(folder)!r} holds no graph that can be opened: {why} Write it again.") from error
    return graph


def _plain_names(node_names: pd.Index) -> np.ndarray:
    """Return names of nodes as an array of text or numbers, which a file can hold without a pickle."""
    names = node_names.to_numpy()
    if names.dtype.kind == "O" and all(isinstance(name, str) for name in names):
        names = names.astype(str)
    if names.dtype.kind == "O":
        other = next(name for name in names if not isinstance(name, str))
        raise TypeError(
            f"node {other!r} has a {type(other).__name__} as its name; a file holds names that are all text or all "
            "numbers. Rename the nodes before the graph is saved."
        )
    return names


@contextmanager
def new_directory(directory: Any) -> Iterator[pathlib.Path]:
    """Make a directory, which must not hold anything: memory maps of an older graph would change.

    If what is done inside fails, it is left empty, or deleted if it was not there.
    """
    folder = pathlib.Path(directory)
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ValueError(f"{str(folder)!r} is not empty; name a new directory, or empty it if nothing there is in use.")
    with failures_named(folder):
        try:
            yield folder
        except BaseException:
            for path in folder.iterdir():
                path.unlink()
            if new:
                folder.rmdir()
            raise


def finish(folder: pathlib.Path, shape: tuple[int, int], **about: Any) -> None:
    """Write the JSON, last: a directory without it was not written to its end."""
    names = about.pop("names")
    if names is not None and not all(isinstance(name, str) for name in names):
        raise TypeError("names of features are stored as text, but not all are str. Rename the columns first.")
    maps = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in sorted(folder.glob("*.npy"))}
    arrays = {name: described(array) for name, array in maps.items()}
    head = {"format": FORMAT, "version": VERSION, "shape": [int(size) for size in shape]}
    page = {**head, **about, "names": None if names is None else list(names), "arrays": arrays}
    page["sha256"] = {name: _sha256(array) for name, array in maps.items()}
    with replaced(folder / ABOUT) as file:
        file.write(write_page(page))


def _sha256(array: np.ndarray) -> str:
    return digest(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b"").hex()


def _about(folder: pathlib.Path) -> dict[str, Any]:
    """Return the JSON of a directory, if it is that of a graph."""
    try:
        about = read_page((folder / ABOUT).read_bytes())
    except FileNotFoundError as error:
        raise ValueError(f"it has no {ABOUT}, which is written last.") from error
    if about.get("format") != FORMAT:
        raise ValueError(f"{ABOUT} is not that of a graph.")
    if about["version"] != VERSION:
        raise ValueError(f"it has version {about['version']}, but this sklearn-dim reads version {VERSION}.")
    known = {f"{name}_{part}" for name in ("adjacency", "features") for part in CSR} | {
        "features",
        "rows",
        "parts",
        "node_names",
    }
    if unknown := set(about["arrays"]) - known:
        raise ValueError(f"{ABOUT} names {sorted(unknown)}, which are no part of a graph.")
    return about


def _names(names: Any, n_features: int) -> np.ndarray | None:
    if names is None:
        return None
    if not isinstance(names, list) or len(names) != n_features or any(not isinstance(name, str) for name in names):
        raise ValueError(f"names are not those of {n_features} features.")
    return np.array(names, dtype=object)


def _files(name: str, array: Any) -> dict[str, np.ndarray]:
    """Return the arrays of a matrix by the names of their files; pointers have the dtype of the columns."""
    if not sparse.issparse(array):
        return {name: array}
    number = np.result_type(array.indices, array.indptr)
    arrays = array.data, array.indices.astype(number, copy=False), array.indptr.astype(number, copy=False)
    return {f"{name}_{part}": values for part, values in zip(CSR, arrays, strict=True)}


def _matrix(name: str, arrays: dict[str, np.ndarray], shape: tuple[int, int]) -> Any:
    """Return an array, or a CSR matrix of memory maps."""
    if name in arrays:
        return arrays[name]
    return csr_of(*(arrays[f"{name}_{part}"] for part in CSR), shape=shape, canonical=True)


def _check_sizes(graph: dict[str, Any]) -> None:
    """Raise ValueError unless the arrays fit together, as far as their shapes, dtypes and ends tell."""
    features, A = graph["features"], graph["adjacency"]
    for matrix in (A, features) if sparse.issparse(features) else (A,):
        fits = matrix.indptr.shape == (matrix.shape[0] + 1,) and matrix.data.shape == matrix.indices.shape
        if not fits or matrix.indptr[0] != 0 or matrix.indptr[-1] != len(matrix.data):
            raise ValueError("the parts of a CSR matrix do not fit together.")
        if matrix.indices.dtype != matrix.indptr.dtype or matrix.indices.dtype not in (np.int32, np.int64):
            raise ValueError("columns and pointers of a CSR matrix are not both int32, or both int64.")
    n_nodes = A.shape[0]
    rows, parts, node_names = graph["rows"], graph["parts"], graph["node_names"]
    if node_names is not None and (len(node_names) != n_nodes or node_names.ndim != 1):
        raise ValueError(f"node_names.npy does not name {n_nodes} nodes.")
    if not (isinstance(graph["directed"], bool) and isinstance(graph["structural"], bool)):
        raise ValueError(f"{ABOUT} does not say whether edges have directions, or features were given.")
    if rows.ndim != 1 or rows.dtype.kind != "i" or (len(rows) and not 0 <= rows.min() <= rows.max() < n_nodes):
        raise ValueError("rows does not number nodes.")
    wrong = features.shape[0] != n_nodes or features.ndim != 2 or parts.shape != (n_nodes,) or parts.dtype.kind != "i"
    if wrong or features.dtype not in (np.float32, np.float64) or A.dtype != np.float32:
        raise ValueError("features, adjacency and parts do not fit together.")


def _check_digests(arrays: dict[str, np.ndarray], digests: Any) -> None:
    """Raise ValueError if an array is not the one that was written; files of earlier versions do not say."""
    for name, array in arrays.items() if digests is not None else ():
        if _sha256(array) != digests[name]:
            raise ValueError(f"{name}.npy was changed: its digest is another one.")


def _check_all(graph: dict[str, Any]) -> None:
    """Read everything and raise ValueError unless it is a valid graph."""
    features = graph["features"]
    check_edges(graph["adjacency"], directed=graph["directed"])
    if sparse.issparse(features):
        check_columns(features, "features")
    check_finite(features.data if sparse.issparse(features) else features, "features")
