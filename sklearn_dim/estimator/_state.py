"""What a file stores of an estimator: numbers, strings, arrays, and the names of a few known parts."""

import copy
import functools
import sys
from dataclasses import is_dataclass
from itertools import chain
from types import FunctionType
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import sparse
from torch import nn

from sklearn_dim.estimator._declared import check_fitted, check_part, other_names
from sklearn_dim.training import LimitedTensors

FORMAT = 2  # of the state; every change that older versions cannot read increases it
TENSORS_PER_ARRAY = 8  # bytes that may be allocated while a state becomes modules, for each byte of its arrays
MAX_COLUMNS = 200  # of a history, or a table of estimates
# The keys that mark what a dict stands for. No parameter or attribute has such a name.
OBJECT, NAME, PARTIAL, FRAME, CSR = "__object__", "__name__", "__partial__", "__frame__", "__csr__"


class PlainState:
    """Mixin of estimators whose pickles consist of plain data.

    `_parts` lists the classes and functions that a fitted estimator may contain. In its state each is replaced by its
    name, so that reading a file can create nothing else. Objects that are neither plain data nor listed, such as a
    user's module, stay as they are. `_fitted` declares the attributes that a fitted estimator has besides its
    parameters, by the rules of `_declared`.
    """

    _fitted: ClassVar[dict[str, list]]

    def _parts(self) -> tuple:
        """Return the classes and functions that a fitted estimator may contain."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        state = to_plain(vars(self), vocabulary(self))
        return {**state, "_sklearn_dim_version": _version(), "_sklearn_dim_format": FORMAT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        written_by, written_in = state.pop("_sklearn_dim_version", None), state.pop("_sklearn_dim_format", None)
        cls = type(self)
        check_format(cls.__name__, written_by, written_in)
        if others := other_names(cls, state, strict=False):
            raise ValueError(
                f"the file would set {others[0]!r}, which is no parameter and no attribute of a {cls.__name__}. Load "
                "only files that sklearn-dim has saved."
            )
        try:
            with LimitedTensors(TENSORS_PER_ARRAY * n_bytes(state)):
                made = from_plain(state, vocabulary(self))
        except ValueError:
            raise
        except Exception as error:  # what wrong content makes NumPy, torch and scikit-learn raise is of any kind
            raise ValueError(
                f"the state of this {cls.__name__} is not one that sklearn-dim saved ({type(error).__name__}: {error})."
            ) from error
        check_fitted(cls, made)
        self.__dict__.update(made)


def check_format(what: str, written_by: str | None, written_in: int | None) -> None:
    """Raise ValueError for a state that this version cannot read."""
    if written_in == FORMAT:
        return
    if written_in is None:
        raise ValueError(
            f"this {what} was saved before sklearn-dim numbered its file formats; sklearn-dim {_version()} reads "
            f"format {FORMAT}. Load it with the version that saved it, or fit it again."
        )
    raise ValueError(
        f"this {what} was saved by sklearn-dim {written_by} in format {written_in}, but sklearn-dim {_version()} reads "
        f"format {FORMAT}. Load it with sklearn-dim {written_by}, or fit it again."
    )


def vocabulary(estimator: PlainState) -> dict[str, Any]:
    """Return the parts that the estimator's state may name, by name."""
    return {part.__name__: part for part in estimator._parts()}


def to_plain(value: Any, parts: dict[str, Any]) -> Any:
    """Return ``value`` as plain data: ``parts`` are replaced by their names, and instances of them by their state."""
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
    return on_cpu(value) if isinstance(value, nn.Module) else value


def on_cpu(module: nn.Module) -> nn.Module:
    """Return a module as it is if it is on the CPU, or a copy that is, so that its pickle loads on every machine."""
    is_there = all(tensor.device.type == "cpu" for tensor in chain(module.parameters(), module.buffers()))
    return module if is_there else copy.deepcopy(module).cpu()


def from_plain(value: Any, parts: dict[str, Any]) -> Any:
    """Return the value that `to_plain` was given."""
    made = functools.partial(from_plain, parts=parts)
    if type(value) in (list, tuple):
        return type(value)(made(each) for each in value)
    if type(value) is not dict:
        return value
    if FRAME in value:
        if len(value[FRAME]) > MAX_COLUMNS:
            raise ValueError(f"a frame with {len(value[FRAME])} columns is no history.")
        index = pd.Index(value["index"], name=value["index_name"])
        return pd.DataFrame(value[FRAME], index=pd.RangeIndex(len(index)) if index.dtype.kind == "i" else index)
    if CSR in value:
        kind = sparse.csr_array if value["array"] else sparse.csr_matrix
        matrix = kind(tuple(value[CSR]), shape=value["shape"])
        matrix.check_format()  # products would follow a forged index out of the array
        return matrix
    if NAME in value:
        return _part(value[NAME], parts)
    if PARTIAL in value:
        return functools.partial(_part(value[PARTIAL], parts), *made(value["args"]), **made(value["kwargs"]))
    if OBJECT in value:
        return _made(_part(value[OBJECT], parts), made(value["state"]))
    return {key: made(each) for key, each in value.items()}


def _made(cls: Any, state: dict[str, Any]) -> Any:
    check_part(cls, state)
    if is_dataclass(cls):
        make: Any = cls  # whose constructor checks its settings
        return make(**state)
    instance = cls.__new__(cls)
    if hasattr(cls, "__setstate__"):  # as pickle does
        instance.__setstate__(state)
    else:
        vars(instance).update(state)
    return instance


def _known(value: Any, parts: dict[str, Any]) -> bool:
    return isinstance(value, type | FunctionType) and parts.get(value.__name__) is value


def _part(name: str, parts: dict[str, Any]) -> Any:
    if name not in parts:
        raise ValueError(
            f"the file names {name!r}, which sklearn-dim {_version()} does not use in this estimator. Load only files "
            "that sklearn-dim has saved."
        )
    return parts[name]


def is_plain(value: Any) -> bool:
    """Return whether every file format can store ``value``: None, a number, a string or an array."""
    return value is None or isinstance(value, bool | int | float | str | np.ndarray | np.generic)


def n_bytes(value: Any) -> int:
    """Return how much memory the arrays in plain data take, each counted once."""
    arrays: dict[int, int] = {}
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, np.ndarray):
            arrays[id(each)] = each.nbytes
        elif type(each) is dict:
            waiting.extend(each.values())
        elif type(each) in (list, tuple):
            waiting.extend(each)
    return sum(arrays.values())


def _version() -> str:
    return sys.modules["sklearn_dim"].__version__  # importing the package here would be circular
