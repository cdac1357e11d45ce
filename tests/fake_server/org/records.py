"""The tables of an org: what a record may hold, and the records. Pure.

A row is a mapping from field names, in the org's spelling, to values; rows are replaced, never changed.
`checked` makes a row and stores nothing, so that further rules can be asked before `put`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .errors import OrgError, deleted, invalid_field, no_resource
from .ids import IdMaker, is_id, long_id
from .schema import Field, Schema, SObject
from .values import FieldType, Value, from_json

__all__ = ['Author', 'Records', 'Row', 'changed_fields', 'comparable']

Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, when and through which API.

    Attributes:
        user_id: 18 characters.
        moment: when.
        api_version: such as `67.0`; fields that are younger do not exist.
    """

    user_id: str
    moment: datetime
    api_version: str

    @property
    def stamps(self) -> Row:
        """What every write leaves on a record."""
        return {
            'LastModifiedDate': self.moment,
            'LastModifiedById': self.user_id,
            'SystemModstamp': self.moment,
        }


def changed_fields(old: Row, new: Row) -> list[str]:
    """Names of the fields whose values differ, in order."""
    return [name for name, value in new.items() if value != old.get(name)]


def comparable(type_: FieldType, value: Value) -> Value:
    """What decides whether two values are the same: texts do not differ by case, ids do."""
    return value.lower() if isinstance(value, str) and not type_.is_id else value


class Records:
    """All records of an org."""

    def __init__(self, schema: Schema, ids: IdMaker) -> None:
        self._schema = schema
        self._ids = ids
        self._tables: dict[str, dict[str, Row]] = {}

    def rows(self, sobject: SObject, *, with_deleted: bool = False) -> list[Row]:
        """Records of an object, the oldest first."""
        table = self._tables.get(sobject.name, {})
        return [row for row in table.values() if with_deleted or not row['IsDeleted']]

    def get(self, sobject: SObject, record_id: str, *, from_bin: bool = False) -> Row:
        """One record.

        Args:
            record_id: in either form.
            from_bin: whether it is one from the recycle bin that is wanted.
        Raises:
            OrgError: `NOT_FOUND`, or `ENTITY_IS_DELETED` if it is in the bin and not wanted from there.
        """
        if not is_id(record_id):
            text = f'Provided external ID field does not exist or is not accessible: {record_id}'
            raise OrgError('NOT_FOUND', text, status=404)
        row = self.at(record_id) if record_id.startswith(sobject.prefix) else None
        if row is None or (from_bin and not row['IsDeleted']):
            raise no_resource()
        if row['IsDeleted'] and not from_bin:
            raise deleted()
        return row

    def at(self, record_id: str) -> Row | None:
        """The record with this id, of whatever object, deleted or not."""
        sobject = self._schema.of_id(record_id)
        return None if sobject is None else self._tables.get(sobject.name, {}).get(long_id(record_id))

    def put(self, sobject: SObject, row: Row) -> None:
        """Store a row, instead of the one with its id if there is one."""
        self._tables.setdefault(sobject.name, {})[str(row['Id'])] = row

    def widen(self, sobject: SObject) -> None:
        """Give all records the fields that their object has got since."""
        blank = {each.name: each.default for each in sobject.fields.values()}
        table = self._tables.get(sobject.name, {})
        self._tables[sobject.name] = {record_id: {**blank, **row} for record_id, row in table.items()}

    def checked(self, sobject: SObject, values: Mapping[str, Any], author: Author, *, old: Row | None) -> Row:
        """The row that a write leads to; nothing is stored.

        Args:
            values: field name, in any case -> JSON value.
            old: the record before the write; None for a new one.
        Raises:
            OrgError: a field that does not exist or may not be written, or a value that cannot be.
        """
        written = self._written(sobject, values, float(author.api_version))
        row = {**(self._blank(sobject, author) if old is None else old), **author.stamps, **written}
        _require(sobject, row)
        if sobject.name_parts:
            row['Name'] = ' '.join(str(row[part]) for part in sobject.name_parts if row[part] is not None)
        elif sobject.field('Name') and row['Name'] is None:
            row['Name'] = row['Id']  # a custom object's record that was given none
        self._refuse_duplicates(sobject, row)
        return row

    def _blank(self, sobject: SObject, author: Author) -> Row:
        """A new record before anything is written into it."""
        row = {each.name: each.default for each in sobject.fields.values()}
        row |= {each.name: self._number(sobject) for each in sobject.fields.values() if each.auto_number}
        if sobject.field('OwnerId'):
            row['OwnerId'] = author.user_id
        row |= {'CreatedDate': author.moment, 'CreatedById': author.user_id}
        return {**row, 'Id': self._ids.next(sobject.prefix)}

    def _written(self, sobject: SObject, values: Mapping[str, Any], version: float) -> dict[str, Value]:
        """The values as fields hold them. All fields are looked up before values are."""
        fields = {}
        for name in values:
            field = sobject.field(name)
            if field is None or field.since > version:
                raise invalid_field(f"No such column '{name}' on sobject of type {sobject.name}", name)
            fields[name] = field
        refused = [field.name for field in fields.values() if not field.writable]
        if refused:
            raise OrgError(
                'INVALID_FIELD_FOR_INSERT_UPDATE',
                f'Unable to create/update fields: {", ".join(refused)}. Please check the security settings of'
                ' this field and verify that it is read/write for your profile or permission set.',
                refused,
            )
        return {field.name: self._value(sobject, field, values[name]) for name, field in fields.items()}

    def _value(self, sobject: SObject, field: Field, json: object) -> Value:
        if field.type.is_id and json not in (None, '') and not is_id(json):
            raise OrgError(
                'MALFORMED_ID', f'{field.label}: id value of incorrect type: {json}', (field.name,)
            )
        value = from_json(field.type, json)
        if isinstance(value, str):
            if field.references:
                self._refuse_dangling(sobject, field, value)
            elif len(value) > field.length:
                raise OrgError(
                    'STRING_TOO_LONG',
                    f'{field.label}: data value too large: {value} (max length={field.length})',
                    (field.name,),
                )
            if field.choices and value not in field.choices:
                raise OrgError(
                    'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
                    f'{field.label}: bad value for restricted picklist field: {value}',
                    (field.name,),
                )
        elif value is None and field.type is FieldType.BOOLEAN:
            return False
        return value

    def _refuse_dangling(self, sobject: SObject, field: Field, record_id: str) -> None:
        """A reference leads to a record that is there, of an object that the field allows."""
        target = self._schema.of_id(record_id)
        row = self.at(record_id)
        if target is None or target.name not in field.references:
            raise OrgError(
                'FIELD_INTEGRITY_EXCEPTION',
                f'{field.label}: id value of incorrect type: {record_id}',
                (field.name,),
            )
        if row is None or row['IsDeleted']:
            raise OrgError('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', (field.name,))
        if target.name == 'RecordType' and row['SobjectType'] != sobject.name:
            text = f"{field.label}: this ID value isn't valid for the user: {record_id}"
            raise OrgError('INVALID_CROSS_REFERENCE_KEY', text, (field.name,))

    def _refuse_duplicates(self, sobject: SObject, row: Row) -> None:
        """Of the records outside the bin, no other has the value of a unique field."""
        for field in sobject.fields.values():
            value = comparable(field.type, row[field.name])
            if not field.unique or value is None:
                continue
            for other in self.rows(sobject):
                if other['Id'] != row['Id'] and comparable(field.type, other[field.name]) == value:
                    text = f'{field.name} duplicates value on record with id: {other["Id"]}'
                    raise OrgError('DUPLICATE_VALUE', f'duplicate value found: {text}', (field.name,))

    def _number(self, sobject: SObject) -> str:
        """Numbers of records begin with 00001000 (the default of Case)."""
        return f'{1000 + len(self._tables.get(sobject.name, {})):08d}'


def _require(sobject: SObject, row: Row) -> None:
    missing = [each.name for each in sobject.fields.values() if each.required and row[each.name] is None]
    if missing:
        raise OrgError(
            'REQUIRED_FIELD_MISSING', f'Required fields are missing: [{", ".join(missing)}]', missing
        )
