"""The input of `DIMTransformer`: samples of any kind, read by one rule, and their statistics."""

from typing import Any

import numpy as np

from sklearn_dim.data import (
    DocumentCoder,
    Documents,
    Samples,
    Table,
    TableCoder,
    collected,
    moments,
    offset_of,
    read_documents,
    read_samples,
    read_table,
    refuse_graph,
    vocabulary_size,
    word_weights,
)

Given = Samples | Table | Documents
Coder = TableCoder | DocumentCoder


def read(X: Any, name: str, *, fitted: str | None, coded: bool, tokens: bool, image_shape: Any, channels: str) -> Given:
    """Return X, checked, as what it is taken for.

    Parameters
    ----------
    X : anything
    name : str
        The estimator's, for messages.
    fitted : str or None
        The kind of samples at fit, which X has to be; None while fitting, when at least two samples are needed.
    coded : bool
        Whether a coder made numbers of the samples at fit.
    tokens : bool
        Whether documents are wanted as word numbers.
    image_shape, channels : tuple or None, str
        Parameters of the estimator.
    """
    least = 2 if fitted is None else 1
    refuse_graph(X, name)
    if image_shape is None and fitted in (None, "documents"):
        documents = read_documents(X, name, fitted=fitted is not None, min_samples=least)
        if documents is not None:
            return documents
    X = collected(X, min_samples=least)
    if not tokens and image_shape is None and fitted in (None, "table"):
        table = read_table(X, name, coded=coded, min_samples=least)
        if table is not None:
            return table
    return read_samples(X, name, tokens=tokens, image_shape=image_shape, channels=channels, min_samples=least)


def fitted_coder(given: Given, tokens: bool) -> Coder | None:
    """Return what turns X into numbers, or None if it has them."""
    if isinstance(given, Documents):
        return DocumentCoder(as_tokens=tokens).fit(given)
    return TableCoder().fit(given) if isinstance(given, Table) else None


def number_of_words(given: Any, coder: Coder | None) -> int:
    """Return one more than the largest word number."""
    return coder.vocabulary_size if isinstance(coder, DocumentCoder) else vocabulary_size(given.X)


def statistics_of(X: Any, rows: np.ndarray | None, n_words: int | None) -> tuple[np.ndarray | None, dict[str, Any]]:
    """Return the offset to subtract from X, and the statistics that the encoder standardises its input with.

    ``rows`` are those to use, None for all. With ``n_words``, X has word numbers below it.
    """
    if n_words is not None:
        words = X if rows is None else X[rows]
        return None, {"vocabulary_size": n_words, "weight": word_weights(words, n_words)}
    mean, scale = moments(X, rows)
    offset = offset_of(X, mean, scale)
    return offset, {"mean": mean if offset is None else mean - offset.ravel(), "scale": scale}


def missing_codes(
    coder: Coder | None, offset: np.ndarray | None, statistics: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the column that each code belongs to, and standardised codes of missing cells, of a coded table."""
    if not isinstance(coder, TableCoder):
        return None
    columns, codes = coder.missing_codes()
    if offset is not None:
        codes = codes - offset
    return columns, (codes - statistics["mean"]) / statistics["scale"]
