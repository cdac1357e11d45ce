"""PushTopics as a service wants them. Floor 3, pure.

Decides what a topic is called, what its query selects, and whether two declarations can live together.
What only the org knows (the id of a user or of a record type, whether an object has a Name) comes in.

    declared:  DesiredTopic | SobjectTopic     as decorators say it
    wanted:    DesiredTopic                    with its query; `SobjectTopic.resolve` makes one

Source of the rules and limits: Streaming API Developer Guide, "PushTopic" and "PushTopic Queries".
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from nameko_salesforce.bayeux.texts import shown
from nameko_salesforce.constants import NotifyForFields
from nameko_salesforce.soql import quote

__all__ = [
    'NAME_LIMIT',
    'OPERATIONS',
    'QUERY_LIMIT',
    'DesiredTopic',
    'SobjectTopic',
    'Topic',
    'collect',
    'joined_name',
    'unheard_names',
]

# Characters.
NAME_LIMIT = 25
QUERY_LIMIT = 1300

# An id of Salesforce in its long form, for the length of a query whose ids are not known yet.
_ANY_ID = '0' * 18

# A name that ends up bare in a query, so that nothing else may: no quotes, no dots (a PushTopic cannot follow
# relationships), no commas.
_API_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]*')

# Objects whose Name is put together: what is selected, and the conditions.
_OF_PERSONS = re.compile(
    r'select\s(?P<select>.*?)\sfrom\s+(?:contact|lead)\b(?P<where>.*)', re.IGNORECASE | re.DOTALL
)
_LITERAL = re.compile(r"'(?:\\.|[^'\\])*'")

# Our names of the operations, and those on the wire.
OPERATIONS = {
    'notify_for_operation_create': 'NotifyForOperationCreate',
    'notify_for_operation_update': 'NotifyForOperationUpdate',
    'notify_for_operation_delete': 'NotifyForOperationDelete',
    'notify_for_operation_undelete': 'NotifyForOperationUndelete',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notify:
    """When Salesforce sends a notification.

    Attributes:
        notify_for_fields: which fields an update has to change. `all_` as in version 1.2; Salesforce's own
            default would be `referenced`.
        notify_for_operation_create, notify_for_operation_update, notify_for_operation_delete,
        notify_for_operation_undelete: which operations count.
    """

    notify_for_fields: NotifyForFields = NotifyForFields.all_
    notify_for_operation_create: bool = True
    notify_for_operation_update: bool = True
    notify_for_operation_delete: bool = True
    notify_for_operation_undelete: bool = True

    def _check_notify(self, topic: str) -> None:
        which: object = self.notify_for_fields
        if not isinstance(which, NotifyForFields):
            members = ', '.join(str(each) for each in NotifyForFields)
            raise ValueError(f'PushTopic {topic}: notify_for_fields has to be one of {members}')
        for name in OPERATIONS:
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f'PushTopic {topic}: {name} has to be True or False')

    def _notify(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ('notify_for_fields', *OPERATIONS)}


@dataclass(frozen=True, slots=True)
class DesiredTopic(_Notify):
    """A PushTopic with its query.

    Attributes:
        name: of the topic, and so of its channel `/topic/<name>`; 25 characters at most.
        query: SOQL, 1,300 characters at most; what surrounds it is stripped, for Salesforce would not keep it
            and each start would find a difference. Whether it is a query that a PushTopic may have is
            Salesforce's to say.
    Raises:
        ValueError: names the topic, what is wrong, and what to do.
    """

    name: str
    query: str

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not isinstance(self.query, str) or not self.query.strip():
            raise ValueError(f'PushTopic {self.name}: the query has to be a SOQL text')
        object.__setattr__(self, 'query', self.query.strip())
        if len(self.query) > QUERY_LIMIT:
            raise ValueError(
                f'PushTopic {self.name}: the query has {len(self.query):,} characters and Salesforce'
                f' allows {QUERY_LIMIT:,}; select fewer fields, or split it into several topics'
            )
        self._check_notify(self.name)


@dataclass(frozen=True, slots=True)
class SobjectTopic(_Notify):
    """The PushTopic for the records of one object.

    Attributes:
        sobject_type: API name: 'Contact', 'Invoice_Statement__c'.
        record_type: developer name of a record type, or None for all records.
        exclude_current_user: whether changes by the user that the service is logged in as are left out.
            It puts LastModifiedById into the WHERE clause: with `referenced` and `where` an update counts
            also when merely another user than last time made it.
        fields: selected besides Id and, where the object has one, Name. With `all_`, LastModifiedById and
            LastModifiedDate are selected too, as in version 1.2; with the other three they are not: each save
            changes them, so that "only when the name changes" would be every save.
        name: of the topic; '' means object and record type joined, as in version 1.2.
    Raises:
        ValueError: names the topic, what is wrong, and what to do.
    """

    sobject_type: str
    record_type: str | None = None
    exclude_current_user: bool = True
    fields: Sequence[str] = ()
    name: str = ''

    def __post_init__(self) -> None:
        if not isinstance(self.sobject_type, str) or not _API_NAME.fullmatch(self.sobject_type):
            raise ValueError(f'sobject_type {shown(self.sobject_type)} is not the API name of an object')
        if self.record_type is not None and (not isinstance(self.record_type, str) or not self.record_type):
            raise ValueError(f'{self.sobject_type}: record_type has to be the developer name of one, or None')
        if not self.name:
            object.__setattr__(self, 'name', joined_name(self.sobject_type, self.record_type))
        _check_name(self.name)
        if not isinstance(self.exclude_current_user, bool):
            raise ValueError(f'PushTopic {self.name}: exclude_current_user has to be True or False')
        if isinstance(self.fields, str) or not all(
            isinstance(each, str) and _API_NAME.fullmatch(each) for each in self.fields
        ):
            raise ValueError(
                f'PushTopic {self.name}: fields has to be a list of API names of fields;'
                ' a PushTopic cannot select those of related objects'
            )
        object.__setattr__(self, 'fields', tuple(self.fields))
        self._check_notify(self.name)
        if self.notify_for_fields is NotifyForFields.where and not self._has_condition():
            raise ValueError(
                f'PushTopic {self.name}: no update would notify with {self.notify_for_fields}, for there is'
                ' no condition; name a record_type or let exclude_current_user be'
            )
        # Ids have one length, and Name only adds to it: a query that is too long here is so in every org.
        self._desired(_ANY_ID, _ANY_ID, has_name=False)

    def resolve(self, *, user_id: str, record_type_id: str, has_name: bool) -> DesiredTopic:
        """The topic with its query.

        Args:
            user_id: of the user that the service is logged in as; ignored unless `exclude_current_user`.
            record_type_id: ignored unless there is a `record_type`.
            has_name: whether the object has a field Name (Case and Task have none).
        Raises:
            ValueError: the query is too long, or could never notify of an update.
        """
        if not has_name and not self._has_field() and self._needs_a_field():
            raise ValueError(
                f'PushTopic {self.name}: {self.sobject_type} has no Name, so that no update would notify with'
                f' {self.notify_for_fields}; say which fields count with fields=[...]'
            )
        return self._desired(user_id, record_type_id, has_name=has_name)

    def _desired(self, user_id: str, record_type_id: str, *, has_name: bool) -> DesiredTopic:
        conditions = []
        if self.record_type is not None:
            conditions.append(f'RecordTypeId = {quote(record_type_id)}')
        if self.exclude_current_user:
            conditions.append(f'LastModifiedById != {quote(user_id)}')
        selected = ['Id', 'Name'] if has_name else ['Id']
        if self.notify_for_fields is NotifyForFields.all_:
            selected += ['LastModifiedById', 'LastModifiedDate']
        selected = _distinct([*selected, *self.fields])
        where = f' WHERE {" AND ".join(conditions)}' if conditions else ''
        query = f'SELECT {", ".join(selected)} FROM {self.sobject_type}{where}'
        return DesiredTopic(self.name, query, **self._notify())

    def _needs_a_field(self) -> bool:
        # Salesforce refuses `referenced` without a second field; `select` it would accept, and stay silent.
        if self.notify_for_fields is NotifyForFields.referenced:
            return not self._has_condition()
        return self.notify_for_fields is NotifyForFields.select

    def _has_field(self) -> bool:
        return any(each.casefold() != 'id' for each in self.fields)

    def _has_condition(self) -> bool:
        return self.record_type is not None or self.exclude_current_user


Topic = DesiredTopic | SobjectTopic


def joined_name(sobject_type: str, record_type: str | None) -> str:
    """What the topic of an object is called where nobody chose a name, as in version 1.2."""
    return f'{sobject_type}{record_type or ""}'


def unheard_names(topic: Topic) -> bool:
    """Whether a topic selects parts of a name and would never notify of their change.

    Salesforce evaluates Name alone: with any `notify_for_fields` but `all_` a topic that selects FirstName or
    LastName without it stays silent. Source: "Compound Fields in PushTopic Queries".
    """
    if not isinstance(topic, DesiredTopic) or topic.notify_for_fields is NotifyForFields.all_:
        return False
    found = _OF_PERSONS.match(_LITERAL.sub('', topic.query))
    if found is None:
        return False
    which = topic.notify_for_fields
    clauses = found.groups() if which is NotifyForFields.referenced else (found[which.name],)
    counted = set(re.findall(r'\w+', ' '.join(clauses).lower()))
    return bool(counted & {'firstname', 'lastname'}) and 'name' not in counted


def collect(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    """The topics of one service: each once, in the order of their first declaration.

    Raises:
        ValueError: names every topic that is declared in two ways, and both ways. Names that differ in case
            alone count as one: Salesforce compares without it.
    """
    found: dict[str, Topic] = {}
    problems = []
    for topic in topics:
        first = found.setdefault(topic.name.casefold(), topic)
        if first != topic:
            problems.append(
                f'PushTopic {first.name} is declared in two ways ({_difference(first, topic)}):'
                " make them equal, or give one of them a name='...' of its own"
            )
    if problems:
        raise ValueError('; '.join(problems))
    return tuple(found.values())


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f'a PushTopic needs a name, not {shown(name)}')
    if len(name) > NAME_LIMIT:
        raise ValueError(
            f'PushTopic {name}: the name has {len(name)} characters'
            f" and Salesforce allows {NAME_LIMIT}; choose a shorter name='...'"
        )
    if name != name.strip() or re.search(r'[/?*\x00-\x1f]', name):
        # It becomes a segment of a channel, where "?" begins a filter.
        raise ValueError(
            f'PushTopic {shown(name)}: a name holds no "/", "?", "*" and no space around it;'
            " choose another with name='...'"
        )


def _distinct(names: Sequence[str]) -> list[str]:
    """Each once, whatever the case: Salesforce refuses a field that is selected twice."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.casefold(), name)
    return list(found.values())


def _difference(first: Topic, second: Topic) -> str:
    if type(first) is not type(second):
        return f'{_origin(first)}, and {_origin(second)}'
    differing = [
        each.name for each in fields(first) if getattr(first, each.name) != getattr(second, each.name)
    ]
    return ', '.join(f'{name} {getattr(first, name)!r} and {getattr(second, name)!r}' for name in differing)


def _origin(topic: Topic) -> str:
    if isinstance(topic, DesiredTopic):
        return f'by the query {topic.query!r}'
    return f'for {topic.sobject_type}' + (f' of record type {topic.record_type}' if topic.record_type else '')
