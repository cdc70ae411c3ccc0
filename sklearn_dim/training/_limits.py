"""Memory that tensors may take while a file is read: sizes in a file are claims until its content has shown them."""

import math
from typing import Any, NoReturn

import torch
from torch.utils._python_dispatch import TorchDispatchMode

SPARE = 2**23  # bytes that are free in any case


class LimitedTensors(TorchDispatchMode):
    """Context in which new tensors may take ``n_bytes`` (and 8 MB) in all; beyond that a ValueError is raised.

    Sizes that an operation is asked for are looked at before it runs.
    """

    def __init__(self, n_bytes: int):
        super().__init__()
        self.left = n_bytes + SPARE

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        """Run an operation of torch, if there is memory for it."""
        kwargs = kwargs or {}
        if func.is_view:
            return func(*args, **kwargs)
        if any(4 * math.prod(size) > self.left for size in filter(_is_size, args)):
            self._refuse()
        if "device" in kwargs and not any(isinstance(each, torch.Tensor) for each in args):  # numbers become a tensor
            self._check(func(*args, **{**kwargs, "device": torch.device("meta")}))
        result = func(*args, **kwargs)
        self.left -= self._check(result, but=args)
        return result

    def _check(self, result: Any, but: tuple = ()) -> int:
        """Return the number of bytes of new tensors, if there is memory for them."""
        results = result if isinstance(result, list | tuple) else [result]
        new = [each for each in results if isinstance(each, torch.Tensor) and not any(each is given for given in but)]
        n_bytes = sum(each.nbytes for each in new if each.layout == torch.strided)
        if n_bytes > self.left:
            self._refuse()
        return n_bytes

    def _refuse(self) -> NoReturn:
        raise ValueError("it asks for far more memory than its content takes")


def _is_size(value: Any) -> bool:
    return isinstance(value, list | tuple | torch.Size) and all(isinstance(each, int) for each in value)
