"""PushTopics made to exist: against the fake org, with replicas that race and faults that strike."""

import contextlib
import random

import eventlet
import pytest
import requests

from nameko_salesforce.bayeux.transport import TransportOptions
from nameko_salesforce.config import SalesforceSettings
from nameko_salesforce.constants import NotifyForFields
from nameko_salesforce.declarations import Declarations
from nameko_salesforce.errors import DeclarationError, LoginRefused
from nameko_salesforce.push_topics import DesiredTopic, SobjectTopic
from nameko_salesforce.rest import RestClient, rest_client
from nameko_salesforce.rest_session import RestSession
from nameko_salesforce.web import new_session
from tests.bayeux.sockets.raw_server import answer
from tests.salesforce.peers import Org

TOPICS = '/services/data/v67.0/sobjects/PushTopic/'
QUERY = '/services/data/v67.0/query/'

A = DesiredTopic('A', 'SELECT Id, Name FROM Account')
B = DesiredTopic('B', 'SELECT Id, Name FROM Contact', notify_for_fields=NotifyForFields.select)
C = DesiredTopic('C', 'SELECT Id FROM Lead', notify_for_operation_delete=False)
WRONG = DesiredTopic('Wrong', 'SELECT Id, Nothing FROM Account')


@pytest.fixture
def admin(fake, account):
    """A client of the test's own, whose requests the tests do not look at."""
    return account().client()


@pytest.fixture
def declare(account):
    """`declare(*topics)` -> the declarations of one more replica of a service."""

    def make(*topics, **section):
        client = account(**section).client()
        return Declarations(lambda: client, topics)

    return make


def writes(fake):
    return [
        (entry.detail['method'], entry.detail['status'])
        for entry in fake.journal('rest')
        if entry.detail['method'] != 'GET'
    ]


def reads(fake, path=QUERY):
    return len(fake.journal('rest', method='GET', path=path))


def topics(admin):
    """The PushTopics of the org, by name."""
    fields = 'Id, Name, Query, ApiVersion, IsActive, NotifyForFields, NotifyForOperationDelete'
    records = admin.query_all(f'SELECT {fields} FROM PushTopic')['records']
    return {record['Name']: record for record in records}


def ensure_all(declarations, *wanted):
    for topic in wanted:
        declarations.ensure(topic.name)


# --- what is wanted is there ------------------------------------------------------------------------


def test_a_topic_is_created_as_it_is_declared(fake, declare, admin):
    declare(C).ensure('C')
    made = topics(admin)['C']
    assert made['Query'] == C.query
    assert (made['ApiVersion'], made['IsActive']) == (67.0, True)
    assert (made['NotifyForFields'], made['NotifyForOperationDelete']) == ('All', False)
    assert writes(fake) == [('POST', 201)]


def test_the_version_of_a_topic_is_that_of_the_configuration(declare, admin):
    declare(A, API_VERSION='60.0').ensure('A')
    assert topics(admin)['A']['ApiVersion'] == 60.0


@pytest.mark.defect('T6')
def test_a_second_start_writes_nothing(fake, declare):
    ensure_all(declare(A, B, C), A, B, C)
    before = writes(fake)
    ensure_all(declare(A, B, C), A, B, C)
    assert writes(fake) == before == [('POST', 201)] * 3


def test_one_look_up_serves_all_topics(fake, declare):
    ensure_all(declare(A, B, C), A, B, C)
    assert reads(fake) == 1


def test_what_was_done_is_not_asked_again_unless_there_are_signs(fake, declare):
    declarations = declare(A)
    ensure_all(declarations, A, A)
    assert reads(fake) == 1
    declarations.ensure('A', again=True)
    assert reads(fake) == 2


def test_a_topic_that_nobody_declares_is_left_to_others(fake, declare):
    declare(A).ensure('InvoiceStatementUpdates')
    assert fake.journal('rest') == []


@pytest.mark.defect('T6')
def test_a_topic_that_was_switched_off_is_switched_on_and_nothing_else_is_written(
    fake, declare, admin, caplog
):
    declare(A).ensure('A')
    admin.PushTopic.update(topics(admin)['A']['Id'], {'IsActive': False, 'Description': 'by hand'})
    with caplog.at_level('INFO', 'nameko_salesforce'):
        declare(A).ensure('A')
    assert topics(admin)['A']['IsActive'] is True
    assert 'PushTopic A updated: IsActive' in caplog.messages
    assert admin.PushTopic.get(topics(admin)['A']['Id'])['Description'] == 'by hand'


def test_a_topic_that_differs_is_changed(declare, admin, caplog):
    declare(A).ensure('A')
    wanted = DesiredTopic('A', 'SELECT Id FROM Account', notify_for_operation_delete=False)
    with caplog.at_level('INFO', 'nameko_salesforce'):
        declare(wanted).ensure('A')
    assert topics(admin)['A']['Query'] == 'SELECT Id FROM Account'
    assert 'PushTopic A updated: Query, NotifyForOperationDelete' in caplog.messages
    [loud] = [each for each in caplog.records if each.levelname == 'WARNING']
    assert loud.getMessage() == f'PushTopic A had another query, which was replaced: {A.query}'


@pytest.mark.defect('T7')
def test_a_deleted_topic_is_created_again(declare, admin):
    declarations = declare(A)
    declarations.ensure('A')
    admin.PushTopic.delete(topics(admin)['A']['Id'])
    declarations.ensure('A', again=True)
    assert 'A' in topics(admin)


@pytest.mark.defect('T4')
def test_names_with_quotes_are_looked_up_as_they_are(fake, declare):
    """The look-up is understood; that no channel can have such a name is another refusal."""
    topic = DesiredTopic('O\'Brien \\ "x"', 'SELECT Id FROM Account')
    with pytest.raises(DeclarationError, match='part of the name of its channel'):
        declare(topic).ensure(topic.name)
    assert writes(fake) == [('POST', 400)]


# --- topics of objects ------------------------------------------------------------------------------


@pytest.mark.defect('T8')
def test_the_topic_of_an_object_leaves_out_the_user_who_is_logged_in(fake, declare, admin):
    fake.seed({'users': [{'username': 'bob@example.com', 'password': 'secret', 'security_token': 'token'}]})
    keys = {'CONSUMER_KEY': None, 'CONSUMER_SECRET': None}
    own = {'USERNAME': 'bob@example.com', 'PASSWORD': 'secret', 'SECURITY_TOKEN': 'token'}
    declare(SobjectTopic('Contact'), **keys, **own).ensure('Contact')
    (bob,) = admin.query("SELECT Id FROM User WHERE Username = 'bob@example.com'")['records']
    assert topics(admin)['Contact']['Query'] == (
        'SELECT Id, Name, LastModifiedById, LastModifiedDate FROM Contact'
        f" WHERE LastModifiedById != '{bob['Id']}'"
    )


def test_the_topic_of_a_record_type_asks_for_its_id(declare, admin):
    declare(SobjectTopic('Contact', 'Student', exclude_current_user=False)).ensure('ContactStudent')
    (student,) = admin.query("SELECT Id FROM RecordType WHERE DeveloperName = 'Student'")['records']
    assert topics(admin)['ContactStudent']['Query'].endswith(
        f" FROM Contact WHERE RecordTypeId = '{student['Id']}'"
    )


@pytest.mark.defect('T5')
@pytest.mark.parametrize('sobject_type', ['Case', 'Task'])
def test_objects_without_a_name_can_be_declared(declare, admin, sobject_type):
    declare(SobjectTopic(sobject_type, exclude_current_user=False)).ensure(sobject_type)
    assert (
        topics(admin)[sobject_type]['Query']
        == f'SELECT Id, LastModifiedById, LastModifiedDate FROM {sobject_type}'
    )


def test_what_the_org_is_like_is_asked_once(fake, declare):
    declarations = declare(SobjectTopic('Contact'), SobjectTopic('Contact', 'Student'))
    for name in ('Contact', 'ContactStudent', 'Contact', 'ContactStudent'):
        declarations.ensure(name)
    assert reads(fake, '/services/data/v67.0/sobjects/Contact/describe') == 1
    # One look for both topics, and one for the record type.
    assert reads(fake) == 2


def test_what_the_org_is_like_is_asked_anew_where_a_topic_has_vanished(fake, declare):
    """Perhaps the org was made anew, with other ids: the old ones would match nothing, without a word."""
    declarations = declare(SobjectTopic('Contact', 'Student'))
    declarations.ensure('ContactStudent')
    before = reads(fake)
    declarations.ensure('ContactStudent', again=True)
    assert reads(fake) == before + 2
    assert reads(fake, '/services/data/v67.0/sobjects/Contact/describe') == 2


@pytest.mark.parametrize(
    ('topic', 'words'),
    [
        (SobjectTopic('Contact', "O'Brien"), 'no record type is called "O\'Brien"'),
        (SobjectTopic('Nothing__c'), 'NOT_FOUND'),
        (SobjectTopic('session'), 'NOT_FOUND'),
        (SobjectTopic('Case', notify_for_fields=NotifyForFields.select), 'Case has no Name'),
        (SobjectTopic('Contact', fields=['Nothing__c']), 'INVALID_FIELD'),
    ],
    ids=['record type', 'object', 'attribute', 'no field', 'field'],
)
def test_what_the_org_does_not_have_is_told_with_the_name_of_the_topic(declare, topic, words):
    with pytest.raises(DeclarationError, match=words) as failed:
        declare(topic).ensure(topic.name)
    assert failed.value.topic == topic.name
    assert failed.value.temporary is False
    assert str(failed.value).startswith(f'PushTopic {topic.name}: ')


# --- replicas ---------------------------------------------------------------------------------------


def at_once(*declarations, name='A'):
    """Let all ensure one topic at the same time."""
    threads = [eventlet.spawn(each.ensure, name) for each in declarations]
    for thread in threads:
        thread.wait()


@pytest.mark.defect('T2')
def test_replicas_that_all_found_nothing_end_with_one_topic(fake, declare, admin):
    fake.faults.add('delay', channel=QUERY, count=3, seconds=0.3)
    at_once(*[declare(A) for _ in range(3)])
    assert sorted(writes(fake)) == [('POST', 201), ('POST', 400), ('POST', 400)]
    assert topics(admin)['A']['Query'] == A.query


@pytest.mark.defect('T2')
def test_replicas_that_want_different_things_end_with_one_of_them_whole(fake, declare, admin):
    other = DesiredTopic('A', 'SELECT Id FROM Lead', notify_for_operation_delete=False)
    fake.faults.add('delay', channel=QUERY, count=2, seconds=0.3)
    at_once(declare(A), declare(other))
    assert sorted(writes(fake)) == [('PATCH', 204), ('POST', 201), ('POST', 400)]
    made = topics(admin)['A']
    assert (made['Query'], made['NotifyForOperationDelete']) in (
        (A.query, True),
        (other.query, False),
    )


def test_a_topic_that_vanishes_after_it_was_seen_is_created(fake, declare, admin):
    declare(DesiredTopic('A', 'SELECT Id FROM Lead')).ensure('A')
    record_id = topics(admin)['A']['Id']
    fake.faults.add('delay', channel=QUERY, seconds=0.3)
    before = fake.mark()
    replica = eventlet.spawn(declare(A).ensure, 'A')
    fake.wait_for('rest', path=QUERY, after=before)
    admin.PushTopic.delete(record_id)
    replica.wait()
    assert topics(admin)['A']['Query'] == A.query


def test_a_name_that_is_taken_in_another_case_is_reported(declare, admin):
    admin.PushTopic.create(
        {'Name': 'a', 'Query': 'SELECT Id FROM Lead', 'ApiVersion': 67.0, 'NotifyForFields': 'All'}
    )
    with pytest.raises(DeclarationError, match='the org has a PushTopic a, .*use that name') as caught:
        declare(A, B).ensure('A')
    assert caught.value.temporary is False
    declare(A, B).ensure('B')


def test_however_replicas_and_somebody_who_deletes_meet_all_topics_are_there_in_the_end(fake, declare, admin):
    dice = random.Random(7)
    wanted = [A, B, C]
    replicas = [declare(*wanted) for _ in range(4)]

    def live(replica):
        for topic in wanted:
            eventlet.sleep(dice.random() / 50)
            # Somebody deletes as quickly as we create: three looks may not be enough.
            with contextlib.suppress(DeclarationError):
                replica.ensure(topic.name)

    def delete():
        for _ in range(10):
            for name, record in topics(admin).items():
                if name in 'ABC' and dice.random() < 0.3:
                    admin.PushTopic.delete(record['Id'])

    threads = [eventlet.spawn(live, each) for each in replicas] + [eventlet.spawn(delete)]
    for thread in threads:
        thread.wait()
    for replica in replicas:
        for topic in wanted:
            replica.ensure(topic.name, again=True)
    found = topics(admin)
    assert {topic.name: found[topic.name]['Query'] for topic in wanted} == {
        each.name: each.query for each in wanted
    }


# --- order, kills -----------------------------------------------------------------------------------


def test_topics_are_created_in_the_order_of_the_calls(fake, declare, caplog):
    declarations = declare(A, B, C)
    # However long one of them takes.
    fake.faults.add('delay', channel=TOPICS, seconds=0.2)
    with caplog.at_level('INFO', 'nameko_salesforce'):
        threads = [eventlet.spawn(declarations.ensure, name) for name in 'CAB']
        for thread in threads:
            thread.wait()
    created = [text.split()[1] for text in caplog.messages if ' created: ' in text]
    assert created == ['C', 'A', 'B']


def test_a_killed_caller_gives_way_to_the_next(fake, declare, admin):
    fake.faults.add('never', channel=TOPICS)
    declarations = declare(A, B, C)
    first, second, third = (eventlet.spawn(declarations.ensure, name) for name in 'ABC')
    fake.wait_for('fault', count=1)
    # One that waits, then the one that is at work.
    second.kill()
    first.kill()
    third.wait()
    assert 'C' in topics(admin)
    assert 'B' not in topics(admin)
    declarations.ensure('A')
    assert 'A' in topics(admin)


def test_a_timeout_of_the_caller_passes_and_leaves_the_next_attempt_free(fake, declare, admin):
    fake.faults.add('never', channel=QUERY)
    declarations = declare(A)
    with pytest.raises(eventlet.Timeout), eventlet.Timeout(0.3):
        declarations.ensure('A')
    declarations.ensure('A')
    assert 'A' in topics(admin)


# --- refusals and failures --------------------------------------------------------------------------


def test_a_refused_topic_is_named_and_stops_no_other(fake, declare, admin):
    declarations = declare(WRONG, A)
    with pytest.raises(DeclarationError, match='PushTopic Wrong: INVALID_FIELD: .*Nothing') as failed:
        declarations.ensure('Wrong')
    assert failed.value.temporary is False
    declarations.ensure('A')
    assert 'A' in topics(admin)
    with pytest.raises(DeclarationError):
        declarations.ensure('Wrong')
    assert writes(fake) == [('POST', 400), ('POST', 201), ('POST', 400)]


@pytest.mark.parametrize(
    ('fault', 'words'),
    [
        ({'kind': 'status', 'status': 503}, 'HTTP status 503'),
        ({'kind': 'status', 'status': 429}, 'HTTP status 429'),
        ({'kind': 'status', 'status': 302}, 'HTTP status 302'),
        ({'kind': 'reset'}, 'connection lost'),
        ({'kind': 'drop_after'}, 'connection lost: .*closed without an answer'),
        ({'kind': 'html'}, 'answer is not JSON'),
        ({'kind': 'garbage'}, 'answer is not HTTP'),
        ({'kind': 'truncate', 'bytes': 5}, 'answer broke off'),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.get('status', value['kind'])),
)
@pytest.mark.parametrize('step', [QUERY, TOPICS, '/services/data/v67.0/sobjects/Contact/describe'])
def test_what_goes_wrong_on_the_way_is_a_failure_of_its_time_and_the_next_call_succeeds(
    fake, declare, admin, fault, words, step
):
    declarations = declare(SobjectTopic('Contact'))
    kind, fields = fault['kind'], {name: value for name, value in fault.items() if name != 'kind'}
    fake.faults.add(kind, channel=step, **fields)
    with pytest.raises(DeclarationError, match=words) as failed:
        declarations.ensure('Contact')
    assert failed.value.temporary is (fault.get('status') != 302)
    assert 'http://' not in failed.value.reason
    declarations.ensure('Contact')
    assert 'Contact' in topics(admin)


@pytest.mark.parametrize(
    'nonsense', [b'[]', b'{}', b'{"records": [{}]}', b'{"records": null}', b'null', b'7']
)
def test_json_that_is_none_of_salesforces_is_a_failure_of_its_time(nonsense):
    org = Org()
    org.answers = [answer(body=nonsense, headers=['Content-Type: application/json'])]
    session = RestSession(org.tokens, requests.Session())
    declarations = Declarations(lambda: RestClient(session, version='67.0'), [A])
    try:
        with pytest.raises(DeclarationError, match='PushTopic A: an answer without') as failed:
            declarations.ensure('A')
        assert failed.value.temporary is True
    finally:
        session.close()
        org.server.close()


def test_a_salesforce_that_does_not_answer_is_waited_for_once_by_all_topics_in_line(fake, declare, admin):
    fake.faults.add('never', channel='rest', processed=False)
    declarations = declare(A, B, C, REQUEST_TIMEOUT=1)
    threads = [eventlet.spawn(declarations.ensure, name) for name in 'ABC']
    with eventlet.Timeout(5, AssertionError('one wait after the other')):
        for name, thread in zip('ABC', threads, strict=True):
            with pytest.raises(DeclarationError, match=f'PushTopic {name}: no whole answer') as failed:
                thread.wait()
            assert failed.value.temporary is True
    (struck,) = fake.faults.list()
    assert struck['struck'] == 1
    assert fake.journal('rest') == []
    ensure_all(declarations, A, B, C)
    assert set(topics(admin)) >= {'A', 'B', 'C'}


def test_a_login_that_is_refused_is_not_the_fault_of_a_topic(fake, declare):
    with pytest.raises(LoginRefused):
        declare(A, CONSUMER_SECRET='wrong').ensure('A')
    assert fake.journal('rest') == []


def test_an_expired_token_is_renewed(fake, declare, admin):
    declarations = declare(A, B)
    declarations.ensure('A')
    fake.revoke_tokens()
    declarations.ensure('B')
    assert 'B' in topics(admin)


def test_sessions_that_are_refused_however_new_are_a_failure_of_their_time(fake, declare):
    fake.configure(token_lifetime=0)
    with pytest.raises(DeclarationError, match='INVALID_SESSION_ID') as failed:
        declare(A).ensure('A')
    assert failed.value.temporary is True


@pytest.mark.defect('T1')
def test_declarations_that_contradict_each_other_are_refused_before_anything_is_asked(declare):
    with pytest.raises(ValueError, match='PushTopic A is declared in two ways'):
        declare(A, DesiredTopic('A', 'SELECT Id FROM Lead'))


def test_who_waits_too_long_in_line_is_told_why(fake, declare, monkeypatch):
    monkeypatch.setattr('nameko_salesforce.declarations.TURN_LIMIT', 0.2)
    fake.faults.add('delay', channel='/services/data/**', seconds=1.0)
    declarations = declare(A, B)
    first = eventlet.spawn(declarations.ensure, 'A')
    eventlet.sleep(0)
    with pytest.raises(DeclarationError, match='PushTopic B: other PushTopics are being declared') as caught:
        declarations.ensure('B')
    assert caught.value.temporary is True
    first.wait()
    declarations.ensure('B')


@pytest.mark.parametrize(
    'body',
    [
        b'{"records":[{"Name":["x"]}],"done":true}',
        b'{"records":"abc","done":true}',
        b'{"records":[{"Name":"A","Id":null}],"done":true}',
        b'{"records":[7],"done":true}',
        b'{"records":[],"done":false}',
        b'{"records":[],"done":false,"nextRecordsUrl":7}',
        b'[' * 200_000,
        b'9' * 5000,
        b'{"records":[{"Name":"A","Id":null,"ApiVersion":1%b}],"done":true}' % (b'0' * 400),
        b'{"records":[{"Name":"A","Id":NaN,"ApiVersion":NaN}],"done":true}',
        b'\xff\xfe\xfd',
    ],
)
def test_an_answer_of_the_wrong_shape_is_a_trouble_that_passes(body):
    org = Org()
    org.answers = [answer(body=body, headers=['Content-Type: application/json'])]
    session = RestSession(org.tokens, new_session(TransportOptions()))
    client = RestClient(session, version='67.0')
    try:
        with pytest.raises(DeclarationError) as caught:
            Declarations(lambda: client, [DesiredTopic('A', 'SELECT Id FROM Lead')]).ensure('A')
        assert caught.value.temporary is True
    finally:
        session.close()
        org.server.close()


def test_pages_without_end_are_a_trouble_that_passes():
    org = Org()
    page = b'{"records":[],"done":false,"nextRecordsUrl":"/services/data/v67.0/query/01g-1"}'
    org.answers = [answer(body=page, headers=['Content-Type: application/json'])] * 1000
    session = RestSession(org.tokens, new_session(TransportOptions()))
    client = RestClient(session, version='67.0')
    try:
        with pytest.raises(DeclarationError, match='more than 100 pages') as caught:
            Declarations(lambda: client, [DesiredTopic('A', 'SELECT Id FROM Lead')]).ensure('A')
        assert caught.value.temporary is True
        assert len(org.requests) == 100
    finally:
        session.close()
        org.server.close()


def test_an_answer_that_would_hold_up_the_hub_is_not_read():
    org = Org()
    body = b'{"records":[],"done":true,"x":"%b"}' % (b' ' * 2**24)
    org.answers = [answer(body=body, headers=['Content-Type: application/json'])]
    client = rest_client(org.tokens, SalesforceSettings(credentials=None), new_session(TransportOptions()))
    try:
        with pytest.raises(DeclarationError, match=f'above {2**24} bytes') as caught:
            Declarations(lambda: client, [DesiredTopic('A', 'SELECT Id FROM Lead')]).ensure('A')
        assert caught.value.temporary is True
    finally:
        client.session.close()
        org.server.close()
