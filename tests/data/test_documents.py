"""Documents as strings: what is taken for them, and what they become."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from sklearn_dim.data import DocumentCoder, read_documents

TEXTS = ["the cat sat", "The cat ate; the cat slept.", "a dog sat", "cat and dog"]
NAN = float("nan")


def documents(X, fitted=False, **options):
    return read_documents(X, "DIMTransformer", fitted=fitted, **options)


def sentences(n=30):
    return [f"sentence {i} of a text" for i in range(n)]


def one_column(kind, values):
    return kind({"text": values}) if kind is not np.array else np.array(values, dtype=object)[:, None]


@pytest.mark.parametrize(
    "X",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype="string"),
        pd.Series(TEXTS, dtype="category"),
        pd.Index(TEXTS),
    ],
    ids=lambda X: type(X).__name__,
)
def test_strings_in_one_dimension_are_documents(X):
    found = documents(X)
    assert found.texts == TEXTS and found.kind == "documents" and found.shape == (4, 1)


@pytest.mark.parametrize("missing", [None, NAN, pd.NA, np.nan])
def test_missing_documents_are_empty(missing):
    for X in ([*TEXTS, missing], [missing, *TEXTS], pd.Series([*TEXTS, missing])):
        assert sorted(documents(X).texts) == sorted([*TEXTS, ""])
    assert documents([missing], fitted=True).texts == [""]


@pytest.mark.parametrize("kind", [pd.DataFrame, np.array])
def test_one_column_of_free_text_is_documents_and_one_of_levels_or_names_is_not(kind):
    assert documents(one_column(kind, sentences())).texts == sentences()
    assert documents(one_column(kind, [*sentences(), None])).texts == [*sentences(), ""]
    for values in (sentences(20), sentences(25) * 2, [f"customer {i}" for i in range(30)], list(range(30))):
        assert documents(one_column(kind, values)) is None
    assert documents(one_column(kind, ["short"]), fitted=True).texts == ["short"]
    assert documents(pd.DataFrame({"text": sentences(), "number": 1.0})) is None


def test_polars():
    polars = pytest.importorskip("polars")
    assert documents(polars.Series([*TEXTS, None])).texts == [*TEXTS, ""]
    assert documents(polars.DataFrame({"text": sentences()})).texts == sentences()


@pytest.mark.parametrize(
    "X",
    [[1.0, 2.0], [[1.0], [2.0]], [["a text", 1]], np.zeros(3), np.zeros((3, 1)), [None, None], [np.zeros((3, 4))] * 2,
     sparse.csr_matrix((3, 1)), torch.zeros(3), pd.Series([1, None]), [], None, 3],
)  # fmt: skip
def test_other_things_are_not(X):
    assert documents(X) is None


@pytest.mark.parametrize("X", [["12", "13"], np.array(["1e3", " 7 "]), pd.Series(["12", None])])
def test_strings_that_are_all_numbers_are_refused(X):
    with pytest.raises(ValueError, match=r"strings that are all numbers, such as '1.*Expected 2D array.*reshape"):
        documents(X)
    assert len(documents(X, fitted=True)) == 2
    assert documents([*X, "twelve"]).texts[-1] == "twelve"


@pytest.mark.parametrize(
    "X, fitted, error, message",
    [
        ("a text", False, ValueError, "X is a single string, .* Pass a list of strings"),
        (["a text", 3], False, TypeError, r"X\[1\] is of type int, but other documents are strings"),
        (["a text", b"bytes"], False, TypeError, r"X\[1\] is of type bytes"),
        (["a text"], False, ValueError, r"Found array with 1 sample\(s\)"),
        ([], True, ValueError, r"Found array with 0 sample\(s\)"),
        (np.zeros((2, 3)), True, ValueError, "X holds no strings, but DIMTransformer was fitted on documents"),
    ],
)
def test_what_is_refused(X, fitted, error, message):
    with pytest.raises(error, match=message):
        documents(X, fitted=fitted, min_samples=2)


def test_rows_are_those_of_scikit_learn():
    coder = DocumentCoder(as_tokens=False).fit(documents(TEXTS))
    assert coder.analyzer_ == "word" and coder.words_.tolist() == ["cat", "dog", "sat", "the"]
    rows = coder.transform(documents([*TEXTS, "unseen words", ""]))
    expected = TfidfVectorizer(min_df=2, sublinear_tf=True).fit(TEXTS).transform([*TEXTS, "", ""])
    np.testing.assert_allclose(rows.X.toarray(), expected.toarray(), rtol=1e-6)
    assert rows.kind == "bag" and rows.dtype == np.float32


def test_word_numbers_keep_the_order():
    coder = DocumentCoder(as_tokens=True).fit(documents(TEXTS))
    words = coder.transform(documents(["dog, the unseen cat", ""]))
    assert words.kind == "tokens" and coder.vocabulary_size == 5
    assert words.X.tolist() == [[2, 4, 1], [0, 0, 0]]
    assert coder.transform(documents(["", None], fitted=True)).X.tolist() == [[0], [0]]


def test_words_beyond_the_limit_are_left_out(monkeypatch):
    monkeypatch.setattr("sklearn_dim.data._documents.MAX_LENGTH", 2)
    coder = DocumentCoder(as_tokens=True).fit(documents(TEXTS))
    assert coder.transform(documents(["unseen cat dog cat", "dog"])).X.tolist() == [[1, 2], [2, 0]]


def test_languages_without_spaces_and_short_corpora_are_read_by_characters():
    chinese = ["我们今天去公园", "我们明天去学校", "他们今天在学校", "今天学校没有人"]
    coder = DocumentCoder(as_tokens=False).fit(documents(chinese * 2))
    assert coder.analyzer_ == "word"  # every sentence occurs twice
    coder = DocumentCoder(as_tokens=False).fit(documents(chinese))
    assert coder.analyzer_ == "char" and {"今天", "学校"} <= set(coder.words_)
    assert DocumentCoder(as_tokens=False).fit(documents(["a", "b"])).words_.tolist() == [" a", " b", "a ", "b "]
    with pytest.raises(ValueError, match="all are empty"):
        DocumentCoder(as_tokens=False).fit(documents([" ", ""]))
