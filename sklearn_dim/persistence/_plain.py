"""Plain data as JSON and arrays, and back: what comes back is never larger than the two files allow."""

import math
from typing import Any

import numpy as np

from sklearn_dim.estimator import is_plain

# The keys that mark what a dict in the JSON file stands for. No parameter or attribute has such a name.
ARRAY, SCALAR, VALUES, TUPLE, FLOAT = "__array__", "__scalar__", "__values__", "__tuple__", "__float__"
MARKS = {ARRAY, SCALAR, VALUES, TUPLE, FLOAT}
BYTES_PER_LETTER, SPARE = 40, 2**16  # of an array of text: wider ones are mostly padding


def to_json(value: Any, arrays: dict[str, np.ndarray], path: tuple[str, ...] = ()) -> Any:
    """Return plain data as JSON; its arrays are added to ``arrays``, where their path is their name."""
    if type(value) is dict:
        if wrong := [key for key in value if not isinstance(key, str) or key in MARKS]:
            raise TypeError(f"{'.'.join(path)} has the key {wrong[0]!r}, which JSON cannot store. Use joblib.dump.")
        return {key: to_json(each, arrays, (*path, key)) for key, each in value.items()}
    if type(value) in (list, tuple):
        items = [to_json(each, arrays, (*path, str(position))) for position, each in enumerate(value)]
        return items if type(value) is list else {TUPLE: items}
    if not is_plain(value):
        raise TypeError(
            f"{path[0]} contains a {type(value).__name__}, which is not data: JSON and safetensors cannot store it. "
            "Use joblib.dump, or to_torch(estimator) for the encoder alone, or a name or a number as the parameter."
        )
    if isinstance(value, float) and not isinstance(value, np.generic):
        return value if math.isfinite(value) else {FLOAT: repr(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biuf":
        return _values(value, arrays, path)
    if isinstance(value, np.ndarray | np.number | np.bool_):
        name = ".".join(path)
        transposed = value.ndim > 1 and not value.flags.c_contiguous and value.T.flags.c_contiguous
        arrays[name] = np.array(value.T if transposed else value, order="C")
        return {SCALAR if isinstance(value, np.generic) else ARRAY: name, "transposed": transposed}
    return str(value) if isinstance(value, np.str_) else value


def _values(array: np.ndarray, arrays: dict[str, np.ndarray], path: tuple[str, ...]) -> Any:
    """Return an array of text, dates or Python's own values, which safetensors does not take."""
    if array.dtype.kind not in "OUMm":
        raise TypeError(f"{'.'.join(path)} is an array of {array.dtype}, which JSON cannot store. Use joblib.dump.")
    flat = array.ravel().view(np.int64) if array.dtype.kind in "Mm" else array.ravel()
    items = [to_json(each, arrays, path) for each in flat.tolist()]
    dtype = array.dtype
    if dtype.kind == "U":
        dtype = np.dtype(f"<U{max(map(len, items), default=1) or 1}")
        _check_width(items, dtype)
    return {VALUES: items, "dtype": dtype.str, "shape": list(array.shape)}


def _check_width(items: list, dtype: np.dtype) -> None:
    """Raise ValueError for text of which few items are long, as an array gives all of them the same room."""
    letters = sum(map(len, items)) + len(items)
    if len(items) * dtype.itemsize > BYTES_PER_LETTER * letters + SPARE:
        raise ValueError(f"an array of text of {dtype} is mostly padding; make it one of objects: astype(object).")


def from_json(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return the plain data that `to_json` was given.

    Raises
    ------
    Exception
        Of many kinds, if it is not what `to_json` returned.
    """
    if isinstance(value, list):
        return [from_json(each, arrays) for each in value]
    if not isinstance(value, dict):
        return value
    if TUPLE in value:
        return tuple(from_json(each, arrays) for each in value[TUPLE])
    if ARRAY in value:
        return arrays[value[ARRAY]].T if value["transposed"] else arrays[value[ARRAY]]
    if SCALAR in value:
        return arrays[value[SCALAR]][()]
    if FLOAT in value:
        return float(value[FLOAT])
    if VALUES in value:
        return _array(value[VALUES], np.dtype(value["dtype"]), value["shape"])
    return {key: from_json(each, arrays) for key, each in value.items()}


def _array(items: Any, dtype: np.dtype, shape: Any) -> np.ndarray:
    items = [from_json(each, {}) if isinstance(each, dict) and FLOAT in each else each for each in items]
    if any(not isinstance(each, str | int | float | None) for each in items):
        raise ValueError("an array holds something else than text and numbers")
    if not isinstance(shape, list) or math.prod(shape) != len(items) or any(side < 0 for side in shape):
        raise ValueError(f"{len(items)} values have no shape {shape}")
    if dtype.kind == "U":
        if any(not isinstance(each, str) for each in items) or dtype.itemsize // 4 > max(1, *map(len, items), 1):
            raise ValueError(f"an array of text is not of {dtype}")
        _check_width(items, dtype)
    elif dtype.kind in "Mm":
        return np.array(items, dtype=np.int64).view(dtype).reshape(shape)
    elif dtype.kind != "O":
        raise ValueError(f"an array of {dtype} is not stored as values")
    flat = np.empty(len(items), dtype=dtype)
    flat[:] = items
    return flat.reshape(shape)


def arrays_named_in(value: Any) -> set[str]:
    """Return the names of the arrays that a JSON value refers to."""
    names, waiting = set(), [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, dict):
            names |= {each[mark] for mark in (ARRAY, SCALAR) if isinstance(each.get(mark), str)}
            waiting.extend(each.values())
    return names
