"""Rules for documents that are given as the numbers of their words."""

import numpy as np
from scipy.sparse import issparse

from sklearn_dim._sklearn._inputs import check_numbers
from sklearn_dim._sklearn._samples import check_shape


def check_tokens(estimator, X, *, reset: bool):
    """Validate X as documents (n, length): the numbers of their words, 0 where a document has ended.

    Parameters
    ----------
    estimator : estimator
        With ``reset`` its n_features_in_, feature_names_in_, input_shape_ and vocabulary_size_ are set, else the first
        three are compared.
    X : array-like or DataFrame
    """
    if issparse(X):
        raise ValueError(
            "encoder='tokens' takes the numbers of words in their order, but X is a sparse matrix, such as counts of "
            "words. Use encoder='auto' for counts; for a sparse matrix of word numbers pass X.toarray()."
        )
    X = check_numbers(
        estimator, X, reset=reset, dtype=[np.float64, np.float32, np.int64, np.int32, np.uint8],
        ensure_min_samples=2 if reset else 1, cure=_WORDS_TO_NUMBERS,
    )  # fmt: skip
    fractions = X.dtype.kind == "f" and (np.floor(X) != X).any()
    if fractions or X.min() < 0:
        raise ValueError(
            f"encoder='tokens' takes whole numbers from 0 (0 is padding), but X has "
            f"{'fractions' if fractions else f'the number {X.min():.0f}'}. {_WORDS_TO_NUMBERS}"
        )
    if reset:
        if not 0 < X.max() < MOST_WORDS:
            raise ValueError(
                f"the largest word number of X is {X.max():.0f}; expected 1 to {MOST_WORDS - 1}. Number the words from "
                "1 on without gaps, 0 being padding."
            )
        estimator.vocabulary_size_ = int(X.max()) + 1
    check_shape(estimator, X, reset=reset)
    return X if X.max() < MOST_WORDS else np.minimum(X, MOST_WORDS)  # float32 holds these exactly


def word_weights(X, vocabulary_size: int) -> np.ndarray:
    """Return the weight of each word number (vocabulary_size,), 1 + log of the inverse share of documents with it."""
    pairs = np.unique(np.arange(len(X))[:, None] * vocabulary_size + X.astype(np.int64))
    documents = np.bincount(pairs % vocabulary_size, minlength=vocabulary_size)
    return 1 + np.log((1 + len(X)) / (1 + documents))


MOST_WORDS = 2**24
_WORDS_TO_NUMBERS = (
    "Number the words first: words = CountVectorizer().fit(texts).vocabulary_ gives each a number, "
    "to which 1 is added; fill documents up with 0."
)
