"""What a failed exchange is, as a value. Floor 0.

Exceptions of sockets, TLS, HTTP and JSON end in `transport.py`, which turns each into one
`Failure`; above it no exception is control flow.
"""

from dataclasses import dataclass
from enum import Enum

__all__ = ['Failure', 'FailureKind']


class FailureKind(Enum):
    """Why an exchange gave no complete answer. The value is what a log line says."""

    REQUEST = 'request could not be made'
    DNS = 'host name not resolved'
    CONNECT = 'no connection'
    CONNECT_TIMEOUT = 'connecting took too long'
    TLS = 'TLS refused'
    PROXY = 'proxy refused'
    RESET = 'connection lost'
    TIMEOUT = 'answer took too long'
    NOT_HTTP = 'answer is not HTTP'
    STATUS = 'HTTP status'
    NOT_JSON = 'answer is not JSON'
    MALFORMED = 'answer is not a list of Bayeux messages'
    TRUNCATED = 'answer broke off'
    TOO_LARGE = 'message above the limit'
    EMPTY = 'answer is empty'
    NO_REPLY = 'answer holds no reply to the request'
    CREDENTIALS = 'credentials refused'


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed exchange.

    Attributes:
        kind: see `FailureKind`.
        detail: what exactly, for a log line; holds no header and no body beyond 200 characters.
        status: the HTTP status for `STATUS` (and for `PROXY` where the proxy sent one), else None.
        retry_after: seconds that a `Retry-After` header asked for, else 0.
    """

    kind: FailureKind
    detail: str = ''
    status: int | None = None
    retry_after: float = 0.0

    def __str__(self) -> str:
        return f'{self.kind.value}: {self.detail}' if self.detail else self.kind.value
