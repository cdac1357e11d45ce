"""Single records out of the org, by id and by external id. Pure."""

from collections.abc import Sequence
from typing import Any

from .errors import OrgError, invalid_field
from .query import attributes
from .records import comparable
from .schema import Field, SObject
from .state import State
from .values import FieldType, from_json, rest_json

__all__ = ['by_external_id', 'external_id', 'read']


def read(
    state: State, sobject: SObject, record_id: str, fields: Sequence[str] | None, api_version: str
) -> dict[str, Any]:
    """A record as REST shows it; `fields` None for all of them.

    Raises:
        OrgError: `NOT_FOUND`, `ENTITY_IS_DELETED`, `INVALID_FIELD`.
    """
    row = state.records.get(sobject, record_id)
    names = [each.name for each in sobject.fields.values()] if fields is None else fields
    shown: dict[str, Any] = {'attributes': attributes(sobject, row['Id'], api_version)}
    for name in names:
        field = sobject.field(name)
        if field is None:
            raise invalid_field(f"No such column '{name}' on sobject of type {sobject.name}", name)
        shown[field.name] = rest_json(row[field.name])
    return shown


def external_id(sobject: SObject, field: str, text: str) -> object:
    """An external id from an address, as the JSON value that a record would hold: numbers are no texts there.

    Raises:
        OrgError: `NOT_FOUND`: the field is no external id.
    """
    known = _key_field(sobject, field)
    if not known.type.is_number:
        return text
    try:
        number = float(text)
    except ValueError:
        return text  # which no record has, and none can be made with
    return int(number) if known.type is FieldType.INT and number.is_integer() else number


def by_external_id(state: State, sobject: SObject, field: str, value: object) -> str | None:
    """Id of the record with this external id, a JSON value; None if there is none.

    Raises:
        OrgError: `NOT_FOUND`: the field is no external id.
    """
    known = _key_field(sobject, field)
    try:
        wanted = comparable(known.type, from_json(known.type, value))
    except OrgError:
        return None
    for row in state.records.rows(sobject):
        if wanted is not None and comparable(known.type, row[known.name]) == wanted:
            return str(row['Id'])
    return None


def _key_field(sobject: SObject, field: str) -> Field:
    known = sobject.field(field)
    if known is None or not known.external_id:
        text = f'Provided external ID field does not exist or is not accessible: {field}'
        raise OrgError('NOT_FOUND', text, status=404)
    return known
