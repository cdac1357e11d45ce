"""The decorators' arguments: which channel, which PushTopic, and what the method is called with."""

import pytest
from nameko.extensions import Entrypoint

from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.events import ChangeEvent, PlatformEvent
from nameko_salesforce.push_topics import DesiredTopic, SobjectTopic
from nameko_salesforce.streaming import NotifyForFields, entrypoints
from nameko_salesforce.streaming.entrypoints import (
    ChangeEventHandler,
    NotificationHandler,
    PlatformEventHandler,
    SobjectNotificationHandler,
    Subscribe,
)


@pytest.mark.parametrize(
    ('entrypoint', 'channel'),
    [
        (Subscribe('/u/x'), '/u/x'),
        (Subscribe("/topic/A?Industry='Energy'"), "/topic/A?Industry='Energy'"),
        (NotificationHandler('ContactUpdates'), '/topic/ContactUpdates'),
        (SobjectNotificationHandler('Contact'), '/topic/Contact'),
        (SobjectNotificationHandler('Contact', 'Student'), '/topic/ContactStudent'),
        (SobjectNotificationHandler('Contact', name='People'), '/topic/People'),
        (PlatformEventHandler('Low_Ink__e'), '/event/Low_Ink__e'),
        (PlatformEventHandler('LoginEventStream'), '/event/LoginEventStream'),
        (ChangeEventHandler(), '/data/ChangeEvents'),
        (ChangeEventHandler('Account'), '/data/AccountChangeEvent'),
        (ChangeEventHandler('Invoice__c'), '/data/Invoice__ChangeEvent'),
        (ChangeEventHandler('Sales__chn'), '/data/Sales__chn'),
    ],
)
def test_the_arguments_name_the_channel(entrypoint, channel):
    assert entrypoint.channel == channel


def test_a_query_makes_a_pushtopic_of_it():
    entrypoint = NotificationHandler(
        'Names', 'SELECT Id, Name FROM Contact', NotifyForFields.select, notify_for_operation_delete=False
    )
    assert entrypoint.make_topic() == DesiredTopic(
        'Names',
        'SELECT Id, Name FROM Contact',
        notify_for_fields=NotifyForFields.select,
        notify_for_operation_delete=False,
    )


def test_without_a_query_nothing_is_declared():
    assert NotificationHandler('Names').make_topic() is None


def test_an_object_makes_a_pushtopic_of_it_with_the_defaults_of_1_2():
    assert SobjectNotificationHandler('Contact').make_topic() == SobjectTopic(
        'Contact',
        exclude_current_user=True,
        notify_for_fields=NotifyForFields.all_,
        notify_for_operation_create=True,
        notify_for_operation_update=True,
        notify_for_operation_delete=True,
        notify_for_operation_undelete=True,
    )


def test_declare_false_takes_the_topic_as_it_is():
    assert SobjectNotificationHandler('Contact', declare=False).make_topic() is None


def test_the_fields_to_notify_for_may_be_named_by_salesforce_s_word():
    assert NotificationHandler('X', notify_for_fields='Select').notify_for_fields is NotifyForFields.select


def test_a_word_that_salesforce_does_not_know_is_refused_where_it_is_written():
    with pytest.raises(ValueError, match='Everything'):
        NotificationHandler('X', notify_for_fields='Everything')


def test_a_single_field_is_no_list_of_letters():
    with pytest.raises(LocalError, match=r"\['Email'\]"):
        SobjectNotificationHandler('Contact', fields='Email')


@pytest.mark.parametrize('channel', ['', 'topic/X', '/topic//X', '/meta/connect'])
def test_a_channel_that_no_server_could_accept_is_refused_where_it_is_written(channel):
    with pytest.raises(LocalError):
        Subscribe(channel)


DATA = {'event': {'type': 'created', 'replayId': 13}, 'sobject': {'Id': '003'}}
CHANGE = {'payload': {'ChangeEventHeader': {'entityName': 'Contact', 'changeType': 'CREATE'}}}


@pytest.mark.parametrize(
    ('entrypoint', 'data', 'arguments'),
    [
        (Subscribe('/topic/X?a=b'), DATA, ('/topic/X?a=b', DATA)),
        (NotificationHandler('X'), DATA, ('X', DATA)),
        (SobjectNotificationHandler('Contact'), DATA, ('Contact', None, DATA)),
        (SobjectNotificationHandler('Contact', 'Student'), DATA, ('Contact', 'Student', DATA)),
        (PlatformEventHandler('Low_Ink__e'), {'payload': {}}, ('Low_Ink__e', PlatformEvent(payload={}))),
        (ChangeEventHandler('Account'), CHANGE, ('Contact', ChangeEvent(CHANGE))),
        (ChangeEventHandler(), None, ('', ChangeEvent())),
        (PlatformEventHandler('Low_Ink__e'), 'text', ('Low_Ink__e', PlatformEvent())),
    ],
)
def test_what_the_method_is_called_with(entrypoint, data, arguments):
    given = entrypoint.worker_args(Delivery('/topic/X', data))
    assert given == arguments
    assert [type(each) for each in given] == [type(each) for each in arguments]


@pytest.mark.parametrize(
    'decorator',
    [
        entrypoints.subscribe,
        entrypoints.handle_notification,
        entrypoints.handle_sobject_notification,
        entrypoints.handle_platform_event,
        entrypoints.handle_change_event,
    ],
)
def test_every_decorator_refuses_an_option_that_no_entrypoint_has(decorator):
    with pytest.raises(TypeError, match='colour'):

        @decorator('/x' if decorator is entrypoints.subscribe else 'Contact', colour='red')
        def handle(self, *args): ...


def test_a_decorator_without_arguments_listens_to_all_changes():
    @entrypoints.handle_change_event
    def handle(self, entity, event): ...

    [entrypoint] = handle.nameko_entrypoints
    assert isinstance(entrypoint, Entrypoint)
    assert entrypoint.channel == '/data/ChangeEvents'


@pytest.mark.parametrize('fields', [(each for each in ['Email']), {'Email', 'Phone'}])
def test_fields_that_are_gone_after_one_look_or_have_no_order_are_refused(fields):
    with pytest.raises(LocalError, match='a list of names is asked for'):
        SobjectNotificationHandler('Contact', fields=fields)
