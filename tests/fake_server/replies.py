"""An HTTP answer of the login and REST side, as a value. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ['JSON_TYPE', 'Reply', 'error_list', 'json_reply']

JSON_TYPE = 'application/json;charset=UTF-8'


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and headers.

    Attributes:
        error: the error code in the body, None for a success; for the journal.
    """

    status: int
    body: bytes = b''
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


def json_reply(
    status: int, value: Any, *, error: str | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """A body of JSON."""
    body = json.dumps(value, separators=(',', ':')).encode()
    return Reply(status, body, {**(headers or {}), 'Content-Type': JSON_TYPE}, error)


def error_list(status: int, code: str, message: str, **further: Any) -> Reply:
    """The list with one error that REST answers with."""
    return json_reply(status, [{'message': message, 'errorCode': code, **further}], error=code)
