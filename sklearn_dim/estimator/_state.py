"""What files hold of an estimator: numbers, strings, arrays, and names of a few known parts."""

import functools
import sys
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

FORMAT = 2  # of the state; raised by every change that older versions cannot read
OBJECT, NAME, PARTIAL, FRAME, CSR = "__object__", "__name__", "__partial__", "__frame__", "__csr__"


class PlainState:
    """Mixin of estimators whose pickles are made of plain data.

    `_parts` lists the classes and functions that a fitted estimator may hold. In its state they stand by name, so a
    file makes nothing but them. Whatever is neither plain nor listed, such as a user's module, stays as it is.
    """

    def __getstate__(self):
        state = to_plain(vars(self), vocabulary(self))
        return {**state, "_sklearn_dim_version": _version(), "_sklearn_dim_format": FORMAT}

    def __setstate__(self, state):
        state = dict(state)
        written_by, written_in = state.pop("_sklearn_dim_version", None), state.pop("_sklearn_dim_format", None)
        check_format(type(self).__name__, written_by, written_in)
        vars(self).update(from_plain(state, vocabulary(self)))


def check_format(what: str, written_by, written_in) -> None:
    """Refuse a state that this version cannot read."""
    if written_in == FORMAT:
        return
    if written_in is None:
        raise ValueError(
            f"this {what} was saved before sklearn-dim numbered its formats; sklearn-dim {_version()} reads format "
            f"{FORMAT}. Load it with the version that saved it, or fit it again."
        )
    raise ValueError(
        f"this {what} was saved by sklearn-dim {written_by} in format {written_in}, but sklearn-dim {_version()} reads "
        f"format {FORMAT}. Load it with sklearn-dim {written_by}, or fit it again."
    )


def vocabulary(estimator) -> dict:
    """Return the parts that the estimator's state may name."""
    return {part.__name__: part for part in estimator._parts()}


def to_plain(value, parts: dict):
    """Return ``value`` with everything in ``parts`` taken to pieces and named."""
    plain = functools.partial(to_plain, parts=parts)
    if type(value) is dict:
        return {key: plain(each) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain(each) for each in value)
    if isinstance(value, pd.DataFrame):
        columns = {name: column.tolist() for name, column in value.items()}
        return {FRAME: columns, "index": value.index.tolist(), "index_name": value.index.name}
    if sparse.issparse(value) and value.format == "csr":
        return {
            CSR: [value.data, value.indices, value.indptr],
            "shape": value.shape,
            "array": not sparse.isspmatrix(value),
        }
    if isinstance(value, functools.partial) and _known(value.func, parts):
        return {PARTIAL: value.func.__name__, "args": plain(value.args), "kwargs": plain(value.keywords)}
    if _known(value, parts):
        return {NAME: value.__name__}
    if _known(type(value), parts) and not isinstance(value, np.generic):
        return {OBJECT: type(value).__name__, "state": plain(value.__getstate__() or {})}
    return value


def from_plain(value, parts: dict):
    """Return what `to_plain` took to pieces."""
    made = functools.partial(from_plain, parts=parts)
    if type(value) in (list, tuple):
        return type(value)(made(each) for each in value)
    if type(value) is not dict:
        return value
    if FRAME in value:
        index = pd.Index(value["index"], name=value["index_name"])
        return pd.DataFrame(value[FRAME], index=pd.RangeIndex(len(index)) if index.dtype.kind == "i" else index)
    if CSR in value:
        kind = sparse.csr_array if value["array"] else sparse.csr_matrix
        matrix = kind(tuple(value[CSR]), shape=value["shape"])
        matrix.check_format()  # products do not look where a forged index points
        return matrix
    if NAME in value:
        return _part(value[NAME], parts)
    if PARTIAL in value:
        return functools.partial(_part(value[PARTIAL], parts), *made(value["args"]), **made(value["kwargs"]))
    if OBJECT in value:
        return _made(_part(value[OBJECT], parts), made(value["state"]))
    return {key: made(each) for key, each in value.items()}


def _made(cls: Any, state: dict):
    instance = cls.__new__(cls)
    if hasattr(cls, "__setstate__"):  # as pickle asks: the class may be scikit-learn's
        instance.__setstate__(state)
    else:
        vars(instance).update(state)
    return instance


def _known(value, parts: dict) -> bool:
    return isinstance(value, type | FunctionType) and parts.get(value.__name__) is value


def _part(name: str, parts: dict):
    if name not in parts:
        raise ValueError(f"the file names {name!r}, which sklearn-dim {_version()} does not make such an estimator of.")
    return parts[name]


def is_plain(value) -> bool:
    """Return whether ``value`` is one of the leaves that every format can hold."""
    return value is None or isinstance(value, bool | int | float | str | np.ndarray | np.generic)


def _version() -> str:
    return sys.modules["sklearn_dim"].__version__  # importing the package from within would be a circle
