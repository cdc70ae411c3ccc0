"""Files of labelled graphs."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from sklearn_dim import Graph
from sklearn_dim.datasets import load_graph_file

TWO_GRAPHS = """2
3 1
5 2 1 2
0 1 0
5 1 0
1 -1
7 0
"""


@pytest.fixture
def written(tmp_path):
    """Return a function text → path of a file with it."""

    def write(text):
        path = tmp_path / "graphs.txt"
        path.write_text(text)
        return path

    return write


def test_tags_edges_and_labels_are_those_of_the_file(written):
    graphs = load_graph_file(written(TWO_GRAPHS))
    np.testing.assert_array_equal(graphs.target, [1, -1])
    np.testing.assert_array_equal(graphs.tags, [0, 5, 7])
    (X, adjacency), (single, no_edges) = graphs.data
    np.testing.assert_array_equal(X, [[0, 1, 0], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(adjacency.toarray(), [[0, 1, 1], [1, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(single, [[0, 0, 1]])
    assert no_edges.shape == (1, 1) and no_edges.nnz == 0


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "truncated: it ends after line 0, where the number of graphs should come"),
        (TWO_GRAPHS[:-8], "line 6 has '1', where a graph's number of nodes and its label should be"),
        (TWO_GRAPHS.rsplit("7", 1)[0], "truncated: it ends after line 6, where a node's tag"),
        (TWO_GRAPHS.replace("5 2 1 2", "5 2 1"), "line 3 has a node of degree 2 with 1 neighbours"),
        (
            TWO_GRAPHS.replace("5 2 1 2", "5 2 1 3"),
            r"line 3 has a neighbour that is not one of the graph's nodes 0 … 2",
        ),
        (TWO_GRAPHS.replace("5 2 1 2", "5 2 1 C"), r"line 3 has '5 2 1 C', where a node's tag"),
        (TWO_GRAPHS.replace("1 -1", "0 -1"), "line 6 has a graph of 0 nodes"),
        (TWO_GRAPHS + "1 1\n", "line 8 has more than the number of graphs in the first line"),
        ("<html>\n", "line 1 has '<html>', where the number of graphs should be"),
        ("\xff\x00\n", "line 1 has '.{1,8}', where the number of graphs should be"),
        (TWO_GRAPHS.replace("1 -1", "1 9223372036854775808"), "line 6 has a number beyond 64 bits"),
        (TWO_GRAPHS.replace("0 1 0", "-9223372036854775809 1 0"), "line 4 has a number beyond 64 bits"),
        ("1" * 5000, "line 1 has '1{40}', where the number"),
        ("1000000000000\n", "truncated: it ends after line 1"),
        ("1\n1000000000000 0\n", "truncated: it ends after line 2"),
    ],
)
def test_a_damaged_file_is_refused_by_line(written, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        load_graph_file(written(text))
    assert "graphs.txt" in str(caught.value)


def test_binary_text_is_refused_by_name(written):
    path = written("")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"graphs.txt, line 1 has '.+', where the number of graphs should be"):
        load_graph_file(path)


def test_many_tags_become_a_sparse_matrix(written):
    n = 3000
    path = written(f"1\n{n} 0\n" + "".join(f"{7 * node} 1 {(node + 1) % n}\n" for node in range(n)))
    tracemalloc.start()
    ((X, adjacency),) = load_graph_file(path).data
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sparse.issparse(X) and X.shape == (n, n) and adjacency.nnz == n
    np.testing.assert_array_equal(X[[0, 5, n - 1]].toarray(), np.eye(n)[[0, 5, n - 1]])
    assert peak < 10 * path.stat().st_size
    assert Graph(X, adjacency).shape == (n, n)


def test_mutag_is_the_published_set(data_dir):
    mutag = load_graph_file(data_dir / "graphs" / "MUTAG.txt")
    assert sorted(np.bincount(mutag.target)) == [0, 63, 125]
    assert len(mutag.tags) == 7 and sum(len(X) for X, _ in mutag.data) == 3371
    assert sum(adjacency.nnz for _, adjacency in mutag.data) == 2 * 3721
    assert all((adjacency != adjacency.T).nnz == 0 for _, adjacency in mutag.data)
