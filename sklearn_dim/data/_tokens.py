"""Documents given as the numbers of their words."""

from collections.abc import Callable

import numpy as np
from scipy.sparse import issparse

MAX_WORDS = 2**24  # float32 holds whole numbers up to here exactly
_HINT = (
    "Number the words first: words = CountVectorizer().fit(texts).vocabulary_ gives each a number, "
    "to which 1 is added; fill documents up with 0."
)


def check_tokens(X, check_numbers: Callable) -> np.ndarray:
    """Return X as documents (n, length) of word numbers, 0 where a document has ended.

    ``check_numbers(X, dtype=…, hint=…)`` turns X into an array, or refuses it.
    """
    if issparse(X):
        raise ValueError(
            "encoder='tokens' takes the numbers of words in their order, but X is a sparse matrix, such as counts of "
            "words. Use encoder='auto' for counts; for a sparse matrix of word numbers pass X.toarray()."
        )
    X = check_numbers(X, dtype=(np.float64, np.float32, np.int64, np.int32, np.uint8), hint=_HINT)
    fractions = X.dtype.kind == "f" and (np.floor(X) != X).any()
    if fractions or X.min() < 0:
        raise ValueError(
            f"encoder='tokens' takes whole numbers from 0 (0 is padding), but X has "
            f"{'fractions' if fractions else f'the number {X.min():.0f}'}. {_HINT}"
        )
    return X


def vocabulary_size(X: np.ndarray) -> int:
    """Return one more than the largest word number of X."""
    if not 0 < X.max() < MAX_WORDS:
        raise ValueError(
            f"the largest word number of X is {X.max():.0f}; expected 1 to {MAX_WORDS - 1}. Number the words from "
            "1 on without gaps, 0 being padding."
        )
    return int(X.max()) + 1


def word_weights(X: np.ndarray, size: int) -> np.ndarray:
    """Return the weight of each of ``size`` word numbers: 1 + log of the inverse fraction of documents that have it."""
    pairs = np.unique(np.arange(len(X))[:, None] * size + X.astype(np.int64))
    documents = np.bincount(pairs % size, minlength=size)
    return 1 + np.log((1 + len(X)) / (1 + documents))
