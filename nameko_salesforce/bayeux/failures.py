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
    WITHIN = 'failed from within'


# The request never reached the server, or its answer is there to its end.
NOTHING_LOST = frozenset(
    [
        FailureKind.REQUEST,
        FailureKind.DNS,
        FailureKind.CONNECT,
        FailureKind.CONNECT_TIMEOUT,
        FailureKind.TLS,
        FailureKind.PROXY,
        FailureKind.NO_REPLY,
        FailureKind.CREDENTIALS,
    ]
)


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

    @property
    def may_hide_events(self) -> bool:
        """Whether an answer may have been lost on its way, with events that no server sends twice.

        Not where nothing was sent, nor where the server said no. A gateway says 5xx for an answer that it
        has lost itself.
        """
        if self.kind is FailureKind.STATUS:
            return self.status is None or self.status >= 500
        return self.kind not in NOTHING_LOST

    def __str__(self) -> str:
        return f'{self.kind.value}: {self.detail}' if self.detail else self.kind.value
