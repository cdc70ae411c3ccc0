"""The state of a training as plain data: what a checkpoint holds, and whether it fits the net that takes it over."""

import io
import math
import pickle
import zipfile
from contextlib import suppress
from numbers import Number
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, runtime_checkable

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.history import History

from sklearn_dim.training._device import random_states, set_random_states
from sklearn_dim.training._limits import LimitedTensors

if TYPE_CHECKING:
    from sklearn_dim.training._net import InformationNet

Callbacks = dict[str, Callback]  # those whose memory is kept, by name


def state_of(net: "InformationNet", callbacks: Callbacks) -> dict:
    """Return all that a training needs to continue, in types that ``torch.load(weights_only=True)`` reads."""
    return {
        "weights": net.module_.state_dict(),
        "averaged": None if net.averaged_ is None else net.averaged_.state_dict(),
        "optimizer": net.optimizer_.state_dict(),
        "callbacks": {name: _memory(callback) for name, callback in callbacks.items()},
        "history": [plain(dict(row)) for row in net.history],
        "random": random_states(net.device),
    }


def read_state(content: memoryview, device: str) -> Any:
    """Return what ``torch.save`` wrote, without running code and in little more memory than the content takes.

    Raises
    ------
    Exception
        Of many kinds, if it is damaged.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        if sum(part.file_size for part in parts.infolist()) > len(content):  # torch.save does not compress
            raise ValueError("its parts are larger than the file")
    try:
        with LimitedTensors(2 * len(content)):
            return torch.load(io.BytesIO(content), map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:  # whose message advises to read it with weights_only=False
        raise ValueError("it holds something else than tensors, numbers and text") from error


def check_state(net: "InformationNet", callbacks: Callbacks, state: Any) -> None:
    """Raise ValueError unless the state is one of the training that begins."""
    now = state_of(net, callbacks)
    _require(isinstance(state, dict) and state.keys() == now.keys(), "its parts are other ones")
    _check_tensors("weights", state["weights"], now["weights"])
    _check_tensors("averaged", state["averaged"], now["averaged"])
    _check_optimizer(net, state["optimizer"])
    before, rows = len(net.history), state["history"]
    _require(isinstance(rows, list) and all(isinstance(row, dict) for row in rows), "history has no rows")
    numbers = [row.get("epoch") for row in rows]
    _require(numbers == list(range(1, len(rows) + 1)), f"history has the epochs {numbers[:3]} …")
    _require(before <= len(rows) <= before + net.max_epochs, f"history has {len(rows)} epochs")
    losses = [row.get("train_loss") for row in rows]
    _require(all(isinstance(loss, float) and math.isfinite(loss) for loss in losses), "history lacks losses")
    _require(isinstance(state["callbacks"], dict), "callbacks have no names")
    for name in callbacks.keys() & state["callbacks"].keys():
        _check_memory(name, callbacks[name], state["callbacks"][name])
    _require(isinstance(state["random"], list), "random has no states")
    _check_tensors("random", dict(enumerate(state["random"])), dict(enumerate(now["random"])))


def _check_tensors(what: str, state: Any, now: Any) -> None:
    if now is None:
        _require(state is None, f"{what} is there")
        return
    _require(isinstance(state, dict) and state.keys() == now.keys(), f"{what} have other names")
    for name, tensor in now.items():
        other = state[name]
        same = isinstance(other, torch.Tensor) and (other.shape, other.dtype) == (tensor.shape, tensor.dtype)
        _require(same, f"{what} have another {name!r}")


def _check_optimizer(net: "InformationNet", state: Any) -> None:
    now = net.optimizer_.state_dict()
    _require(isinstance(state, dict) and state.keys() == now.keys(), "optimizer has other parts")
    _check_alike(state["param_groups"], now["param_groups"])
    shapes = [parameter.shape for group in net.optimizer_.param_groups for parameter in group["params"]]
    for place, memory in state["state"].items():
        _require(isinstance(place, int) and 0 <= place < len(shapes), f"optimizer has no weight {place!r}")
        for name, tensor in memory.items():
            fits = not isinstance(tensor, torch.Tensor) or tensor.shape in (shapes[place], torch.Size([]))
            _require(isinstance(name, str) and fits, f"optimizer has another {name!r}")


def _check_alike(groups: Any, now: list[dict]) -> None:
    """Raise ValueError unless groups of weights have the present names, weights, and types of settings."""
    _require(isinstance(groups, list) and len(groups) == len(now), "optimizer has other groups")
    for group, own in zip(groups, now, strict=True):
        _require(isinstance(group, dict) and group.keys() >= own.keys(), "optimizer has other settings")
        _require(group["params"] == own["params"], "optimizer has other weights")
        for name, value in own.items():
            numbers = isinstance(value, int | float) and isinstance(group[name], int | float | torch.Tensor)
            _require(numbers or type(group[name]) is type(value), f"optimizer has another {name!r}")


def _check_memory(name: str, callback: Callback, memory: Any) -> None:
    _require(isinstance(memory, dict), f"the callback {name!r} has no memory")
    for attribute, value in memory.items():
        learnt = isinstance(attribute, str) and _is_learnt(callback, attribute)
        _require(learnt, f"it would set {attribute!r} of the callback {name!r}")
        alike = _is_alike(vars(callback).get(attribute), value)
        _require(alike, f"{attribute!r} of the callback {name!r} would be a {type(value).__name__}")


def _is_alike(now: Any, saved: Any) -> bool:
    """Return whether a saved value can take the place of the present one; that of None any can."""
    if now is None:
        return True
    if isinstance(now, torch.Tensor):
        return isinstance(saved, torch.Tensor) and (saved.shape, saved.dtype) == (now.shape, now.dtype)
    if isinstance(now, Number):
        return isinstance(saved, Number)
    return isinstance(saved, dict) if _has_state(now) else type(saved) is type(plain(now))


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)


@torch.no_grad()
def put_back(net: "InformationNet", callbacks: Callbacks, state: dict) -> None:
    """Restore a saved state, which `check_state` has accepted."""
    net.module_.load_state_dict(state["weights"])
    if net.averaged_ is not None:
        net.averaged_.load_state_dict(state["averaged"])
    for name, callback in callbacks.items():
        _remember(callback, state["callbacks"].get(name, {}))
    net.optimizer_.load_state_dict(state["optimizer"])
    net.history_ = History(state["history"])
    set_random_states(state["random"], net.device)


def _memory(callback: Callback) -> dict:
    """Return what a callback has learnt in training: by skorch's rule, the attributes that end in "_"."""
    learnt = {name: value for name, value in vars(callback).items() if _is_learnt(callback, name)}
    return plain_items({name: plain_items(v.state_dict()) if _has_state(v) else v for name, v in learnt.items()})


def _is_learnt(callback: Callback, name: str) -> bool:
    """Return whether training sets an attribute of this name; a method or property is none."""
    own = getattr(type(callback), name, None)
    return name.endswith("_") and not name.startswith("_") and not callable(own) and not isinstance(own, property)


@runtime_checkable
class _Stateful(Protocol):
    """What has a state of its own, as learning rate schedulers do."""

    def state_dict(self) -> dict:
        """Return the state."""
        ...

    def load_state_dict(self, state_dict: dict, /) -> Any:
        """Take over a state."""
        ...


def _has_state(value: Any) -> TypeGuard[_Stateful]:
    return isinstance(value, _Stateful) and not isinstance(value, type)


def _remember(callback: Callback, memory: dict) -> None:
    now = vars(callback)
    for name, value in memory.items():
        if _has_state(now.get(name)):
            now[name].load_state_dict(value)
        else:
            now[name] = renewed(now.get(name), value)


def renewed(now: Any, saved: Any) -> Any:
    """Return a saved value, copied into the present tensors where possible: other objects may refer to them."""
    if isinstance(saved, torch.Tensor) and isinstance(now, torch.Tensor) and now.shape == saved.shape:
        return now.copy_(saved)
    if isinstance(saved, dict):
        return {name: renewed(now.get(name) if isinstance(now, dict) else None, value) for name, value in saved.items()}
    if isinstance(saved, list | tuple):
        present = now if isinstance(now, list | tuple) and len(now) == len(saved) else [None] * len(saved)
        return type(saved)(map(renewed, present, saved))
    return saved


def plain(value: Any) -> Any:
    """Return a value in types that ``torch.load(weights_only=True)`` reads, or raise a TypeError."""
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, torch.Tensor) or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        return {plain(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(map(plain, value))
    raise TypeError(f"a checkpoint cannot hold {value!r}, which is a {type(value).__name__}")


def plain_items(items: dict) -> dict:
    """Return the items that `plain` accepts."""
    kept = {}
    for name, value in items.items():
        with suppress(TypeError):
            kept[name] = plain(value)
    return kept
