"""Samples that are given one by one: entries of a list, items of a Dataset."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import issparse
from torch import Tensor

NO_COLOURS = {"P", "PA", "LA", "La"}  # modes of Pillow: numbers of colours, and grey with transparency


def array_of(sample: Any) -> np.ndarray:
    """Return a sample as an array; images of Pillow have the shape (height, width, channels)."""
    if isinstance(sample, Tensor):
        sample = sample.detach().cpu()
        return (sample.float() if sample.dtype == torch.bfloat16 else sample).numpy()
    if not hasattr(sample, "getbands"):
        return np.asarray(sample)
    if sample.mode in NO_COLOURS:
        raise ValueError(
            f"X has a Pillow image of mode {sample.mode!r}, whose numbers are not the channels of its colours. Convert "
            "all images to one mode: image.convert('RGB'), or 'L' for grey."
        )
    pixels = np.asarray(sample)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def without_torch(X: Any) -> Any:
    """Return a tensor as an array, and anything else as it is."""
    return array_of(X) if isinstance(X, Tensor) else X


def sample_of(item: Any) -> Any:
    """Return the sample that an item of a Dataset is, or begins with: ``(sample, label)``."""
    first = _first(item) if isinstance(item, tuple | list) else None
    return first if _is_array(first) or (isinstance(item, tuple) and isinstance(first, list)) else item


def as_samples(items: Sequence) -> Sequence | None:
    """Return the samples that entries of a list are or begin with; None if they are lists of one length, or no arrays.

    Cross-validation picks items of a Dataset into a list of tuples, (sample,) or (sample, label). Tuples of arrays of
    one shape are samples, as these may be channels.
    """
    first = _first(items)
    if isinstance(first, tuple) and _is_array(_first(first)):
        alike = len(first) > 1 and len({np.shape(part) for part in first}) == 1
        return items if alike and not isinstance(first[0], Tensor) else [item[0] for item in items]
    if _is_array(first) and getattr(getattr(first, "dtype", None), "kind", "f") in "biuf":
        return items
    is_nested = isinstance(first, list | tuple) and (
        _is_array(_first(first)) or isinstance(_first(first), list | tuple)
    )
    return items if is_nested or _are_ragged_rows(items, first) else None


def _are_ragged_rows(items: Sequence, first: Any) -> bool:
    is_row = isinstance(first, list | tuple | np.ndarray | pd.Series) and np.asarray(_first(first)).dtype.kind in "biuf"
    return is_row and all(hasattr(row, "__len__") for row in items) and len({len(row) for row in items}) > 1


def stacked(samples: Sequence, where: str, rows: Sequence[int] | None = None) -> np.ndarray:
    """Return samples as one array.

    Parameters
    ----------
    samples : sequence
        Of arrays, tensors, Pillow images or nested lists.
    where : str
        What messages call a sample, with its number for ``{}``.
    rows : sequence of int, default=None
        Their numbers; by default 0, 1, ….

    Raises
    ------
    ValueError
        If their shapes differ.
    TypeError
        If they are not numbers.
    """
    if issparse(samples[0]):
        raise TypeError(f"{where.format(0)} is a sparse matrix. Stack them: scipy.sparse.vstack(X, format='csr').")
    names = range(len(samples)) if rows is None else rows
    arrays = []
    for name, sample in zip(names, samples, strict=True):
        try:
            arrays.append(array_of(sample))
        except ValueError as error:
            if "inhomogeneous" not in str(error):
                raise
            raise ValueError(f"{where.format(name)} is a list of lists whose lengths differ. Give one array.") from None
        if arrays[-1].dtype.kind not in "biuf":
            raise TypeError(
                f"{where.format(name)} is a {type(sample).__name__}{_of_type(arrays[-1])}; expected an array of "
                "numbers, or a tuple that begins with one."
            )
        if arrays[-1].shape != arrays[0].shape:
            raise ValueError(
                f"{where.format(name)} has shape {arrays[-1].shape}, but {where.format(names[0])} has "
                f"{arrays[0].shape}. {_cure(arrays[-1], arrays[0])}"
            )
    return np.stack(arrays)


def _cure(one: np.ndarray, other: np.ndarray) -> str:
    """Return what to do about two samples of different shapes."""
    if one.ndim != other.ndim:
        return "Give all samples the same axes."
    if one.ndim == 3 and one.shape[:2] == other.shape[:2]:
        return "Give all images the same channels, with Pillow image.convert('RGB')."
    if one.ndim == 3:
        return "Bring all images to one size, with Pillow image.resize((width, height))."
    if one.ndim == 2:
        return (
            "Give all sequences (channels, length) one length: resample them, or repeat their last value, "
            "numpy.pad(x, [(0, 0), (0, length - x.shape[1])], mode='edge'). Grey images are resized."
        )
    return (
        "Rows must have one length. Series of numbers: resample them, or repeat their last value, "
        "numpy.pad(x, (0, length - len(x)), mode='edge'). Documents as word numbers: fill them up with 0."
    )


def _of_type(array: np.ndarray) -> str:
    return "" if array.dtype.kind == "O" else f" of {array.dtype}"


def _first(items: Any) -> Any:
    return None if len(items) == 0 else items.iloc[0] if hasattr(items, "iloc") else items[0]


def _is_array(value: Any) -> bool:
    """Return whether a value is an array, tensor or image with axes, or a sparse matrix."""
    is_array = hasattr(value, "__array__") or hasattr(value, "__array_interface__") or issparse(value)
    return is_array and getattr(value, "ndim", 2) > 0
