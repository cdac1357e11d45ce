"""The JSON codec of a transport, replaceable as a whole. Floor 0.

Decides how values become bytes and text becomes values; knows nothing of Bayeux. Another number type is
one line::

    exact = Codec(encode=JSON.encode, decode=json.JSONDecoder(parse_float=Decimal).decode)
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

__all__ = ['JSON', 'Codec', 'Decode']

Decode = Callable[[str], Any]
"""One JSON text -> its value. Any `Exception` means: it is not one, or cannot be had as a value."""

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


_standard = json.JSONDecoder()
_quick = msgspec.json.Decoder()


def _decode(text: str) -> Any:
    """Decode as the standard library does, in half the time.

    Raises:
        json.JSONDecodeError: it is no JSON.
        RecursionError: nested too deeply. ValueError: a number of more digits than Python reads.
    """
    try:
        return _quick.decode(text)
    except Exception:
        # It refuses NaN, lone surrogates and what is too large for a float, as JSON's definition does.
        # What it takes it reads as the standard library would.
        return _standard.decode(text)


@dataclass(frozen=True, slots=True)
class Codec:
    """How messages are written and read.

    Attributes:
        encode: one message -> its bytes, UTF-8, at best without white space (request bodies are limited).
            What it raises ends the exchange as `FailureKind.REQUEST` before anything is sent.
        decode: see `Decode`; gives a dict for a JSON object, and a list for an array.
    """

    encode: Callable[[object], bytes]
    decode: Decode


# NaN and Infinity are refused on the way out and accepted on the way in: see `decoder.py`.
JSON = Codec(encode=_encode, decode=_decode)
"""What the standard library's `json` writes and reads."""
