"""Samples: what X is taken for (a table, a bag, tokens, sequences or images), and how its rows are read.

X may lie in memory, in a file or in a torch Dataset; training, `transform` and the statistics all read it through
`take_rows` and `chunks`.
"""

import math
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import assert_all_finite, check_array
from torch import Tensor

from sklearn_dim._warnings import warn
from sklearn_dim.data._datasets import DatasetRows, collected
from sklearn_dim.data._images import as_images, channels_first
from sklearn_dim.data._refused import explained
from sklearn_dim.data._tokens import check_tokens

MAX_NUMBERS = 2**22  # that are read at a time: 32 MB of float64
KEPT_FILE = 2**26  # bytes of a file whose pages may stay resident: 64 MB are no burden
ROWS_PER_READ = 128  # of a larger file: each scattered row may bring a 2 MB page with it
FAR_FROM_ZERO = 1e4  # standard deviations; float32 has seven digits, and three should be left for the differences
SMALLEST_IMAGE = 8  # pixels on a side
CHANNELS_PER_STEP = 4  # more are likely to be steps, given as channels
BAG_DENSITY = 0.1  # below it sparse products are faster than dense ones


NAMES = {
    "table": "rows of a table",
    "bag": "bags of words",
    "tokens": "texts of tokens",
    "sequence": "sequences",
    "image": "images",
}


class Samples:
    """X, checked, and what its samples are taken for.

    Parameters
    ----------
    X : array, CSR matrix, memory map or `DatasetRows`
        Images have their channels first.
    kind : {"table", "bag", "tokens", "sequence", "image"}

    Attributes
    ----------
    shape : tuple (n_samples, ...)
    dtype : numpy.dtype
    """

    def __init__(self, X, kind: str):
        self.X, self.kind = X, kind
        self.shape, self.dtype = tuple(X.shape), X.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def described(self) -> str:
        """Return what the samples are taken for, such as "300 images of 1 × 8 × 8"."""
        n, *sizes = self.shape
        plural = NAMES[self.kind]
        columns = f"with {sizes[0]} columns" if self.kind in ("table", "bag") else f"of {' × '.join(map(str, sizes))}"
        return f"{n} {plural} {columns}"

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)


def read_samples(X, name: str, *, tokens=False, image_shape=None, channels="auto", min_samples=1) -> Samples:
    """Return X as `Samples`, or refuse it.

    Parameters
    ----------
    X : array-like, sparse matrix, DataFrame or Dataset
    name : str
        The estimator's, for messages.
    tokens : bool, default=False
        Whether X holds documents as word numbers.
    image_shape : tuple (channels, height, width), default=None
        Shape of images given as flat rows.
    channels : {"auto", "first", "last"}, default="auto"
        Where images have their channels.
    min_samples : int, default=1
    """
    X = collected(X, min_samples=min_samples)
    if tokens:
        numbers = partial(check_numbers, name=name, ensure_min_samples=min_samples)
        with _missing_refused(name):
            return Samples(_in_order(check_tokens(X, numbers)), "tokens")
    if len(getattr(X, "shape", ())) == 4:  # whatever X is, only an array has a shape
        X = channels_first(X, channels)
    if not isinstance(X, DatasetRows):
        X = _check_numbers(X, name, min_samples)
    if image_shape is not None:
        X = as_images(X, image_shape, channels)
    if len(X.shape) not in (2, 3, 4):
        raise ValueError(
            f"X has {len(X.shape)} dimensions, shape {X.shape}; expected rows (n_samples, n_features), sequences "
            "(n_samples, channels, length) or images (n_samples, channels, height, width). Flatten other arrays "
            "to rows first."
        )
    return Samples(X, kind_of(X))


def _in_order(X):
    """Return an array as torch and the views take it: forwards in memory, and sequences in the order of their axes.

    Noise is drawn in the order of the memory, so that the codes would depend on it.
    """
    if any(stride < 0 for stride in X.strides):  # also of an axis of length 1, which NumPy does not mind
        return X.copy()
    return np.ascontiguousarray(X) if X.ndim == 3 else X


def kind_of(X) -> str:
    """Return the kind of the samples X: "table", "bag", "sequence" or "image".

    Bags are CSR matrices: an encoder of bags reads sparse rows.
    """
    if issparse(X) and is_bag(X):
        return "bag"
    return {2: "table", 3: "sequence", 4: "image"}[len(X.shape)]


def warn_if_doubtful(samples: Samples) -> None:
    """Warn of sequences that look as if their axes had other meanings: time first, or grey images."""
    if samples.kind != "sequence":
        return
    n_channels, length = samples.shape[1:]
    if n_channels > CHANNELS_PER_STEP * length:
        warn(
            f"X of shape {samples.shape} is read as sequences of {n_channels} channels and length {length}. If time "
            "comes first in your samples, pass X.transpose(0, 2, 1).",
        )
    elif (samples.dtype == np.uint8 or n_channels == length) and min(n_channels, length) >= SMALLEST_IMAGE:
        warn(
            f"X of shape {samples.shape} is read as sequences of {n_channels} channels. If its samples are grey "
            "images, give them an axis for their channel: X[:, None].",
        )


def is_bag(rows) -> bool:
    """Return whether rows are like bags of words: less than a tenth filled, with nothing negative."""
    values = rows.data if issparse(rows) else rows
    filled = rows.nnz if issparse(rows) else np.count_nonzero(rows)
    return filled < BAG_DENSITY * math.prod(rows.shape) and values.min(initial=0.0) >= 0


def _check_numbers(X, name: str, min_samples: int):
    """Return X as an array or CSR matrix of finite numbers; a memory map is read in parts."""
    in_file = file_of(X) is not None
    if getattr(X, "dtype", None) is not None and getattr(X.dtype, "kind", "") in "mM" and len(X.shape) > 2:
        raise TypeError(
            f"X holds {'dates' if X.dtype.kind == 'M' else 'durations'} ({X.dtype}), which are taken as columns of a "
            "table only. Pass numbers, say of seconds since the first: (X - X.min()) / numpy.timedelta64(1, 's')."
        )
    with _missing_refused(name, len(getattr(X, "shape", ()))):
        X = check_numbers(
            X, name, dtype=(np.float64, np.float32, np.uint8), allow_nd=True,
            ensure_min_samples=min_samples, ensure_all_finite=not in_file,
        )  # fmt: skip
        for chunk in chunks(X) if in_file else ():
            assert_all_finite(chunk, estimator_name=name, input_name="X")
    return X if in_file or issparse(X) else _in_order(X)


@contextmanager
def _missing_refused(name: str, n_axes: int = 2) -> Iterator[None]:
    """Say where missing cells are taken, instead of scikit-learn's advice not to have any."""
    try:
        yield
    except ValueError as error:
        if "contains NaN" not in str(error):
            raise
        fill = "numpy.nan_to_num(X), or SimpleImputer for rows."
        if n_axes == 3:
            fill = "sequences that were padded go on with their last value, pandas.DataFrame(x.T).ffill().T for each x."
        raise ValueError(
            f"Input X contains NaN. {name} takes missing cells in dense tables in memory, but not in images (also by "
            f"image_shape), sequences, tokens, sparse matrices or memory maps. Fill them first: {fill}"
        ) from None


def check_numbers(
    X, name: str, *, dtype=(np.float64, np.float32), hint="Encode it first, say with OneHotEncoder.", **rules
):
    """Return X as dense or CSR numbers, by the rules of `check_array`; an error about text ends with the hint.

    A Dataset is read as a whole.
    """
    X = collected(X)
    X = X[:] if isinstance(X, DatasetRows) else X
    try:
        X = check_array(X, accept_sparse="csr", dtype=list(dtype), estimator=name, input_name="X", **rules)
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise explained(error, X, name) from None
        raise ValueError(f"X holds text, but {name} takes numbers ({error}). {hint}") from error
    return X if X.dtype.isnative else X.astype(X.dtype.newbyteorder("="))  # check_array leaves bytes of a DataFrame


def file_of(array) -> np.ndarray | None:
    """Return the memory map of the file that an array is a part of, or None."""
    while isinstance(array, np.ndarray) and not isinstance(array.base, mmap.mmap):
        array = array.base
    return array if isinstance(array, np.ndarray) else None


def take_rows(X, rows):
    """Return the rows that a slice or an array of int picks.

    Those of a large memory map are copied, and the pages they were read from are released, so that no more of the file
    is resident than what is worked on. A copy-on-write map, or one that does not say its mode, keeps its pages: they
    may hold changes that the file does not have.
    """
    file = file_of(X)
    if file is None or file.nbytes < KEPT_FILE or not _can_release(file):
        return X[rows] if file is None else _in_order(X[rows])
    parts = [rows] if isinstance(rows, slice) else np.array_split(rows, max(1, -(-len(rows) // ROWS_PER_READ)))
    picked = []
    for part in parts:
        picked.append(np.array(X[part]))
        file.base.madvise(mmap.MADV_DONTNEED)
    return picked[0] if len(picked) == 1 else np.concatenate(picked)


def _can_release(file: np.ndarray) -> bool:
    """Return whether the pages of a map can be read from the file again."""
    return isinstance(file, np.memmap) and file.mode != "c" and "MADV_DONTNEED" in vars(mmap)


def chunks(X, rows=None, *, max_rows: int | None = None) -> Iterator:
    """Yield rows of X, all by default, about `MAX_NUMBERS` numbers and at most ``max_rows`` rows at a time."""
    n = X.shape[0] if rows is None else len(rows)
    step = n if max_rows is None else max_rows
    if not issparse(X):
        step = max(1, min(step, MAX_NUMBERS // math.prod(X.shape[1:])))
    for start in range(0, n, step):
        picked = slice(start, start + step)
        yield take_rows(X, picked if rows is None else rows[picked])


def moments(X, rows=None) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and scale of each column, or of each channel of sequences or images; the scale of a constant is 1.

    Parameters
    ----------
    X : array, CSR matrix or `DatasetRows`
        Read chunk by chunk, so it may be larger than memory.
    rows : array of int, default=None
        The rows to use; None uses all.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        scaler = StandardScaler(with_mean=not issparse(X))
        for chunk in chunks(X, rows):
            scaler.partial_fit(chunk if chunk.ndim == 2 else np.moveaxis(chunk, 1, -1).reshape(-1, chunk.shape[1]))
    refuse_extremes(scaler)
    if not scaler.var_.any():
        warn(
            f"X of shape {tuple(X.shape)} is constant: its rows are equal, and so will their codes be. Look whether it "
            "was read as it should be.",
        )
    return scaler.mean_, scaler.scale_


def refuse_extremes(scaler: StandardScaler) -> None:
    """Raise ValueError if a column that the scaler was fitted on has values that float32 does not hold."""
    mean, scale = scaler.mean_, scaler.scale_
    too_large = ~(np.maximum(np.abs(mean), scale) < np.finfo(np.float32).max / 100)  # squares of sums stay finite
    if too_large.any():
        raise ValueError(f"column or channel {too_large.argmax()} of X has values too large for float32. Rescale it.")
    spread = np.where(scaler.var_ > 0, scale, np.abs(mean))  # the variance of values below 1e-162 is 0
    too_small = (spread > 0) & (spread < np.finfo(np.float32).tiny)
    if too_small.any():
        raise ValueError(
            f"column or channel {too_small.argmax()} of X has differences of about {spread[too_small][0]:.0e}, too "
            "small for float32. Rescale it, or leave it out."
        )


def offset_of(X, mean: np.ndarray, scale: np.ndarray) -> np.ndarray | None:
    """Return what to subtract from the columns or channels of X before they become float32, or None.

    float32 would round away the differences in a column of years in seconds, say, if it was not centred before. Sparse
    matrices have no offset.

    Returns
    -------
    ndarray of shape (n_columns,), (n_channels, 1) or (n_channels, 1, 1)
    """
    far = np.abs(mean) > FAR_FROM_ZERO * scale
    if issparse(X) or not far.any():
        return None
    return np.where(far, mean, 0.0).reshape(-1, *[1] * (len(X.shape) - 2))


class Shifted:
    """Rows less an offset, in float64, subtracted when they are picked."""

    def __init__(self, X, offset: np.ndarray):
        self.X, self.offset, self.shape = X, offset, X.shape

    def __getitem__(self, rows) -> np.ndarray:
        picked = take_rows(self.X, rows)
        return (picked.toarray() if issparse(picked) else picked) - self.offset


def sparse_tensor(rows) -> Tensor:
    """Return a CSR matrix as a sparse COO tensor of the same numbers."""
    rows = rows.tocoo()
    positions = torch.from_numpy(np.stack([rows.row, rows.col]).astype(np.int64))
    return torch.sparse_coo_tensor(
        positions, torch.from_numpy(rows.data), rows.shape, is_coalesced=True, check_invariants=False
    )
