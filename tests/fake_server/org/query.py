"""Running queries over REST. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from .binding import Column, Key, Selection, bind
from .errors import OrgError, malformed_query
from .evaluation import Look, matches, value_of
from .records import Records, Row, comparable
from .schema import Schema, SObject
from .soql import parse
from .values import rest_json

__all__ = ['Found', 'attributes', 'run']

# Most rows that may be skipped (SOQL reference, "OFFSET").
MAX_OFFSET = 2000


class Found(list[dict[str, Any]]):
    """The records that a query found, as REST shows them.

    Attributes:
        total: `totalSize` of the reply: how many there are; with `COUNT()` they are only counted.
    """

    def __init__(self, records: Sequence[dict[str, Any]], total: int) -> None:
        super().__init__(records)
        self.total = total


def run(
    text: str, schema: Schema, records: Records, *, today: date, with_deleted: bool, api_version: str
) -> Found:
    """Run a query.

    Args:
        today: what date literals count from.
        with_deleted: whether it looks into the recycle bin (`queryAll`).
        api_version: for the links to the records.
    Raises:
        OrgError: `MALFORMED_QUERY`, `INVALID_TYPE`, `INVALID_FIELD`, ...
    """
    query = parse(text)
    if query.constructs:
        named = ', '.join(sorted(each.value for each in query.constructs))
        raise malformed_query(f'The fake org does not run {named}')
    if query.offset is not None and query.offset > MAX_OFFSET:
        raise OrgError('NUMBER_OUTSIDE_VALID_RANGE', f'Maximum SOQL offset allowed is {MAX_OFFSET}')
    selection = bind(query, schema)
    # Deleted records are still reached through a field that leads to them, as in Salesforce.
    look: Look = records.at
    rows = [
        row
        for row in records.rows(selection.sobject, with_deleted=with_deleted)
        if matches(selection.where, row, today=today, look=look)
    ]
    for key in reversed(selection.order):
        _sort(rows, key, look)
    first = query.offset or 0
    rows = rows[first : None if query.limit is None else first + query.limit]
    if query.count:
        return Found([], len(rows))
    return Found([_shown(selection, row, schema, look, api_version) for row in rows], len(rows))


def attributes(sobject: SObject, record_id: object, api_version: str) -> dict[str, str]:
    """Type and address of a record, as each record in a reply begins."""
    return {
        'type': sobject.name,
        'url': f'/services/data/v{api_version}/sobjects/{sobject.name}/{record_id}',
    }


def _sort(rows: list[Row], key: Key, look: Look) -> None:
    """Sort by one key, keeping what was sorted before."""

    def rank(row: Row) -> Any:
        return comparable(key.column.field.type, value_of(key.column, row, look))

    filled = [row for row in rows if rank(row) is not None]
    empty = [row for row in rows if rank(row) is None]
    filled.sort(key=rank, reverse=key.descending)
    rows[:] = filled + empty if key.nulls_last else empty + filled


def _shown(selection: Selection, row: Row, schema: Schema, look: Look, version: str) -> dict[str, Any]:
    """The record with the selected fields; fields of related records are in objects of their own."""
    shown: dict[str, Any] = {'attributes': attributes(selection.sobject, row['Id'], version)}
    for column in selection.columns:
        place: dict[str, Any] | None = _place(column, row, shown, schema, look, version)
        if place is not None:
            place[column.field.name] = rest_json(value_of(column, row, look))
    return shown


def _place(
    column: Column, row: Row, shown: dict[str, Any], schema: Schema, look: Look, version: str
) -> dict[str, Any] | None:
    """The object that shows this column; None if a link leads nowhere, which shows as null."""
    place = shown
    current = row
    for link in column.links:
        name = str(link.relationship)
        target = current[link.name]
        found = None if target is None else look(str(target))
        sobject = None if target is None else schema.of_id(str(target))
        if found is None or sobject is None:
            place[name] = None
            return None
        place = place.setdefault(name, {'attributes': attributes(sobject, target, version)})
        current = found
    return place
