"""Rules for rows, sequences, images and documents."""

import math
from numbers import Integral

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import _check_feature_names, _check_n_features, validate_data


def check_rows(estimator, X, *, reset: bool, image_shape=None):
    """Validate X and return it as rows (n, n_features), dense or CSR, sequences (n, channels, length) or images.

    Parameters
    ----------
    estimator : estimator
        With ``reset`` its n_features_in_, feature_names_in_ and input_shape_ are set, else compared.
    X : array-like, sparse matrix or DataFrame
    image_shape : tuple (channels, height, width), default=None
        Shape of images given as flat rows.
    """
    X = check_numbers(
        estimator, X, reset=reset, dtype=[np.float64, np.float32, np.uint8], allow_nd=True,
        ensure_min_samples=2 if reset else 1,
    )  # fmt: skip
    if image_shape is not None:
        X = _as_images(X, tuple(image_shape))
    if X.ndim not in (2, 3, 4):
        raise ValueError(
            f"X has {X.ndim} dimensions, shape {X.shape}; expected rows (n_samples, n_features), sequences (n_samples, "
            "channels, length) or images (n_samples, channels, height, width). Flatten other arrays to rows first."
        )
    _check_shape(estimator, X, reset=reset)
    return X


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
    _check_shape(estimator, X, reset=reset)
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


def _check_shape(estimator, X, *, reset: bool) -> None:
    """Set or compare the shape of one sample."""
    if reset:
        estimator.input_shape_ = X.shape[1:]
    elif X.shape[1:] != estimator.input_shape_:
        raise ValueError(
            f"X has samples of shape {X.shape[1:]}, but {type(estimator).__name__} was fitted on samples of shape "
            f"{estimator.input_shape_}. Pass the same kind of samples as to fit."
        )


def check_numbers(
    estimator, X, *, dtype=(np.float64, np.float32), cure="Encode it first, say with OneHotEncoder.", **rules
):
    """Validate X as dense or CSR numbers; an error about text says the cure."""
    try:
        return validate_data(estimator, X, accept_sparse="csr", dtype=list(dtype), **rules)
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(f"X holds text, but {type(estimator).__name__} takes numbers ({error}). {cure}") from error


def check_nodes(estimator, graph, *, reset: bool) -> None:
    """Set or compare the number and names of a graph's features, as `validate_data` does for rows."""
    if graph.names is not None:
        _check_feature_names(estimator, pd.DataFrame(columns=graph.names), reset=reset)
    elif reset and hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
    _check_n_features(estimator, graph, reset=reset)


def _as_images(X, image_shape):
    """Return flat rows as images; images must have the shape already."""
    if len(image_shape) != 3 or not all(isinstance(side, Integral) and side > 0 for side in image_shape):
        raise ValueError(f"image_shape={image_shape} is not three positive integers (channels, height, width).")
    if X.ndim == 2:
        if X.shape[1] != math.prod(image_shape):
            raise ValueError(
                f"image_shape={image_shape} means rows of {math.prod(image_shape)} numbers, but X has {X.shape[1]} "
                "features. Give image_shape as (channels, height, width)."
            )
        X = (X.toarray() if issparse(X) else X).reshape(-1, *image_shape)
    if X.shape[1:] != image_shape:
        raise ValueError(
            f"image_shape={image_shape}, but X has images of shape {X.shape[1:]}. Leave image_shape=None for X of four "
            "dimensions, or make them agree."
        )
    return X


def moments(X) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and scale of each column, or each channel of sequences or images; the scale of a constant is 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        if X.ndim == 2:
            scaler = StandardScaler(with_mean=not issparse(X)).fit(X)
            mean, scale = scaler.mean_, scaler.scale_
        else:
            others = (0, *range(2, X.ndim))
            mean, scale = X.mean(axis=others, dtype=np.float64), X.std(axis=others, dtype=np.float64)
            scale = np.where(scale > 1e-7 * np.maximum(np.abs(mean), 1e-30), scale, 1.0)
    too_large = ~(np.maximum(np.abs(mean), scale) < np.finfo(np.float32).max / 100)
    if too_large.any():
        raise ValueError(f"column or channel {too_large.argmax()} of X has values too large for float32. Rescale it.")
    return mean, scale


def check_table(estimator, X, *, reset: bool) -> pd.DataFrame:
    """Validate X and return it as a DataFrame of columns; those of a DataFrame may hold categories or strings."""
    if isinstance(X, pd.DataFrame) and not _all_numeric(X):
        X = validate_data(estimator, X, reset=reset, skip_check_array=True)
        return _check_columns(X, "X")
    X = check_numbers(estimator, X, reset=reset, cure="Pass a DataFrame, whose columns may be text.")
    return pd.DataFrame(X.toarray() if issparse(X) else X)


def check_targets(y, name: str = "y") -> pd.DataFrame:
    """Validate y, one column or several, of numbers, classes or strings, and return it as a DataFrame."""
    if isinstance(y, pd.DataFrame | pd.Series):
        return _check_columns(pd.DataFrame(y), name)
    y = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name=name)
    y = y if y.ndim == 2 and y.shape[1] > 1 else column_or_1d(y, warn=False)
    return _check_columns(pd.DataFrame(y), name)


def _all_numeric(table: pd.DataFrame) -> bool:
    return all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes)


def _check_columns(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Refuse missing and infinite values, column by column."""
    for label, column in table.items():
        if column.dtype == object:
            column = column.infer_objects()
        if column.isna().any():
            raise ValueError(f"Input {name} contains NaN (column {label!r}). Fill or drop the rows first.")
        if pd.api.types.is_float_dtype(column.dtype) and not np.isfinite(column.to_numpy(dtype=float)).all():
            raise ValueError(f"Input {name} contains infinity (column {label!r}). Clip or drop the rows first.")
    return table
