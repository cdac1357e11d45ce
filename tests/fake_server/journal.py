"""What happened, in order, and what clients did that they must not do. Pure.

The journal is what tests wait for: facts, not time. A violation is never an answer: the broker
answers as the reference server does, and a sloppy client finds its name here.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any

__all__ = ['Entry', 'Journal', 'Kind', 'Violation']


class Kind(Enum):
    """What an entry is about."""

    REQUEST = 'request'
    'One message from a client; `detail` is the message.'
    REPLY = 'reply'
    'One reply to a client; `detail` is the message.'
    EVENT = 'event'
    'One event in an answer to a client; `detail` is the message.'
    ANSWER = 'answer'
    'One HTTP answer, after its replies and events; `detail` has `status` and `messages` (a count).'
    HELD = 'held'
    'A connect is being held; `detail` has `until`.'
    GONE = 'gone'
    'The connection of a held connect broke.'
    OPENED = 'opened'
    'A session began.'
    CLOSED = 'closed'
    'A session ended; `detail` has `why`: `disconnect`, `expired`, `authentication`, `server` or `restart`.'
    PUBLISHED = 'published'
    'Somebody published; `detail` has `sessions`, how many it reached.'
    FAULT = 'fault'
    'A fault struck; `detail` has its `fault` and the `channels` of the request.'
    RESTARTED = 'restarted'
    'All sessions and queues were lost.'
    LOGIN = 'login'
    'A login or a question who a token is; `detail` has `flow`, `path`, `status` and `error`.'
    REST = 'rest'
    'A request to REST or Bulk API; `detail` has `method`, `path`, `status` and `error`.'
    VIOLATION = 'violation'
    'A client broke a rule; `detail` has `violation` and `text`.'


class Violation(Enum):
    """Rules that clients break."""

    OVERTAKING = 'overtaking'
    'A second connect of a session while the first is held.'
    COOKIE_MISSING = 'cookie_missing'
    'A known `clientId` came without the cookie that its session was given.'
    EARLY_POLL = 'early_poll'
    'A connect before the advised interval was over.'
    LARGE_REQUEST = 'large_request'
    'A request body over 32,768 bytes, the limit of Salesforce.'
    AFTER_DISCONNECT = 'after_disconnect'
    'A message of a session that its own client had disconnected.'
    HANDSHAKE_NOT_ALONE = 'handshake_not_alone'
    'A handshake in one request with other messages.'
    FIELD_MISSING = 'field_missing'
    'A message lacks a field that the specification demands.'
    FIELD_FORBIDDEN = 'field_forbidden'
    'A handshake with a `clientId`.'
    ID_INVALID = 'id_invalid'
    'A message id that is not letters and digits.'
    ID_REPEATED = 'id_repeated'
    'Two messages of one request with the same id.'
    META_SUBSCRIPTION = 'meta_subscription'
    'A subscription to a `/meta/` channel.'
    WILD_PUBLISH = 'wild_publish'
    'A publication to a pattern.'
    ACK_MISSING = 'ack_missing'
    'A connect without `ext.ack` though the acknowledgement extension is agreed.'


_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        number: 1, 2, 3, ... without gaps.
        at: seconds on the server's clock.
        exchange: number of the HTTP exchange, None outside of one.
        session: the session's `clientId`, where one is known.
        channel: the message's channel, where there is a message.
        detail: see `Kind`.
    """

    number: int
    at: float
    kind: Kind
    exchange: int | None
    session: str | None
    channel: str | None
    detail: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """This entry as the control endpoint shows it."""
        return {
            'number': self.number,
            'at': self.at,
            'kind': self.kind.value,
            'exchange': self.exchange,
            'session': self.session,
            'channel': self.channel,
            'detail': dict(self.detail),
        }


class Journal:
    """Entries in order; the oldest are forgotten when there are more than `limit`.

    Attributes:
        listener: called after each entry, from inside the broker: it may only take a note.
    """

    def __init__(self, limit: int = 200_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._count = 0
        self.listener: Callable[[], None] | None = None

    def write(
        self,
        at: float,
        kind: Kind,
        *,
        exchange: int | None = None,
        session: str | None = None,
        channel: object = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an entry."""
        self._count += 1
        name = channel if isinstance(channel, str) else None
        self._entries.append(Entry(self._count, at, kind, exchange, session, name, detail or {}))
        if self.listener is not None:
            self.listener()

    @property
    def last_number(self) -> int:
        """Number of the last entry, 0 before the first."""
        return self._count

    @property
    def violations(self) -> list[Entry]:
        """Entries of kind VIOLATION."""
        return [entry for entry in self._entries if entry.kind is Kind.VIOLATION]

    def entries(
        self,
        *,
        after: int = 0,
        kind: Kind | None = None,
        channel: str | None = None,
        session: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> list[Entry]:
        """The entries with a higher number than `after` that have the given properties.

        `detail` is compared field by field: an entry may have further ones.
        """
        forgotten = self._count - len(self._entries)
        return [
            entry
            for entry in islice(self._entries, max(0, after - forgotten), None)
            if (kind is None or entry.kind is kind)
            and (channel is None or entry.channel == channel)
            and (session is None or entry.session == session)
            and all(entry.detail.get(name, _NOTHING) == value for name, value in (detail or {}).items())
        ]
