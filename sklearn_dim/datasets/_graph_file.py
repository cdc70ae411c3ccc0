"""Files of labelled graphs, in the text format that Xu et al. (ICLR 2019) share theirs in."""

import os
import pathlib

import numpy as np
from scipy import sparse
from sklearn.utils import Bunch


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
        ``data``, a list of pairs (X, adjacency), where X is the one-hot encoding of the nodes' tags; ``target``
        (n_graphs,), the labels; ``tags`` (n_features,), the tag of each column of X.

    Raises
    ------
    ValueError
        If the file is truncated or inconsistent; the message names the line.

    Examples
    --------
    >>> from sklearn_dim import Graph
    >>> from sklearn_dim.datasets import load_graph_file
    >>> mutag = load_graph_file("MUTAG.txt")  # doctest: +SKIP
    >>> graphs = [Graph(X, adjacency) for X, adjacency in mutag.data]  # doctest: +SKIP
    """
    lines = _Lines(path)
    (n_graphs,) = lines.numbers("the number of graphs", 1)
    graphs = [_read_graph(lines) for _ in range(n_graphs)]
    lines.finish()
    tags = np.unique(np.concatenate([of_nodes for _, of_nodes, _ in graphs])) if graphs else np.array([], dtype=int)
    return Bunch(
        data=[((of_nodes[:, None] == tags).astype(np.float32), adjacency) for _, of_nodes, adjacency in graphs],
        target=np.array([label for label, _, _ in graphs], dtype=int),
        tags=tags,
    )


def _read_graph(lines: "_Lines") -> tuple[int, np.ndarray, sparse.csr_matrix]:
    """Return label, tags of the nodes and adjacency of the next graph."""
    n, label = lines.numbers("a graph's number of nodes and its label", 2)
    if n < 1:
        raise lines.error(f"a graph of {n} nodes")
    tags, neighbors = [], []
    for _ in range(n):
        tag, degree, *others = lines.numbers("a node's tag, its degree and its neighbours", None)
        if degree != len(others):
            raise lines.error(f"a node of degree {degree} with {len(others)} neighbours")
        if others and not (min(others) >= 0 and max(others) < n):
            raise lines.error(f"a neighbour that is not one of the graph's nodes 0 … {n - 1}")
        tags.append(tag)
        neighbors.append(others)
    pointers = np.cumsum([0, *map(len, neighbors)])
    columns = np.concatenate(neighbors).astype(int)
    adjacency = sparse.csr_matrix((np.ones(len(columns), dtype=np.float32), columns, pointers), shape=(n, n))
    return label, np.array(tags), adjacency


class _Lines:
    """The lines of a file, read one by one as integers."""

    def __init__(self, path: str | os.PathLike):
        self.path = path
        self.lines = pathlib.Path(path).read_text().splitlines()
        self.read = 0  # lines so far

    def numbers(self, meaning: str, count: int | None) -> list[int]:
        """Return the numbers of the next line, as many as ``count``, or with None at least two."""
        if self.read == len(self.lines):
            raise ValueError(f"{self.path} is truncated: it ends after line {self.read}, where {meaning} should come.")
        words = self.lines[self.read].split()
        self.read += 1
        try:
            numbers = [int(word) for word in words]
        except ValueError:
            numbers = []
        if len(numbers) != count if count else len(numbers) < 2:
            raise self.error(f"{' '.join(words)[:40]!r}, where {meaning} should be")
        return numbers

    def finish(self) -> None:
        """Refuse lines after the last graph."""
        if any(line.strip() for line in self.lines[self.read :]):
            self.read += 1
            raise self.error("more than the number of graphs in the first line")

    def error(self, found: str) -> ValueError:
        """Return an error that names the line read last."""
        return ValueError(f"{self.path}, line {self.read} has {found}. The file is damaged or in another format.")
