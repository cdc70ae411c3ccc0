"""Samples of a torch Dataset."""

from collections.abc import Callable, Sized

import numpy as np
from torch.utils.data import Dataset, IterableDataset


class DatasetRows:
    """The samples of a torch Dataset, read when they are picked.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        With a length; an item is a sample, or a tuple that begins with one.
    min_samples : int, default=1

    Attributes
    ----------
    shape, dtype : as of an array
    """

    def __init__(self, dataset: Dataset, *, min_samples: int = 1):
        if isinstance(dataset, IterableDataset) or not isinstance(dataset, Sized):
            raise TypeError(
                f"{type(dataset).__name__} has no length or cannot be indexed, but samples are drawn in random order. "
                "Give a torch Dataset with __len__ and __getitem__."
            )
        if len(dataset) < min_samples:
            raise ValueError(f"the dataset has {len(dataset)} sample(s); fit needs two.")
        self.dataset = dataset
        self.steps: tuple[Callable[[np.ndarray], np.ndarray], ...] = ()
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
        for step in self.steps:
            samples = step(samples)
        return samples

    def rearranged(self, step: Callable[[np.ndarray], np.ndarray]) -> "DatasetRows":
        """Return these rows with every batch of them rearranged by ``step``."""
        other = object.__new__(DatasetRows)
        other.dataset, other.steps, other.dtype = self.dataset, (*self.steps, step), self.dtype
        other.shape = (self.shape[0], *step(self[:1]).shape[1:])
        return other

    def _sample(self, row: int) -> np.ndarray:
        item = self.dataset[row]
        return np.asarray(item[0] if isinstance(item, tuple | list) else item)
