"""The control endpoints, spoken to without the handle."""

import http.client
import json
import threading
from urllib.parse import urlsplit

import pytest
from fake_salesforce.client import start_fake
from fake_salesforce.control import guard
from multidict import CIMultiDict


@pytest.fixture
def ask(fake_cometd):
    """One control request -> (status, decoded answer)."""
    address = urlsplit(fake_cometd.base_url)

    def ask(method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        try:
            content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, f'/_fake/{path}', content, headers or {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    return ask


def test_one_or_many_events_are_published(ask, client):
    client.connected('/a')
    assert ask('POST', 'publish', {'channel': '/a', 'data': 1}) == (200, {'sessions': [1]})
    many = [{'channel': '/a', 'data': None, 'lazy': True}, {'channel': '/b', 'data': 3}]
    assert ask('POST', 'publish', many) == (200, {'sessions': [1, 0]})


@pytest.mark.parametrize(
    ('method', 'path', 'body', 'problem'),
    [
        ('POST', 'publish', {'chanel': '/a', 'data': 1}, 'missing: channel; unknown: chanel'),
        ('POST', 'publish', {'channel': '/a'}, 'missing: data'),
        ('POST', 'publish', 5, 'expected an object with channel, data, lazy'),
        ('POST', 'publish', {'channel': 5, 'data': 1}, 'channel is a text'),
        ('POST', 'publish', {'channel': '/a', 'data': 1, 'lazy': 1}, 'lazy is true or false'),
        ('POST', 'publish', {'channel': '/meta/x', 'data': 1}, 'is not a channel to publish to'),
        ('POST', 'publish', b'{', 'Expecting'),
        ('POST', 'publish', b'[' * 100_000, 'nested too deeply'),
        ('POST', 'faults', {'kind': 'nope'}, 'kind is one of'),
        ('POST', 'clock', {'advance': -1}, 'not negative'),
        ('POST', 'clock', {'advance': '1'}, 'number of seconds'),
        ('POST', 'clock', {}, 'missing: advance'),
        ('POST', 'seed', [], 'a seed is an object'),
        ('POST', 'seed', {'colour': 'red', 'users': [{}]}, 'colour: no such key; users[0].username: missing'),
        ('POST', 'gap', {'sobject': 'Account', 'change_type': 'GAP'}, 'change_type is one of GAP_CREATE'),
        ('POST', 'gap', {'sobject': 'Account', 'record_ids': 'x'}, 'record_ids is a list of texts'),
        ('POST', 'undelete', {'sobject': 'Account', 'record_id': 'x'}, 'missing: username'),
        ('POST', 'revoke', {'username': 'nobody'}, 'no user nobody'),
        ('POST', 'revoke', {'username': 1}, 'username is a text'),
        ('POST', 'revoke', {'user': 'x'}, 'unknown: user'),
        ('POST', 'token', {'username': 'nobody'}, 'no user nobody'),
        ('POST', 'grant', {'username': 'ada@example.com'}, 'missing: consumer_key'),
        ('POST', 'grant', {'username': 'ada@example.com', 'consumer_key': 'x'}, 'no app with this'),
        ('PATCH', 'settings', {'nope': 1}, 'nope: no such setting'),
        ('PATCH', 'settings', [], 'settings are an object'),
        ('POST', 'disconnect', {'sesion': 'x'}, 'unknown: sesion'),
        ('POST', 'reset', {'profile': 'nope'}, 'profile is one of salesforce, vanilla'),
        ('POST', 'reset', {'profile': []}, 'profile is one of salesforce, vanilla'),
        ('POST', 'reset', {'profil': 'vanilla'}, 'unknown: profil'),
        ('POST', 'expire_routes', {}, 'only the profile salesforce has that'),
        ('GET', 'replay?channel=/a', None, 'only the profile salesforce has that'),
        ('GET', 'replay', None, 'replay asks for one channel'),
        ('GET', 'replay?channel=/a&count=1', None, 'replay asks for one channel'),
        ('GET', 'journal?chanel=/a', None, 'unknown: chanel; the journal knows after'),
        ('GET', 'journal?kind=nope', None, 'kind is one of request'),
        ('GET', 'journal?after=x', None, 'after is a number'),
        ('GET', 'journal?detail=[]', None, 'detail is an object'),
    ],
)
def test_wrong_requests_are_400_with_a_reason(ask, method, path, body, problem):
    status, answer = ask(method, path, body)
    assert status == 400
    assert problem in answer['error']


def test_a_seed_that_is_wrong_in_one_place_adds_nothing(ask):
    user = {'username': 'grace@example.com'}
    assert ask('POST', 'seed', {'users': [user, {}]})[0] == 400
    assert ask('POST', 'revoke', user)[0] == 400
    assert ask('POST', 'seed', {'users': [user]}) == (200, {})
    assert ask('POST', 'revoke', user) == (200, {'tokens': 0})


def test_a_wrong_event_in_a_list_publishes_nothing(ask, fake_cometd):
    assert ask('POST', 'publish', [{'channel': '/a', 'data': 1}, {'channel': '/a'}])[0] == 400
    assert fake_cometd.journal('published') == []


def test_faults_are_added_listed_and_cleared(ask):
    assert ask('POST', 'faults', [{'kind': 'html'}, {'kind': 'empty'}]) == (200, {'numbers': [1, 2]})
    assert ask('POST', 'faults', {'kind': 'drip', 'count': None}) == (200, {'numbers': [3]})
    assert [fault['kind'] for fault in ask('GET', 'faults')[1]] == ['html', 'empty', 'drip']
    assert ask('DELETE', 'faults')[0] == 200
    assert ask('GET', 'faults') == (200, [])


def test_the_clock_only_goes_forward(ask):
    before = ask('GET', 'clock')[1]['now']
    after = ask('POST', 'clock', {'advance': 100})[1]['now']
    assert 100 <= after - before < 150


def test_sessions_are_listed(ask, client):
    client.connected('/a')
    (session,) = ask('GET', 'sessions')[1]
    assert (session['client_id'], session['subscriptions']) == (client.client_id, ['/a'])


def test_settings_change_at_once_and_reset_brings_them_back(ask, client):
    assert ask('PATCH', 'settings', {'deny_subscribe': {'/a': 'why'}, 'timeout': 3})[1]['timeout'] == 3.0
    client.connected()
    message = {'channel': '/meta/subscribe', 'clientId': client.client_id, 'subscription': '/a'}
    assert client.post(message)[0]['error'] == '403:why:subscribe_denied'
    assert ask('POST', 'reset')[0] == 200
    assert ask('GET', 'settings')[1]['timeout'] == 30.0
    assert ask('GET', 'sessions')[1] == []


def test_a_reset_can_make_it_another_kind_of_server(ask, fake_cometd):
    salesforce = {'profile': 'salesforce', 'endpoint': '/cometd/67.0'}
    assert ask('POST', 'reset', {'profile': 'salesforce'}) == (200, salesforce)
    assert ask('GET', 'settings')[1]['timeout'] == 110.0
    assert ask('PATCH', 'settings', {'busy': ['/meta/connect'], 'retention_topics': 5})[0] == 200
    assert ask('POST', 'reset', {}) == (200, salesforce)
    assert ask('GET', 'settings')[1]['busy'] == []
    assert ask('POST', 'reset', {'profile': 'vanilla'})[1] == {'profile': 'vanilla', 'endpoint': '/cometd'}
    assert ask('PATCH', 'settings', {'busy': []})[0] == 400


def test_a_session_is_disconnected_by_its_id(ask, client):
    client.connected()
    assert ask('POST', 'disconnect', {'session': 'other'})[1] == {'sessions': 0}
    assert ask('POST', 'disconnect', {'session': client.client_id})[1] == {'sessions': 1}


def test_the_journal_is_filtered(ask, client, fake_cometd):
    client.connected('/a')
    found = ask('GET', 'journal?kind=reply&channel=/meta/subscribe&detail={"successful":true}')[1]
    assert [entry['detail']['subscription'] for entry in found['entries']] == ['/a']
    assert ask('GET', f'journal?after={found["last"]}')[1]['entries'] == []
    assert ask('GET', 'journal?session=nobody')[1]['entries'] == []


def test_a_long_wait_for_the_journal_ends_with_the_fact(ask, fake_cometd):
    answers = []
    waiter = threading.Thread(
        target=lambda: answers.append(ask('GET', 'journal?kind=published&count=2&wait=20'))
    )
    waiter.start()
    fake_cometd.publish('/a', 1)
    fake_cometd.publish('/a', 2)
    waiter.join(20)
    assert len(answers[0][1]['entries']) == 2


def test_a_long_wait_ends_with_its_time(ask):
    assert ask('GET', 'journal?wait=0.01')[1]['entries'] == []


@pytest.mark.parametrize(
    'headers',
    [
        {'Host': 'evil.example'},
        {'Host': 'evil.example:80'},
        {'Host': 'EVIL.EXAMPLE'},
        {'Host': '[bad'},
        {'Host': ''},
        {'Host': ':8080'},
        # What begins, ends or is dressed up like a name of this machine.
        {'Host': 'localhost.evil.example'},
        {'Host': 'evil.localhost'},
        {'Host': 'localhost.'},
        {'Host': 'localhost:evil'},
        {'Host': 'evil.example@localhost'},
        {'Host': 'localhost@evil.example'},
        # Addresses that lead here, under which browsers keep no page of ours.
        {'Host': '0.0.0.0:8080'},
        {'Host': '127.0.0.2'},
        {'Host': '127.1'},
        {'Host': '2130706433'},
        {'Host': '[::]:8080'},
        {'Host': '[::ffff:127.0.0.1]'},
        {'Host': '[2001:db8::1]:80'},
        {'Origin': 'http://evil.example'},
        {'Origin': 'http://localhost.evil.example'},
        {'Origin': 'null'},
        {'Origin': ''},
        {'Origin': 'localhost'},
    ],
)
def test_requests_that_a_foreign_page_could_cause_are_refused(ask, headers):
    status, answer = ask('POST', 'restart', headers=headers)
    assert status == 403
    assert 'unexpected' in answer['error']


@pytest.mark.parametrize(
    'headers',
    [
        {'Host': 'localhost:1'},
        {'Host': 'LocalHost'},
        {'Host': '127.0.0.1'},
        {'Host': '127.0.0.1:65535'},
        {'Host': '[::1]'},
        {'Host': '[::1]:8080'},
        {'Origin': 'http://localhost'},
        {'Origin': 'http://[::1]:3000'},
        {'Origin': 'https://LOCALHOST:1'},
    ],
)
def test_names_of_this_machine_are_accepted(ask, headers):
    assert ask('GET', 'clock', headers=headers)[0] == 200


@pytest.mark.parametrize(('method', 'path'), [('GET', 'nope'), ('GET', ''), ('GET', 'publish')])
def test_unknown_endpoints_are_named(ask, method, path):
    status, answer = ask(method, path)
    assert (status, answer['error']) == (400, f'no such endpoint: {method} /_fake/{path}')


EXPECTED = b'Host: localhost\r\n'


@pytest.mark.parametrize(
    ('line', 'headers', 'status'),
    [
        (b'GET /_fake/clock HTTP/1.1', EXPECTED, 200),
        (b'GET http://localhost:8080/_fake/clock HTTP/1.1', EXPECTED, 200),
        (b'GET http://evil.example/_fake/clock HTTP/1.1', EXPECTED, 403),
        (b'GET http://evil.example:80/_fake/clock HTTP/1.1', EXPECTED, 403),
        (b'GET http://localhost/_fake/clock HTTP/1.1', b'Host: evil.example\r\n', 403),
        (b'GET http://evil.example/_fake/clock HTTP/1.1', b'Host: evil.example\r\n', 403),
        # Without a name, which browsers have sent for thirty years.
        (b'GET /_fake/clock HTTP/1.0', b'', 403),
        # Other ways to the same endpoints.
        (b'GET /%5Ffake/clock HTTP/1.1', b'Host: evil.example\r\n', 403),
        (b'HEAD /_fake/clock HTTP/1.1', b'Host: evil.example\r\n', 403),
        (b'OPTIONS /_fake/restart HTTP/1.1', b'Host: evil.example\r\n', 403),
        (b'GET /_fake/nope HTTP/1.1', b'Host: evil.example\r\n', 403),
    ],
)
def test_the_name_counts_wherever_a_request_has_it(raw_socket, line, headers, status):
    raw_socket.sendall(line + b'\r\n' + headers + b'Connection: close\r\n\r\n')
    answer = raw_socket.makefile('rb').read()
    assert answer.split()[1] == b'%d' % status, answer


class Request:
    raw_path = '/_fake/clock'

    def __init__(self, remote, *hosts, **headers):
        self.remote = remote
        self.headers = CIMultiDict([*(('Host', host) for host in hosts), *headers.items()])


@pytest.mark.parametrize(
    ('request_', 'hosts', 'served'),
    [
        (Request('127.0.0.1', 'localhost'), (), True),
        (Request('::1', '[::1]:80'), (), True),
        (Request('10.0.0.5', 'localhost'), (), False),
        (Request(None, 'localhost'), (), False),
        (Request('nonsense', 'localhost'), (), False),
        (Request('10.0.0.5', 'fake:8080'), ('fake',), True),
        (Request('10.0.0.5', 'other'), ('fake',), False),
        (Request('127.0.0.1', 'localhost'), ('fake',), True),
        (Request('127.0.0.1'), (), False),
        # Most versions of aiohttp do not let two pass.
        (Request('127.0.0.1', 'localhost', 'evil.example'), (), False),
        (Request('127.0.0.1', 'evil.example', 'localhost'), (), False),
        (Request('::ffff:10.0.0.5', 'localhost'), (), False),
        (Request('10.0.0.5', 'FAKE:8080'), ('Fake',), True),
        (Request('10.0.0.5', 'fake', Origin='http://evil.example'), ('fake',), False),
    ],
)
def test_other_machines_are_served_only_under_a_name_that_was_given(request_, hosts, served):
    assert (guard(request_, hosts) is None) is served


def test_a_control_host_can_be_given_on_the_command_line():
    with start_fake('--profile', 'vanilla', '--control-host', 'fake.test') as fake:
        address = urlsplit(fake.base_url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        connection.request('GET', '/_fake/clock', headers={'Host': 'fake.test'})
        assert connection.getresponse().status == 200
        connection.close()
