"""DIMTransformer on documents as strings."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline

from sklearn_dim import DIMTransformer
from sklearn_dim.persistence import load, save, to_torch


def quick(**parameters):
    return DIMTransformer(**{"n_components": 6, "max_iter": 2, "random_state": 0, **parameters})


def letters(n=120, seed=0):
    """Return letters about the garden or the office, and which."""
    rng = np.random.default_rng(seed)
    common = ["and", "the", "with", "from", "very", "today"]
    topics = ["rose", "tulip", "spade", "seed", "lawn"], ["desk", "printer", "meeting", "salary", "boss"]
    y = rng.integers(0, 2, n)
    return [" ".join(rng.choice(common + topics[k] * 2, 12)) for k in y], y


@pytest.mark.parametrize("encoder", ["auto", "tokens"])
def test_a_list_of_strings_goes_straight_into_a_pipeline(encoder, tmp_path):
    X, y = letters()
    later = ["roses are unseen here but tulip", "", None, "the boss and the printer"]
    pipeline = Pipeline([("dim", quick(max_iter=20, encoder=encoder)), ("clf", LogisticRegression())]).fit(X, y)
    assert pipeline.score(*letters(seed=1)) > 0.9
    expected = pipeline.predict_proba(later)
    np.testing.assert_array_equal(expected[1], expected[2])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pipeline)).predict_proba(later), expected)
    dim = pipeline[0]
    save(dim, tmp_path)
    loaded = load(tmp_path)
    np.testing.assert_array_equal(loaded.transform(later), dim.transform(later))
    assert loaded.partial_fit(X).n_iter_ == 21
    assert np.isfinite(dim.score(X))
    assert (dim.input_kind_, dim.n_features_in_, dim.input_shape_) == ("documents", 1, (1,))
    assert dim.vocabulary_size_ == (17 if encoder == "tokens" else None)
    with pytest.raises(ValueError, match=r"to_torch\(\) .* fitted on strings.* TfidfVectorizer"):
        to_torch(dim)


def test_all_containers_give_the_same_and_keep_their_index():
    X, _ = letters(40)
    expected = quick().fit_transform(X)
    assert expected.dtype == np.float32
    series = pd.Series(X, index=np.arange(40) + 100)
    for other in (np.array(X), np.array(X, dtype=object), series, series.to_frame("text")):
        np.testing.assert_array_equal(quick().fit_transform(other), expected)
    for given in (series, series.to_frame("text")):
        frame = quick().set_output(transform="pandas").fit_transform(given)
        assert frame.index.equals(series.index) and frame.columns[0] == "dimtransformer_code0"
    dim = clone(quick()).fit(series.to_frame("text"))
    assert dim.feature_names_in_.tolist() == ["text"]
    np.testing.assert_array_equal(dim.transform(pd.DataFrame({"text": X})), expected)
    with pytest.raises(ValueError, match="feature names should match"):
        dim.transform(pd.DataFrame({"other": X}))


def test_model_selection():
    X, y = letters(60)
    pipeline = Pipeline([("dim", quick()), ("clf", LogisticRegression())])
    assert np.isfinite(cross_val_score(pipeline, X, y, cv=2)).all()
    search = GridSearchCV(pipeline, {"dim__encoder": ["auto", "tokens"]}, cv=2, error_score="raise").fit(X, y)
    assert search.predict(X[:3]).shape == (3,)


def test_other_samples_than_in_fit_are_refused():
    X, _ = letters(40)
    dim = quick(max_iter=1).fit(X)
    with pytest.raises(ValueError, match="X holds no strings, but DIMTransformer was fitted on documents"):
        dim.transform(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="X holds text, but DIMTransformer takes numbers"):
        quick(max_iter=1).fit(np.random.default_rng(0).normal(size=(20, 3))).transform(X)
    with pytest.raises(ValueError, match="strings that are all numbers"):
        quick().fit(["12", "13"])
    with pytest.raises(ValueError, match="encoder='paper' is for images"):
        quick(encoder="paper").fit(X)


def test_words_alone_can_be_learnt_in_parts():
    X, _ = letters(60)
    dim = quick().partial_fit(X[:30]).partial_fit(X[30:])
    assert dim.n_iter_ == 2 and dim.transform(X).shape == (60, len(dim.get_feature_names_out()))
