"""Rows on their way into the org: what their object demands beyond the rules for all records. Pure.

PushTopics are records whose query has to be understood, and is then watched (`State.topics`); generic
channels are records whose name has to be that of a channel.
"""

import re
from collections.abc import Mapping
from typing import Any

from .errors import invalid_field
from .push_topics import check_active, operations_of, read_topic
from .records import Author, Row
from .schema import SObject
from .state import State

__all__ = ['checked_row', 'store']

# Object reference, "StreamingChannel".
_CHANNEL = re.compile(r'/u(/[A-Za-z0-9_]+)+')
# Bayeux 1.0, "Channels": of other names, no channel can be made, and each write would fail to tell it.
_TOPIC = re.compile(r'[A-Za-z0-9_!~()$@-]+')


def checked_row(
    state: State, sobject: SObject, values: Mapping[str, Any], author: Author, *, old: Row | None
) -> Row:
    """The row that a write leads to; nothing is stored.

    Args:
        values: field name, in any case -> JSON value.
        old: the record before; None for a new one.
    Raises:
        OrgError: the write is refused.
    """
    row = state.records.checked(sobject, values, author, old=old)
    if sobject.name == 'StreamingChannel' and not _CHANNEL.fullmatch(str(row['Name'])):
        # The rule is documented, the text is ours.
        raise invalid_field('The name of a channel is /u/ and letters, digits, _ and /', 'Name')
    if sobject.name == 'PushTopic':
        if not _TOPIC.fullmatch(str(row['Name'])):
            raise invalid_field('The name of a PushTopic is part of the name of its channel', 'Name')  # ours
        return _checked_topic(state, row)
    return row


def store(state: State, sobject: SObject, row: Row) -> None:
    """Store a row that was checked."""
    state.records.put(sobject, row)
    if sobject.name == 'PushTopic':
        state.topics[str(row['Id'])] = read_topic(row, state.schema)


def _checked_topic(state: State, row: Row) -> Row:
    """The row with what the org derives from it."""
    record_id = str(row['Id'])
    active = {each for each, topic in state.topics.items() if topic.active}
    if read_topic(row, state.schema).active and record_id not in active:
        check_active(len(active), state.max_push_topics)
    return {**row, 'NotifyForOperations': operations_of(row)}
