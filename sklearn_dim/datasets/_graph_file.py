"""Files of labelled graphs, in the text format that Xu et al. (ICLR 2019) share theirs in."""

import pathlib

import numpy as np
from scipy import sparse
from sklearn.utils import Bunch


def load_graph_file(path) -> Bunch:
    """Read a file of labelled graphs.

    Its first line is the number of graphs. Then comes, for each graph, a line "n label" and n lines, one a node:
    "tag degree neighbour neighbour …", nodes being counted from 0 in each graph.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Bunch
        ``data``, a list of pairs (X, adjacency), X having a column for each tag of the file, 1 for a node's own;
        ``target`` (n_graphs,), the labels; ``tags``, the columns' tags.

    Raises
    ------
    ValueError
        If the file is cut off or says something impossible; the message names the line.

    Examples
    --------
    >>> from sklearn_dim import Graph
    >>> from sklearn_dim.datasets import load_graph_file
    >>> mutag = load_graph_file("MUTAG.txt")  # doctest: +SKIP
    >>> graphs, y = [Graph(X, adjacency) for X, adjacency in mutag.data], mutag.target  # doctest: +SKIP
    """
    lines = _Lines(path)
    (n_graphs,) = lines.numbers("the number of graphs", 1)
    graphs = [_read_graph(lines) for _ in range(n_graphs)]
    lines.finish()
    tags = np.unique(np.concatenate([tags for _, tags, _ in graphs])) if graphs else np.array([], dtype=int)
    return Bunch(
        data=[((own[:, None] == tags).astype(np.float32), adjacency) for _, own, adjacency in graphs],
        target=np.array([label for label, _, _ in graphs], dtype=int),
        tags=tags,
    )


def _read_graph(lines):
    """Return label, tags and adjacency of the next graph."""
    n, label = lines.numbers("a graph's number of nodes and its label", 2)
    if n < 1:
        raise lines.error(f"a graph of {n} nodes")
    tags, neighbors = [], []
    for _ in range(n):
        tag, degree, *others = lines.numbers("a node's tag, its degree and its neighbours", None)
        if degree != len(others):
            raise lines.error(f"a node of degree {degree} with {len(others)} neighbours")
        if others and not (min(others) >= 0 and max(others) < n):
            raise lines.error(f"a neighbour that is none of the graph's nodes 0 … {n - 1}")
        tags.append(tag)
        neighbors.append(others)
    pointers = np.cumsum([0, *map(len, neighbors)])
    columns = np.concatenate(neighbors).astype(int)
    adjacency = sparse.csr_matrix((np.ones(len(columns), dtype=np.float32), columns, pointers), shape=(n, n))
    return label, np.array(tags), adjacency


class _Lines:
    """The lines of a file, read one by one as whole numbers."""

    def __init__(self, path):
        self.path = path
        self.lines = pathlib.Path(path).read_text().splitlines()
        self.place = 0

    def numbers(self, meaning: str, count: int | None) -> list[int]:
        """Return the next line's numbers: ``count``, or with None at least two."""
        if self.place == len(self.lines):
            raise ValueError(f"{self.path} is cut off: it ends after line {self.place}, where {meaning} should come.")
        words = self.lines[self.place].split()
        self.place += 1
        try:
            numbers = [int(word) for word in words]
        except ValueError:
            numbers = []
        if len(numbers) != count if count else len(numbers) < 2:
            raise self.error(f"{' '.join(words)[:40]!r}, where {meaning} should be")
        return numbers

    def finish(self) -> None:
        """Refuse what comes after the last graph."""
        if any(line.strip() for line in self.lines[self.place :]):
            self.place += 1
            raise self.error("more than the graphs that the first line announces")

    def error(self, found: str) -> ValueError:
        """Return an error that names the line."""
        return ValueError(f"{self.path}, line {self.place} has {found}. The file is damaged or of another format.")
