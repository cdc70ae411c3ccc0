"""JSON as other languages read it, which refuses what would unfold in memory."""

import json
import re
from typing import Any

from sklearn_dim.files._digest import digest

MAX_DEPTH = 64  # of lists and dicts within each other
# Bytes in memory, about: a dict, a list, a key with what stands at it, an item. Files that we write stay below 6 in all
# for each byte of text, as each item has a line of its own.
COSTS = {b"{": 200, b"[": 72, b":": 100, b",": 48}
COST_PER_BYTE, FREE_COST = 8, 2**21
_SIGNS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},:]', re.DOTALL)  # strings may hold brackets


def write_json(value: Any) -> bytes:
    """Return a value as JSON.

    Raises
    ------
    ValueError
        If a number is not finite, for which JSON has no literal.
    """
    return json.dumps(value, indent=1, allow_nan=False).encode()


def read_json(text: bytes) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        If it is not JSON in UTF-8, has one of Python's own literals (NaN, Infinity), the same key twice in a dict, or
        lists and dicts so deep or so many that they would take far more memory than the text.
    """
    _check_size(text)
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("lists within lists are too deep") from error


def write_page(page: dict[str, Any]) -> bytes:
    """Return a dict as JSON, with a digest of it under the key "digest"."""
    return write_json({**page, "digest": digest(write_json(page)).hex()})


def read_page(text: bytes) -> dict[str, Any]:
    """Return the dict that `write_page` was given; one without a digest is taken as well.

    Raises
    ------
    ValueError
        As `read_json`, or if it is no dict, or its digest is another one.
    """
    page = read_json(text)
    if not isinstance(page, dict):
        raise ValueError("it is no dict")
    if "digest" in page and page.pop("digest") != digest(write_json(page)).hex():
        raise ValueError("its digest is not that of its content")
    return page


def _check_size(text: bytes) -> None:
    depth = cost = 0
    for found in _SIGNS.finditer(text):
        sign = found[0]
        cost += COSTS.get(sign, 0)
        depth += (sign in (b"[", b"{")) - (sign in (b"]", b"}"))
        if depth > MAX_DEPTH:
            raise ValueError(f"lists and dicts are nested more than {MAX_DEPTH} deep")
        if cost > COST_PER_BYTE * len(text) + FREE_COST:
            raise ValueError(f"its {len(text)} bytes would take far more memory")


def _refuse(literal: str) -> None:
    raise ValueError(f"{literal} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key is there twice")
    return result
