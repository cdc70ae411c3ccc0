"""Graphs of networkx."""

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from sklearn_dim.graphs._checks import Parts, as_names, to_scipy


def read_networkx(graph: Any, features: Any, weight: str | None) -> Parts:
    """Return the parts of a graph of networkx."""
    if not hasattr(graph, "edges") or not hasattr(graph, "is_multigraph"):
        raise TypeError(f"graph is a {type(graph).__name__}; expected a graph of networkx.")
    nodes = list(graph)
    if not nodes:
        raise ValueError("the graph of networkx has no nodes. Give at least one.")
    node_names = pd.Index(nodes, tupleize_cols=False)
    if isinstance(features, pd.DataFrame):
        X: Any = _rows_of(features, node_names)
        return Parts(X, _edges(graph, node_names, weight), np.asarray(X.columns, dtype=object), as_names(node_names))
    columns, names = _attributes(graph, features)
    return Parts(columns, _edges(graph, node_names, weight), names, as_names(node_names))


def _rows_of(table: pd.DataFrame, node_names: pd.Index) -> pd.DataFrame:
    if not table.index.is_unique:
        raise ValueError(f"features has several rows for node {table.index[table.index.duplicated()][0]!r}. Keep one.")
    if (missing := table.index.get_indexer(node_names) < 0).any():
        raise ValueError(
            f"features has no row for node {node_names[int(missing.argmax())]!r}. Its index has to name all nodes of "
            "the graph."
        )
    return table.loc[node_names]


def _attributes(graph: Any, features: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the attributes of nodes side by side, and the names of these columns."""
    data = list(graph.nodes(data=True))
    there = list(dict.fromkeys(name for _, attributes in data for name in attributes))
    if features is None:
        return None, None
    wanted = there if isinstance(features, str) and features == "all" else features
    wanted = list(wanted) if isinstance(wanted, Iterable) and not isinstance(wanted, str | tuple) else [wanted]
    if not wanted:
        raise ValueError(
            f"features={features!r} names no attribute; the nodes have {there}. Give features=None for columns of the "
            "nodes' places in the graph, such as their degree."
        )
    blocks, names = [], []
    for attribute in wanted:
        values = [_numbers(node, attributes, attribute) for node, attributes in data]
        for (node, _), value in zip(data, values, strict=True):
            if len(value) != len(values[0]):
                raise ValueError(
                    f"attribute {attribute!r} has {len(value)} numbers at node {node!r}, but {len(values[0])} at node "
                    f"{data[0][0]!r}. Give all nodes the same number."
                )
        blocks.append(np.array(values, dtype=float))
        alone = all(np.ndim(attributes[attribute]) == 0 for _, attributes in data)
        names += [str(attribute)] if alone else [f"{attribute}_{j}" for j in range(len(values[0]))]
    return np.hstack(blocks), np.asarray(names, dtype=object)


def _numbers(node: Any, attributes: Mapping, attribute: Any) -> np.ndarray:
    """Return an attribute of a node as an array of numbers."""
    if attribute not in attributes:
        other = f"its attributes are {list(attributes)}" if attributes else "it has none"
        raise ValueError(
            f"node {node!r} has no attribute {attribute!r}; {other}. For features= give names "
            "of attributes that every node has, a table of nodes, or None for columns of their places in the graph."
        )
    value = attributes[attribute]
    array = np.atleast_1d(to_scipy(value) if hasattr(value, "detach") else np.asarray(value))
    if array.ndim > 1 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"attribute {attribute!r} of node {node!r} is {value!r}; expected a number, or a sequence of numbers. "
            "Leave the attribute out: features=[the names of the others]. Or encode it in a table of nodes: "
            "features=pandas.get_dummies(table)."
        )
    return array


def _edges(graph: Any, node_names: pd.Index, weight: str | None) -> sparse.coo_matrix:
    """Return the weights of the edges; those of parallel edges are summed."""
    sources, targets, weights = [], [], []
    for source, target, value in graph.edges(data=weight, default=1) if weight else graph.edges(data="\0", default=1):
        if not isinstance(value, Real | np.bool_):
            raise ValueError(
                f"the edge from {source!r} to {target!r} has {weight!r}={value!r}, which is no number. Give it one, or "
                "give weight=None for edges that all count 1."
            )
        sources.append(source)
        targets.append(target)
        weights.append(float(value))
    number = {node: position for position, node in enumerate(node_names)}
    ends = [number[node] for node in sources], [number[node] for node in targets]
    return sparse.coo_matrix((weights, ends), shape=(len(node_names), len(node_names)))
