"""Graphs in directories: what comes back, what stays in the file, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sklearn_dim.datasets import make_community_graph
from sklearn_dim.graphs import Graph
from sklearn_dim.graphs._arrays import GrowingCsr, in_file
from sklearn_dim.graphs._edge_files import records_of, sorted_rows
from sklearn_dim.graphs._stored_checks import check_columns, check_edges

N = 40


def graph(directed=False, words=False):
    X, adjacency, _ = make_community_graph(N, 6, degree=5.0, random_state=0)
    adjacency = sparse.csr_matrix(sparse.triu(adjacency) * 0.5) if directed else adjacency
    X = sparse.csr_matrix(np.maximum(X, 0)) if words else pd.DataFrame(X, columns=list("abcdef"))
    return Graph(X, adjacency, directed=directed)


def assert_same(a, b):
    for name in ("features", "adjacency"):
        one, other = getattr(a, name), getattr(b, name)
        assert type(one) is type(other) or not sparse.issparse(one)
        if sparse.issparse(one):
            one, other = one.toarray(), other.toarray()
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    np.testing.assert_array_equal(a.rows, b.rows)
    np.testing.assert_array_equal(a.parts, b.parts)
    assert a.directed == b.directed and (a.names is None) == (b.names is None)
    assert a.names is None or list(a.names) == list(b.names)


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("directed", [False, True])
def test_a_graph_comes_back_as_maps(tmp_path, words, directed):
    one = graph(directed, words)
    one.save(tmp_path / "graph")
    again = Graph.open(tmp_path / "graph", check=True)
    assert_same(one, again)
    assert in_file(again.adjacency.data) and in_file(again.adjacency.indices) and in_file(again.adjacency.indptr)
    assert in_file(again.features.data if words else again.features)
    with pytest.raises(ValueError, match="read-only"):
        again.adjacency.data[0] = 2


def test_selections_and_unions_come_back(tmp_path):
    one = Graph.union([graph()[[3, 1]], graph()])
    one.save(tmp_path)
    assert_same(one, Graph.open(tmp_path))


def test_a_graph_without_edges_comes_back(tmp_path):
    one = Graph(np.eye(3), sparse.csr_matrix((3, 3)))
    one.save(tmp_path)
    assert_same(one, Graph.open(tmp_path, check=True))


def chunks_of(array, n=7):
    return (array[first : first + n] for first in range(0, array.shape[0], n))


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("n_records", [2**22, 11])  # 11: files are divided again, down to a single row
def test_chunks_are_the_graph_of_the_whole(tmp_path, monkeypatch, words, directed, n_records):
    monkeypatch.setattr("sklearn_dim.graphs._edge_files.BUCKETS", 3)
    monkeypatch.setattr(
        "sklearn_dim.graphs._written.sorted_rows", lambda *args: sorted_rows(*args, n_records=n_records)
    )
    rng = np.random.default_rng(0)
    source, target = rng.integers(0, N, (2, 300))  # edges in one direction, in both, given twice, and loops
    weights = rng.integers(0, 4, 300).astype(np.float32)
    X = sparse.random(N, 9, 0.2, random_state=0, format="csr") if words else rng.normal(size=(N, 9))
    whole = Graph(X, sparse.coo_matrix((weights, (source, target)), shape=(N, N)), directed=directed)
    edges = zip(chunks_of(source), chunks_of(target), chunks_of(weights), strict=True)
    written = Graph.write(tmp_path / "g", features=chunks_of(X), edges=edges, n_nodes=N, directed=directed)
    assert_same(whole, written)
    assert_same(whole, Graph.open(tmp_path / "g", check=True))
    assert sorted(path.suffix for path in (tmp_path / "g").iterdir()) == [".json"] + [".npy"] * (6 if words else 4)


def test_columns_are_widened_where_entries_need_it(tmp_path, monkeypatch):
    with GrowingCsr(tmp_path, "a", np.float32, 2, 5) as files:
        files.append(np.array([2, 1]), np.array([0, 3, 4]), np.ones(3))
        monkeypatch.setattr("sklearn_dim.graphs._arrays.SHORT", 3)
    indptr, indices = np.load(tmp_path / "a_indptr.npy"), np.load(tmp_path / "a_indices.npy")
    assert indptr.dtype == indices.dtype == np.int64
    assert list(indptr) == [0, 2, 3] and list(indices) == [0, 3, 4]


def write(folder, features=None, edges=(([0], [1]),), n_nodes=3, **options):
    features = [np.eye(3)] if features is None else features
    return Graph.write(folder, features=features, edges=edges, n_nodes=n_nodes, **options)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"features": []}, "features has no chunk"),
        ({"features": [np.eye(3)[:2]]}, "features has 2 rows in all, but n_nodes=3"),
        ({"features": [np.eye(3), np.eye(3)]}, "features has 6 rows in all"),
        ({"features": [sparse.eye(3, format="csr")] * 2}, "features has 6 rows in all"),
        ({"features": [np.eye(3)[:1], np.eye(2)]}, r"features, chunk 1 has shape \(2, 2\).*chunk 0 has 3 columns"),
        ({"features": [np.eye(3)[:1], np.full((2, 3), np.nan)]}, "features, chunk 1: row 0 is missing or infinite"),
        ({"features": [np.array([["a"]])]}, "features, chunk 0: expected numbers"),
        ({"edges": [([0], [1]), ([0, 1], [1, 3])]}, "edges, chunk 1: 3 at position 1 is no node: there are 3"),
        ({"edges": [([-1], [1])]}, "edges, chunk 0: -1 at position 0 is no node"),
        ({"edges": [([0.5], [1])]}, "numbered by integers from 0; got an array of float64"),
        ({"edges": [([0, 1], [1])]}, r"differ in length \(2, 1, 2\)"),
        ({"edges": [([0], [1], [-2.0])]}, "-2.0 at position 0 is no weight"),
        ({"edges": [([0], [1], [np.nan])]}, "nan at position 0 is no weight"),
        ({"edges": [np.eye(2)]}, r"expected a tuple of arrays \(source, target\)"),
        ({"names": ["a"]}, "names has 1 names for 3 features"),
    ],
)
def test_a_bad_chunk_is_named_and_leaves_nothing(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_names_that_are_no_text_are_refused(tmp_path):
    with pytest.raises(TypeError, match="names of features are stored as text"):
        Graph(pd.DataFrame(np.eye(3)), np.zeros((3, 3))).save(tmp_path)


def test_a_directory_in_use_is_not_written_to(tmp_path):
    graph().save(tmp_path)
    with pytest.raises(ValueError, match="is not empty; name a new directory"):
        graph().save(tmp_path)
    assert_same(graph(), Graph.open(tmp_path))


def about(folder, **changes):
    """Change entries of the JSON; ... removes them."""
    page = {**json.loads((folder / "graph.json").read_text()), **changes}
    page = {key: value for key, value in page.items() if value is not ...}
    page.pop("digest", None)
    (folder / "graph.json").write_text(json.dumps(page))


def rewrite(folder, name, change):
    path = folder / f"{name}.npy"
    array = np.load(path)
    path.unlink()  # the graph that is open keeps the old file
    np.save(path, change(array))


def replaced(array, place, value):
    array = array.copy()
    array[place] = value
    return array


DAMAGES = {
    "no graph.json": lambda folder: (folder / "graph.json").unlink(),
    "is not that of a graph": lambda folder: about(folder, format="zarr"),
    "has version 2": lambda folder: about(folder, version=2),
    "features.npy is missing": lambda folder: (folder / "features.npy").unlink(),
    "adjacency_data.npy is missing, cut off": lambda folder: (folder / "adjacency_data.npy").write_bytes(
        (folder / "adjacency_data.npy").read_bytes()[:-40]
    ),
    "features.npy holds": lambda folder: rewrite(folder, "features", lambda X: X[:-1]),
    "adjacency_indices.npy holds": lambda folder: rewrite(folder, "adjacency_indices", lambda j: j.astype("f8")),
    "is missing, cut off or no .npy file": lambda folder: rewrite(folder, "features", lambda X: X.astype(object)),
    "is not that of 41 nodes": lambda folder: about(folder, shape=[41, 6]),
    "which are no part of a graph": lambda folder: about(folder, arrays={"../features": {}}),
    "'names' is not in graph.json": lambda folder: about(folder, names=...),
    "names are not those of 6 features": lambda folder: about(folder, names=["a"]),
    "names are not those": lambda folder: about(folder, names=[{}] * 6),
    "does not say whether edges have directions": lambda folder: about(folder, directed="yes"),
    "nested more than": lambda folder: (folder / "graph.json").write_text("[" * 200_000),
    "can't decode byte": lambda folder: (folder / "graph.json").write_bytes(b"\xff"),
    "cannot unpack": lambda folder: about(folder, shape=3),
    "is not that of 1267650600228229401496703205376 nodes": lambda folder: about(folder, shape=[2**100, 6]),
    "Expecting value": lambda folder: (folder / "graph.json").write_text("no json"),
    "the parts of a CSR matrix do not fit": lambda folder: rewrite(
        folder, "adjacency_indptr", lambda p: replaced(p, -1, 5)
    ),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_a_damaged_directory_is_refused_by_name(tmp_path, message):
    graph().save(tmp_path)
    DAMAGES[message](tmp_path)
    with pytest.raises(ValueError, match=message) as caught:
        Graph.open(tmp_path)
    assert str(tmp_path) in str(caught.value)


SEEN_BY_READING = {
    "features: row 3 is missing or infinite": ("features", lambda X: replaced(X, (3, 1), np.nan)),
    "a weight of row 0 is missing, infinite or not positive": ("adjacency_data", lambda w: replaced(w, 0, -1)),
    "the columns of row 39 are not sorted, or outside": ("adjacency_indices", lambda j: replaced(j, -1, N)),
    "the columns of row 0 are not sorted": ("adjacency_indices", lambda j: replaced(j, 1, j[0])),
    "adjacency is not symmetric": ("adjacency_data", lambda w: replaced(w, 0, 3)),
    "features.npy was changed: its digest": ("features", lambda X: replaced(X, (3, 1), X[3, 1] + 1e-6)),
    "indptr must rise": ("adjacency_indptr", lambda p: replaced(p, 3, 0)),
}


@pytest.mark.parametrize("message", SEEN_BY_READING)
def test_check_reads_everything(tmp_path, message):
    graph().save(tmp_path)
    rewrite(tmp_path, *SEEN_BY_READING[message])
    assert Graph.open(tmp_path).shape == (N, 6)
    with pytest.raises(ValueError, match=message):
        Graph.open(tmp_path, check=True)


def test_edges_are_checked_as_the_whole_matrix_would_be(monkeypatch):
    monkeypatch.setattr("sklearn_dim.graphs._normalize.ENTRIES", 5)
    adjacency = graph().adjacency
    check_edges(adjacency, directed=False)
    looped = (adjacency + sparse.diags((np.arange(N) == 7).astype(np.float32))).tocsr()
    with pytest.raises(ValueError, match="node 7 has a loop"):
        check_edges(looped, directed=False)
    upper = sparse.triu(adjacency).tocsr()
    check_edges(upper, directed=True)
    with pytest.raises(ValueError, match="not symmetric"):
        check_edges(upper, directed=False)
    check_columns(sparse.csr_matrix(np.tri(5)[::-1]), "rows")


def maps(folder, adjacency):
    for part in ("data", "indices", "indptr"):
        np.save(folder / f"{part}.npy", getattr(adjacency, part))
    parts = [np.load(folder / f"{part}.npy", mmap_mode="r") for part in ("data", "indices", "indptr")]
    return sparse.csr_matrix(tuple(parts), shape=adjacency.shape)


def test_a_graph_of_maps_copies_nothing_that_is_right(tmp_path):
    np.save(tmp_path / "X.npy", np.ones((N, 3)))
    X, adjacency = np.load(tmp_path / "X.npy", mmap_mode="r"), maps(tmp_path, graph().adjacency)
    made = Graph(X, adjacency)
    assert np.shares_memory(made.features, X) and np.shares_memory(made.adjacency.data, adjacency.data)


def test_a_graph_of_maps_that_are_not_symmetric_is_made_so_in_memory(tmp_path):
    upper = sparse.triu(graph().adjacency).tocsr()
    made = Graph(np.ones((N, 3)), maps(tmp_path, upper))
    assert (made.adjacency != graph().adjacency).nnz == 0 and not in_file(made.adjacency.data)


def test_entries_are_there_in_both_directions_but_for_loops():
    records = records_of(([0, 1, 2], [1, 1, 0], [2.0, 1.0, 0.0]), 0, 3, directed=False)
    assert records.tolist() == [(0, 1, 2.0), (1, 0, -2.0)]


def test_a_graph_of_an_earlier_version_has_no_digests(tmp_path):
    graph().save(tmp_path)
    about(tmp_path, sha256=...)
    assert Graph.open(tmp_path, check=True).shape == (N, 6)


def test_a_disk_that_is_full_is_named_and_keeps_nothing(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.save", full)
    with pytest.raises(OSError, match=r"new could not be written \(No space left on device\)\. Nothing of it"):
        graph().save(tmp_path / "new")
    assert not (tmp_path / "new").exists()
