"""How fields are written down, in the seed and for the standard objects: `date`, or a mapping. Pure.

    Status__c: text
    Account__c: {reference: Account}
    ExternalId__c: {type: text, length: 40, external_id: true}

A mapping may hold `type`, `label`, `length`, `required`, `unique`, `external_id`, `reference`, `default`,
`choices` and `read_only`.
"""

from collections.abc import Mapping
from typing import Any

from .errors import OrgError
from .schema import Field, label_of
from .values import FieldType, Value, from_json

__all__ = ['KEYS', 'TYPES', 'read_field']

TYPES: Mapping[str, FieldType] = {
    'text': FieldType.STRING,
    'number': FieldType.DOUBLE,
    'reference': FieldType.REFERENCE,
    **{
        each.value: each
        for each in FieldType
        if each not in (FieldType.ID, FieldType.STRING, FieldType.DOUBLE, FieldType.REFERENCE)
    },
}

# Most characters, where nothing else is said: Salesforce's own limits of these types.
_LENGTHS = {
    FieldType.STRING: 255,
    FieldType.TEXTAREA: 32_000,
    FieldType.EMAIL: 80,
    FieldType.URL: 255,
    FieldType.PHONE: 40,
    FieldType.PICKLIST: 255,
}
KEYS: Mapping[str, type | tuple[type, ...]] = {
    'type': str,
    'label': str,
    'length': int,
    'required': bool,
    'unique': bool,
    'external_id': bool,
    'reference': (str, list, tuple),
    'default': object,
    'choices': (list, tuple),
    'read_only': bool,
}


def read_field(name: str, notation: object) -> Field:
    """The field that this notation describes.

    Raises:
        ValueError: everything that is wrong with it, in one text.
    """
    if isinstance(notation, str):
        notation = {'type': notation}
    if not isinstance(notation, Mapping):
        raise ValueError('neither the name of a type nor a mapping')
    problems = [f'{key}: no such key' for key in notation if key not in KEYS]
    problems += [
        f'{key}: {value!r} is not allowed'
        for key, value in notation.items()
        if key in KEYS and not isinstance(value, KEYS[key])
    ]
    type_ = TYPES.get(_type_name(notation))
    if type_ is None:
        problems.append(f'{_type_name(notation)!r} is not one of the types {", ".join(TYPES)}')
    elif type_ is FieldType.REFERENCE and 'reference' not in notation:
        problems.append('reference: missing')
    if problems or type_ is None:
        raise ValueError('; '.join(problems))
    external_id = bool(notation.get('external_id', False))
    return Field(
        name=name,
        label=notation.get('label', label_of(name)),
        type=type_,
        length=notation.get('length', _LENGTHS.get(type_, 0)),
        required=bool(notation.get('required', False)),
        # Two records with one external id would make it useless as an address.
        unique=bool(notation.get('unique', external_id)),
        external_id=external_id,
        writable=not notation.get('read_only', False),
        references=_references(notation.get('reference', ())),
        default=_default(type_, notation.get('default')),
        choices=tuple(notation.get('choices', ())),
    )


def _type_name(notation: Mapping[str, Any]) -> str:
    return str(notation.get('type', 'reference' if 'reference' in notation else 'text'))


def _references(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _default(type_: FieldType, value: object) -> Value:
    """A truth value is never empty."""
    if value is None:
        return False if type_ is FieldType.BOOLEAN else None
    try:
        return from_json(type_, value)
    except (OrgError, ValueError):
        raise ValueError(f'default: {value!r} is not a {type_.value}') from None
