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
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.resume import OnGap, Start
from nameko_salesforce.streaming.retry import OnFailure, Retry


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
    with pytest.raises(LocalError, match='Everything'):
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


# --- options of every decorator -------------------------------------------------------------------


def test_the_defaults_are_those_of_the_guide():
    entrypoint = SobjectNotificationHandler('Contact')
    options = entrypoint.options('handle')
    assert (options.name, options.order, options.key, options.batch) == ('handle', Order.RECORD, None, None)
    retry = options.retry
    assert (retry.attempts, retry.timeout, retry.on_failure) == (3, None, OnFailure.DEAD_LETTER)
    assert (entrypoint.start_at, entrypoint.on_gap) == (Start.LATEST, OnGap.EARLIEST)


def test_every_option_goes_where_it_belongs():
    entrypoint = PlatformEventHandler(
        'Low_Ink__e',
        order='channel',
        key=len,
        attempts=5,
        timeout=2.5,
        on_failure='stop',
        batch=500,
        batch_wait=1,
        start='earliest',
        on_gap='fail',
        expected_exceptions=(LookupError, KeyError),
    )
    options = entrypoint.options('handle')
    assert options == HandlerOptions(
        name='handle',
        order=Order.CHANNEL,
        key=len,
        retry=Retry(attempts=5, timeout=2.5, on_failure=OnFailure.STOP, expected=(LookupError, KeyError)),
        batch=500,
        batch_wait=1,
    )
    assert (entrypoint.start_at, entrypoint.on_gap) == (Start.EARLIEST, OnGap.FAIL)


@pytest.mark.parametrize(
    ('option', 'value', 'words'),
    [
        ('order', 'records', "order is 'records'; it is one of 'record', 'channel', None"),
        ('on_failure', 'retry', "it is one of 'dead_letter', 'skip', 'stop'"),
        ('start', -2, "it is one of 'latest', 'earliest'"),
        ('on_gap', None, "it is one of 'earliest', 'latest', 'fail'"),
        ('attempts', 0, 'attempts is 0'),
        ('timeout', -1, 'timeout is -1'),
        ('batch', 0, 'batch is 0'),
        ('batch_wait', -1, 'batch_wait is -1'),
        ('attempts', 'three', 'attempts'),
        ('timeout', '5', 'timeout'),
        ('batch', 'many', 'batch'),
        ('key', 'Id', 'key'),
    ],
)
def test_an_option_of_no_use_is_refused_where_it_is_written(option, value, words):
    with pytest.raises(LocalError, match=words) as refused:
        Subscribe('/topic/X', **{option: value})
    assert '/topic/X' in str(refused.value)


@pytest.mark.parametrize('channel', ['/topic/*', '/event/**'])
def test_a_wildcard_is_refused_where_it_is_written(channel):
    with pytest.raises(LocalError, match='Salesforce knows no wildcards'):
        Subscribe(channel)


@pytest.mark.parametrize(
    ('entrypoint', 'arguments'),
    [
        (Subscribe('/topic/X', batch=2), ('/topic/X', [DATA, DATA])),
        (NotificationHandler('X', batch=2), ('X', [DATA, DATA])),
        (SobjectNotificationHandler('Contact', batch=2), ('Contact', None, [DATA, DATA])),
        (PlatformEventHandler('A__e', batch=2), ('A__e', [PlatformEvent(DATA), PlatformEvent(DATA)])),
        (ChangeEventHandler('Account', batch=2), ('Account', [ChangeEvent(DATA), ChangeEvent(DATA)])),
        (ChangeEventHandler(batch=2), (None, [ChangeEvent(DATA), ChangeEvent(DATA)])),
    ],
)
def test_a_batch_comes_as_a_list(entrypoint, arguments):
    given = entrypoint.run_args([Delivery('/topic/X', DATA), Delivery('/topic/X', DATA)])
    assert given == arguments
    assert [type(each) for each in given[-1]] == [type(each) for each in arguments[-1]]
