"""The citation graphs: the real files where they are, and a small collection of the same kind without them."""

import hashlib
import http.client
import io
import os
import pickle
import urllib.error

import numpy as np
import pytest
from scipy import sparse

from sklearn_dim.datasets import _planetoid, fetch_planetoid

FEATURES = (np.arange(24).reshape(8, 3) % 5).astype(np.float32)
LABELS = np.array([0, 1, 0, 1, 1, 0, 1, 1])
ORDER = [0, 1, 2, 3, 4, 8, 5, 6]  # the last three for testing; 7 is missing: a paper without words


class Python2Pickler(pickle._Pickler):
    """Writes what Python 2 wrote: bytes as strings, and modules by their names of then."""

    def save_bytes(self, content):
        self.write(pickle.BINSTRING + len(content).to_bytes(4, "little") + content)
        self.memoize(content)

    dispatch = {**pickle._Pickler.dispatch, bytes: save_bytes}  # noqa: RUF012

    @classmethod
    def dumps(cls, content):
        buffer = io.BytesIO()
        cls(buffer, protocol=2).dump(content)
        written = buffer.getvalue().replace(b"numpy._core", b"numpy.core")
        return written.replace(b"scipy.sparse._csr", b"scipy.sparse.csr")


@pytest.fixture
def collection(monkeypatch):
    """Files of a collection of nine papers under the name of Cora, each known by its SHA-256."""
    contents = {
        "tx": sparse.csr_matrix(FEATURES[5:]),
        "allx": sparse.csr_matrix(FEATURES[:5]),
        "y": np.eye(2)[LABELS[:2]],
        "ty": np.eye(2)[LABELS[5:]],
        "ally": np.eye(2)[LABELS[:5]],
        "graph": {0: [1, 1, 0], 1: [0], 2: [8], 3: [], 8: [2, 5]},
    }
    files = {part: Python2Pickler.dumps(content) for part, content in contents.items()}
    files["test.index"] = "".join(f"{paper}\n" for paper in ORDER[5:]).encode()
    monkeypatch.setitem(_planetoid.SHA256, "cora", {k: hashlib.sha256(v).hexdigest() for k, v in files.items()})
    return {f"ind.cora.{part}": content for part, content in files.items()}


@pytest.fixture
def cached(collection, tmp_path):
    """The folder of the files, and their data_home."""
    folder = tmp_path / "planetoid"
    folder.mkdir()
    for name, content in collection.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def network(collection, monkeypatch):
    """A server of the files, which counts what it sent; change an entry to change what it answers."""
    sent, answers = [], dict(collection)

    def urlopen(url, timeout):
        sent.append(url)
        answer = answers[url.removeprefix(_planetoid.URL)]
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return sent, answers


@pytest.mark.parametrize("name, n, edges, classes", [("cora", 2708, 5278, 7), ("citeseer", 3327, 4552, 6)])
def test_planetoid_is_the_graph_of_the_papers(data_dir, name, n, edges, classes):
    graph = fetch_planetoid(name, data_home=data_dir, download_if_missing=False)
    assert graph.data.shape[0] == graph.adjacency.shape[0] == len(graph.target) == n
    assert graph.adjacency.nnz == 2 * edges
    np.testing.assert_array_equal(np.bincount(graph.target[graph.train]), [20] * classes)
    assert len(graph.validation) == 500 and len(graph.test) == 1000
    assert not set(graph.test) & {*graph.train, *graph.validation}
    # Papers cite papers of their own kind: features, labels and edges are in the same order.
    source, target = graph.adjacency.nonzero()
    assert (graph.target[source] == graph.target[target]).mean() > 0.7


def check_collection(graph):
    assert graph.data.shape == (9, 3) and graph.data.dtype == np.float32
    np.testing.assert_array_equal(graph.data[ORDER].toarray(), FEATURES)
    assert graph.data[7].nnz == 0
    np.testing.assert_array_equal(graph.target[ORDER], LABELS)
    np.testing.assert_array_equal(np.argwhere(sparse.triu(graph.adjacency).toarray()), [[0, 1], [2, 8], [5, 8]])
    assert (graph.adjacency != graph.adjacency.T).nnz == 0 and graph.adjacency.max() == 1
    np.testing.assert_array_equal(graph.train, [0, 1])
    np.testing.assert_array_equal(graph.test, [5, 6, 8])


def test_files_become_a_graph_in_the_order_of_the_papers(cached):
    check_collection(fetch_planetoid("cora", data_home=cached.parent, download_if_missing=False))


def test_files_are_downloaded_once(network, tmp_path):
    sent, _ = network
    check_collection(fetch_planetoid("cora", data_home=tmp_path))
    check_collection(fetch_planetoid("cora", data_home=tmp_path))
    assert len(sent) == len(set(sent)) == len(_planetoid.FILES)
    assert sorted(os.listdir(tmp_path / "planetoid")) == sorted(f"ind.cora.{part}" for part in _planetoid.FILES)


@pytest.mark.parametrize("part", _planetoid.FILES)
@pytest.mark.parametrize("damage", ["one byte", "truncated", "empty"])
def test_a_damaged_file_is_refused_before_it_is_unpickled(cached, monkeypatch, part, damage):
    path = cached / f"ind.cora.{part}"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"one byte": content, "truncated": path.read_bytes()[:-1], "empty": b""}[damage])
    monkeypatch.setattr(_planetoid, "FILES", (part,))
    monkeypatch.delattr(_planetoid, "ArrayUnpickler")
    with pytest.raises(ValueError, match=rf"ind.cora.{part} is damaged, or not the known file\. Delete it; retry"):
        fetch_planetoid("cora", data_home=cached.parent, download_if_missing=False)


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"<html>please log in</html>"])
def test_a_damaged_download_is_refused_and_not_kept(network, tmp_path, damage):
    _, answers = network
    good = answers["ind.cora.allx"]
    answers["ind.cora.allx"] = damage(good)
    with pytest.raises(ValueError, match=r"ind.cora.allx was damaged in transit, or changed\. Nothing was kept; retry"):
        fetch_planetoid("cora", data_home=tmp_path)
    assert os.listdir(tmp_path / "planetoid") == ["ind.cora.tx"]
    answers["ind.cora.allx"] = good
    check_collection(fetch_planetoid("cora", data_home=tmp_path))


@pytest.mark.parametrize(
    "error", [urllib.error.URLError("no network"), TimeoutError("timed out"), http.client.IncompleteRead(b"half")]
)
def test_planetoid_says_what_to_do_without_a_network(network, tmp_path, error):
    network[1]["ind.cora.allx"] = error
    with pytest.raises(OSError, match=r"ind.cora.allx could not be downloaded \(.*copy the files ind.*data_home"):
        fetch_planetoid("cora", data_home=tmp_path)


def test_planetoid_says_which_file_is_missing(cached, network):
    (cached / "ind.cora.graph").unlink()
    with pytest.raises(OSError, match=r"ind.cora.graph is missing and download_if_missing=False"):
        fetch_planetoid("cora", data_home=cached.parent, download_if_missing=False)
    assert not network[0]


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_a_pickle_of_anything_but_arrays_is_refused(cached, monkeypatch):
    made = cached / "made"
    content = pickle.dumps(Malicious(made), protocol=2)
    (cached / "ind.cora.tx").write_bytes(content)
    monkeypatch.setitem(_planetoid.SHA256["cora"], "tx", hashlib.sha256(content).hexdigest())
    with pytest.raises(pickle.UnpicklingError, match=r"asks for \w+.mkdir, which is not an array"):
        fetch_planetoid("cora", data_home=cached.parent)
    assert not made.exists()


def test_an_unknown_name_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"use one of \['citeseer', 'cora'\]"):
        fetch_planetoid("pubmet", data_home=tmp_path)
