"""The decorators: which channel, and what the method is called with. Floor 4.

Thin: everything that lives is in the connection, which all of them share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, Literal, TypedDict, TypeVar, Unpack

from nameko_salesforce.bayeux.connection import ChannelEntrypoint
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.texts import shown
from nameko_salesforce.constants import NotifyForFields
from nameko_salesforce.events import ChangeEvent, PlatformEvent
from nameko_salesforce.push_topics import DesiredTopic, SobjectTopic, Topic, joined_name
from nameko_salesforce.streaming.connection import SalesforceConnection
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.order import Key, Order
from nameko_salesforce.streaming.resume import OnGap, Start
from nameko_salesforce.streaming.retry import OnFailure, Retry

__all__ = [
    'ChangeEventHandler',
    'NotificationHandler',
    'PlatformEventHandler',
    'SalesforceEntrypoint',
    'SobjectNotificationHandler',
    'Subscribe',
    'handle_change_event',
    'handle_notification',
    'handle_platform_event',
    'handle_sobject_notification',
    'subscribe',
]

Choice = TypeVar('Choice', bound=Enum)


class HandlerKeywords(TypedDict, total=False):
    """What every decorator takes besides its own arguments; see `SalesforceEntrypoint`."""

    order: Literal['record', 'channel'] | None
    key: Key | None
    attempts: int
    timeout: float | None
    on_failure: Literal['dead_letter', 'skip', 'stop']
    batch: int | None
    batch_wait: float
    start: Literal['latest', 'earliest']
    on_gap: Literal['earliest', 'latest', 'fail']
    expected_exceptions: Any
    sensitive_arguments: Any
    sensitive_variables: Any


class SalesforceEntrypoint(ChannelEntrypoint):
    """What all decorators share.

    Args:
        channel: as subscribed to.
        order: 'record': events of one record one after another, others side by side. 'channel': all one after
            another. None: all side by side.
        key: called with an event's data; gives what the event is about, in place of its record ids.
        attempts: how often an event is tried, with growing pauses.
        timeout: seconds that an attempt may take; None: without limit.
        on_failure: what follows the last attempt. 'dead_letter': the event is kept for people to look at.
            'skip': a line in the log. 'stop': the channel stops, with the event in front.
        batch: most events of one call, which then gets a list; None: one event.
        batch_wait: seconds that a batch waits for more events.
        start: where a service begins that knows no position: 'latest', new events; 'earliest', all that
            Salesforce keeps.
        on_gap: where the channel goes on when its position is lost: 'earliest', 'latest'; or 'fail'.
        **kwargs: of every Nameko entrypoint: `expected_exceptions`, which count as handled,
            `sensitive_arguments`.
    Raises:
        LocalError: no server could accept the name, or an option is not one of these.
        TypeError: an option that nobody knows.

    Attributes:
        topic: the PushTopic to declare, None where there is none; known after `setup`.
    """

    connection = SalesforceConnection()
    topic: Topic | None = None

    def __init__(
        self,
        channel: str,
        *,
        order: Literal['record', 'channel'] | None = 'record',
        key: Key | None = None,
        attempts: int = 3,
        timeout: float | None = None,
        on_failure: Literal['dead_letter', 'skip', 'stop'] = 'dead_letter',
        batch: int | None = None,
        batch_wait: float = 0.2,
        start: Literal['latest', 'earliest'] = 'latest',
        on_gap: Literal['earliest', 'latest', 'fail'] = 'earliest',
        **kwargs: Any,
    ) -> None:
        super().__init__(channel, **kwargs)
        if channel.endswith('*'):
            raise LocalError(f'{channel}: Salesforce knows no wildcards; subscribe to each channel')
        try:
            self.handler = HandlerOptions(
                name='',  # known once the decorator has its method
                order=choice(Order, 'order', order),
                key=key,
                retry=Retry(
                    attempts=attempts, timeout=timeout, on_failure=choice(OnFailure, 'on_failure', on_failure)
                ),
                batch=batch,
                batch_wait=batch_wait,
            )
            self.start_at = choice(Start, 'start', start)
            self.on_gap = choice(OnGap, 'on_gap', on_gap)
        except ValueError as problem:
            raise LocalError(f'{channel}: {problem}') from None

    def options(self, name: str) -> HandlerOptions:
        """What the decorator says about the handler, which has this name on its channel."""
        expected = self.expected_exceptions
        expected = expected if isinstance(expected, tuple) else (expected,)
        return replace(self.handler, name=name, retry=replace(self.handler.retry, expected=expected))

    def make_topic(self) -> Topic | None:
        """The PushTopic that the decorator's arguments describe.

        Raises:
            ValueError: Salesforce could not accept it; names the topic, what is wrong, and the way out.
        """
        return None

    def content(self, event: Delivery) -> Any:
        """What the method gets of an event."""
        return event.data

    def lead(self) -> tuple[Any, ...]:
        """What the method gets before that."""
        return (self.channel,)

    def worker_args(self, event: Delivery) -> tuple[Any, ...]:
        return (*self.lead(), self.content(event))

    def run_args(self, events: Sequence[Delivery]) -> tuple[Any, ...]:
        """What the method is called with: one event, or a batch in the order of arrival as a list."""
        if self.handler.batch is None:
            return self.worker_args(events[0])
        return (*self.lead(), [self.content(each) for each in events])


def choice(options: type[Choice], name: str, value: Any) -> Choice:
    """The member of this value. Raises `ValueError` with all that there are."""
    for each in options:
        if value is each or value == each.value:
            return each
    known = ', '.join(repr(each.value) for each in options)
    raise ValueError(f'{name} is {shown(value)}; it is one of {known}')


def _notify_for_fields(value: Any) -> NotifyForFields:
    try:
        return choice(NotifyForFields, 'notify_for_fields', value)
    except ValueError as problem:
        raise LocalError(str(problem)) from None


def _name(what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise LocalError(f'{what} is {shown(value)}; it is a text')
    return value


class Subscribe(SalesforceEntrypoint):
    """Call `method(topic, event)` for each event of a channel that exists in the org.

    Args:
        channel: such as '/topic/InvoiceStatementUpdates', '/u/notifications/Example', '/event/Low_Ink__e',
            '/data/ChangeEvents'; a PushTopic may have a filter: "/topic/Accounts?Industry='Energy'".
        **kwargs: see `SalesforceEntrypoint`.

    The method gets the channel as it stands here, and the event's data as a dict.
    """


class NotificationHandler(SalesforceEntrypoint):
    """Call `method(name, notification)` for each notification of a PushTopic, and declare it if asked to.

    Args:
        name: of the PushTopic, at most 25 characters.
        query: its SOQL; without one the PushTopic is taken as it is in the org.
        notify_for_fields: changes of which fields count.
        notify_for_operation_create, notify_for_operation_update, notify_for_operation_delete,
            notify_for_operation_undelete: which operations count.
        **kwargs: see `SalesforceEntrypoint`.
    """

    def __init__(
        self,
        name: str,
        query: str | None = None,
        notify_for_fields: NotifyForFields = NotifyForFields.all_,
        notify_for_operation_create: bool = True,
        notify_for_operation_update: bool = True,
        notify_for_operation_delete: bool = True,
        notify_for_operation_undelete: bool = True,
        **kwargs: Unpack[HandlerKeywords],
    ) -> None:
        self.name = name
        self.query = query
        self.notify_for_fields = _notify_for_fields(notify_for_fields)
        self.operations = {
            'notify_for_operation_create': notify_for_operation_create,
            'notify_for_operation_update': notify_for_operation_update,
            'notify_for_operation_delete': notify_for_operation_delete,
            'notify_for_operation_undelete': notify_for_operation_undelete,
        }
        super().__init__(f'/topic/{_name("name", name)}', **kwargs)

    def make_topic(self) -> DesiredTopic | None:
        if self.query is None:
            return None
        return DesiredTopic(
            name=self.name,
            query=self.query,
            notify_for_fields=self.notify_for_fields,
            **self.operations,
        )

    def lead(self) -> tuple[Any, ...]:
        return (self.name,)


class SobjectNotificationHandler(SalesforceEntrypoint):
    """Call `method(sobject_type, record_type, notification)` for each change of an object's records.

    Args:
        sobject_type: name of the object, such as 'Contact'.
        record_type: developer name of one of its record types; only records of it count.
        declare: make the PushTopic; False takes it as it is in the org.
        exclude_current_user: leave out what the service's own user changes.
        notify_for_fields: changes of which fields count.
        notify_for_operation_create, notify_for_operation_update, notify_for_operation_delete,
            notify_for_operation_undelete: which operations count.
        fields: further fields that a notification holds, and that count with `select` and `referenced`.
        name: of the PushTopic; '' joins object and record type.
        **kwargs: see `SalesforceEntrypoint`.
    """

    def __init__(
        self,
        sobject_type: str,
        record_type: str | None = None,
        declare: bool = True,
        exclude_current_user: bool = True,
        notify_for_fields: NotifyForFields = NotifyForFields.all_,
        notify_for_operation_create: bool = True,
        notify_for_operation_update: bool = True,
        notify_for_operation_delete: bool = True,
        notify_for_operation_undelete: bool = True,
        fields: Sequence[str] = (),
        name: str = '',
        **kwargs: Unpack[HandlerKeywords],
    ) -> None:
        # Nameko makes an entrypoint twice, which empties an iterator; a set is ordered anew in each process.
        if isinstance(fields, str) or not isinstance(fields, Sequence):
            raise LocalError(f"fields: a list of names is asked for, such as ['Email'], not {shown(fields)}")
        self.sobject_type = sobject_type
        self.record_type = record_type
        self.declare = declare
        self.exclude_current_user = exclude_current_user
        self.notify_for_fields = _notify_for_fields(notify_for_fields)
        self.operations = {
            'notify_for_operation_create': notify_for_operation_create,
            'notify_for_operation_update': notify_for_operation_update,
            'notify_for_operation_delete': notify_for_operation_delete,
            'notify_for_operation_undelete': notify_for_operation_undelete,
        }
        self.fields = tuple(fields)
        _name('sobject_type', sobject_type)
        if record_type is not None:
            _name('record_type', record_type)
        self.topic_name = _name('name', name) or joined_name(sobject_type, record_type)
        super().__init__(f'/topic/{self.topic_name}', **kwargs)

    def make_topic(self) -> SobjectTopic | None:
        if not self.declare:
            return None
        return SobjectTopic(
            sobject_type=self.sobject_type,
            record_type=self.record_type,
            exclude_current_user=self.exclude_current_user,
            fields=self.fields,
            notify_for_fields=self.notify_for_fields,
            name=self.topic_name,
            **self.operations,
        )

    def lead(self) -> tuple[Any, ...]:
        return (self.sobject_type, self.record_type)


class PlatformEventHandler(SalesforceEntrypoint):
    """Call `method(name, event)` for each event of a platform event, a standard one or a custom channel.

    Args:
        name: API name: 'Low_Ink__e', 'LoginEventStream', 'Sales__chn'.
        **kwargs: see `SalesforceEntrypoint`.

    The method gets the name as it stands here, and a `PlatformEvent`.
    """

    def __init__(self, name: str, **kwargs: Unpack[HandlerKeywords]) -> None:
        self.name = name
        super().__init__(f'/event/{_name("name", name)}', **kwargs)

    def lead(self) -> tuple[Any, ...]:
        return (self.name,)

    def content(self, event: Delivery) -> PlatformEvent:
        return PlatformEvent(_mapping(event.data))


class ChangeEventHandler(SalesforceEntrypoint):
    """Call `method(entity, event)` for each change event.

    Args:
        entity: API name of an object ('Account', 'Invoice__c') or of a custom channel ('Sales__chn');
            without one: of all objects that are selected for Change Data Capture.
        **kwargs: see `SalesforceEntrypoint`.

    The method gets the name of the changed object, and a `ChangeEvent`. A batch is of any objects: the method
    gets `entity` as it stands here, and a list.
    """

    def __init__(self, entity: str | None = None, **kwargs: Unpack[HandlerKeywords]) -> None:
        self.entity = entity
        super().__init__(f'/data/{_change_channel(entity)}', **kwargs)

    def lead(self) -> tuple[Any, ...]:
        return (self.entity,)

    def content(self, event: Delivery) -> ChangeEvent:
        return ChangeEvent(_mapping(event.data))

    def worker_args(self, event: Delivery) -> tuple[Any, ...]:
        change = self.content(event)
        return (change.entity, change)


def _change_channel(entity: str | None) -> str:
    """Source: Change Data Capture, "Subscription Channels"."""
    if entity is None:
        return 'ChangeEvents'
    if _name('entity', entity).endswith('__chn'):
        return entity
    if entity.endswith('__c'):
        return f'{entity.removesuffix("c")}ChangeEvent'
    return f'{entity}ChangeEvent'


def _mapping(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, Mapping) else {}


subscribe = Subscribe.decorator
handle_notification = NotificationHandler.decorator
handle_sobject_notification = SobjectNotificationHandler.decorator
handle_platform_event = PlatformEventHandler.decorator
handle_change_event = ChangeEventHandler.decorator
