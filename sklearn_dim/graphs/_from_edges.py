"""Two tables, of nodes and of edges, or a CSV file of edges."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_dim.graphs._checks import Parts, as_names, label


@contextmanager
def file_named(edges: Any) -> Iterator[None]:
    """Name the file in a ValueError about edges that come from one."""
    try:
        yield
    except ValueError as error:
        if not isinstance(edges, str | os.PathLike) or os.fspath(edges) in str(error):
            raise
        raise ValueError(f"the file {os.fspath(edges)!r}: {error}") from error


def read_edges(nodes: Any, edges: Any, source: str, target: str, weight: str | None) -> Parts:
    """Return the parts of the graph of these tables."""
    for name, column in {"source": source, "target": target, "weight": weight}.items():
        if not pd.api.types.is_hashable(column):
            raise TypeError(f"{name}={column!r} must be the name of a column of edges.")
    nodes = None if nodes is None else _as_frame(nodes, "nodes")
    if nodes is not None and not nodes.index.is_unique:
        twice = nodes.index[nodes.index.duplicated()][0]
        raise ValueError(
            f"the index of nodes has {twice!r} {np.sum(nodes.index == twice)} times, so an edge cannot name it. Keep "
            "one row per node: nodes[~nodes.index.duplicated()]."
        )
    edges, place, more = _read(nodes, edges, source, target)
    for column in (source, target, *([] if weight is None else [weight])):
        if column not in edges:
            raise ValueError(
                f"{place} has no column {column!r}; it has {list(edges.columns)}. Name the columns in the call, such "
                f"as source='from', target='to', weight='w'.{more}"
            )
    for column in (source, target):
        _check_filled(edges, column, place)
    index = _names_of(edges, source, target, place) if nodes is None else nodes.index
    ends = tuple(_positions(index, edges, column, place) for column in (source, target))
    weights = np.ones(len(edges)) if weight is None else _weights(edges, source, target, weight, place)
    adjacency = sparse.csr_matrix((weights, ends), shape=(len(index), len(index)))
    return Parts(nodes, adjacency, node_names=as_names(index))


def _read(nodes: pd.DataFrame | None, edges: Any, source: str, target: str) -> tuple[pd.DataFrame, str, str]:
    """Return edges as a DataFrame, what messages call it, and what helps if it lacks columns."""
    if not isinstance(edges, str | os.PathLike):
        return _as_frame(edges, "edges"), "edges", ""
    # Names such as "007" would be read as numbers.
    as_text = nodes is not None and not pd.api.types.is_numeric_dtype(nodes.index)
    place = f"the file {os.fspath(edges)!r}"
    more = " If it has another separator, or no names in its first line, use pandas.read_csv(path, sep=…, names=…)."
    try:
        frame = pd.read_csv(edges, dtype={source: str, target: str} if as_text else None)
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        raise ValueError(f"{place} is no CSV file that can be read ({error}).{more}") from error
    return frame, place, more


def _as_frame(table: Any, name: str) -> pd.DataFrame:
    """Return a table of pandas, polars or pyarrow as one of pandas."""
    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "get_columns"):  # polars, whose own conversion needs pyarrow
        return pd.DataFrame({column.name: column.to_numpy() for column in table.get_columns()})
    if hasattr(table, "to_pandas"):
        return table.to_pandas()
    what = "a DataFrame, one row per node" if name == "nodes" else "a DataFrame, one row per edge, or a path to a CSV"
    raise TypeError(f"{name} is a {type(table).__name__}; expected {what}. Make one: pandas.DataFrame({name}).")


def _row(edges: pd.DataFrame, position: int, place: str) -> str:
    row = edges.index[position]
    return f"row {row.item() if isinstance(row, np.generic) else row!r} of {place}"


def _check_filled(edges: pd.DataFrame, column: str, place: str) -> None:
    if (empty := edges[column].isna().to_numpy()).any():
        raise ValueError(
            f"{_row(edges, int(empty.argmax()), place)} names no node in column {column!r}. Fill it, or drop such "
            f"edges: edges.dropna(subset=[{column!r}])."
        )


def _names_of(edges: pd.DataFrame, source: str, target: str, place: str) -> pd.Index:
    """Return the nodes that edges name, in the order in which they come."""
    if not len(edges):
        raise ValueError(f"{place} is empty, and no nodes are given: there is no node. Give nodes, or edges.")
    ends = pd.concat([edges[source], edges[target]], ignore_index=True)
    return pd.Index(ends.iloc[np.arange(len(ends)).reshape(2, -1).T.ravel()].unique(), tupleize_cols=False)


def _positions(index: pd.Index, edges: pd.DataFrame, column: str, place: str) -> np.ndarray:
    positions = index.get_indexer(pd.Index(edges[column], tupleize_cols=False))
    if (positions < 0).any():
        first = int(np.argmax(positions < 0))
        unknown = edges[column].iloc[first]
        shown = ", ".join(label(position, index) for position in range(min(3, len(index))))
        raise ValueError(
            f"{_row(edges, first, place)} names {unknown!r} in column {column!r}, which is not in the index of nodes "
            f"({shown}, …). Add the node, drop the edge, or set the index: nodes.set_index(…)."
        )
    return positions


def _weights(edges: pd.DataFrame, source: str, target: str, weight: str, place: str) -> np.ndarray:
    numbers = pd.to_numeric(edges[weight], errors="coerce")
    text = edges[weight].map(lambda value: isinstance(value, str)).to_numpy()
    if (bad := text | numbers.isna().to_numpy()).any():
        first = int(bad.argmax())
        ends = f"{edges[source].iloc[first]!r} to {edges[target].iloc[first]!r}"
        what, cure = "no weight", "Fill it, or drop the edge"
        if text[first]:
            what = f"the text {edges[weight].iloc[first]!r} for a weight"
            cure = f"Make it a number first: pandas.to_numeric(edges[{weight!r}])"
        raise ValueError(f"{_row(edges, first, place)}, the edge from {ends}, has {what} in column {weight!r}. {cure}.")
    return numbers.to_numpy(dtype=float)
