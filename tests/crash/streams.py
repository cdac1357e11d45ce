"""What is published and which handler has to get it: the one place that both sides of a run know.

`service.py` holds the handlers; a test compares the two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ['HANDLERS', 'QUIET_CHANNEL', 'SEED', 'SERVICE', 'Handler', 'meter_of', 'replay_id_of']

SERVICE = 'crash'
QUIET_CHANNEL = '/event/Holiday__e'

SEED: Mapping[str, Any] = {
    'objects': {
        'Parcel__c': {'fields': {'Step__c': 'number'}},
        'Scan__e': {'fields': {'Number__c': 'number'}},
        'Reading__e': {'fields': {'Meter__c': 'text'}},
        'Damage__e': {'fields': {'Hopeless__c': 'boolean'}},
        'Holiday__e': {'fields': {'Number__c': 'number'}},
    },
    'change_data_capture': ['Parcel__c'],
}


def replay_id_of(data: Mapping[str, Any]) -> int:
    """Of an event's data."""
    return int(data['event']['replayId'])


def meter_of(data: Mapping[str, Any]) -> str:
    """What a reading is about."""
    return str(data['payload']['Meter__c'])


def _notified_record(data: Mapping[str, Any]) -> tuple[str, ...]:
    return (data['sobject']['Id'],)


def _changed_records(data: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(data['payload']['ChangeEventHeader']['recordIds'])


def _unordered(data: Mapping[str, Any]) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Handler:
    """What is known of a handler.

    Attributes:
        channel: that it gets all events of.
        keys: called with an event's data; what it is about. Events with a key in common have an order.
    """

    channel: str
    keys: Callable[[Mapping[str, Any]], tuple[str, ...]] = _unordered


HANDLERS: Mapping[str, Handler] = {
    # Two on one channel, of which one knows no order; the first one fails at times.
    'follow': Handler('/topic/Parcels', _notified_record),
    'copy': Handler('/data/Parcel__ChangeEvent', _changed_records),
    'count': Handler('/data/Parcel__ChangeEvent'),
    'scan': Handler('/event/Scan__e'),
    'read': Handler('/event/Reading__e', lambda data: (meter_of(data),)),
    # Some of its events always fail: dead letters.
    'repair': Handler('/event/Damage__e'),
    # Starts with new events, which are few.
    'rest': Handler(QUIET_CHANNEL),
}
