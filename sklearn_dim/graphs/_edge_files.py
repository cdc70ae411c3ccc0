"""Edges, given in chunks and any order, sorted into the parts of a CSR matrix within bounded memory."""

import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

BUCKETS = 64  # files that are open at a time
RECORDS = 2**22  # that are sorted at a time, about 200 MB with what sorting takes

Chunk = np.ndarray  # of records (row, column, weight)


def record_dtype(n_nodes: int) -> np.dtype:
    """Return the dtype of an entry on its way: row, column, weight."""
    number = np.int32 if n_nodes < 2**31 else np.int64
    return np.dtype([("row", number), ("column", number), ("weight", np.float32)])


def records_of(edges: Any, number: int, n_nodes: int, *, directed: bool) -> Chunk:
    """Return a chunk of edges (source, target) or (source, target, weight) as entries, without loops.

    Unless ``directed``, each edge is there in both directions; the opposite one has minus the weight, so that the two
    can be told apart until the larger of them is taken.

    Raises
    ------
    ValueError
        If the parts differ in length, or an edge has a bad end or weight: message names it.
    """
    where = f"edges, chunk {number}"
    if not isinstance(edges, tuple | list) or len(edges) not in (2, 3):
        raise ValueError(f"{where}: expected a tuple of arrays (source, target) or (source, target, weight).")
    source, target, *weight = (np.asarray(part).ravel() for part in edges)
    weights = weight[0].astype(np.float32) if weight else np.ones(len(source), dtype=np.float32)
    if not len(source) == len(target) == len(weights):
        raise ValueError(f"{where}: its arrays differ in length ({len(source)}, {len(target)}, {len(weights)}).")
    for ends in (source, target):
        if ends.dtype.kind not in "iu" and len(ends):
            raise ValueError(f"{where}: nodes are numbered by integers from 0; got an array of {ends.dtype}.")
        _refuse((ends < 0) | (ends >= n_nodes), ends, where, f"is no node: there are {n_nodes}, numbered from 0")
    _refuse(~(np.isfinite(weights) & (weights >= 0)), weights, where, "is no weight: finite numbers of at least 0 are")
    keep = (source != target) & (weights > 0)
    source, target, weights = source[keep], target[keep], weights[keep]
    entries = np.empty(len(source) * (1 if directed else 2), dtype=record_dtype(n_nodes))
    entries["row"][: len(source)], entries["column"][: len(source)] = source, target
    entries["weight"][: len(source)] = weights
    if not directed:
        entries["row"][len(source) :], entries["column"][len(source) :] = target, source
        entries["weight"][len(source) :] = -weights
    return entries


def _refuse(bad: np.ndarray, values: np.ndarray, where: str, why: str) -> None:
    if bad.any():
        place = int(np.argmax(bad))
        raise ValueError(f"{where}: {values[place]} at position {place} {why}.")


def sorted_rows(
    chunks: Iterable[Chunk], n_rows: int, folder: pathlib.Path, *, n_records: int = RECORDS
) -> Iterator[tuple[int, int, Chunk]]:
    """Yield blocks of rows in order, each with its first row, the one after its last, and its merged, sorted entries.

    Entries are first written to files by blocks of rows. A file that is too long to be sorted at once is divided
    again, down to a single row: that of a node with very many neighbours is sorted as a whole.
    """
    yield from _divide(chunks, 0, n_rows, folder, n_records)


def _divide(
    chunks: Iterable[Chunk], first: int, stop: int, folder: pathlib.Path, n_records: int
) -> Iterator[tuple[int, int, Chunk]]:
    folder.mkdir()
    edges = np.unique(np.linspace(first, stop, min(BUCKETS, stop - first) + 1).astype(np.int64))
    paths = [folder / str(number) for number in range(len(edges) - 1)]
    dtype = _spread(chunks, edges, paths)
    for path, start, end in zip(paths, edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        length = path.stat().st_size // dtype.itemsize
        if length > n_records and end - start > 1:
            yield from _divide(_read(path, dtype, n_records), start, end, folder / f"{path.name}_", n_records)
        else:
            yield start, end, merged(np.fromfile(path, dtype=dtype))
        path.unlink()
    folder.rmdir()


def _spread(chunks: Iterable[Chunk], edges: np.ndarray, paths: list[pathlib.Path]) -> np.dtype:
    """Append entries to the file of their block of rows; return their dtype."""
    dtype = record_dtype(int(edges[-1]))
    files = [path.open("wb") for path in paths]
    try:
        for chunk in chunks:
            dtype = chunk.dtype
            bucket = np.searchsorted(edges, chunk["row"], side="right") - 1
            order = np.argsort(bucket, kind="stable")
            bounds = np.searchsorted(bucket[order], np.arange(len(paths) + 1))
            for number in np.flatnonzero(np.diff(bounds)):
                chunk[order[bounds[number] : bounds[number + 1]]].tofile(files[number])
    finally:
        for file in files:
            file.close()
    return dtype


def _read(path: pathlib.Path, dtype: np.dtype, n_records: int) -> Iterator[Chunk]:
    with path.open("rb") as file:
        while len(chunk := np.fromfile(file, dtype=dtype, count=n_records)):
            yield chunk


def merged(entries: Chunk) -> Chunk:
    """Return entries sorted by row and column, each once.

    As in `Graph`: entries that are given twice are added, and of the two directions the larger weight is taken.
    """
    opposite = entries["weight"] < 0
    entries = entries[np.lexsort((opposite, entries["column"], entries["row"]))]
    entries = _reduced(entries, np.add, entries["weight"] < 0)
    entries["weight"] = np.abs(entries["weight"])
    return _reduced(entries, np.maximum, np.zeros(len(entries), dtype=bool))


def _reduced(entries: Chunk, reduce: np.ufunc, group: np.ndarray) -> Chunk:
    """Return one entry for each run of equal row, column and group, with the weights made one."""
    if not len(entries):
        return entries
    same = np.ones(len(entries) - 1, dtype=bool)
    for part in (entries["row"], entries["column"], group):
        same &= part[1:] == part[:-1]
    starts = np.flatnonzero(np.append(True, ~same))
    result = entries[starts]
    result["weight"] = reduce.reduceat(entries["weight"], starts)
    return result
