"""Graphs that are written in chunks, as they may never fit into memory."""

import pathlib
from collections.abc import Iterable, Iterator
from itertools import chain
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_dim.graphs._arrays import GrowingCsr, GrowingFile
from sklearn_dim.graphs._edge_files import records_of, sorted_rows
from sklearn_dim.graphs._stored import finish, new_directory
from sklearn_dim.graphs._stored_checks import check_finite


def write_graph(
    directory: Any, features: Iterable[Any], edges: Iterable[Any], *, n_nodes: int, directed: bool, names: Any
) -> None:
    """Write a graph that is given in chunks, see `Graph.write`."""
    with new_directory(directory) as folder:
        n_features = _write_features(folder, features, n_nodes)
        if names is not None and len(names) != n_features:
            raise ValueError(f"names has {len(names)} names for {n_features} features; give one for each.")
        chunks = (records_of(chunk, number, n_nodes, directed=directed) for number, chunk in enumerate(edges))
        _write_edges(folder, chunks, n_nodes)
        finish(folder, (n_nodes, n_features), names=names, directed=directed, structural=False)


def _write_features(folder: pathlib.Path, chunks: Iterable[Any], n_nodes: int) -> int:
    """Write features and return how many there are of a node."""
    chunks = iter(chunks)
    first = next(chunks, None)
    if first is None:
        raise ValueError("features has no chunk; give arrays of shape (n, n_features), n_nodes rows in all.")
    first = _features_of(first, 0, None)
    write = _write_sparse if sparse.issparse(first) else _write_dense
    others = (_features_of(chunk, number, first) for number, chunk in enumerate(chunks, 1))
    n_rows = write(folder, first, chain([first], others), n_nodes)
    if n_rows != n_nodes:
        raise ValueError(f"features has {n_rows} rows in all, but n_nodes={n_nodes}; give one row for each node.")
    return first.shape[1]


def _features_of(chunk: Any, number: int, first: Any) -> Any:
    """Return a chunk of features, checked, and of the kind and dtype of the first."""
    where = f"features, chunk {number}"
    rows: Any = sparse.csr_matrix(chunk) if sparse.issparse(chunk) else np.asarray(chunk)
    if rows.ndim != 2 or rows.dtype.kind not in "fiub":
        raise ValueError(f"{where}: expected numbers of shape (n, n_features); got {rows.dtype} of shape {rows.shape}.")
    if first is not None and (rows.shape[1] != first.shape[1] or sparse.issparse(rows) != sparse.issparse(first)):
        raise ValueError(
            f"{where} has shape {rows.shape} and type {type(rows).__name__}, but chunk 0 has {first.shape[1]} columns "
            f"and type {type(first).__name__}; give all chunks alike."
        )
    if first is None:
        rows = rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float64)
    rows = rows if first is None else rows.astype(first.dtype, copy=False)
    if sparse.issparse(rows):
        rows.sum_duplicates()
    check_finite(rows.data if sparse.issparse(rows) else rows, where)
    return rows


def _write_dense(folder: pathlib.Path, first: np.ndarray, chunks: Iterator[np.ndarray], n_nodes: int) -> int:
    with GrowingFile(folder / "features.npy", first.dtype, first.shape[1:]) as file:
        for rows in chunks:
            file.append(rows)
    return file.length


def _write_sparse(
    folder: pathlib.Path, first: sparse.csr_matrix, chunks: Iterator[sparse.csr_matrix], n_nodes: int
) -> int:
    with GrowingCsr(folder, "features", first.dtype, n_nodes, first.shape[1]) as files:
        for rows in chunks:
            files.append(np.diff(rows.indptr), rows.indices, rows.data)
    return files.n_rows


def _write_edges(folder: pathlib.Path, chunks: Iterable[np.ndarray], n_nodes: int) -> None:
    """Write the adjacency, sorted."""
    with (
        TemporaryDirectory(dir=folder) as scratch,
        GrowingCsr(folder, "adjacency", np.float32, n_nodes, n_nodes) as files,
    ):
        for first, stop, entries in sorted_rows(chunks, n_nodes, pathlib.Path(scratch) / "rows"):
            bounds = np.searchsorted(entries["row"], np.arange(first, stop + 1))
            files.append(np.diff(bounds), entries["column"], entries["weight"])
