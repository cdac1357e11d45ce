"""What Salesforce's events hold, by kind of channel. Floor 3: pure.

Reads the `data` of a delivery; changes nothing and never raises on what a server sends, because a
handler has to see even an event that looks odd. Source: Streaming API, Platform Events and Change
Data Capture developer guides.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from nameko_salesforce.bayeux.channels import without_filter

__all__ = [
    'ChangeEvent',
    'ChannelKind',
    'PlatformEvent',
    'StreamEvent',
    'created_at',
    'creation_of',
    'replay_id_of',
    'seconds_of',
]

HOUR = 3600.0
# Characters of a replay id, and the number that has one more. A request holds 32,768.
LONGEST_ID = 1000
LEAST_TOO_LONG = 10**LONGEST_ID
# Characters; the longest date that can be read has 42.
LONGEST_DATE = 64
# Milliseconds since 1970 of the year 10000, which no date reaches.
LATEST = 253_402_300_800_000


class ChannelKind(Enum):
    """What a channel brings; the value is how its name begins."""

    TOPIC = '/topic/'
    GENERIC = '/u/'
    PLATFORM_EVENT = '/event/'
    CHANGE_EVENT = '/data/'
    OTHER = '/'

    @classmethod
    def of(cls, channel: str) -> 'ChannelKind':
        """The kind of a channel, with or without a filter."""
        return next(
            kind for kind in cls if without_filter(channel).startswith(kind.value) or kind is cls.OTHER
        )

    @property
    def retention(self) -> float:
        """Seconds that Salesforce keeps events of this kind, at least as documented."""
        return 72 * HOUR if self in (ChannelKind.PLATFORM_EVENT, ChannelKind.CHANGE_EVENT) else 24 * HOUR


def replay_id_of(data: Any) -> int | str | None:
    """The replay id of an event, None where it has none. Opaque: fit for equality, not for arithmetic.

    One of more than a thousand characters is none: no request could name it, and the channel would stay
    refused for ever.
    """
    value = _mapping(_mapping(data).get('event')).get('replayId')
    if isinstance(value, str):
        return value if len(value) <= LONGEST_ID else None
    # Not isinstance: a bool is none.
    return value if value.__class__ is int and abs(value) < LEAST_TOO_LONG else None


def creation_of(data: Any) -> str | float | None:
    """When an event came to be, as it says it: `seconds_of` reads it. None where it does not say.

    Of a notification or a generic event when it was created, of a platform event when it was published, of
    a change event when the change was committed.
    """
    data = _mapping(data)
    created = _mapping(data.get('event')).get('createdDate')
    if created is None:
        payload = _mapping(data.get('payload'))
        header = payload.get('ChangeEventHeader')
        if header is not None:
            return _seconds(_mapping(header).get('commitTimestamp'))
        created = payload.get('CreatedDate')
    return created if isinstance(created, str) and len(created) <= LONGEST_DATE else None


def seconds_of(creation: str | float | None) -> float | None:
    """Seconds since 1970; None where it is no date. Apart, because it is asked for few of many events."""
    if not isinstance(creation, str):
        return creation
    moment = _moment(creation)
    # One without a zone would be read in that of this machine.
    return None if moment is None or moment.tzinfo is None else moment.timestamp()


def created_at(data: Any) -> float | None:
    """When an event came to be, in seconds since 1970; None where it does not say."""
    return seconds_of(creation_of(data))


class StreamEvent(dict[str, Any]):
    """An event as it came, with names for what is in it.

    It is the message's `data` as a dict (`{'payload': ..., 'event': ..., 'schema': ...}`), so that whatever
    logs, redacts or serialises the arguments of a handler goes on working.
    """

    @property
    def payload(self) -> Mapping[str, Any]:
        """The event's own fields; of a change event with its header."""
        return _mapping(self.get('payload'))

    @property
    def replay_id(self) -> int | str | None:
        """See `replay_id_of`."""
        return replay_id_of(self)


class PlatformEvent(StreamEvent):
    """An event of a channel below `/event/`."""

    @property
    def uuid(self) -> str | None:
        """`EventUuid`: the same in every delivery of one event."""
        value = _mapping(self.get('event')).get('EventUuid')
        return value if isinstance(value, str) else None

    @property
    def created(self) -> datetime | None:
        """When it was published; None where it does not say so."""
        return _moment(self.payload.get('CreatedDate'))

    @property
    def created_by(self) -> str | None:
        """Id of the user who published it."""
        value = self.payload.get('CreatedById')
        return value if isinstance(value, str) else None


class ChangeEvent(StreamEvent):
    """An event of a channel below `/data/`: what happened to records of one object.

    A *gap* event tells that records changed but not how: read them again. An *overflow* tells that more
    changed than is told record by record (100,000 in one transaction): read all that matter to you.
    """

    @property
    def header(self) -> Mapping[str, Any]:
        """`ChangeEventHeader` as it came."""
        return _mapping(self.payload.get('ChangeEventHeader'))

    @property
    def entity(self) -> str:
        """Name of the object, such as 'Account'."""
        return _text(self.header.get('entityName'))

    @property
    def change_type(self) -> str:
        """CREATE, UPDATE, DELETE, UNDELETE, or GAP_ and one of these, or GAP_OVERFLOW."""
        return _text(self.header.get('changeType'))

    @property
    def is_gap(self) -> bool:
        """Whether the records have to be read again because the event does not hold what changed."""
        return self.change_type.startswith('GAP_') and not self.is_overflow

    @property
    def is_overflow(self) -> bool:
        """Whether the event stands for too many changes to be told; its record id is a placeholder."""
        return self.change_type == 'GAP_OVERFLOW'

    @property
    def record_ids(self) -> tuple[str, ...]:
        """Ids of the changed records: one, or several with the same change; none of an overflow.

        One that ends in `*` stands for all records whose ids begin so.
        """
        return () if self.is_overflow else _texts(self.header.get('recordIds'))

    @property
    def fields(self) -> dict[str, Any]:
        """Field -> new value: those that are set (create, undelete) or changed (update); None = emptied."""
        return {name: value for name, value in self.payload.items() if name != 'ChangeEventHeader'}

    @property
    def changed_fields(self) -> tuple[str, ...]:
        """Names of the changed fields of an update."""
        return _texts(self.header.get('changedFields'))

    @property
    def committed(self) -> datetime | None:
        """When the transaction was committed."""
        value = self.header.get('commitTimestamp')  # milliseconds since 1970
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        try:
            return datetime.fromtimestamp(value / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            return None

    @property
    def commit_user(self) -> str | None:
        """Id of the user who made the change."""
        value = self.header.get('commitUser')
        return value if isinstance(value, str) else None

    @property
    def transaction_key(self) -> str:
        """The same for all events of one transaction."""
        return _text(self.header.get('transactionKey'))

    @property
    def sequence_number(self) -> int | None:
        """Place of the event in its transaction, from 1."""
        value = self.header.get('sequenceNumber')
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    # A dict first: it is one as a rule, and the question for a Mapping takes twice as long as the rest.
    return value if value.__class__ is dict or isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ''


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _seconds(milliseconds: Any) -> float | None:
    if not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool):
        return None
    return milliseconds / 1000 if abs(milliseconds) < LATEST else None


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
