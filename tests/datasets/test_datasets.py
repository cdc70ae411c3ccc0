import hashlib
import pickle
import urllib.error

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sklearn_dim.datasets import (
    _planetoid,
    fetch_planetoid,
    load_nudged_digits,
    make_community_graph,
    make_gaussian_pair,
)


def test_nudges_are_the_digits_moved_by_one_pixel():
    X, y = load_nudged_digits()
    digits, labels = load_digits(return_X_y=True)
    n = len(digits)
    images, original = X.reshape(-1, 8, 8), digits.reshape(-1, 8, 8).astype(np.float32) / 16
    assert X.shape == (5 * n, 64)
    np.testing.assert_array_equal(y, np.tile(labels, 5))
    np.testing.assert_array_equal(images[:n], original)
    moved = [images[i * n : (i + 1) * n] for i in range(1, 5)]
    kept = [(moved[0][:, :, 1:], original[:, :, :-1]), (moved[1][:, :, :-1], original[:, :, 1:])]
    kept += [(moved[2][:, 1:], original[:, :-1]), (moved[3][:, :-1], original[:, 1:])]
    for new, old in kept:
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("d, truth", [(1, 0.3), (4, 2.0)])
def test_gaussian_pair_has_its_information(d, truth):
    n = 20_000
    x, y = make_gaussian_pair(n, d, mutual_info=truth, random_state=0)
    joint = np.linalg.slogdet(np.cov(np.hstack([x, y]).T))[1]
    sample = 0.5 * (
        np.linalg.slogdet(np.cov(x.T).reshape(d, d))[1] + np.linalg.slogdet(np.cov(y.T).reshape(d, d))[1] - joint
    )
    rho2 = 1 - np.exp(-2 * truth / d)
    assert abs(sample - truth) < 4 * np.sqrt(d * rho2 / n) + d * d / (2 * n)


def test_community_graph_has_the_degree_and_mixing_asked_for():
    X, adjacency, y = make_community_graph(900, 5, degree=10, mixing=0.3, random_state=0)
    assert X.shape == (900, 5)
    assert (adjacency != adjacency.T).nnz == 0 and adjacency.diagonal().sum() == 0
    edges = adjacency.nnz / 2
    assert abs(adjacency.nnz / 900 - 10) < 4 * np.sqrt(2 * 10 / 900)
    source, target = adjacency.nonzero()
    assert abs((y[source] != y[target]).mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / edges)


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


def test_a_changed_file_is_refused_before_it_is_unpickled(tmp_path):
    folder = tmp_path / "planetoid"
    folder.mkdir()
    (folder / "ind.cora.tx").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ValueError, match=r"SHA-256 differs"):
        fetch_planetoid("cora", data_home=tmp_path)


def test_a_pickle_of_anything_but_arrays_is_refused(tmp_path, monkeypatch):
    content = pickle.dumps(pytest.raises)
    folder = tmp_path / "planetoid"
    folder.mkdir()
    (folder / "ind.cora.tx").write_bytes(content)
    monkeypatch.setitem(_planetoid.SHA256["cora"], "tx", hashlib.sha256(content).hexdigest())
    with pytest.raises(pickle.UnpicklingError, match="not an array"):
        fetch_planetoid("cora", data_home=tmp_path)


def test_planetoid_says_what_to_do_without_files_or_network(tmp_path, monkeypatch):
    with pytest.raises(OSError, match="download_if_missing=False"):
        fetch_planetoid("cora", data_home=tmp_path, download_if_missing=False)

    def no_network(*args, **kwargs):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(OSError, match="copy the files"):
        fetch_planetoid("cora", data_home=tmp_path)
    with pytest.raises(ValueError, match=r"use one of \['citeseer', 'cora'\]"):
        fetch_planetoid("pubmet", data_home=tmp_path)
