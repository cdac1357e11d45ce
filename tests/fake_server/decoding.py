"""JSON as strictly as a server should read it. Pure."""

import json
import math
from collections.abc import Collection
from typing import Any

__all__ = ['loads']

DEEPEST = 200  # levels of nesting in a request; no event comes near


def loads(text: str) -> Any:
    """What a text of JSON means.

    Raises:
        ValueError, RecursionError: no JSON, or JSON that no server could send on: too deep, too large.
    """
    value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    # What can be read can be too deep to be written again, with less of the stack left.
    if text.count('[') + text.count('{') > DEEPEST and _depth(value) > DEEPEST:
        raise ValueError('nested too deeply')
    return value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [part for one in level for part in _parts(one)]
    return depth


def _parts(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _refuse_constant(name: str) -> float:
    raise ValueError(f'{name} is not JSON')


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f'{text} is too large')
    return value
