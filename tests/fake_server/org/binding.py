"""Queries meet the schema: names become fields, literals become values. Pure.

What comes out can be evaluated (`evaluation`), and holds names in the org's spelling only.
"""

from dataclasses import dataclass
from datetime import date, datetime

from .errors import OrgError, invalid_field
from .ids import is_id, long_id
from .schema import Field, Kind, Schema, SObject
from .soql import pointed
from .syntax import (
    All,
    Comparison,
    DateLiteral,
    Either,
    Literal,
    Not,
    Path,
    Query,
    SemiJoin,
    Text,
    Tree,
)
from .values import FieldType, Value

__all__ = [
    'AllOf',
    'AnyOf',
    'Check',
    'Column',
    'Condition',
    'Contrary',
    'Key',
    'Selection',
    'bind',
    'columns_of',
]


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the record, or of one that it leads to.

    Attributes:
        links: fields to follow, one after another: `(Contact.AccountId,)` for `Account.Name`.
        field: the field at the end.
    """

    links: tuple[Field, ...]
    field: Field


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison, see `syntax.Comparison`. After LIKE the value is the pattern as written."""

    column: Column
    operator: str
    values: tuple[Value | DateLiteral, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple['Condition', ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple['Condition', ...]


@dataclass(frozen=True, slots=True)
class Contrary:
    """The part does not hold."""

    part: 'Condition'


Condition = Check | AllOf | AnyOf | Contrary


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the order."""

    column: Column
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """A query that the org understands; `columns` is empty if it only counts."""

    sobject: SObject
    columns: tuple[Column, ...]
    where: Condition | None
    order: tuple[Key, ...]


def bind(query: Query, schema: Schema) -> Selection:
    """The query in terms of the schema.

    Raises:
        OrgError: `INVALID_TYPE` for the object, `INVALID_FIELD` for a field or the type of a value, and
            `INVALID_QUERY_FILTER_OPERATOR` for a text that is no id.
    """
    if query.constructs:
        raise ValueError(f'cannot bind {query.constructs}')
    sobject = schema.find(query.sobject)
    if sobject is None or sobject.kind is Kind.EVENT:
        text = (
            f"sObject type '{query.sobject}' is not supported. If you are attempting to use a custom object,"
            " be sure to append the '__c' after the entity name. Please reference your WSDL or the describe"
            ' call for the appropriate names.'
        )
        raise OrgError('INVALID_TYPE', pointed(query.text, query.column, text))
    names = _Names(query, schema, sobject)
    columns = tuple(names.column(each) for each in query.fields)
    for place, (column, path) in enumerate(zip(columns, query.fields, strict=True)):
        if column in columns[:place]:
            # In the words of the SOQL reference, "FIELDS()".
            raise invalid_field(f'duplicate field selected: {path}')
    return Selection(
        sobject,
        columns,
        None if query.where is None else names.condition(query.where),
        tuple(Key(names.column(each.path), each.descending, each.nulls_last) for each in query.order),
    )


def columns_of(condition: Condition | None) -> list[Column]:
    """All columns that a condition looks at."""
    match condition:
        case None:
            return []
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return [column for part in parts for column in columns_of(part)]
        case Contrary(part=part):
            return columns_of(part)
        case Check(column=column):
            return [column]


class _Names:
    """Looks up the names of one query."""

    def __init__(self, query: Query, schema: Schema, sobject: SObject) -> None:
        self._text = query.text
        self._schema = schema
        self._sobject = sobject
        self._own_names = {sobject.name.lower(), (query.alias or sobject.name).lower()}

    def column(self, path: Path) -> Column:
        steps = path.steps
        if len(steps) > 1 and steps[0].lower() in self._own_names:
            steps = steps[1:]
        sobject = self._sobject
        links = []
        for step in steps[:-1]:
            link = sobject.related(step)
            if link is None:
                text = f"Didn't understand relationship '{step}' in field path."
                raise self._wrong(path, text, step)
            links.append(link)
            # Of several objects that a field may lead to, queries see the fields of the first.
            target = self._schema.find(link.references[0])
            assert target is not None, 'references are checked when fields are made'
            sobject = target
        field = sobject.field(steps[-1])
        if field is None:
            text = (
                f"No such column '{steps[-1]}' on entity '{sobject.name}'. If you are attempting to use a"
                " custom field, be sure to append the '__c' after the custom field name. Please reference"
                ' your WSDL or the describe call for the appropriate names.'
            )
            raise self._wrong(path, text, steps[-1])
        return Column(tuple(links), field)

    def condition(self, tree: Tree) -> Condition:
        match tree:
            case All(parts=parts):
                return AllOf(tuple(self.condition(each) for each in parts))
            case Either(parts=parts):
                return AnyOf(tuple(self.condition(each) for each in parts))
            case Not(part=part):
                return Contrary(self.condition(part))
            case Comparison():
                return self._check(tree)
            case SemiJoin():
                raise ValueError('cannot bind a semi-join')

    def _check(self, test: Comparison) -> Check:
        column = self.column(test.path)
        field, operator = column.field, test.operator
        if field.type is FieldType.TEXTAREA:
            raise self._wrong(
                test.path, f"field '{field.name}' can not be filtered in a query call", field.name
            )
        ordered = operator in ('<', '<=', '>', '>=')
        if (operator == 'LIKE' and not field.type.is_text) or (
            ordered and (field.type.is_id or field.type is FieldType.BOOLEAN)
        ):
            raise self._wrong(test.path, f'invalid operator on {field.type.soap.lower()} field', field.name)
        return Check(column, operator, tuple(self._value(each, test, field) for each in test.values))

    def _value(self, literal: Literal, test: Comparison, field: Field) -> Value | DateLiteral:
        """The literal as a value of the field's type."""
        match literal:
            case None:
                return None
            case Text() if field.type.is_id:
                return self._id(literal.value, test)
            case Text(raw=raw) if field.type.is_text:
                return (raw if test.operator == 'LIKE' else literal.value) or None
            case bool() if field.type is FieldType.BOOLEAN:
                return literal
            # A truth value is an `int`, a moment is a `date`: hence the exact types.
            case int() | float() if field.type.is_number and type(literal) is not bool:
                return literal
            case datetime() if field.type is FieldType.DATETIME:
                return literal
            case date() if field.type is FieldType.DATE and type(literal) is date:
                return literal
            case DateLiteral() if field.type in (FieldType.DATE, FieldType.DATETIME):
                return literal
            case _:
                in_quotes = 'should' if field.type.is_text or field.type.is_id else 'should not'
                text = f"value of filter criterion for field '{field.name}' must be of type {field.type.soap}"
                raise self._wrong(test.path, f'{text} and {in_quotes} be enclosed in quotes', field.name)

    def _id(self, text: str, test: Comparison) -> str | None:
        if text and not is_id(text):
            problem = pointed(self._text, test.path.column, f'invalid ID field: {text}')
            raise OrgError('INVALID_QUERY_FILTER_OPERATOR', problem)
        return long_id(text) if text else None

    def _wrong(self, path: Path, text: str, *fields: str) -> OrgError:
        return invalid_field(pointed(self._text, path.column, text), *fields)
