"""Documents as strings: rows of TF-IDF or word numbers, by scikit-learn's vectorizers."""

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from sklearn_dim.data._refused import refuse_files
from sklearn_dim.data._samples import Samples
from sklearn_dim.data._tables import MAX_LEVELS

MAX_WORDS = 30_000  # of a vocabulary: the most frequent
MAX_LENGTH = 500  # words of a document given as word numbers: those that follow are left out
FREE_TEXT = 3  # words of a cell, in the mean, from which a column of a table is free text rather than names
# Words as scikit-learn finds them by default, or pairs of neighbouring characters.
ANALYZERS: dict[str, dict[str, Any]] = {"word": {}, "char": {"analyzer": "char_wb", "ngram_range": (2, 2)}}


class Documents:
    """Documents, checked; those that are missing are empty.

    Parameters
    ----------
    texts : list of str
    """

    kind = "documents"  # as of `Samples`

    def __init__(self, texts: list[str]):
        self.texts, self.shape = texts, (len(texts), 1)

    def __len__(self) -> int:
        return len(self.texts)


def read_documents(X: Any, name: str, *, fitted: bool, min_samples: int = 1) -> Documents | None:
    """Return X as `Documents`, or None if it is something else, such as a table.

    Documents are strings in one dimension (a list, an array, a Series), or a table with one column of free text: more
    than 20 different cells, more than one for every second row, of three words or more in the mean.

    Parameters
    ----------
    X : anything
    name : str
        The estimator's, for messages.
    fitted : bool
        Whether the estimator was fitted on documents: then any column of strings is taken, and nothing else.
    min_samples : int, default=1

    Raises
    ------
    ValueError
        If X is a single string; if its strings are all numbers, or there are none where ``fitted`` asks for them; or if
        there are too few.
    TypeError
        If X holds strings beside other objects.
    """
    if isinstance(X, str):
        raise ValueError(
            f"X is a single string, but {name} takes several documents, and opens no files. Pass a list of "
            "strings; of a folder, what its files hold."
        )
    cells, is_column = _cells(X)
    if not is_column:
        refuse_files(cells, name)
    first = next((cell for cell in cells if not _is_missing(cell)), None)
    if not isinstance(first, str) and not (fitted and first is None):
        if fitted:
            raise ValueError(
                f"X holds no strings, but {name} was fitted on documents. Pass a list, array or Series of strings, or "
                "a table with one column of them."
            )
        return None
    if is_column and not fitted and not _is_free_text(cells):
        return None
    texts = [_text(cell, i, name) for i, cell in enumerate(cells)]
    if not fitted and not is_column and _are_numbers(texts):
        raise ValueError(
            f"X is one dimension of strings that are all numbers, such as {str(first)!r}, but {name} takes strings in "
            "one dimension for documents. Expected 2D array, got 1D array instead: pass numpy.asarray(X, "
            "dtype=float).reshape(-1, 1) if they are the values of one feature."
        )
    if len(texts) < min_samples:
        raise ValueError(
            f"Found array with {len(texts)} sample(s) (shape=({len(texts)},)) while a minimum of {min_samples} is "
            f"required by {name}."
        )
    return Documents(texts)


def _cells(X: Any) -> tuple[Any, bool]:
    """Return the cells of X if they are in one dimension or one column, else X; and whether they were in a column."""
    shape: Any = getattr(X, "shape", ())
    if len(shape) == 2 and shape[1] == 1 and not issparse(X):
        if isinstance(X, pd.DataFrame):
            return X.iloc[:, 0].tolist(), True
        return list(X.to_series(0) if hasattr(X, "to_series") else X[:, 0]), True
    if len(shape) == 1 or isinstance(X, list | tuple):
        return list(X), False
    return [X], False


def _is_missing(cell: Any) -> bool:
    return bool(pd.api.types.is_scalar(cell) and pd.isna(cell))


def _text(cell: Any, i: int, name: str) -> str:
    if isinstance(cell, str):
        return cell
    if _is_missing(cell):
        return ""
    raise TypeError(
        f"X[{i}] is of type {type(cell).__name__}, but other documents are strings. {name} takes strings, and None for "
        "a document that is missing. Turn it into a string."
    )


def _is_free_text(cells: Any) -> bool:
    texts = [cell for cell in cells if isinstance(cell, str)]
    if len(set(texts)) <= max(MAX_LEVELS, len(texts) / 2):
        return False
    return sum(len(text.split()) for text in texts) >= FREE_TEXT * len(texts)


def _are_numbers(texts: list[str]) -> bool:
    filled = [text for text in texts if text.strip()]
    try:
        np.array(filled).astype(float)
    except ValueError:
        return False
    return bool(filled)


class DocumentCoder:
    """Documents as rows of TF-IDF, or as the numbers of their words.

    A vocabulary is learnt in `fit`: words of two or more letters, in lower case, that occur in two documents or more.
    Where most do not, as in languages without spaces, it consists of pairs of characters; where most of these do not
    either, of all pairs. Later all others are ignored. A document without any has a row of zeros.

    Parameters
    ----------
    as_tokens : bool
        Whether documents become word numbers in the words' order, from 1, with zeros behind; otherwise rows of unit
        length of (1 + log n) · idf, where the word occurs n times, and idf = 1 + log of the inverse fraction of
        documents that have it.

    Attributes
    ----------
    analyzer_ : {"word", "char"}
        What the vocabulary consists of.
    words_ : ndarray of str
    idf_ : ndarray of shape (n_words,)
    """

    analyzer_: str
    words_: np.ndarray
    idf_: np.ndarray

    def __init__(self, as_tokens: bool):
        self.as_tokens = as_tokens

    def fit(self, documents: Documents) -> Self:
        """Learn the vocabulary.

        Raises
        ------
        ValueError
            If there is not a single character.
        """
        for analyzer, least in ("word", 2), ("char", 2), ("char", 1):
            if self._learn(documents.texts, analyzer, least):
                return self
        raise ValueError("X holds documents, but all are empty. Pass at least one that has a word.")

    def _learn(self, texts: list[str], analyzer: str, least: int) -> bool:
        """Keep what occurs in ``least`` documents; return whether that is more than half of what they consist of."""
        counter = CountVectorizer(max_features=MAX_WORDS, **ANALYZERS[analyzer])
        try:
            counts = counter.fit_transform(texts)
        except ValueError:  # scikit-learn's way to say that there is nothing
            return False
        kept = np.bincount(counts.indices, minlength=counts.shape[1]) >= least
        if 2 * counts[:, kept].sum() <= counts.sum():
            return False
        self.analyzer_, self.words_ = analyzer, counter.get_feature_names_out()[kept]
        self.idf_ = TfidfTransformer().fit(counts[:, kept]).idf_
        return True

    @property
    def vocabulary_size(self) -> int:
        """One more than the largest word number."""
        return len(self.words_) + 1

    def transform(self, documents: Documents) -> Samples:
        """Return the documents as a bag, a CSR matrix in float32, or as tokens."""
        counter = CountVectorizer(vocabulary=self.words_, dtype=np.float32, **ANALYZERS[self.analyzer_])
        if self.as_tokens:
            return Samples(self._numbers(documents.texts, counter), "tokens")
        weights = TfidfTransformer(sublinear_tf=True)
        weights.idf_ = self.idf_.astype(np.float32)
        return Samples(weights.transform(counter.transform(documents.texts)).tocsr(), "bag")

    def _numbers(self, texts: list[str], counter: CountVectorizer) -> np.ndarray:
        number = {word: i for i, word in enumerate(self.words_, 1)}
        analyze = counter.build_analyzer()
        numbers = [[number[word] for word in analyze(text) if word in number][:MAX_LENGTH] for text in texts]
        rows = np.zeros((len(texts), max(1, *map(len, numbers))), dtype=np.int64)
        for row, known in zip(rows, numbers, strict=True):
            row[: len(known)] = known
        return rows
