"""Which attributes a fitted estimator has, and of which types: what a file may set, and nothing else.

The attributes of an estimator are declared in its class (``_fitted``), with the rules below. Those of its parts, the
objects that `PlainState._parts` lists, are the ones that their own methods set.
"""

import dis
import functools
import inspect
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from numbers import Integral, Real
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.metadata_routing import MetadataRequest

from sklearn_dim.estimator._compat import CALLBACKS, FIT_TASK, TO_TEAR_DOWN

MAX_RANK = 5  # of any array that we keep


class Array(NamedTuple):
    """The rule of an array.

    Attributes
    ----------
    kinds : str, default="f"
        Kinds of its dtype.
    rank : int or None, default=1
        Number of its axes; None is any up to 5.
    length : str or None, default=None
        The attribute that says how long it is.
    """

    kinds: str = "f"
    rank: int | None = 1
    length: str | None = None


class Each(NamedTuple):
    """The rule of a list or tuple: what each of its items is."""

    rule: Any


# What parts have besides: set by functions of scikit-learn, by torch, and by the net's own __getstate__.
BESIDES = "n_features_in_", "feature_names_in_", "_sklearn_version", "training", "params", "history", "weights"
# What scikit-learn sets on any estimator.
FRAMEWORK: dict[str, list] = {
    "_sklearn_output_config": [dict],
    "_metadata_request": [MetadataRequest],
    **{name: [object] for name in (CALLBACKS, FIT_TASK, TO_TEAR_DOWN)},
}


def other_names(cls: type, names: Iterable[str], *, strict: bool) -> list[str]:
    """Return the names that are neither parameters nor declared attributes of an estimator.

    Unless ``strict``, a name is let pass if it hides nothing of our classes and scikit-learn's: people put notes on
    their models, subclasses have attributes of their own, and scikit-learn has some of a fit that runs.
    """
    declared = {*cls._get_param_names(), *cls._fitted, *FRAMEWORK}  # type: ignore[attr-defined]
    others = [name for name in names if name not in declared]
    if strict:
        return others
    ours = [base for base in cls.__mro__ if base.__module__.split(".")[0] in ("sklearn", "sklearn_dim", "builtins")]
    return [
        name
        for name in others
        if not isinstance(name, str) or name.startswith("__") or any(name in vars(base) for base in ours)
    ]


def check_fitted(cls: type, state: dict[str, Any]) -> None:
    """Raise ValueError unless the declared attributes in ``state`` are what is declared."""
    for name, rules in {**cls._fitted, **FRAMEWORK}.items():  # type: ignore[attr-defined]
        if name in state and not _fits(state[name], rules, state):
            found = state[name]
            what = f"an array of {found.dtype} of shape {found.shape}" if isinstance(found, np.ndarray) else repr(found)
            raise ValueError(f"the attribute {name} of {cls.__name__} cannot be {what[:80]}.")


def _fits(value: Any, rule: Any, state: dict[str, Any]) -> bool:
    if isinstance(rule, list):
        return any(_fits(value, each, state) for each in rule)
    if isinstance(rule, Array):
        right = isinstance(value, np.ndarray) and value.dtype.kind in rule.kinds and value.ndim <= MAX_RANK
        right = right and rule.rank in (None, value.ndim)
        return right and (rule.length is None or len(value) == state.get(rule.length))
    if isinstance(rule, Each):
        return isinstance(value, list | tuple) and all(_fits(each, rule.rule, state) for each in value)
    if rule is None:
        return value is None
    number = {int: Integral, float: Real}.get(rule)
    return isinstance(value, rule) if number is None else isinstance(value, number) and not isinstance(value, bool)


def check_part(cls: type, state: Any) -> None:
    """Raise ValueError if the state of a part has other attributes than its class sets."""
    if not isinstance(state, dict):
        raise ValueError(f"the state of a {cls.__name__} is a {type(state).__name__}, not a dict.")
    names = state["settings"] if hasattr(cls, "__setstate__") and "settings" in state else state
    known = {field.name for field in fields(cls)} if is_dataclass(cls) else attributes_of(cls)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"a {cls.__name__} has no attribute {unknown[0]!r}.")


@functools.cache
def attributes_of(cls: type) -> frozenset[str]:
    """Return the attributes that methods of a class set, and those that pickles of it hold besides."""
    of_all = [method for base in cls.__mro__ for method in vars(base).values() if isinstance(method, FunctionType)]
    codes = [inspect.unwrap(method).__code__ for method in of_all]
    stored = {step.argval for code in codes for step in dis.get_instructions(code) if step.opname == "STORE_ATTR"}
    return frozenset(stored | {*FRAMEWORK, *BESIDES})
