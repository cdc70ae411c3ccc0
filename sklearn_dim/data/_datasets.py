"""Samples that are objects of their own: Datasets, read when it is asked for, and lists of arrays, as one array."""

from collections.abc import Callable, Mapping, Sized
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from sklearn_dim.data._items import array_of, as_samples, sample_of, stacked

_OF_ARRAYS = "__array__", "__array_interface__", "__dataframe__", "shape", "dtype", "to_pandas"  # or of frames


class DatasetRows:
    """The samples of a torch Dataset, read when they are picked.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset, or another object with ``__len__`` and ``__getitem__``
        An item is a sample, or a tuple that begins with one. If it has ``__getitems__``, as torch's DataLoader takes
        it, that is called with the list of the numbers of several items.
    min_samples : int, default=1

    Attributes
    ----------
    shape, dtype : as of an array
    """

    def __init__(self, dataset: Any, *, min_samples: int = 1):
        if isinstance(dataset, IterableDataset) or not isinstance(dataset, Sized):
            raise TypeError(
                f"{type(dataset).__name__} has no length or cannot be indexed, but samples are drawn in random order. "
                "Give a torch Dataset with __len__ and __getitem__."
            )
        if len(dataset) < min_samples:
            raise ValueError(f"the dataset has {len(dataset)} sample(s); fit needs two.")
        self.dataset: Any = dataset
        self.steps: tuple[Callable[[np.ndarray], np.ndarray], ...] = ()
        first = self[:1]
        self.shape, self.dtype = (len(dataset), *first.shape[1:]), first.dtype

    def __getitem__(self, rows) -> np.ndarray:
        """Return the samples that a slice or an array of int picks, in one array of uint8, float32 or float64."""
        rows = range(len(self.dataset))[rows] if isinstance(rows, slice) else np.asarray(rows).tolist()
        samples = stacked([sample_of(item) for item in self._items(list(rows))], "item {} of the dataset", rows)
        if samples.dtype not in (np.uint8, np.float32):
            samples = samples.astype(np.float64, copy=False)
        if samples.dtype != np.uint8:
            bad = ~np.isfinite(samples.reshape(len(samples), -1)).all(1)
            if bad.any():
                raise ValueError(f"item {rows[bad.argmax()]} of the dataset contains NaN or infinity. Leave it out.")
        for step in self.steps:
            samples = step(samples)
        return samples

    def rearranged(self, step: Callable[[np.ndarray], np.ndarray]) -> "DatasetRows":
        """Return these rows with every batch of them rearranged by ``step``."""
        other = object.__new__(DatasetRows)
        other.dataset, other.steps, other.dtype = self.dataset, (*self.steps, step), self.dtype
        other.shape = (self.shape[0], *step(self[:1]).shape[1:])
        return other

    def _items(self, rows: list[int]) -> list:
        several = getattr(self.dataset, "__getitems__", None)
        return [self.dataset[row] for row in rows] if several is None else list(several(rows))


def collected(X: Any, *, min_samples: int = 1) -> Any:
    """Return samples that are objects of their own as an array or `DatasetRows`, and all else as it is.

    ==================================================================== =============
    X                                                                    becomes
    ==================================================================== =============
    list, tuple, Series or array of arrays, tensors or Pillow images,    array
    or of tuples that begin with one
    tensor                                                               array
    torch Dataset, or another object with ``__len__``, ``__getitem__``   `DatasetRows`
    ==================================================================== =============

    Raises
    ------
    ValueError
        If samples have different shapes, or are too few.
    TypeError
        If X has no length, or is a dict or a DataLoader.
    """
    if issparse(X) or isinstance(X, str | bytes | DatasetRows):  # some sparse matrices are dicts
        return X
    if isinstance(X, Tensor):
        return array_of(X)
    if isinstance(X, DataLoader):
        raise TypeError(
            "X is a DataLoader, but training draws samples in an order of its own. Pass its dataset: loader.dataset. "
            "To read several items at a time, give the dataset a method __getitems__(rows)."
        )
    if isinstance(X, Mapping):
        raise TypeError(f"X is a {type(X).__name__}; expected samples by number. Pass pandas.DataFrame(X) for columns.")
    if (isinstance(X, pd.Series) or (isinstance(X, np.ndarray) and X.ndim == 1)) and X.dtype == object:
        samples = as_samples(list(X))
        return X if samples is None else stacked(samples, "X[{}]")
    if isinstance(X, list | tuple):
        samples = as_samples(X)
        return X if samples is None else stacked(samples, "X[{}]")
    is_array = any(hasattr(X, name) for name in _OF_ARRAYS)
    if isinstance(X, Dataset) or (not is_array and isinstance(X, Sized) and hasattr(X, "__getitem__")):
        return DatasetRows(X, min_samples=min_samples)
    if not is_array and (hasattr(X, "__getitem__") or hasattr(X, "__iter__")):
        raise TypeError(
            f"X is a {type(X).__name__}, which {'cannot be indexed' if isinstance(X, Sized) else 'has no length'}, but "
            "samples are drawn in random order. Pass list(X) if it ends, or a Dataset with __len__ and __getitem__."
        )
    return X
