"""The decorators: which channel, and what the method is called with. Floor 4.

Thin: everything that lives is in the connection, which all of them share.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from nameko_salesforce.bayeux.connection import ChannelEntrypoint
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.constants import NotifyForFields
from nameko_salesforce.events import ChangeEvent, PlatformEvent
from nameko_salesforce.push_topics import DesiredTopic, SobjectTopic, Topic, joined_name
from nameko_salesforce.streaming.connection import SalesforceConnection

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


class SalesforceEntrypoint(ChannelEntrypoint):
    """What all decorators share.

    Attributes:
        topic: the PushTopic to declare, None where there is none; known after `setup`.
    """

    connection = SalesforceConnection()
    topic: Topic | None = None

    def make_topic(self) -> Topic | None:
        """The PushTopic that the decorator's arguments describe.

        Raises:
            ValueError: Salesforce could not accept it; names the topic, what is wrong, and the way out.
        """
        return None


class Subscribe(SalesforceEntrypoint):
    """Call `method(topic, event)` for each event of a channel that exists in the org.

    Args:
        channel: such as '/topic/InvoiceStatementUpdates', '/u/notifications/Example', '/event/Low_Ink__e',
            '/data/ChangeEvents'; a PushTopic may have a filter: "/topic/Accounts?Industry='Energy'".
        **kwargs: of every Nameko entrypoint: `expected_exceptions`, `sensitive_arguments`.

    The method gets the channel as it stands here, and the event's data as a dict.
    """

    def worker_args(self, event: Delivery) -> tuple[Any, ...]:
        return (self.channel, event.data)


class NotificationHandler(SalesforceEntrypoint):
    """Call `method(name, notification)` for each notification of a PushTopic, and declare it if asked to.

    Args:
        name: of the PushTopic, at most 25 characters.
        query: its SOQL; without one the PushTopic is taken as it is in the org.
        notify_for_fields: changes of which fields count.
        notify_for_operation_create, notify_for_operation_update, notify_for_operation_delete,
            notify_for_operation_undelete: which operations count.
        **kwargs: of every Nameko entrypoint: `expected_exceptions`, `sensitive_arguments`.
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
        **kwargs: Any,
    ) -> None:
        self.name = name
        self.query = query
        self.notify_for_fields = NotifyForFields(notify_for_fields)
        self.operations = {
            'notify_for_operation_create': notify_for_operation_create,
            'notify_for_operation_update': notify_for_operation_update,
            'notify_for_operation_delete': notify_for_operation_delete,
            'notify_for_operation_undelete': notify_for_operation_undelete,
        }
        super().__init__(f'/topic/{name}', **kwargs)

    def make_topic(self) -> DesiredTopic | None:
        if self.query is None:
            return None
        return DesiredTopic(
            name=self.name,
            query=self.query,
            notify_for_fields=self.notify_for_fields,
            **self.operations,
        )

    def worker_args(self, event: Delivery) -> tuple[Any, ...]:
        return (self.name, event.data)


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
        **kwargs: of every Nameko entrypoint: `expected_exceptions`, `sensitive_arguments`.
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
        **kwargs: Any,
    ) -> None:
        # Nameko makes an entrypoint twice, which empties an iterator; a set is ordered anew in each process.
        if isinstance(fields, str) or not isinstance(fields, Sequence):
            raise LocalError(f"fields: a list of names is asked for, such as ['Email'], not {fields!r}")
        self.sobject_type = sobject_type
        self.record_type = record_type
        self.declare = declare
        self.exclude_current_user = exclude_current_user
        self.notify_for_fields = NotifyForFields(notify_for_fields)
        self.operations = {
            'notify_for_operation_create': notify_for_operation_create,
            'notify_for_operation_update': notify_for_operation_update,
            'notify_for_operation_delete': notify_for_operation_delete,
            'notify_for_operation_undelete': notify_for_operation_undelete,
        }
        self.fields = tuple(fields)
        self.topic_name = name or joined_name(sobject_type, record_type)
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

    def worker_args(self, event: Delivery) -> tuple[Any, ...]:
        return (self.sobject_type, self.record_type, event.data)


class PlatformEventHandler(SalesforceEntrypoint):
    """Call `method(name, event)` for each event of a platform event, a standard one or a custom channel.

    Args:
        name: API name: 'Low_Ink__e', 'LoginEventStream', 'Sales__chn'.
        **kwargs: of every Nameko entrypoint: `expected_exceptions`, `sensitive_arguments`.

    The method gets the name as it stands here, and a `PlatformEvent`.
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        self.name = name
        super().__init__(f'/event/{name}', **kwargs)

    def worker_args(self, event: Delivery) -> tuple[Any, ...]:
        return (self.name, PlatformEvent(_mapping(event.data)))


class ChangeEventHandler(SalesforceEntrypoint):
    """Call `method(entity, event)` for each change event.

    Args:
        entity: API name of an object ('Account', 'Invoice__c') or of a custom channel ('Sales__chn');
            without one: of all objects that are selected for Change Data Capture.
        **kwargs: of every Nameko entrypoint: `expected_exceptions`, `sensitive_arguments`.

    The method gets the name of the changed object, and a `ChangeEvent`.
    """

    def __init__(self, entity: str | None = None, **kwargs: Any) -> None:
        self.entity = entity
        super().__init__(f'/data/{_change_channel(entity)}', **kwargs)

    def worker_args(self, event: Delivery) -> tuple[Any, ...]:
        change = ChangeEvent(_mapping(event.data))
        return (change.entity, change)


def _change_channel(entity: str | None) -> str:
    """Source: Change Data Capture, "Subscription Channels"."""
    if entity is None:
        return 'ChangeEvents'
    if entity.endswith('__chn'):
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
