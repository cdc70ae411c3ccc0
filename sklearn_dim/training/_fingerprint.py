"""A name for whatever decides how a training goes, the same in every process."""

import hashlib
from functools import partial
from types import CodeType, FunctionType, MethodType

import numpy as np
import torch

from sklearn_dim.data import file_of


def fingerprint(*parts) -> str:
    """Return 32 hexadecimal digits that tell settings, weights and rows from others.

    Objects are told apart by their public attributes, functions by their code, arrays by all of their numbers; memory
    maps and what merely can be indexed by their shape and three rows.
    """
    digest = _Digest()
    digest.add(parts)
    return digest.hash.hexdigest()


class _Digest:
    def __init__(self):
        self.hash = hashlib.blake2b(digest_size=16)
        self.seen = {}  # objects in whose attributes we are or were, which may refer to one another

    def add(self, value) -> None:
        """Take in a value, its type first."""
        self.write(type(value).__qualname__)
        if isinstance(value, torch.Tensor):
            self._add_tensor(value.detach())
        elif isinstance(value, np.ndarray):
            self._add_array(value)
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
        elif hasattr(value, "__getitem__") and hasattr(value, "shape") and not hasattr(value, "indptr"):
            self._add_some_rows(value)
        elif hasattr(value, "__dict__"):
            self._add_attributes(value)
        else:
            text = repr(value)
            self.write("" if " at 0x" in text else text)

    def write(self, text) -> None:
        """Take in a text."""
        self.hash.update(f"{text};".encode())

    def _add_tensor(self, tensor):
        if tensor.layout == torch.strided:
            tensor = tensor.cpu().contiguous()
            self.add(tensor.view(torch.int16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy())
        elif tensor.layout == torch.sparse_csr:
            self.add([tensor.crow_indices(), tensor.col_indices(), tensor.values()])
        else:
            tensor = tensor.coalesce()
            self.add([tensor.indices(), tensor.values()])

    def _add_array(self, array):
        if file_of(array) is not None:
            return self._add_some_rows(array)
        self.write((array.shape, array.dtype))
        if array.dtype.hasobject:
            self.add(array.tolist())
        else:
            self.hash.update(np.ascontiguousarray(array).data)

    def _add_some_rows(self, array):
        self.write((tuple(array.shape), getattr(array, "dtype", None)))
        if n := array.shape[0]:
            self.add(np.array(array[np.unique([0, n // 2, n - 1])]))

    def _add_function(self, function):
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

    def _add_attributes(self, value):
        if id(value) in self.seen:
            return
        self.seen[id(value)] = value
        self.write(getattr(value, "shape", None))
        own = isinstance(value, torch.nn.Module)  # its weights are in attributes with an underscore
        self.add({name: part for name, part in vars(value).items() if own or not name.startswith("_")})
