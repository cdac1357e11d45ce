"""What Salesforce does to a service, and that events flow again; polls are short here, to be refused soon."""

import logging

import pytest
from nameko.testing.services import dummy, entrypoint_hook, replace_dependencies, restrict_entrypoints

from nameko_salesforce.api import SalesforceAPI
from nameko_salesforce.errors import DeclarationError, LoginRefused, StreamRefused
from nameko_salesforce.streaming import handle_notification, handle_sobject_notification, subscribe
from tests.integration.conftest import PATIENCE
from tests.integration.greeter import greeter


def contacts(*decorators, **members):
    """A service that hears of contacts, and the names that it heard."""
    seen = []

    def handle(self, *args):
        seen.append(args[-1]['sobject'].get('Name'))

    for decorator in decorators or (handle_sobject_notification('Contact'),):
        handle = decorator(handle)
    return type('Service', (), {'name': 'service', 'handle': handle, **members}), seen


@pytest.fixture
def short(org):
    """Polls of a tenth of a second: what is refused at a poll is refused soon."""
    org.server.configure(timeout=0.1)
    return org


def heard(org, seen, name='Grace'):
    """Somebody makes a contact, and the service hears of it."""
    org.ada.create('Contact', LastName=name)
    org.until(f'{name} to be heard of', lambda: name in seen)


# --- the start ------------------------------------------------------------------------------------


@pytest.mark.defect('S12')
def test_a_service_starts_while_salesforce_is_down_and_is_served_once_it_is_up(org):
    service, seen = contacts()
    running = org.make(service)
    org.server.stop()
    running.start()
    org.until('a second attempt', lambda: org.log.lines('failure 2'))
    org.server.start()
    org.subscribed(running)
    heard(org, seen)


@pytest.mark.defect('S12')
def test_a_service_starts_while_rest_is_down_and_declares_when_it_is_back(org):
    org.server.configure(rest_unavailable=True)
    service, seen = contacts()
    running = org.make(service).start()
    org.until('the refused channel', lambda: org.log.lines('channel /topic/Contact is refused'))
    assert running.client.state.value == 'connected'
    org.server.configure(rest_unavailable=False)
    org.subscribed(running)
    heard(org, seen)


def test_a_service_whose_entrypoints_were_taken_away_does_not_log_in(org):
    class Service:
        name = 'service'

        @handle_sobject_notification('Contact')
        def handle(self, *args):
            raise AssertionError

    running = org.make(Service)
    restrict_entrypoints(running.container)
    running.start()
    running.end('stop')
    assert org.server.journal('login') == []


def test_a_test_that_takes_all_of_salesforce_away_needs_no_section_of_it(container_factory):
    class Service:
        name = 'service'
        salesforce = SalesforceAPI()

        @dummy
        def go(self):
            return self.salesforce.Contact.create({'LastName': 'Hopper'})

        @handle_sobject_notification('Contact')
        def handle(self, *args):
            raise AssertionError

    container = container_factory(Service, {'max_workers': 2})
    replace_dependencies(container, 'salesforce').Contact.create.return_value = {'id': '003'}
    restrict_entrypoints(container, 'go')
    container.start()
    with entrypoint_hook(container, 'go') as go:
        assert go() == {'id': '003'}
    container.stop()


# --- the session ----------------------------------------------------------------------------------


@pytest.mark.defect('D3')
@pytest.mark.parametrize('disconnects', [False, True], ids=['advice-handshake', 'server-disconnect'])
@pytest.mark.defect('S11')
def test_an_expired_routing_cookie_costs_a_handshake_and_no_login(short, disconnects):
    short.server.configure(unknown_client_disconnects=disconnects)
    service, seen = contacts()
    running = short.run(service)
    mark = short.server.mark()
    short.server.expire_routing_cookies()
    short.server.wait_for('reply', channel='/meta/subscribe', successful=True, after=mark)
    short.subscribed(running)
    heard(short, seen)
    assert (short.logins(), short.handshakes()) == (1, 2)


@pytest.mark.defect('D3')
def test_a_server_that_disconnects_is_connected_to_again_without_a_login(short):
    service, seen = contacts()
    short.run(service)
    mark = short.server.mark()
    assert short.server.disconnect_all() == 1
    short.server.wait_for('reply', channel='/meta/subscribe', successful=True, after=mark)
    heard(short, seen)
    assert (short.logins(), short.handshakes()) == (1, 2)


def test_an_org_that_starts_from_nothing_gets_its_pushtopic_again(org):
    service, seen = contacts()
    running = org.run(service)
    org.server.kill()
    org.until('the loss to be noticed', lambda: running.client.state.value != 'connected')
    org.server.start()  # with new ids, without the PushTopic, and the token means nothing to it
    org.server.wait_for_subscriptions('/topic/Contact', timeout=20)
    heard(org, seen)


# --- the token ------------------------------------------------------------------------------------


@pytest.mark.defect('D5')
def test_a_revoked_token_costs_one_login_and_events_flow_again(short):
    service, seen = contacts()
    short.run(service)
    mark = short.server.mark()
    short.server.revoke_tokens('integration@example.com')
    short.server.wait_for('reply', channel='/meta/subscribe', successful=True, after=mark)
    heard(short, seen)
    assert (short.logins(), short.handshakes()) == (2, 2)


def test_a_token_that_is_refused_at_the_handshake_costs_one_login_though_the_error_is_a_403(short):
    service, seen = contacts()
    short.run(service)
    mark = short.server.mark()
    short.server.restart()  # of the streaming side alone: it knows no session any more
    short.server.revoke_tokens('integration@example.com')
    short.server.wait_for('reply', channel='/meta/subscribe', successful=True, after=mark)
    heard(short, seen)
    denied = short.server.journal('reply', channel='/meta/handshake', successful=False)
    assert [entry.detail['ext']['sfdc']['failureReason'] for entry in denied] == [
        '401::Authentication invalid'
    ]
    assert short.logins() == 2


def test_http_401_costs_one_login(short):
    service, seen = contacts()
    short.run(service)
    mark = short.server.mark()
    short.server.faults.add('status', status=401, channel='/meta/connect')
    short.server.wait_for('reply', channel='/meta/subscribe', successful=True, after=mark)
    heard(short, seen)
    assert short.logins() == 2


@pytest.mark.defect('R3')
def test_streaming_and_rest_share_one_login_before_and_after_the_token_is_revoked(short):
    service, seen = greeter()
    short.run(service)
    heard(short, seen, 'Grace')
    assert short.logins() == 1
    mark = short.server.mark()
    short.server.revoke_tokens('integration@example.com')
    short.server.wait_for('reply', channel='/meta/subscribe', successful=True, after=mark)
    heard(short, seen, 'Alan')
    assert short.logins() == 2


def test_a_busy_server_is_not_logged_in_to_and_left_alone_for_minutes(short):
    service, _ = contacts()
    running = short.run(service)
    short.server.configure(busy=['/meta/connect'])
    short.until('the pause', lambda: short.log.lines('Server is too busy.* next attempt in 120'))
    assert running.client.state.value == 'pausing'
    assert short.logins() == 1


@pytest.mark.parametrize(
    ('setting', 'words'),
    [
        ({'client_limit': 0}, 'Organization concurrent user limit exceeded.* next attempt in 300'),
        ({'too_many_connections': True}, 'To protect all customers.* next attempt in 300'),
    ],
)
def test_a_limit_at_the_handshake_is_waited_out_in_a_service_that_lives(org, setting, words):
    org.server.configure(**setting)
    service, _ = contacts()
    running = org.make(service).start()
    org.until('the pause', lambda: org.log.lines(words))
    assert running.client.state.value == 'pausing'
    assert org.logins() == 1


# --- replicas --------------------------------------------------------------------------------------


QUERY = '/services/data/v67.0/query/'


@pytest.mark.defect('T2')
def test_replicas_that_declare_at_once_all_hear_of_contacts(org):
    # What the first queries find is held, on the server's clock, until all three have been made.
    org.server.faults.add('delay', channel=QUERY, count=3, seconds=30)
    services = [contacts() for _ in range(3)]
    for running in [org.make(service) for service, _ in services]:
        running.start()
    org.server.wait_for('rest', path=QUERY, count=3, timeout=PATIENCE)
    org.server.advance(30)
    org.until('three subscriptions', lambda: len(org.server.sessions()) == 3)
    org.server.wait_for('reply', channel='/meta/subscribe', successful=True, count=3)
    org.ada.create('Contact', LastName='Grace')
    org.until('all to hear', lambda: all(seen == ['Grace'] for _, seen in services))
    created = [
        each.detail
        for each in org.server.journal('rest', method='POST')
        if 'PushTopic' in each.detail['path']
    ]
    assert sorted(each['status'] for each in created) == [201, 400, 400]  # they did meet
    topics = org.ada.query("SELECT Id, IsActive FROM PushTopic WHERE Name = 'Contact'")
    assert [topic['IsActive'] for topic in topics] == [True]


# --- refusals -------------------------------------------------------------------------------------


def test_a_refused_channel_does_not_stop_the_others(org):
    service, seen = contacts(handle_sobject_notification('Contact'), subscribe('/topic/Missing'))
    running = org.make(service).start()
    org.server.wait_for_subscriptions('/topic/Contact')
    heard(org, seen)
    [line] = org.log.lines('channel /topic/Missing is refused')
    assert '400::The channel you requested to subscribe to does not exist {/topic/Missing}' in line
    assert running.client.channels['/topic/Missing'].state.value == 'refused'
    org.person('integration@example.com').create(
        'PushTopic', Name='Missing', Query='SELECT Id, Name FROM Contact', ApiVersion=67.0
    )
    org.subscribed(running)  # it is tried again


def test_a_refused_pushtopic_is_told_by_its_name_and_does_not_stop_the_others(org):
    service, seen = contacts(
        handle_sobject_notification('Contact'),
        handle_notification('Wrong', query='SELECT Id, Nonsense__c FROM Contact'),
    )
    running = org.make(service).start()
    org.server.wait_for_subscriptions('/topic/Contact')
    heard(org, seen)
    org.until('the refusal', lambda: org.log.lines('channel /topic/Wrong is refused'))
    [line] = org.log.lines('channel /topic/Wrong is refused')
    assert 'PushTopic Wrong' in line
    assert 'INVALID_FIELD' in line
    assert running.client.channels['/topic/Wrong'].state.value == 'refused'


def test_refused_credentials_pause_by_minutes_and_the_service_lives(org):
    service, _ = contacts()
    running = org.make(service, CONSUMER_SECRET='wrong').start()
    org.until('the refusal', lambda: org.log.lines('login refused'))
    org.until('the pause', lambda: running.client.state.value == 'pausing')
    assert len(org.server.journal('login')) == 1
    seconds = [
        float(line.split('next attempt in ')[1].split(' s')[0])
        for line in org.log.lines('PREPARING -> PAUSING')
    ]
    assert seconds
    assert all(30 <= each <= 120 for each in seconds)
    running.end('stop')


@pytest.mark.parametrize(
    ('decorators', 'settings', 'error'),
    [
        ([handle_sobject_notification('Contact')], {'CONSUMER_SECRET': 'wrong'}, LoginRefused),
        ([subscribe('/topic/Missing')], {}, StreamRefused),
        ([handle_notification('Wrong', query='SELECT Id, Nonsense__c FROM Contact')], {}, DeclarationError),
    ],
)
def test_what_does_not_change_by_itself_ends_the_service_where_fail_fast_says_so(
    org, decorators, settings, error
):
    org.log.expect_error('FAIL_FAST')
    org.log.expect_error('thread exited with error')
    service, _ = contacts(*decorators)
    running = org.make(service, FAIL_FAST=True, **settings).start()
    with org.bounded(), pytest.raises(error):
        running.container.wait()
    assert org.log.lines('because FAIL_FAST is set', logging.CRITICAL)


def test_a_connection_that_is_refused_for_good_ends_the_service_where_fail_fast_says_so(org):
    org.log.expect_error('FAIL_FAST')
    org.log.expect_error('thread exited with error')
    org.server.faults.add(
        'server_disconnect', channel='/meta/connect', error='403::User not enabled for streaming', count=None
    )
    service, _ = contacts()
    running = org.make(service, FAIL_FAST=True).start()
    with org.bounded(), pytest.raises(StreamRefused, match='User not enabled for streaming'):
        running.container.wait()


def test_fail_fast_is_patient_with_a_pushtopic_that_was_deleted_and_is_made_again(short):
    service, seen = contacts()
    short.make(service, FAIL_FAST=True).start()
    short.server.wait_for_subscriptions('/topic/Contact')
    heard(short, seen)
    mark = short.server.mark()
    [topic] = short.ada.query("SELECT Id FROM PushTopic WHERE Name = 'Contact'")
    short.ada.delete('PushTopic', topic['Id'])
    short.server.expire_routing_cookies()
    short.server.wait_for('reply', channel='/meta/subscribe', successful=False, after=mark)
    short.server.wait_for('reply', channel='/meta/subscribe', successful=True, after=mark)
    heard(short, seen, 'Alan')


def test_fail_fast_is_patient_with_what_changes_by_itself(org):
    org.server.configure(rest_unavailable=True)
    service, seen = contacts()
    running = org.make(service, FAIL_FAST=True).start()
    org.until('a refusal', lambda: org.log.lines('channel /topic/Contact is refused'))
    org.server.configure(rest_unavailable=False)
    org.subscribed(running)
    heard(org, seen)


# --- every login ----------------------------------------------------------------------------------

NO_APP = {'CONSUMER_KEY': None, 'CONSUMER_SECRET': None}
USER = {'USERNAME': 'integration@example.com', 'PASSWORD': 'secret', 'SECURITY_TOKEN': 'token'}


@pytest.mark.parametrize('flow', ['client credentials', 'soap', 'password', 'jwt', 'own token', 'provider'])
def test_events_come_and_own_changes_do_not_whatever_the_login(org, flow, jwt_key):
    match flow:
        case 'client credentials':
            keys = {}
        case 'soap':
            keys = {**NO_APP, **USER}
        case 'password':
            keys = USER
        case 'jwt':
            org.server.seed(
                {
                    'apps': [
                        {
                            'name': 'jwt',
                            'consumer_key': 'jwt-key',
                            'consumer_secret': 'jwt-secret',
                            'public_key': jwt_key.public,
                            'approved': ['integration@example.com'],
                        }
                    ]
                }
            )
            keys = {
                'CONSUMER_KEY': 'jwt-key',
                'CONSUMER_SECRET': None,
                'USERNAME': 'integration@example.com',
                'PRIVATE_KEY': jwt_key.private,
            }
        case 'own token':
            token = org.server.issue_token()
            keys = {**NO_APP, 'LOGIN_URL': None, 'ACCESS_TOKEN': token, 'INSTANCE_URL': org.server.base_url}
        case 'provider':
            token = org.server.issue_token()
            PROVIDED[:] = [token, org.server.base_url]
            keys = {**NO_APP, 'LOGIN_URL': None, 'TOKEN_PROVIDER': f'{__name__}.provided'}
    service, seen = contacts()
    org.run(service, **keys)
    org.person('integration@example.com').create('Contact', LastName='Own')
    heard(org, seen)
    assert seen == ['Grace']


def test_a_login_as_another_user_leaves_out_what_that_one_changes(short):
    short.server.seed({'users': [{'username': 'bob@example.com', 'password': 'x', 'security_token': 'y'}]})
    PROVIDED[:] = [short.server.issue_token(), short.server.base_url]
    service, seen = contacts()
    keys = {**NO_APP, 'LOGIN_URL': None, 'TOKEN_PROVIDER': f'{__name__}.provided'}
    short.run(service, **keys)
    mark = short.server.mark()
    PROVIDED[0] = short.server.issue_token('bob@example.com')
    short.server.revoke_tokens('integration@example.com')
    short.server.wait_for('reply', channel='/meta/subscribe', successful=True, after=mark)
    short.person('bob@example.com').create('Contact', LastName='Own')
    heard(short, seen)
    assert seen == ['Grace']


PROVIDED = []


def provided():
    """What `TOKEN_PROVIDER` names."""
    return tuple(PROVIDED)
