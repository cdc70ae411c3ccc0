"""DIMTransformer on sequences and on documents of word numbers, as its users meet it."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from sklearn_dim import DIMTransformer
from sklearn_dim.datasets import make_motif_sequences, make_topic_corpus


@pytest.fixture(scope="module")
def motifs():
    return make_motif_sequences(600, 2, 40, n_classes=3, motif_length=12, random_state=0)


@pytest.fixture(scope="module")
def corpus():
    return make_topic_corpus(1000, 1000, n_topics=6, length=(20, 50), random_state=0)


@pytest.fixture(params=["sequences", "tokens"])
def kind(request, motifs, corpus):
    """X, y and the parameters that X asks for."""
    X, y = motifs if request.param == "sequences" else corpus
    return X[:200], y[:200], {"encoder": "tokens"} if request.param == "tokens" else {}


def quick(**parameters):
    return DIMTransformer(
        **{"n_components": 8, "max_iter": 2, "representation": "code", "random_state": 0, **parameters}
    )


def accuracy(transformer, X, y, n_labels, n_test):
    """Return a linear probe's accuracy on the last rows, from the labels of the first."""
    transformer.fit(X[:-n_test])
    features, test = transformer.transform(X[:n_labels]), transformer.transform(X[-n_test:])
    return LogisticRegression(max_iter=1000).fit(features, y[:n_labels]).score(test, y[-n_test:])


# What it learns


def test_motifs_at_random_places_are_told_apart_where_pca_fails(motifs):
    X, y = motifs
    pca = accuracy(PCA(16), X.reshape(len(X), -1), y, 60, 200)
    ours = accuracy(quick(n_components=16, max_iter=25), X, y, 60, 200)
    # Two proportions on 200 sequences: their difference has a standard error under 0.05.
    assert ours > pca + 4 * 0.05


def counts(X):
    """Return documents as a CSR matrix of counts."""
    rows = np.repeat(np.arange(len(X)), X.shape[1])
    return sparse.csr_matrix((np.ones(X.size), (rows, X.ravel())), shape=(len(X), X.max() + 1))[:, 1:]


def test_topics_are_found_from_a_few_labels(corpus):
    X, y = corpus
    ours = accuracy(quick(n_components=16, encoder="tokens", max_iter=30), X, y, 70, 300)
    raw = accuracy(TfidfTransformer(), counts(X), y, 70, 300)
    lsa = accuracy(make_pipeline(TfidfTransformer(), TruncatedSVD(16, random_state=0)), counts(X), y, 70, 300)
    assert ours > raw and ours > lsa - 0.03


def test_training_raises_information(kind):
    X, _, parameters = kind
    short, long = (quick(max_iter=n, early_stopping=True, **parameters).fit(X) for n in (1, 15))
    assert long.mutual_info_ > short.mutual_info_ + 0.02


# What it takes


def test_number_types_of_the_same_content_give_the_same_codes(motifs, corpus):
    X = np.round(10 * motifs[0][:100]).astype(np.int16)
    whole, floats = (quick().fit(data).transform(data) for data in (X, X.astype(np.float32)))
    np.testing.assert_allclose(whole, floats, atol=1e-4)

    X = corpus[0][:100].astype(np.int64)
    kinds = {dtype: quick(encoder="tokens").fit(X.astype(dtype)) for dtype in ("i8", "i4", "u2", "f4", "f8")}
    expected = kinds["i8"].transform(X)
    assert expected.dtype == np.float32
    for dtype, dim in kinds.items():
        output = dim.transform(X.astype(dtype))
        assert output.dtype == (np.float32 if dtype in ("i8", "i4", "f4") else np.float64)
        np.testing.assert_allclose(output, expected, atol=1e-4)


def test_each_channel_has_its_own_scale(motifs):
    X = motifs[0][:100]
    rescaled = X * np.array([1024, 1 / 64])[:, None]
    np.testing.assert_allclose(quick().fit(X).transform(X), quick().fit(rescaled).transform(rescaled), atol=1e-3)


@pytest.mark.parametrize("representation", ["code", "fc", "conv"])
def test_representations_are_standardised(kind, representation):
    X, _, parameters = kind
    dim = quick(representation=representation, **parameters).fit(X)
    output = dim.transform(X)
    assert len(dim.get_feature_names_out()) == output.shape[1]
    np.testing.assert_allclose(output.mean(0), 0, atol=1e-3)
    spread = output.std(0)  # a unit may be silent
    assert (spread > 0).mean() > 0.5
    np.testing.assert_allclose(spread[spread > 0], 1, atol=1e-2)


def test_long_sequences(motifs):
    X = np.random.default_rng(0).normal(size=(20, 2, 3000))
    assert quick(max_iter=1).fit(X).transform(X).shape == (20, 8)


def test_words_that_fit_never_saw_are_one(corpus):
    X = corpus[0][:200].copy()
    dim = quick(encoder="tokens").fit(X)
    assert dim.vocabulary_size_ == X.max() + 1
    one, other = X[:5].copy(), X[:5].astype(float)
    one[:, 3], other[:, 3] = dim.vocabulary_size_, 1e300
    np.testing.assert_allclose(dim.transform(one), dim.transform(other), atol=1e-4)
    assert np.abs(dim.transform(one) - dim.transform(X[:5])).max() > 1e-4
    assert np.isfinite(dim.score(np.minimum(other, 1e9)))


def test_padding_changes_no_code(corpus):
    X = corpus[0][:200].copy()
    dim = quick(encoder="tokens").fit(X)
    moved = np.stack([np.concatenate([row[row == 0], row[row > 0]]) for row in X])  # zeros first
    np.testing.assert_allclose(dim.transform(moved), dim.transform(X), atol=1e-4)
    empty = np.zeros_like(X[:2])
    assert np.isfinite(dim.transform(empty)).all()


def test_texts_become_numbers_as_the_error_says():
    texts = ["the cat sat on the mat", "a dog ate the cat", "the dog sat", "a mat"] * 5
    with pytest.raises(ValueError, match=r"X holds text, but .* CountVectorizer\(\).fit\(texts\).vocabulary_"):
        quick(encoder="tokens").fit(np.array(texts)[:, None])
    vectorizer = CountVectorizer()
    words = vectorizer.fit(texts).vocabulary_
    numbers = [[words[word] + 1 for word in vectorizer.build_analyzer()(text)] for text in texts]
    X = np.array([row + [0] * (6 - len(row)) for row in numbers])
    assert quick(encoder="tokens").fit(X).transform(X).shape == (20, 8)


# What it refuses


@pytest.mark.parametrize(
    "parameters, X, message",
    [
        ({}, np.ones((9, 3, 7)), "sequences of length 7 are shorter than 8"),
        ({"encoder": "paper"}, np.ones((9, 3, 20)), "encoder='paper' is for images, but X has sequences"),
        ({"image_shape": (1, 8, 8)}, np.ones((9, 8, 8)), r"but X has images of shape \(8, 8\)"),
        ({}, np.full((9, 3, 20), np.nan), "Input X contains NaN"),
        ({"encoder": "tokens"}, [[1, -2], [3, 4]], "0 is padding.*, but X has the number -2. Number the words first"),
        ({"encoder": "tokens"}, [[1, 2.5], [3, 4]], "takes whole numbers .* but X has fractions"),
        ({"encoder": "tokens"}, [[1, 2e9], [3, 4]], "the largest word number of X is 2000000000; expected 1 to"),
        ({"encoder": "tokens"}, np.zeros((3, 4)), "the largest word number of X is 0"),
        ({"encoder": "tokens"}, sparse.eye(9, format="csr"), "X is a sparse matrix, .* Use encoder='auto' for counts"),
        ({"encoder": "tokens"}, np.ones((9, 3, 8), dtype=int), "Found array with dim 3"),
    ],
)
def test_bad_input_is_named_and_nothing_is_half_fitted(parameters, X, message):
    dim = quick(**parameters)
    with pytest.raises(ValueError, match=message):
        dim.fit(X)
    assert not dim.__sklearn_is_fitted__()


def test_other_shapes_at_transform_are_refused(motifs, corpus):
    sequences = quick().fit(motifs[0][:50])
    with pytest.raises(ValueError, match=r"samples of shape \(2, 30\), but DIMTransformer was fitted on"):
        sequences.transform(motifs[0][:50, :, :30])
    documents = quick(encoder="tokens").fit(corpus[0][:50])
    with pytest.raises(ValueError, match="X has 40 features, but DIMTransformer is expecting 50"):
        documents.transform(corpus[0][:50, :40])
    with pytest.raises(ValueError, match="takes whole numbers"):
        documents.set_params(encoder="auto").transform(corpus[0][:50] + 0.5)


# How it behaves in scikit-learn


def test_grid_search_over_bounds(kind):
    X, y, parameters = kind
    model = Pipeline([("dim", quick(**parameters)), ("clf", LogisticRegression())])
    grid = {"dim__mi_estimator": ["jsd", "nwj"]}
    one, two = (GridSearchCV(model, grid, cv=2, n_jobs=n, error_score="raise").fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])


def test_pickles_predict_the_same_in_a_fresh_process(kind, tmp_path):
    X, _, parameters = kind
    dim = quick(**parameters).fit(X)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(dim))
    np.savez(tmp_path / "data.npz", X=X, codes=dim.transform(X))
    code = """
import sys, pickle, numpy as np
data = np.load(sys.argv[1] + "/data.npz")
assert (pickle.load(open(sys.argv[1] + "/model.pkl", "rb")).transform(data["X"]) == data["codes"]).all()
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_clones_and_seeds(kind):
    X, _, parameters = kind
    dim = quick(**parameters).fit(X)
    np.testing.assert_array_equal(clone(dim).fit(X).transform(X), dim.transform(X))
    assert (clone(dim).set_params(random_state=1).fit(X).transform(X) != dim.transform(X)).any()


def test_fits_go_on_and_another_kind_starts_anew(kind, motifs):
    X, _, parameters = kind
    dim = quick(warm_start=True, **parameters).fit(X).partial_fit(X)
    assert dim.n_iter_ == 3 and dim.fit(X).n_iter_ == 5
    other = dim.set_params(warm_start=False, encoder="auto").fit(motifs[0][:50, 0])
    assert other.vocabulary_size_ is None and other.transform(motifs[0][:50, 0]).shape == (50, 8)


def test_output_does_not_depend_on_company(kind):
    X, _, parameters = kind
    dim = quick(**parameters).fit(X)
    alone = np.vstack([dim.transform(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(dim.transform(X[:20]), alone, atol=1e-4)
