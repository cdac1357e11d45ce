"""Which events a write raises, and on which channels. Pure."""

from dataclasses import dataclass
from typing import Any

from .changes import Transaction, change
from .notifications import notification
from .records import Row, changed_fields
from .schema import SObject
from .state import State

__all__ = ['Write', 'change_channels', 'event_channels', 'events_of']

# Changed by every save, also by one that changes nothing else.
_STAMPS = {'LastModifiedDate', 'LastModifiedById', 'SystemModstamp'}
_CHANGE_TYPES = {'created': 'CREATE', 'updated': 'UPDATE', 'deleted': 'DELETE', 'undeleted': 'UNDELETE'}


@dataclass(frozen=True, slots=True)
class Write:
    """One write to one record.

    Attributes:
        operation: `created`, `updated`, `deleted` or `undeleted`.
        sobject: of the record.
        old: the record before, None for a new one.
        new: the record after.
        transaction: who, when, how.
    """

    operation: str
    sobject: SObject
    old: Row | None
    new: Row
    transaction: Transaction


def events_of(write: Write, state: State) -> list[tuple[str, dict[str, Any]]]:
    """Channel and `data` of every event, without replay ids: notifications first, then changes."""
    old = write.new if write.old is None else write.old
    events = []
    for topic in state.topics.values():
        if topic.sobject.name == write.sobject.name:
            data = notification(
                topic,
                write.operation,
                old,
                write.new,
                moment=write.transaction.moment,
                look=state.records.at,
            )
            if data is not None:
                events.append((topic.channel, data))
    if write.operation == 'updated' and set(changed_fields(old, write.new)) <= _STAMPS:
        return events  # nothing that a change event could tell
    for channel in change_channels(write.sobject, state):
        data = change(
            write.sobject, _CHANGE_TYPES[write.operation], write.transaction, old=old, new=write.new
        )
        events.append((channel, data))
    return events


def change_channels(sobject: SObject, state: State) -> list[str]:
    """Channels of an object's change events."""
    standard = ['/data/ChangeEvents', f'/data/{sobject.change_event}']
    channels = standard if sobject.name in state.change_data_capture else []
    return channels + _custom(sobject, state)


def event_channels(sobject: SObject, state: State) -> list[str]:
    """Channels of a platform event."""
    return [f'/event/{sobject.name}', *_custom(sobject, state)]


def _custom(sobject: SObject, state: State) -> list[str]:
    """Channels that a seed has put it on: `/data/` ones for objects, `/event/` ones for events."""
    return [channel for channel, members in state.channels.items() if sobject.name in members]
