"""Rows on their way into the org: what their object demands beyond the rules for all records. Pure.

PushTopics are records whose query has to be understood, and is then watched (`State.topics`).
"""

from collections.abc import Mapping
from typing import Any

from .push_topics import check_active, operations_of, read_topic
from .records import Author, Row
from .schema import SObject
from .state import State

__all__ = ['checked_row', 'store']


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
    if sobject.name != 'PushTopic':
        return row
    record_id = str(row['Id'])
    active = {each for each, topic in state.topics.items() if topic.active}
    if read_topic(row, state.schema).active and record_id not in active:
        check_active(len(active), state.max_push_topics)
    return {**row, 'NotifyForOperations': operations_of(row)}


def store(state: State, sobject: SObject, row: Row) -> None:
    """Store a row that was checked."""
    state.records.put(sobject, row)
    if sobject.name == 'PushTopic':
        state.topics[str(row['Id'])] = read_topic(row, state.schema)
