"""Points are the code, colours are y."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.pipeline import make_pipeline

from sklearn_dim.inspection import EmbeddingDisplay


def test_a_wide_code_is_turned_by_pca_and_says_so(dim, rows):
    display = EmbeddingDisplay.from_estimator(dim, rows)
    pca = PCA(2, random_state=0).fit(dim.transform(rows))
    (points,) = display.points_
    np.testing.assert_allclose(points.get_offsets(), pca.transform(dim.transform(rows)), atol=1e-5)
    assert display.ax_.get_xlabel() == f"principal component 1, {pca.explained_variance_ratio_[0]:.0%} of the variance"


def test_components_of_a_pipeline(dim, rows):
    display = EmbeddingDisplay.from_estimator(make_pipeline(dim), rows, components=(3, 1))
    np.testing.assert_array_equal(display.points_[0].get_offsets(), dim.transform(rows)[:, [3, 1]])
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("component 3", "component 1")


@pytest.mark.parametrize("classes", [["b", "a"], [2, 1], [True, False]])
def test_classes_have_a_legend(classes):
    codes, y = np.arange(12.0).reshape(6, 2), np.resize(classes, 6)
    display = EmbeddingDisplay.from_codes(csr_matrix(codes), y)
    assert [text.get_text() for text in display.legend_.get_texts()] == [str(name) for name in np.unique(y)]
    for name, points in zip(np.unique(y), display.points_, strict=True):
        np.testing.assert_array_equal(points.get_offsets(), codes[y == name])
    assert display.colorbar_ is None


def test_numbers_in_names_are_sorted_as_numbers():
    y = np.array(["class 10", "class 9", "-", "class 9b"])
    display = EmbeddingDisplay.from_codes(np.zeros((4, 2)), y)
    names = [text.get_text() for text in display.legend_.get_texts()]
    assert names == ["-", "class 9", "class 9b", "class 10"]
    numbers = EmbeddingDisplay.from_codes(np.zeros((3, 2)), [10, -1, 9]).legend_.get_texts()
    assert [text.get_text() for text in numbers] == ["-1", "9", "10"]


class Halves:
    def fit_transform(self, X):
        return X[:, :2] / 2


def test_another_projection_and_keywords_of_the_artists(dim, rows):
    display = EmbeddingDisplay.from_estimator(dim, rows, projection=Halves(), scatter_kw={"s": 7, "color": "red"})
    (points,) = display.points_
    np.testing.assert_allclose(points.get_offsets(), dim.transform(rows)[:, :2] / 2)
    assert points.get_sizes().tolist() == [7] and display.ax_.get_xlabel() == "Halves 1"
    tsne = TSNE(random_state=0, init="random", perplexity=5)
    assert EmbeddingDisplay.from_estimator(dim, rows[:30], projection=tsne).ax_.get_ylabel() == "TSNE 2"
    assert not hasattr(tsne, "embedding_")  # a clone of it was fitted


def test_a_projection_that_cannot_be_one_is_refused():
    with pytest.raises(TypeError, match="has no method fit_transform"):
        EmbeddingDisplay.from_codes(np.zeros((4, 3)), projection="umap")
    with pytest.raises(ValueError, match="exclude each other"):
        EmbeddingDisplay.from_codes(np.zeros((4, 3)), projection=Halves(), components=(0, 1))
    with pytest.raises(ValueError, match=r"returned shape \(4, 3\); two columns"):
        EmbeddingDisplay.from_codes(np.eye(4)[:, :3], projection=PCA(3))


def test_many_classes_differ_by_colour_and_marker():
    y = np.arange(30).astype(str)
    display = EmbeddingDisplay.from_codes(np.zeros((30, 2)), y)
    looks = {(*to_rgb(p.get_facecolor()[0]), p.get_paths()[0].vertices.tobytes()) for p in display.points_}
    assert len(looks) == 30


@pytest.mark.parametrize("y", [np.linspace(0, 1, 30), np.arange(30)])
def test_amounts_have_a_colour_bar(y):
    display = EmbeddingDisplay.from_codes(np.zeros((30, 2)), y)
    np.testing.assert_array_equal(display.points_[0].get_array(), y)
    assert display.colorbar_ is not None and display.legend_ is None


@pytest.mark.parametrize(
    ("codes", "options", "message"),
    [
        (np.zeros((4, 1)), {}, "at least two columns"),
        (np.zeros((4, 2)), {"y": [0, 1]}, "2 values for 4 rows"),
        (np.zeros((2, 2)), {"y": ["a", None]}, "1 missing values"),
        (np.zeros((2, 2)), {"y": [0.5, np.nan]}, "1 missing values"),
        (np.zeros((4, 3)), {"components": (0, 3)}, r"\(0, 3\) must be two columns of an embedding that has 3"),
        (np.zeros((51, 2)), {"y": np.arange(51).astype(str)}, "51 classes; at most 50"),
    ],
)
def test_what_cannot_be_drawn_is_refused(codes, options, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay.from_codes(codes, **options)
