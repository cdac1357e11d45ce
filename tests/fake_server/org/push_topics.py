"""What PushTopics may ask for. Pure.

Source: Object Reference, "PushTopic"; Streaming API guide, "PushTopic Queries" and "Unsupported PushTopic
Queries". Texts that are not documented are ours, and the comment next to them says so.
"""

from dataclasses import dataclass

from .binding import Condition, bind, columns_of
from .errors import OrgError, invalid_field
from .records import Row
from .schema import Schema, SObject
from .soql import parse
from .syntax import All, Construct, Either, Not, Query, Tree

__all__ = ['Topic', 'check_active', 'operations_of', 'read_topic']

# Refusals of queries, in the order in which they are looked for.
_REFUSALS = {
    Construct.SEMI_JOIN: 'semi/anti join sub-selects are not supported',
    Construct.AGGREGATE: 'Aggregate queries are not supported',
    Construct.TYPEOF: "'TYPEOF' clause is not allowed",
    Construct.SUB_SELECT: 'relationships are not supported',
}


@dataclass(frozen=True, slots=True)
class Topic:
    """A PushTopic whose query is understood.

    Attributes:
        name: last part of its channel, in this case.
        active: whether it notifies at all.
        sobject: what it watches.
        fields: names that its query selects, in order.
        where_fields: names that its WHERE clause looks at.
        where: the WHERE clause.
        notify_for_fields: `All`, `Referenced`, `Select` or `Where`.
        operations: which of `created`, `updated`, `deleted` and `undeleted` notify.
    """

    name: str
    active: bool
    sobject: SObject
    fields: tuple[str, ...]
    where_fields: frozenset[str]
    where: Condition | None
    notify_for_fields: str
    operations: frozenset[str]

    @property
    def channel(self) -> str:
        """Where its notifications go."""
        return f'/topic/{self.name}'

    @property
    def watched(self) -> frozenset[str] | None:
        """Fields of which one has to change for an update to notify; None if any will do."""
        match self.notify_for_fields:
            case 'All':
                return None
            case 'Select':
                return frozenset(self.fields)
            case 'Where':
                return self.where_fields
            case _:
                return frozenset(self.fields) | self.where_fields


def read_topic(row: Row, schema: Schema) -> Topic:
    """The topic of this PushTopic record.

    Raises:
        OrgError: `INVALID_FIELD`, because of its query or its `ApiVersion`.
    """
    version = row['ApiVersion']
    if not isinstance(version, float) or version <= 20.0:
        # The rule is documented, the text is ours.
        raise invalid_field('The API version must be greater than 20.0', 'ApiVersion')
    try:
        query = parse(str(row['Query']))
        _refuse(query)
        selection = bind(query, schema)
        if any(each.links for each in (*selection.columns, *columns_of(selection.where))):
            raise invalid_field('relationships are not supported')
    except OrgError as error:
        # Whatever is wrong with the query: the record has a field with an invalid value.
        raise invalid_field(error.message, 'Query') from None
    sobject = selection.sobject
    if not sobject.topics:
        raise invalid_field(f'PushTopics are not supported for {sobject.name}', 'Query')  # our text
    fields = tuple(column.field.name for column in selection.columns)
    where = selection.where
    where_fields = frozenset(each.field.name for each in columns_of(where))
    if 'Id' not in fields:
        raise invalid_field('The query must select Id', 'Query')  # our text
    if row['NotifyForFields'] == 'Referenced' and not (set(fields) | where_fields) - {'Id'}:
        text = 'With NotifyForFields Referenced the query must reference another field than Id'  # ours
        raise invalid_field(text, 'Query')
    flags = {
        'created': row['NotifyForOperationCreate'],
        'updated': row['NotifyForOperationUpdate'],
        'deleted': row['NotifyForOperationDelete'],
        'undeleted': row['NotifyForOperationUndelete'],
    }
    return Topic(
        name=str(row['Name']),
        active=bool(row['IsActive']) and not row['IsDeleted'],
        sobject=sobject,
        fields=fields,
        where_fields=where_fields,
        where=where,
        notify_for_fields=str(row['NotifyForFields']),
        operations=frozenset(name for name, flag in flags.items() if flag),
    )


def check_active(others: int, limit: int) -> None:
    """Refuse one more active topic beside so many others. The code is documented nowhere."""
    if others >= limit:
        raise OrgError('LIMIT_EXCEEDED', f'The limit of {limit} active PushTopics has been reached')


def operations_of(row: Row) -> str:
    """`NotifyForOperations`, which the org derives from the four flags."""
    create, update = bool(row['NotifyForOperationCreate']), bool(row['NotifyForOperationUpdate'])
    if create and update:
        return 'All'
    if create or update:
        return 'Create' if create else 'Update'
    return 'Extended'


def _refuse(query: Query) -> None:
    """What other queries may hold, and those of PushTopics may not."""
    for construct, text in _REFUSALS.items():
        if construct in query.constructs:
            raise invalid_field(text, 'Query')
    if query.count:
        raise invalid_field(_REFUSALS[Construct.AGGREGATE], 'Query')
    if query.limit is not None:
        raise invalid_field("'LIMIT' is not allowed", 'Query')
    if query.order:
        raise invalid_field("'ORDER BY' clause is not allowed", 'Query')
    if _has_not(query.where):
        raise invalid_field("'NOT' is not supported", 'Query')
    if query.offset is not None:
        raise invalid_field("'OFFSET' clause is not allowed", 'Query')


def _has_not(tree: Tree | None) -> bool:
    match tree:
        case All(parts=parts) | Either(parts=parts):
            return any(_has_not(each) for each in parts)
        case _:
            return isinstance(tree, Not)
