"""Numbers and flags among the arguments of functions and constructors, checked before they are used."""

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, TypeVar, get_args, get_origin

import numpy as np

FLAG = "{True, False}"

Checked = TypeVar("Checked", bound=Callable)


def checked(**intervals: str) -> Callable[[Checked], Checked]:
    """Return a decorator of functions and classes that refuses arguments outside of their intervals.

    What is whole, may be None, or is a sequence of numbers, is read from the annotations.

    Parameters
    ----------
    **intervals : str
        Of each argument, as mathematics writes it: "[0, 1)" holds 0 and not 1, "[1, inf)" all numbers from 1, and
        `FLAG` True and False alone.

    Examples
    --------
    >>> from sklearn_dim._arguments import checked
    >>> @checked(chance="[0, 1]")
    ... def flip(chance: float = 0.5) -> float:
    ...     return 1 - chance
    >>> flip(2)
    Traceback (most recent call last):
    ValueError: chance=2 must be a number in [0, 1], such as 0.5.
    """

    def decorate(target: Any) -> Any:
        if not isinstance(target, type):
            return _checking(target, intervals)
        target.__init__ = _checking(target.__init__, intervals)  # type: ignore[misc]
        return target

    return decorate


def _checking(function: Callable, intervals: dict[str, str]) -> Callable:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        for name in intervals.keys() & given.keys():
            _check(name, given[name], signature.parameters[name], intervals[name])
        return function(*args, **kwargs)

    return call


def _check(name: str, value: Any, parameter: inspect.Parameter, interval: str) -> None:
    """Raise TypeError or ValueError unless the value is, or holds, numbers of the interval."""
    accepted = get_args(parameter.annotation) or (parameter.annotation,)
    if value is None and type(None) in accepted:
        return
    if interval == FLAG:
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name}={value!r} must be True or False.")
        return
    whole, several = int in accepted, get_origin(parameter.annotation) in (Sequence, tuple)
    numbers = list(value) if several and isinstance(value, Sequence) else [value]
    kind = ("whole number" if whole else "number") + ("s" if several else "")
    advice = "" if parameter.default in (parameter.empty, None) else f", such as {parameter.default!r}"
    message = f"{name}={value!r} must be {'' if several else 'a '}{kind} in {interval}{advice}."
    if not all(isinstance(number, Integral if whole else Real) and not isinstance(number, bool) for number in numbers):
        raise TypeError(message)
    if several and not (isinstance(value, Sequence) and _has_length(len(value), parameter.annotation)):
        raise ValueError(message)
    if not all(_is_in(number, interval) for number in numbers):
        raise ValueError(message)


def _has_length(length: int, annotation: Any) -> bool:
    """Return whether ``tuple[int, int]`` has two entries, or ``tuple[int, ...]`` any; other sequences may be empty."""
    if get_origin(annotation) is not tuple:
        return True
    entries = get_args(annotation)
    return length > 0 if Ellipsis in entries else length == len(entries)


def _is_in(number: Any, interval: str) -> bool:
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = number >= low if interval[0] == "[" else number > low
    below = number <= high if interval[-1] == "]" else number < high
    return bool(above and below) and math.isfinite(number)


def refuse_few_to_train_on(n_rows: int, n_stop: int, fraction: float) -> None:
    """Raise ValueError if fewer than two of a fold's training rows are left when some decide when to stop."""
    if n_rows - n_stop < 2:
        raise ValueError(
            f"validation_fraction={fraction} leaves fewer than 2 of a fold's {n_rows} training rows to train on. Lower "
            "it, or give more rows."
        )
