"""Rules for what a transformer of samples takes: rows, sequences, images, in memory, a file or a Dataset."""

import math
from collections.abc import Callable
from functools import partial
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import _check_feature_names, _check_n_features
from torch.utils.data import Dataset, IterableDataset

from sklearn_dim._sklearn._inputs import check_numbers
from sklearn_dim.training import file_of, take_rows

CHANNELS = (1, 3, 4)  # an axis of so many places looks like channels


def check_rows(estimator, X, *, reset: bool, image_shape=None, channels="auto"):
    """Validate X and return it as rows (n, n_features), dense or CSR, sequences (n, channels, length) or images.

    Parameters
    ----------
    estimator : estimator
        With ``reset`` its n_features_in_, feature_names_in_ and input_shape_ are set, else compared.
    X : array-like, sparse matrix, DataFrame or torch Dataset
    image_shape : tuple (channels, height, width), default=None
        Shape of images given as flat rows.
    channels : {"auto", "first", "last"}, default="auto"
        Where images have their channels.
    """
    if isinstance(X, Dataset):
        X = _channels_first(DatasetRows(X), channels)
        _check_dataset(estimator, X, reset=reset)
    else:
        X = _channels_first(X, channels)
        in_file = file_of(X) is not None
        X = check_numbers(
            estimator, X, reset=reset, dtype=[np.float64, np.float32, np.uint8], allow_nd=True,
            ensure_min_samples=2 if reset else 1, ensure_all_finite=not in_file,
        )  # fmt: skip
        if in_file:
            for chunk in _chunks(X, None):
                assert_all_finite(chunk, estimator_name=type(estimator).__name__, input_name="X")
    if image_shape is not None:
        X = rearranged(X, partial(_as_images, image_shape=_check_image_shape(image_shape), channels=channels))
    if len(X.shape) not in (2, 3, 4):
        raise ValueError(
            f"X has {len(X.shape)} dimensions, shape {X.shape}; expected rows (n_samples, n_features), sequences "
            "(n_samples, channels, length) or images (n_samples, channels, height, width). Flatten other arrays "
            "to rows first."
        )
    check_shape(estimator, X, reset=reset)
    return X


def kind_of(X) -> str:
    """Return the kind of the samples X: "table", "bag", "sequence" or "image".

    A bag, such as one of words, is a CSR matrix of which less than a tenth is filled, with nothing negative.
    """
    if issparse(X) and X.nnz < 0.1 * math.prod(X.shape) and X.data.min(initial=0.0) >= 0:
        return "bag"
    return {2: "table", 3: "sequence", 4: "image"}[len(X.shape)]


def check_shape(estimator, X, *, reset: bool) -> None:
    """Set or compare the shape of one sample."""
    if reset:
        estimator.input_shape_ = tuple(X.shape[1:])
    elif tuple(X.shape[1:]) != estimator.input_shape_:
        raise ValueError(
            f"X has samples of shape {tuple(X.shape[1:])}, but {type(estimator).__name__} was fitted on samples of "
            f"shape {estimator.input_shape_}. Pass the same kind of samples as to fit."
        )


class DatasetRows:
    """The samples of a torch Dataset, read when they are picked.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        With a length; an item is a sample, or a tuple that begins with one.

    Attributes
    ----------
    shape, dtype : as of an array
    """

    def __init__(self, dataset: Dataset):
        if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
            raise TypeError(
                f"{type(dataset).__name__} has no length or cannot be indexed, but samples are drawn in random order. "
                "Give a torch Dataset with __len__ and __getitem__."
            )
        self.dataset, self.arrange = dataset, []
        first = self[:1]
        self.shape, self.dtype = (len(dataset), *first.shape[1:]), first.dtype

    def __getitem__(self, rows) -> np.ndarray:
        """Return the samples that a slice or an array of int picks, in one array of float32 or uint8."""
        rows = range(len(self.dataset))[rows] if isinstance(rows, slice) else np.asarray(rows).tolist()
        samples = np.stack([self._sample(row) for row in rows])
        if samples.dtype != np.uint8:
            samples = samples.astype(np.float32, copy=False)
            bad = ~np.isfinite(samples.reshape(len(samples), -1)).all(1)
            if bad.any():
                raise ValueError(f"item {rows[bad.argmax()]} of the dataset contains NaN or infinity. Leave it out.")
        for arrange in self.arrange:
            samples = arrange(samples)
        return samples

    def _sample(self, row: int) -> np.ndarray:
        item = self.dataset[row]
        return np.asarray(item[0] if isinstance(item, tuple | list) else item)


def rearranged(X, arrange: Callable[[np.ndarray], np.ndarray]):
    """Return X (an array, a CSR matrix or `DatasetRows`) with every batch of it rearranged."""
    if not isinstance(X, DatasetRows):
        return arrange(X)
    X.shape = (X.shape[0], *arrange(X[:1]).shape[1:])
    X.arrange.append(arrange)
    return X


def _check_dataset(estimator, rows: DatasetRows, *, reset: bool) -> None:
    if rows.shape[0] < (2 if reset else 1):
        raise ValueError(f"the dataset has {rows.shape[0]} sample(s); fit needs two.")
    _check_feature_names(estimator, rows, reset=reset)
    _check_n_features(estimator, rows, reset=reset)


def _channels_first(X, channels: str):
    """Return images with their channels first, and anything else as it is."""
    shape = getattr(X, "shape", ())
    if len(shape) != 4:
        return X
    last = channels == "last" or (channels == "auto" and shape[3] in CHANNELS and shape[1] not in CHANNELS)
    return rearranged(X, partial(np.moveaxis, source=3, destination=1)) if last else X


def _check_image_shape(image_shape) -> tuple[int, int, int]:
    image_shape = tuple(image_shape)
    if len(image_shape) != 3 or not all(isinstance(side, Integral) and side > 0 for side in image_shape):
        raise ValueError(f"image_shape={image_shape} is not three positive integers (channels, height, width).")
    return image_shape


def _as_images(X, image_shape, channels):
    """Return flat rows as images; images must have the shape already."""
    if X.ndim == 2:
        if X.shape[1] != math.prod(image_shape):
            raise ValueError(
                f"image_shape={image_shape} means rows of {math.prod(image_shape)} numbers, but X has {X.shape[1]} "
                "features. Give image_shape as (channels, height, width)."
            )
        X = X.toarray() if issparse(X) else X
        last = (*image_shape[1:], image_shape[0])
        X = X.reshape(-1, *image_shape) if channels != "last" else np.moveaxis(X.reshape(-1, *last), 3, 1)
    if X.shape[1:] != image_shape:
        raise ValueError(
            f"image_shape={image_shape}, but X has images of shape {X.shape[1:]}. Leave image_shape=None for X of four "
            "dimensions, or make them agree."
        )
    return X


def moments(X, rows=None) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and scale of each column, or of each channel of sequences or images; the scale of a constant is 1.

    Parameters
    ----------
    X : array, CSR matrix or DatasetRows
        Read chunk by chunk, so it may be larger than memory.
    rows : array of int, default=None
        The rows to take; None takes all.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        scaler = StandardScaler(with_mean=not issparse(X))
        for chunk in _chunks(X, rows):
            scaler.partial_fit(chunk if chunk.ndim == 2 else np.moveaxis(chunk, 1, -1).reshape(-1, chunk.shape[1]))
        mean, scale = scaler.mean_, scaler.scale_
    too_large = ~(np.maximum(np.abs(mean), scale) < np.finfo(np.float32).max / 100)
    if too_large.any():
        raise ValueError(f"column or channel {too_large.argmax()} of X has values too large for float32. Rescale it.")
    return mean, scale


def _chunks(X, rows, numbers: int = 2**22):
    """Yield the rows in chunks of about so many numbers."""
    n = X.shape[0] if rows is None else len(rows)
    step = n if issparse(X) else max(1, numbers // math.prod(X.shape[1:]))
    for start in range(0, n, step):
        picked = slice(start, start + step)
        yield take_rows(X, picked if rows is None else rows[picked])
