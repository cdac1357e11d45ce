"""The JSON codec of a transport, replaceable as a whole. Floor 0.

Decides how values become bytes and text becomes values; knows nothing of Bayeux. `Codec.scan` has
the shape of `json.JSONDecoder.scan_once`, so that another number type is one line::

    exact = Codec(encode=JSON.encode, scan=json.JSONDecoder(parse_float=Decimal).scan_once)
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ['JSON', 'Codec', 'Scan']

Scan = Callable[[str, int], tuple[Any, int]]
"""(text, index) -> (the JSON value that begins at `text[index]`, the index behind it).

Called at a `{` or a `[` only. Any `Exception` means: no complete, well-formed value there.
"""

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(',', ':'))
_ascii_encoder = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(',', ':'))


def _encode(value: object) -> bytes:
    """Encode `value` as compact UTF-8.

    Returns:
        One JSON text without a line break.
    Raises:
        ValueError: NaN, infinity or a circular value (JSON has none of them).
        TypeError: a type that JSON does not know.
        RecursionError: nested too deeply.
    """
    text = _encoder.encode(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8 form, only an escape; rare enough to encode twice for it.
        return _ascii_encoder.encode(value).encode()


@dataclass(frozen=True, slots=True)
class Codec:
    """How messages are written and read.

    Attributes:
        encode: one message -> its bytes, UTF-8, at best without white space (request bodies are limited).
            What it raises ends the exchange as `FailureKind.REQUEST` before anything is sent.
        scan: see `Scan`; gives a dict for a JSON object.
    """

    encode: Callable[[object], bytes]
    scan: Scan


# NaN and Infinity are refused on the way out and accepted on the way in: see `decoder.py`.
# `scan_once` is missing in the type stubs, but it is what `raw_decode` calls, without a Python frame.
JSON = Codec(encode=_encode, scan=json.JSONDecoder().scan_once)  # type: ignore[attr-defined]
"""The standard library's JSON."""
