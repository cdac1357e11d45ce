"""What it takes to make an org's PushTopics agree with the wanted ones. Floor 3, pure.

Decides whether a topic has to be created, changed or left alone, and which queries find out what there is.
The only place with the wire names of a PushTopic's fields. `declarations.py` asks and acts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nameko_salesforce.push_topics import OPERATIONS, DesiredTopic
from nameko_salesforce.soql import quote

__all__ = [
    'LOOKUP_LIMIT',
    'Create',
    'Keep',
    'Update',
    'plan',
    'record_type_query',
    'topic_queries',
    'values_of',
]

# Bytes of a look-up before it is URL-encoded, which makes three of one at worst: below the 8 KiB that
# proxies commonly allow for a request line (Salesforce itself: 16 KiB). Room for some 80 topics.
LOOKUP_LIMIT = 2500


@dataclass(frozen=True, slots=True)
class Create:
    """The topic is missing.

    Attributes:
        values: fields of the new PushTopic, as on the wire.
    """

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """The topic differs.

    Attributes:
        record_id: its id.
        changes: the fields that differ and no other, with the values that are wanted.
    """

    record_id: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Keep:
    """The topic is as it should be."""


def values_of(desired: DesiredTopic, api_version: str) -> dict[str, Any]:
    """The fields of a PushTopic as REST wants them.

    Args:
        api_version: '67.0'; a number on the wire.
    """
    return {
        'Name': desired.name,
        'Query': desired.query,
        'ApiVersion': float(api_version),
        'IsActive': True,
        'NotifyForFields': desired.notify_for_fields.value,
        **{wire: getattr(desired, ours) for ours, wire in OPERATIONS.items()},
    }


# What a look-up has to select for `plan`.
_FIELDS = (
    'Id',
    'Name',
    'Query',
    'ApiVersion',
    'IsActive',
    'NotifyForFields',
    *OPERATIONS.values(),
)


def plan(
    desired: DesiredTopic, existing: Mapping[str, Any] | None, *, api_version: str
) -> Create | Update | Keep:
    """What it takes.

    Args:
        existing: the record that a look-up (`topic_queries`) found, or None.
        api_version: that the topic's query is to be read with.
    """
    values = values_of(desired, api_version)
    if existing is None:
        return Create(values)
    changes = {name: value for name, value in values.items() if not _same(value, existing.get(name))}
    if not changes:
        return Keep()
    if not isinstance(existing['Id'], str):
        raise TypeError('a PushTopic without an id')
    return Update(existing['Id'], changes)


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, float):
        # 67, 67.0 and '67.0' have all been seen for one version.
        try:
            return float(found) == wanted
        except (TypeError, ValueError, OverflowError):
            return False
    return bool(wanted == found)


# --- look-ups -----------------------------------------------------------------------------------


def topic_queries(names: Iterable[str]) -> Iterator[str]:
    """SOQL that finds the topics of these names: one query, or more where it would become too long a URL."""
    head = f'SELECT {", ".join(_FIELDS)} FROM PushTopic WHERE Name IN ('
    batch: list[str] = []
    size = len(head)
    for name in names:
        literal = quote(name)
        length = len(literal.encode()) + len(', ')
        if batch and size + length > LOOKUP_LIMIT:
            yield f'{head}{", ".join(batch)})'
            batch, size = [], len(head)
        batch.append(literal)
        size += length
    if batch:
        yield f'{head}{", ".join(batch)})'


def record_type_query(sobject_type: str, record_type: str) -> str:
    """SOQL that finds the id of a record type by its developer name."""
    return (
        f'SELECT Id FROM RecordType WHERE SobjectType = {quote(sobject_type)}'
        f' AND DeveloperName = {quote(record_type)}'
    )
