"""Types of fields: which JSON values they take, and how their values look in replies and events. Pure.

Inside the org a value is None, a text, a truth value, a number, a day or a moment; an id is a text of 18
characters. An empty text is None, as in Salesforce.
"""

from datetime import date, datetime
from enum import Enum

from .errors import OrgError
from .ids import is_id, long_id
from .moments import parse_date, parse_datetime, wire_date, wire_datetime

__all__ = ['FieldType', 'Value', 'event_json', 'from_json', 'rest_json']

Value = str | bool | int | float | date | datetime | None
Json = str | bool | int | float | None


MOST = 10**18  # number fields have 18 digits


class FieldType(Enum):
    """Types as `describe` calls them; the seed names them in its own words (`notation.TYPES`)."""

    ID = 'id'
    REFERENCE = 'reference'
    STRING = 'string'
    TEXTAREA = 'textarea'
    EMAIL = 'email'
    URL = 'url'
    PHONE = 'phone'
    PICKLIST = 'picklist'
    BOOLEAN = 'boolean'
    INT = 'int'
    DOUBLE = 'double'
    CURRENCY = 'currency'
    DATE = 'date'
    DATETIME = 'datetime'

    @property
    def is_id(self) -> bool:
        """Whether values are ids."""
        return self in (FieldType.ID, FieldType.REFERENCE)

    @property
    def is_number(self) -> bool:
        """Whether values are numbers."""
        return self in (FieldType.INT, FieldType.DOUBLE, FieldType.CURRENCY)

    @property
    def is_text(self) -> bool:
        """Whether values are texts that are no ids."""
        return self.soap == 'string'

    @property
    def soap(self) -> str:
        """The name that errors of queries use."""
        if self.is_id or self in (FieldType.BOOLEAN, FieldType.INT, FieldType.DATE):
            return 'ID' if self.is_id else self.value
        if self.is_number:
            return 'double'
        return 'dateTime' if self is FieldType.DATETIME else 'string'


def from_json(type_: FieldType, value: object) -> Value:
    """A JSON value as a field of this type holds it.

    Raises:
        OrgError: `JSON_PARSER_ERROR` for another type of value, `MALFORMED_ID` for a text that is no id.
    """
    if value is None or value == '':
        return None
    if type_.is_id:
        if not isinstance(value, str) or not is_id(value):
            raise OrgError('MALFORMED_ID', f'id value of incorrect type: {value}')
        return long_id(value)
    if type_ is FieldType.BOOLEAN:
        if isinstance(value, bool):
            return value
    elif type_.is_number:
        # A number in quotes is refused: leniency here would hide a client's mistake.
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not abs(value) < MOST:  # nor what is no number at all, which YAML can write
                raise OrgError('NUMBER_OUTSIDE_VALID_RANGE', 'number value is outside the valid range')
            if type_ is not FieldType.INT:
                return float(value)
            if isinstance(value, int):
                return value
    elif isinstance(value, str):
        try:
            if type_ is FieldType.DATE:
                return parse_date(value)
            return parse_datetime(value) if type_ is FieldType.DATETIME else value
        except ValueError:
            pass
    raise OrgError(
        'JSON_PARSER_ERROR',
        f'Cannot deserialize instance of {type_.value} from {_token(value)}'
        ' or request may be missing a required field',
    )


def _token(value: object) -> str:
    """The value as the JSON parser of Salesforce names it."""
    match value:
        case bool():
            return f'VALUE_{str(value).upper()} value {str(value).lower()}'
        case str():
            return f'VALUE_STRING value {value}'
        case int():
            return f'VALUE_NUMBER_INT value {value}'
        case float():
            return f'VALUE_NUMBER_FLOAT value {value}'
        case list():
            return 'START_ARRAY value ['
        case _:
            return 'START_OBJECT value {'


def rest_json(value: Value) -> Json:
    """The value as REST replies show it."""
    return _json(value, '+0000')


def event_json(value: Value) -> Json:
    """The value as events show it."""
    return _json(value, 'Z')


def _json(value: Value, zone: str) -> Json:
    if isinstance(value, datetime):
        return wire_datetime(value, zone)
    if isinstance(value, date):
        return wire_date(value)
    return value
