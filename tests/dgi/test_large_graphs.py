"""Graphs in files, and output that is computed in parts."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from sklearn_dim import DGITransformer, Graph
from sklearn_dim.datasets import make_community_graph
from sklearn_dim.graphs import NeighborBatches
from sklearn_dim.graphs._arrays import in_file

QUICK = {"n_components": 12, "max_iter": 2, "device": "cpu", "random_state": 0}


def graph(words=False):
    X, adjacency, _ = make_community_graph(90, 16, degree=5.0, random_state=0)
    return Graph(sparse.csr_matrix(np.maximum(X - 4, 0)) if words else X.astype(np.float32), adjacency)


@pytest.fixture
def in_parts(monkeypatch):
    """Make every graph a large one."""
    for module in ("_output", "_input", "_blocks"):
        monkeypatch.setattr(f"sklearn_dim.dgi.{module}.BUDGET", 0)
    monkeypatch.setattr("sklearn_dim.graphs._propagate.BUDGET", 40_000)


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"encoder": "sage"}, {"encoder": "sgc"}, {"representation": "code"}, {"corruption": "shuffle"}]
)
def test_the_output_in_parts_is_the_output(request, words, options):
    one = graph(words)
    model = DGITransformer(**QUICK, batch_size=40, **options).fit(one)
    expected = model.transform(one)
    request.getfixturevalue("in_parts")
    np.testing.assert_allclose(model.transform(one), expected, atol=2e-5)
    np.testing.assert_allclose(model.transform(one[[5, 3]]), expected[[5, 3]], atol=2e-5)


@pytest.mark.parametrize("words", [False, True])
def test_a_fit_in_parts_finds_the_same(request, words):
    request.getfixturevalue("monkeypatch").setattr("sklearn_dim.dgi._blocks.MAX_AXES", 5)
    one, model = graph(words), DGITransformer(**QUICK, batch_size=40)
    whole = clone(model).fit(one)
    request.getfixturevalue("in_parts")
    parts = model.fit(one)
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-5)
    axes = np.linalg.svd(parts._fixed.smoothed_axes.T @ whole._fixed.smoothed_axes)[1]
    np.testing.assert_allclose(axes, 1, atol=1e-3)  # the same space
    names = whole.get_feature_names_out()
    same = ["input" not in name for name in names]  # a large graph's own features are put on the smoothed axes
    np.testing.assert_array_equal(parts.get_feature_names_out(), names)
    np.testing.assert_allclose(parts.scale_[same], whole.scale_[same], rtol=1e-4)
    near = parts.transform(one)[:, ["smoothed" in name for name in names]][:, :5].var(0)
    assert words or near.max() / near.min() < 1.5  # columns of a block vary alike, here too


@pytest.mark.parametrize("batch_size", [None, 40])
def test_a_graph_in_files_gives_the_bits_of_one_in_memory(tmp_path, batch_size):
    graph().save(tmp_path)
    one, stored = graph(), Graph.open(tmp_path)
    model = DGITransformer(**QUICK, batch_size=batch_size)
    expected = model.fit_transform(one)
    np.testing.assert_array_equal(model.fit_transform(stored), expected)
    np.testing.assert_array_equal(clone(model).fit(one).transform(stored), expected)


def test_samples_are_drawn_from_the_files(tmp_path, monkeypatch, in_parts):
    graph().save(tmp_path)
    seen = []
    batch = NeighborBatches.batch

    def watched(self, nodes, rng):
        seen.append(in_file(getattr(self.X, "features", self.X)) and in_file(self.matrix.adjacency.data))
        return batch(self, nodes, rng)

    monkeypatch.setattr(NeighborBatches, "batch", watched)
    DGITransformer(**QUICK, batch_size=40, encoder="gcn").fit(Graph.open(tmp_path)).transform(Graph.open(tmp_path))
    assert len(seen) > 6 and all(seen)
