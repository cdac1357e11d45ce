"""Objects and their fields: names in any case, kinds, key prefixes, relationships. Pure.

Objects are values; the schema of an org is a table of them that only grows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from .ids import base_62
from .values import FieldType, Value

__all__ = ['Field', 'Kind', 'SObject', 'Schema', 'label_of', 'plural_of']


class Kind(Enum):
    """What sort of object it is."""

    STANDARD = 'standard'
    CUSTOM = 'custom'
    EVENT = 'platform event'


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an object.

    Attributes:
        name: in the org's spelling.
        label: what people see.
        type: see `FieldType`.
        length: most characters of a text, 0 where there is no limit of its own.
        required: whether a new record needs a value.
        unique: whether two records may not share a value; texts that differ only in case are the same.
        external_id: whether records may be addressed by it.
        writable: whether clients may write it.
        references: objects that an id of this field may belong to.
        default: value of a new record.
        choices: the only values allowed, if not empty.
        since: first API version that knows the field.
        auto_number: whether the org numbers the records in it.
    """

    name: str
    label: str
    type: FieldType
    length: int = 0
    required: bool = False
    unique: bool = False
    external_id: bool = False
    writable: bool = True
    references: tuple[str, ...] = ()
    default: Value = None
    choices: tuple[str, ...] = ()
    since: float = 0.0
    auto_number: bool = False

    @property
    def custom(self) -> bool:
        """Whether this is a custom field."""
        return self.name.endswith('__c')

    @property
    def relationship(self) -> str | None:
        """What queries write for the record behind this field: `Account` for AccountId."""
        if not self.references:
            return None
        return self.name[:-1] + 'r' if self.custom else self.name.removesuffix('Id')


@dataclass(frozen=True, slots=True)
class SObject:
    """One object.

    Attributes:
        name, label: as of fields.
        prefix: first three characters of its ids.
        kind: see `Kind`.
        fields: by name in lower case, in order.
        writable: whether clients may create, update and delete records.
        topics: whether PushTopics may watch it.
        name_parts: fields that its Name is put together from, empty where Name is a field like others.
    """

    name: str
    label: str
    prefix: str
    kind: Kind
    fields: Mapping[str, Field]
    writable: bool = True
    topics: bool = False
    name_parts: tuple[str, ...] = ()

    def field(self, name: str) -> Field | None:
        """The field of this name, in any case."""
        return self.fields.get(name.lower())

    def related(self, relationship: str) -> Field | None:
        """The field whose records queries reach by this name, in any case."""
        wanted = relationship.lower()
        found = (each for each in self.fields.values() if (each.relationship or '').lower() == wanted)
        return next(found, None)

    def extended(self, fields: Iterable[Field]) -> 'SObject':
        """This object with more fields; one of the same name is replaced."""
        return replace(self, fields={**self.fields, **{each.name.lower(): each for each in fields}})

    @property
    def name_field(self) -> str | None:
        """The field that stands for a record in lists: Name, or what stands in for it."""
        for name in ('Name', 'CaseNumber', 'Subject'):
            if self.field(name) is not None:
                return name
        return None

    @property
    def change_event(self) -> str:
        """Name of its change events, also the last part of their channel."""
        return self.name[:-1] + 'ChangeEvent' if self.name.endswith('__c') else f'{self.name}ChangeEvent'


class Schema:
    """All objects of an org."""

    def __init__(self, objects: Iterable[SObject]) -> None:
        self._objects = {each.name.lower(): each for each in objects}

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._objects.values())

    def find(self, name: str) -> SObject | None:
        """The object of this name, in any case."""
        return self._objects.get(name.lower())

    def of_id(self, record_id: str) -> SObject | None:
        """The object that this id belongs to."""
        return next((each for each in self if record_id.startswith(each.prefix)), None)

    def put(self, sobject: SObject) -> None:
        """Add an object or replace it."""
        self._objects[sobject.name.lower()] = sobject

    def next_prefix(self, kind: Kind) -> str:
        """The first free key prefix for a custom object (`a00`, ...) or a platform event (`e00`, ...)."""
        number = sum(each.kind is kind for each in self)
        return ('e' if kind is Kind.EVENT else 'a') + base_62(number, 2)


def label_of(name: str) -> str:
    """The label that Salesforce would propose: `Last Name` for LastName, `Due Date` for Due_Date__c."""
    plain = re.sub(r'__(c|e)$', '', name).replace('_', ' ')
    words = re.sub(r'(?<=[a-z0-9])(?=[A-Z])', ' ', plain)
    return re.sub(r' Id$', ' ID', words)


def plural_of(label: str) -> str:
    """The plural of a label."""
    if re.search('[^aeiou]y$', label):
        return label[:-1] + 'ies'
    return label + ('es' if label.endswith('s') else 's')
