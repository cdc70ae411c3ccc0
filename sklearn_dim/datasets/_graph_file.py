"""Files of labelled graphs, in the text format that Xu et al. (ICLR 2019) share theirs in."""

import os
from array import array
from typing import BinaryIO

import numpy as np
from scipy import sparse
from sklearn.utils import Bunch

DENSE_PER_BYTE, DENSE_AT_ALL = 10, 2**20  # bytes of one-hot arrays, for each byte of the file and in any case


def load_graph_file(path: str | os.PathLike) -> Bunch:
    """Read a file of labelled graphs.

    The first line is the number of graphs. Then each graph has a line "n_nodes label", and one line per node: "tag
    degree neighbour neighbour …". Nodes are numbered from 0 in each graph.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Bunch
        ``data``, a list of pairs (X, adjacency), where X is the one-hot encoding of the nodes' tags, a CSR matrix if
        there are so many tags that arrays would take more than ten times the file's size; ``target`` (n_graphs,), the
        labels; ``tags`` (n_features,), the tag of each column of X.

    Raises
    ------
    ValueError
        If the file is truncated, inconsistent or no text, or a number is beyond 64 bits; the message names the file
        and the line.

    Examples
    --------
    >>> from sklearn_dim import Graph
    >>> from sklearn_dim.datasets import load_graph_file
    >>> mutag = load_graph_file("MUTAG.txt")  # doctest: +SKIP
    >>> graphs = [Graph(X, adjacency) for X, adjacency in mutag.data]  # doctest: +SKIP
    """
    with open(path, "rb") as file:
        lines = _Lines(path, file)
        (n_graphs,) = lines.numbers("the number of graphs", 1)
        graphs = [_read_graph(lines) for _ in range(n_graphs)]
        lines.finish()
        size = file.tell()
    tags = np.unique(np.concatenate([of_nodes for _, of_nodes, _ in graphs])) if graphs else np.array([], dtype=int)
    dense = 4 * len(tags) * sum(len(of_nodes) for _, of_nodes, _ in graphs) <= max(DENSE_PER_BYTE * size, DENSE_AT_ALL)
    return Bunch(
        data=[(_one_hot(of_nodes, tags, dense), adjacency) for _, of_nodes, adjacency in graphs],
        target=np.array([label for label, _, _ in graphs], dtype=int),
        tags=tags,
    )


def _one_hot(of_nodes: np.ndarray, tags: np.ndarray, dense: bool) -> np.ndarray | sparse.csr_matrix:
    if dense:
        return (of_nodes[:, None] == tags).astype(np.float32)
    ones = np.ones(len(of_nodes), dtype=np.float32)
    return sparse.csr_matrix((ones, np.searchsorted(tags, of_nodes), np.arange(len(ones) + 1)), (len(ones), len(tags)))


def _read_graph(lines: "_Lines") -> tuple[int, np.ndarray, sparse.csr_matrix]:
    """Return label, tags of the nodes and adjacency of the next graph."""
    n, label = lines.numbers("a graph's number of nodes and its label", 2)
    if n < 1:
        raise lines.error(f"a graph of {n} nodes")
    tags, neighbors, pointers = array("q"), array("q"), array("q", [0])  # which take 8 bytes for a number
    for _ in range(n):
        tag, degree, *others = lines.numbers("a node's tag, its degree and its neighbours", None)
        if degree != len(others):
            raise lines.error(f"a node of degree {degree} with {len(others)} neighbours")
        if others and not (min(others) >= 0 and max(others) < n):
            raise lines.error(f"a neighbour that is not one of the graph's nodes 0 … {n - 1}")
        tags.append(tag)
        neighbors.extend(others)
        pointers.append(len(neighbors))
    columns = np.array(neighbors, dtype=int)
    adjacency = sparse.csr_matrix((np.ones(len(columns), dtype=np.float32), columns, np.array(pointers)), shape=(n, n))
    return label, np.array(tags, dtype=int), adjacency


class _Lines:
    """The lines of a file, read one by one as integers."""

    def __init__(self, path: str | os.PathLike, file: BinaryIO):
        self.path, self.file = path, file
        self.read = 0  # lines so far

    def numbers(self, meaning: str, count: int | None) -> list[int]:
        """Return the numbers of the next line, as many as ``count``, or with None at least two."""
        line = self.file.readline()
        if not line:
            raise ValueError(f"{self.path} is truncated: it ends after line {self.read}, where {meaning} should come.")
        self.read += 1
        try:
            numbers = [int(word) for word in line.split()]
        except ValueError:
            numbers = []
        if len(numbers) != count if count else len(numbers) < 2:
            shown = " ".join(line[:80].decode("utf-8", "backslashreplace").split())[:40]
            raise self.error(f"{shown!r}, where {meaning} should be")
        if min(numbers) < -(2**63) or max(numbers) >= 2**63:
            raise self.error("a number beyond 64 bits")
        return numbers

    def finish(self) -> None:
        """Refuse lines after the last graph."""
        for line in self.file:
            self.read += 1
            if line.strip():
                raise self.error("more than the number of graphs in the first line")

    def error(self, found: str) -> ValueError:
        """Return an error that names the line read last."""
        return ValueError(f"{self.path}, line {self.read} has {found}. The file is damaged or in another format.")
