"""A name for everything that decides how a training ends, the same in every process."""

import hashlib
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from scipy.sparse import issparse

from sklearn_dim.data import file_of


def fingerprint(*parts: Any) -> str:
    """Return 32 hexadecimal digits that differ for different settings, weights or rows.

    Objects are compared by their public attributes, functions by their code, arrays by all of their numbers. Memory
    maps and objects that only support indexing are compared by their shape and three rows, so as not to read all.
    """
    digest = _Digest()
    digest.add(parts)
    return digest.hash.hexdigest()


@runtime_checkable
class _Rows(Protocol):
    """What can be indexed but perhaps not read as a whole: a dataset of h5py, say."""

    shape: tuple[int, ...]

    def __getitem__(self, rows: Any, /) -> Any: ...


class _Digest:
    def __init__(self) -> None:
        self.hash = hashlib.blake2b(digest_size=16)
        self.seen: dict[int, object] = {}  # objects whose attributes have been added: they may refer to each other

    def add(self, value: Any) -> None:
        """Add a value, its type first."""
        self.write(type(value).__qualname__)
        if isinstance(value, torch.Tensor):
            self._add_tensor(value.detach())
        elif isinstance(value, np.ndarray):
            self._add_array(value)
        elif isinstance(value, np.generic | np.dtype):  # which have a shape, but no rows
            self.write(repr(value))
        elif isinstance(value, dict):
            self.add([part for item in value.items() for part in item])
        elif isinstance(value, list | tuple):
            self.write(len(value))
            for part in value:
                self.add(part)
        elif isinstance(value, set | frozenset):
            self.add(sorted(fingerprint(part) for part in value))
        elif isinstance(value, type | FunctionType | MethodType | CodeType | partial):
            self._add_function(value)
        elif isinstance(value, _Rows) and not issparse(value):
            self._add_some_rows(value)
        else:
            self._add_attributes(value)

    def write(self, text: Any) -> None:
        """Add a text."""
        self.hash.update(f"{text};".encode())

    def _add_tensor(self, tensor: torch.Tensor) -> None:
        if tensor.layout == torch.strided:
            tensor = tensor.cpu().contiguous()
            self.add(tensor.view(torch.int16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy())
        elif tensor.layout == torch.sparse_csr:
            self.add([tensor.crow_indices(), tensor.col_indices(), tensor.values()])
        else:
            tensor = tensor.coalesce()
            self.add([tensor.indices(), tensor.values()])

    def _add_array(self, array: np.ndarray) -> None:
        if file_of(array) is not None:
            self._add_some_rows(array)
            return
        self.write((array.shape, array.dtype))
        if array.dtype.hasobject:
            self.add(array.tolist())
        else:
            self.hash.update(np.ascontiguousarray(array).data)

    def _add_some_rows(self, array: Any) -> None:
        self.write(tuple(array.shape))
        if n := array.shape[0]:
            self.add(np.array(array[np.unique([0, n // 2, n - 1])]))

    def _add_function(self, function: Any) -> None:
        if isinstance(function, partial):
            self.add([function.func, function.args, function.keywords])
        elif isinstance(function, MethodType):
            self.add([function.__func__, function.__self__])
        elif isinstance(function, CodeType):
            self.write(function.co_code.hex())
            self.add([function.co_names, function.co_consts])
        else:
            self.write(f"{function.__module__}.{function.__qualname__}")
            if isinstance(function, FunctionType):
                closure = [cell.cell_contents for cell in function.__closure__ or ()]
                self.add([function.__code__, function.__defaults__, closure])

    def _add_attributes(self, value: Any) -> None:
        try:
            attributes = vars(value)
        except TypeError:  # numbers, strings, and objects made in C
            text = repr(value)
            self.write("" if " at 0x" in text else text)  # an address differs between processes
            return
        if id(value) in self.seen:
            return
        self.seen[id(value)] = value
        if issparse(value):
            self.write(value.shape)
        private = isinstance(value, torch.nn.Module)  # a module has its weights in attributes with an underscore
        self.add({name: part for name, part in attributes.items() if private or not name.startswith("_")})
