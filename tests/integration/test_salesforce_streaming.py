"""What the decorators for Salesforce give, against the fake org: real logins, real records."""

import logging

import pytest
from nameko.exceptions import ConfigurationError
from nameko.extensions import DependencyProvider

from nameko_salesforce.api import SalesforceAPI
from nameko_salesforce.events import ChangeEvent, PlatformEvent
from nameko_salesforce.streaming import (
    NotifyForFields,
    handle_change_event,
    handle_notification,
    handle_platform_event,
    handle_sobject_notification,
    subscribe,
)
from tests.integration.greeter import greeter


def recorder(*decorators, **members):
    """A service whose method records what it is called with, and the list."""
    seen = []

    def handle(self, *args):
        seen.append(args)

    for decorator in reversed(decorators):
        handle = decorator(handle)
    return type('Service', (), {'name': 'service', 'handle': handle, **members}), seen


# --- records --------------------------------------------------------------------------------------


def test_a_contact_that_somebody_creates_changes_deletes_and_takes_back_is_told(org):
    service, seen = recorder(handle_sobject_notification('Contact'))
    org.run(service)
    contact = org.ada.create('Contact', FirstName='Grace', LastName='Hopper')
    org.ada.update('Contact', contact, Email='grace@example.com')
    org.ada.delete('Contact', contact)
    org.server.undelete('Contact', contact)
    org.until('four notifications', lambda: len(seen) >= 4)
    assert [args[:2] for args in seen] == [('Contact', None)] * 4
    kinds = [notification['event']['type'] for _, _, notification in seen]
    assert sorted(kinds) == ['created', 'deleted', 'undeleted', 'updated']
    created = next(args[2] for args in seen if args[2]['event']['type'] == 'created')
    assert created['sobject']['Id'] == contact
    assert created['sobject']['Name'] == 'Grace Hopper'
    assert set(created['sobject']) == {'Id', 'Name', 'LastModifiedById', 'LastModifiedDate'}
    assert isinstance(created['event']['replayId'], int)


def test_what_the_service_changes_itself_does_not_come_back(org):
    service, seen = greeter()
    org.run(service)
    first = org.ada.create('Contact', LastName='One')
    org.until('the first to be handled', lambda: seen)
    assert org.ada.read('Contact', first)['Description'] == 'seen'
    org.ada.create('Contact', LastName='Two')
    org.until('the second to be handled', lambda: len(seen) >= 2)
    assert seen == ['One', 'Two']


def test_changes_of_the_service_come_too_where_they_are_asked_for(org):
    service, seen = recorder(handle_sobject_notification('Contact', exclude_current_user=False))
    org.run(service)
    org.person('integration@example.com').create('Contact', LastName='Own')
    org.until('a notification', lambda: seen)
    assert seen[0][2]['sobject']['Name'] == 'Own'


def test_only_changes_of_names_of_students_are_told_where_only_these_are_asked_for(org):
    service, seen = recorder(
        handle_sobject_notification(
            sobject_type='Contact',
            record_type='Student',
            exclude_current_user=True,
            notify_for_fields=NotifyForFields.select,
            notify_for_operation_update=True,
            notify_for_operation_create=False,
            notify_for_operation_undelete=False,
            notify_for_operation_delete=False,
        )
    )
    org.run(service)
    [student_type] = org.ada.query("SELECT Id FROM RecordType WHERE DeveloperName = 'Student'")
    student = org.ada.create('Contact', LastName='Old', RecordTypeId=student_type['Id'])
    other = org.ada.create('Contact', LastName='Other')
    org.ada.update(
        'Contact', student, Email='s@example.com'
    )  # a LastModifiedDate alone is no change of a name
    org.ada.update('Contact', other, LastName='Another')
    org.ada.update('Contact', student, LastName='New')
    org.until('a notification', lambda: seen)
    org.ada.update('Contact', student, LastName='Newest')
    org.until('another one', lambda: len(seen) >= 2)
    assert [(kind, record_type) for kind, record_type, _ in seen] == [('Contact', 'Student')] * 2
    assert [notification['sobject'] for _, _, notification in seen] == [
        {'Id': student, 'Name': 'New'},
        {'Id': student, 'Name': 'Newest'},
    ]


def test_fields_that_are_asked_for_are_in_the_notification(org):
    service, seen = recorder(
        handle_sobject_notification('Contact', notify_for_fields=NotifyForFields.select, fields=['Email'])
    )
    org.run(service)
    contact = org.ada.create('Contact', LastName='Hopper', Email='grace@example.com')
    org.until('a notification', lambda: seen)
    assert seen[0][2]['sobject'] == {'Id': contact, 'Name': 'Hopper', 'Email': 'grace@example.com'}


@pytest.mark.defect('T5')
@pytest.mark.parametrize('sobject', ['Case', 'Task'])
def test_an_object_without_a_name_can_be_declared(org, sobject):
    service, seen = recorder(handle_sobject_notification(sobject))
    org.run(service)
    record = org.ada.create(sobject, Subject='No name')
    org.until('a notification', lambda: seen)
    assert seen[0][2]['sobject']['Id'] == record
    assert 'Name' not in seen[0][2]['sobject']


def test_a_query_is_declared_as_it_is(org):
    service, seen = recorder(
        handle_notification(name='ContactUpdates', query='SELECT Id, Name, Email FROM Contact')
    )
    org.run(service)
    contact = org.ada.create('Contact', LastName='Turing', Email='alan@example.com')
    org.until('a notification', lambda: seen)
    name, notification = seen[0]
    assert name == 'ContactUpdates'
    assert notification['sobject'] == {'Id': contact, 'Name': 'Turing', 'Email': 'alan@example.com'}


def test_a_topic_without_a_query_is_taken_as_it_is_in_the_org(org):
    service, seen = recorder(handle_notification('InvoiceStatementUpdates'))
    before = org.ada.query('SELECT Id, Query, LastModifiedDate FROM PushTopic')
    org.run(service)
    org.ada.create('Invoice_Statement__c', Status__c='Open')
    org.until('a notification', lambda: seen)
    assert seen[0][0] == 'InvoiceStatementUpdates'
    assert org.ada.query('SELECT Id, Query, LastModifiedDate FROM PushTopic') == before


def test_parts_of_a_name_without_the_name_are_warned_of_because_nothing_would_come(org):
    query = 'SELECT Id, FirstName, LastName FROM Contact'
    service, seen = recorder(
        handle_notification('Silent', query, NotifyForFields.select), handle_change_event('Contact')
    )
    org.run(service)
    [line] = org.log.lines('PushTopic Silent', logging.WARNING)
    assert 'Add Name to the query of handle()' in line
    contact = org.ada.create('Contact', LastName='Murray')
    org.ada.update('Contact', contact, LastName='Hopper')
    org.until('the change to be told otherwise', lambda: ('Contact', 'UPDATE') in changes(seen))
    assert [args[1]['event']['type'] for args in seen if args[0] == 'Silent'] == ['created']


def changes(seen):
    return [(args[0], args[1].change_type) for args in seen if isinstance(args[1], ChangeEvent)]


# --- other channels -------------------------------------------------------------------------------


def test_subscribe_gives_the_whole_channel_and_the_data(org):
    service, seen = recorder(subscribe('/topic/InvoiceStatementUpdates'))
    org.run(service)
    invoice = org.ada.create('Invoice_Statement__c', Status__c='Open')
    org.until('an event', lambda: seen)
    topic, event = seen[0]
    assert topic == '/topic/InvoiceStatementUpdates'
    assert (event['event']['type'], event['sobject']['Id']) == ('created', invoice)
    assert event['sobject']['Status__c'] == 'Open'


def test_a_filter_lets_pass_what_matches(org):
    channel = '/topic/InvoiceStatementUpdates?Status__c=Paid'
    service, seen = recorder(subscribe(channel))
    org.run(service)
    org.ada.create('Invoice_Statement__c', Status__c='Open')
    paid = org.ada.create('Invoice_Statement__c', Status__c='Paid')
    org.until('an event', lambda: seen)
    assert [(topic, event['sobject']['Id']) for topic, event in seen] == [(channel, paid)]


def test_a_generic_event_is_a_text(org):
    service, seen = recorder(subscribe('/u/notifications/ExampleUserChannel'))
    org.run(service)
    org.ada.push('/u/notifications/ExampleUserChannel', 'Hello')
    org.until('an event', lambda: seen)
    assert (seen[0][0], seen[0][1]['payload']) == ('/u/notifications/ExampleUserChannel', 'Hello')


def test_a_platform_event_is_typed(org):
    service, seen = recorder(handle_platform_event('Low_Ink__e'))
    org.run(service)
    org.ada.create('Low_Ink__e', Printer_Model__c='XZO-5', Ink_Percentage__c=0.2)
    org.until('an event', lambda: seen)
    name, event = seen[0]
    assert name == 'Low_Ink__e'
    assert isinstance(event, PlatformEvent)
    assert (event.payload['Printer_Model__c'], event.created_by) == ('XZO-5', org.ada.id)
    assert event.created is not None
    assert event.uuid


@pytest.mark.parametrize('arguments', [('Account',), ()])
def test_a_change_event_has_its_header_merged_in(org, arguments):
    service, seen = recorder(handle_change_event(*arguments))
    org.run(service)
    account = org.ada.create('Account', Name='Acme')
    org.until('a change', lambda: seen)
    org.ada.update('Account', account, Phone='123')
    org.until('another change', lambda: len(seen) >= 2)
    (entity, created), (_, updated) = seen
    assert entity == 'Account'
    assert isinstance(created, ChangeEvent)
    assert (created.change_type, created.record_ids, created.commit_user) == (
        'CREATE',
        (account,),
        org.ada.id,
    )
    assert created.fields['Name'] == 'Acme'
    assert updated.change_type == 'UPDATE'
    assert updated.fields['Phone'] == '123'
    assert 'Phone' in updated.changed_fields
    assert not created.is_gap


def test_gaps_and_overflows_are_marked(org):
    service, seen = recorder(handle_change_event('Account'))
    org.run(service)
    account = org.ada.create('Account', Name='Acme')
    org.server.raise_gap('Account', account)
    org.server.raise_gap('Account')
    org.until('three events', lambda: len(seen) >= 3)
    assert {(event.change_type, event.is_gap, event.is_overflow, event.record_ids) for _, event in seen} == {
        ('CREATE', False, False, (account,)),
        ('GAP_UPDATE', True, False, (account,)),
        ('GAP_OVERFLOW', False, True, ()),
    }


# --- one service ----------------------------------------------------------------------------------


def test_decorators_stack_on_one_method(org):
    service, seen = recorder(handle_sobject_notification('Lead'), handle_sobject_notification('Opportunity'))
    org.run(service)
    org.ada.create('Lead', LastName='L', Company='C')
    org.ada.create('Opportunity', Name='O', StageName='New', CloseDate='2026-12-24')
    org.until('two notifications', lambda: len(seen) >= 2)
    assert sorted(args[0] for args in seen) == ['Lead', 'Opportunity']


@pytest.mark.defect('S13')
def test_all_decorators_share_one_login_one_session_and_one_subscription_per_channel(org):
    service, seen = recorder(
        handle_sobject_notification('Contact'),
        handle_notification('InvoiceStatementUpdates'),
        subscribe('/topic/InvoiceStatementUpdates'),
        handle_platform_event('Low_Ink__e'),
        handle_change_event('Account'),
        salesforce=SalesforceAPI(),
    )
    org.run(service)
    org.ada.create('Invoice_Statement__c', Status__c='Open')
    org.until('both handlers of one channel', lambda: len(seen) >= 2)
    assert (org.logins(), org.handshakes()) == (1, 1)
    subscribed = [
        entry.detail['subscription'] for entry in org.server.journal('request', channel='/meta/subscribe')
    ]
    assert sorted(subscribed) == [
        '/data/AccountChangeEvent',
        '/event/Low_Ink__e',
        '/topic/Contact',
        '/topic/InvoiceStatementUpdates',
    ]


def test_the_worker_finds_client_id_and_replay_id_in_its_context(org):
    found = []

    class Context(DependencyProvider):
        def worker_setup(self, worker_ctx):
            found.append((worker_ctx.data['client_id'], worker_ctx.data['replay_id']))

    service, seen = recorder(handle_sobject_notification('Contact'), context=Context())
    running = org.run(service)
    org.ada.create('Contact', LastName='One')
    org.until('a notification', lambda: seen)
    assert found == [(running.client.client_id, seen[0][2]['event']['replayId'])]
    assert running.client.client_id == org.server.sessions()[0]['client_id']


@pytest.mark.defect('D2')
def test_every_decorator_takes_the_options_of_an_entrypoint(org):
    options = {'expected_exceptions': ValueError, 'sensitive_arguments': ['event']}
    service, _ = recorder(
        subscribe('/topic/InvoiceStatementUpdates', **options),
        handle_notification('InvoiceStatementUpdates', **options),
        handle_sobject_notification('Contact', **options),
        handle_platform_event('Low_Ink__e', **options),
        handle_change_event('Account', **options),
    )
    running = org.run(service)
    assert all(each.expected_exceptions is ValueError for each in running.container.entrypoints)


@pytest.mark.defect('D2')
def test_a_failing_handler_is_logged_and_the_next_event_is_handled(org):
    seen = []

    class Service:
        name = 'service'

        @handle_sobject_notification('Contact')
        def handle(self, sobject_type, record_type, notification):
            seen.append(notification['sobject']['Name'])
            if len(seen) == 1:
                raise ValueError('the handler fails')

    org.log.expect_error('error handling worker')
    org.run(Service)
    org.ada.create('Contact', LastName='One')
    org.until('the first', lambda: seen)
    org.ada.create('Contact', LastName='Two')
    org.until('the second', lambda: len(seen) >= 2)
    assert seen == ['One', 'Two']


# --- contradictions -------------------------------------------------------------------------------


def refused(org, service):
    """What a service that must not start is told; its log says the same."""
    org.log.expect_error('cannot start')
    with pytest.raises(ConfigurationError) as caught:
        org.make(service).start()
    [line] = org.log.lines('cannot start')
    assert str(caught.value) in line
    assert org.server.journal('login') == []
    return str(caught.value)


@pytest.mark.parametrize(
    'other', ['/topic/InvoiceStatementUpdates?Status__c=Paid', '/topic/InvoiceStatementUpdates']
)
def test_two_filters_of_one_topic_in_one_service_are_a_configuration_error(org, other):
    service, _ = recorder(subscribe('/topic/InvoiceStatementUpdates?Status__c=Open'), subscribe(other))
    text = refused(org, service)
    assert '/topic/InvoiceStatementUpdates?Status__c=Open' in text
    assert other in text
    assert 'handle()' in text


@pytest.mark.defect('T1')
def test_two_declarations_of_one_topic_that_differ_are_a_configuration_error(org):
    service, _ = recorder(
        handle_sobject_notification('Contact'),
        handle_sobject_notification('Contact', exclude_current_user=False),
    )
    text = refused(org, service)
    assert 'PushTopic Contact' in text
    assert 'exclude_current_user' in text


@pytest.mark.parametrize('option', [{'start': 'earliest'}, {'on_gap': 'fail'}])
def test_two_decorators_of_one_channel_that_begin_differently_are_a_configuration_error(org, option):
    service, _ = recorder(handle_platform_event('Low_Ink__e'), handle_platform_event('Low_Ink__e', **option))
    text = refused(org, service)
    assert '/event/Low_Ink__e' in text
    assert next(iter(option)) in text
    assert 'a channel has one position' in text


def test_two_declarations_that_are_equal_are_one(org):
    service, seen = recorder(handle_sobject_notification('Contact'), handle_sobject_notification('Contact'))
    org.run(service)
    org.ada.create('Contact', LastName='One')
    org.until('both', lambda: len(seen) >= 2)
    assert len(org.server.journal('request', channel='/meta/subscribe')) == 1


@pytest.mark.defect('T3')
@pytest.mark.parametrize(
    'decorator',
    [
        handle_notification('N' * 26, query='SELECT Id FROM Contact'),
        handle_notification('Long', query='SELECT Id FROM Contact WHERE LastName = ' + repr('x' * 1300)),
        handle_sobject_notification('A_Custom_Object_With_A_Long_Name__c'),
    ],
)
def test_what_salesforce_could_not_accept_is_refused_before_any_request(org, decorator):
    service, _ = recorder(decorator)
    text = refused(org, service)
    assert text.startswith('PushTopic ')
    assert 'Salesforce allows' in text
