"""Requests to an org: token, address, limits, and the one repetition. Against peers that say exactly this."""

import contextlib
import copy
import io
import math
import pickle
import time

import eventlet
import pytest
import requests

from nameko_salesforce.errors import LoginRefused
from nameko_salesforce.rest_session import NoConnectionFree, RestSession
from tests.bayeux.sockets.raw_server import SECONDS, TICK, answer
from tests.salesforce.peers import EXPIRED, GOOD, refused


@pytest.fixture
def make(org):
    """`make(session=None, **limits)` -> a session, closed in the end."""
    made = []

    def start(session=None, **limits):
        limits = {'connect_timeout': SECONDS, 'request_timeout': SECONDS, **limits}
        made.append(RestSession(org.tokens, session or requests.Session(), **limits))
        return made[-1]

    yield start
    for each in made:
        each.close()


# --- address and token ------------------------------------------------------------------------------


def test_making_one_neither_logs_in_nor_connects(org, make):
    make()
    assert (org.logins, org.server.connections) == (0, 0)


def test_whatever_host_and_scheme_a_url_has_it_goes_to_the_org(org, make):
    response = make().get(
        'https://acme.my.salesforce.com:8443/services/data/v67.0/query/?q=a%20b', params={'c': 'd'}
    )
    assert response.json() == {'ok': True}
    assert org.targets() == ['/services/data/v67.0/query/?q=a%20b&c=d']
    assert org.requests[0].headers['Host'] == f'127.0.0.1:{org.server.port}'


def test_the_current_token_takes_the_place_of_any_other(org, make):
    make().get('https://x/services/data/', headers={'Authorization': 'Bearer old'})
    make().get('https://x/services/data/')
    assert org.bearers() == ['Bearer token-1', 'Bearer token-1']
    assert org.logins == 1


def test_the_bulk_api_gets_the_token_in_its_own_header_alone(org, make):
    make().post('https://x/services/async/67.0/job', headers={'X-SFDC-Session': 'old'})
    headers = org.requests[0].headers
    assert headers['X-SFDC-Session'] == 'token-1'
    assert 'Authorization' not in headers


def test_the_metadata_api_gets_the_token_in_its_envelope(org, make):
    body = '<e:Header><m:Session><m:sessionId>a!b</m:sessionId></m:Session></e:Header><e:Body>é</e:Body>'
    make().post('https://x/services/Soap/m/67.0', data=body.encode())
    assert org.requests[0].body.decode() == body.replace('a!b', 'token-1')


def test_a_request_to_soap_without_a_body_is_none_of_its_envelopes(org, make):
    make().get('https://x/services/Soap/m/67.0')
    assert org.bearers() == ['Bearer token-1']


def test_a_body_of_rest_is_left_alone(org, make):
    body = b'{"Description": "<sessionId>a</sessionId>"}'
    make().post('https://x/services/data/v67.0/sobjects/Case/', data=body)
    assert org.requests[0].body == body


def test_the_environment_reroutes_nothing(org, make, monkeypatch, tmp_path):
    (tmp_path / '.netrc').write_text('machine 127.0.0.1 login a password b\n')
    monkeypatch.setenv('NETRC', str(tmp_path / '.netrc'))
    monkeypatch.setenv('HTTP_PROXY', 'http://127.0.0.1:1')
    monkeypatch.delenv('NO_PROXY', raising=False)
    make().get('https://x/services/data/')
    assert org.bearers() == ['Bearer token-1']


def test_proxy_and_certificates_are_those_of_the_given_session(make):
    given = requests.Session()
    given.proxies = {'https': 'http://proxy:3128'}
    given.verify = '/etc/bundle.pem'
    given.cert = '/etc/client.pem'
    session = make(given)
    assert (session.proxies, session.verify, session.cert) == (given.proxies, given.verify, given.cert)


def test_a_proxy_gets_the_request_for_the_org(org, make):
    given = requests.Session()
    given.proxies = {'http': org.url}
    host = 'http://acme.example'
    org.address = host
    make(given).get('https://x/a')
    assert org.targets() == [f'{host}/a']
    assert org.requests[0].headers['Host'] == 'acme.example'


def test_the_given_session_stays_as_it_was(make):
    given = requests.Session()
    before = dict(given.adapters)
    make(given)
    assert given.adapters == before
    assert given.trust_env is True


def test_a_redirect_is_not_followed(org, make):
    org.answers = [
        answer(status='302 Found', headers=[f'Location: http://127.0.0.1:{org.server.port}/elsewhere'])
    ]
    response = make().get('https://x/services/data/')
    assert response.status_code == 302
    assert org.targets() == ['/services/data/']


# --- an expired token -------------------------------------------------------------------------------

BULK = {'exceptionCode': 'InvalidSessionId', 'exceptionMessage': 'Invalid session id'}
BULK_XML = (
    b'<?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload">\n'
    b' <exceptionCode>InvalidSessionId</exceptionCode>\n'
    b' <exceptionMessage>Invalid session id</exceptionMessage>\n</error>'
)
ERRORS_XML = (
    b'<?xml version="1.0" encoding="UTF-8"?><Errors><Error><errorCode>%s</errorCode>'
    b'<message>%s</message></Error></Errors>'
)
EXPIRED_XML = ERRORS_XML % (b'INVALID_SESSION_ID', b'Session expired or invalid')
FAULT = (
    b'<soapenv:Envelope><soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_SESSION_ID</faultcode>'
    b'<faultstring>INVALID_SESSION_ID: Invalid Session ID found in SessionHeader</faultstring>'
    b'</soapenv:Fault></soapenv:Body></soapenv:Envelope>'
)


@pytest.mark.parametrize(
    'refusal',
    [
        refused(EXPIRED),
        refused([{'errorCode': 'INVALID_SESSION_ID'}]),
        refused(EXPIRED_XML, kind='application/xml'),
        refused(BULK, '400 Bad Request'),
        refused(BULK_XML, '400 Bad Request', 'application/xml'),
        refused(b'Bad_OAuth_Token', '403 Forbidden', 'text/plain'),
        refused(FAULT, '500 Internal Server Error', 'text/xml'),
    ],
    ids=['REST', 'no message', 'REST in XML', 'Bulk in JSON', 'Bulk in XML', 'identity', 'SOAP'],
)
def test_a_request_refused_for_its_token_is_sent_once_more_with_another(org, make, refusal):
    org.answers = [refusal]
    response = make().post('https://x/services/data/', data='{"LastName": "Lovelace"}')
    assert response.json() == {'ok': True}
    assert org.bearers() == ['Bearer token-1', 'Bearer token-2']
    assert [request.body for request in org.requests] == [b'{"LastName": "Lovelace"}'] * 2


@pytest.mark.defect('R2')
def test_a_second_refusal_is_the_answer(org, make):
    org.answers = [refused(EXPIRED)] * 5
    assert make().post('https://x/services/data/', data='{}').status_code == 401
    assert (len(org.requests), org.logins) == (2, 2)


WRONG_SCOPE = 'This session is not valid for use with the specified REST API endpoint.'
PASSWORD = {
    'message': 'Your password has expired. Please reset your password.',
    'errorCode': 'INVALID_OPERATION_WITH_EXPIRED_PASSWORD',
}


@pytest.mark.parametrize(
    'refusal',
    [
        refused([{'message': WRONG_SCOPE, 'errorCode': 'INVALID_SESSION_ID'}]),
        refused([PASSWORD]),
        refused(ERRORS_XML % (b'INVALID_SESSION_ID', WRONG_SCOPE.encode()), kind='application/xml'),
        refused(ERRORS_XML % (b'INVALID_AUTH_HEADER', b'INVALID_SESSION_ID'), kind='application/xml'),
        refused(EXPIRED_XML, '403 Forbidden', 'application/xml'),
        # Broken off before the message, which may name the scope.
        refused(b'[{"errorCode":"INVALID_SESSION_ID","mess'),
        refused([{'message': 'x', 'errorCode': 'INVALID_AUTH_HEADER'}]),
        refused({'errorCode': 'INVALID_SESSION_ID'}),
        refused(['INVALID_SESSION_ID']),
        refused(b'<html>INVALID_SESSION_ID</html>', kind='text/html'),
        refused(b''),
        refused(b'\xff\xfe{', kind='application/json'),
        refused(EXPIRED, '403 Forbidden'),
        refused(EXPIRED, '500 Internal Server Error'),
        refused([{'message': 'INVALID_SESSION_ID', 'errorCode': 'MALFORMED_QUERY'}], '400 Bad Request'),
        refused({'exceptionCode': 'InvalidBatch', 'exceptionMessage': 'InvalidSessionId'}, '400 Bad Request'),
        refused(b'Forbidden: Bad_OAuth_Token?', '403 Forbidden'),
    ],
)
def test_what_a_new_login_cannot_cure_is_the_answer_at_once(org, make, refusal):
    org.answers = [refusal]
    assert make().get('https://x/services/data/').status_code >= 400
    assert (len(org.requests), org.logins) == (1, 1)


def test_a_login_that_fails_reaches_the_caller_as_it_is(org, make):
    session = make()
    session.get('https://x/a')

    def refuse():
        raise LoginRefused('invalid_grant', 'authentication failure')

    org.login = refuse
    org.answers = [refused(EXPIRED)]
    with pytest.raises(LoginRefused, match='authentication failure'):
        session.post('https://x/b')
    assert org.targets() == ['/a', '/b']


def test_a_body_from_a_file_is_sent_again_from_its_beginning(org, make):
    org.answers = [refused(EXPIRED)]
    content = io.BytesIO(b'..content')
    content.seek(2)
    assert make().put('https://x/a', data=content).status_code == 200
    assert [request.body for request in org.requests] == [b'content', b'content']


def test_a_body_that_cannot_be_read_again_is_not_sent_again_and_the_next_request_has_the_new_token(org, make):
    class Pipe(io.BytesIO):
        def __len__(self):
            return len(self.getvalue())

        def seek(self, *where):
            raise OSError('a pipe')

    org.answers = [refused(EXPIRED)]
    session = make()
    assert session.put('https://x/a', data=Pipe(b'content')).status_code == 401
    session.get('https://x/b')
    assert org.targets() == ['/a', '/b']
    assert org.bearers() == ['Bearer token-1', 'Bearer token-2']


def test_a_connection_serves_again_after_a_refusal(org, make):
    org.answers = [refused(EXPIRED)]
    make().get('https://x/a')
    assert org.server.connections == 1


# --- time -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def within(beats):
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < beats * TICK


@pytest.mark.defect('R5')
@pytest.mark.parametrize(
    'script',
    [
        lambda peer: peer.wait_for_close(),
        lambda peer: peer.drip(GOOD[:-1] + b' ' * 1000, pause=TICK / 2),
        lambda peer: (peer.send(GOOD.replace(b': 12', b': 9999')), peer.wait_for_close()),
    ],
    ids=['nothing comes', 'it drips', 'the body stops'],
)
@pytest.mark.parametrize('given', [None, 'call'])
def test_an_answer_that_does_not_come_whole_ends_with_an_error_and_its_connection(org, make, script, given):
    org.answers = [script]
    session = make(request_timeout=10 * TICK if given is None else SECONDS, pool_size=1)
    limits = {'timeout': 5 * TICK} if given else {}
    with within(60), pytest.raises(requests.exceptions.RequestException) as failed:
        session.get('https://x/a', **limits)
    assert isinstance(failed.value, requests.exceptions.Timeout | requests.exceptions.ConnectionError)
    assert 'token-1' not in str(failed.value)
    assert session.get('https://x/b').json() == {'ok': True}
    assert org.server.connections == 2


@pytest.mark.parametrize(
    ('given', 'total'),
    [(20 * TICK, 20), ((5 * TICK, 15 * TICK), 20), ((None, 15 * TICK), 20), (None, 20)],
    ids=['one number', 'a pair', 'a pair with a default', 'none'],
)
def test_the_whole_of_an_answer_that_drips_takes_as_long_as_is_said(org, make, given, total):
    org.answers = [lambda peer: peer.drip(GOOD[:-1] + b' ' * 1000, pause=TICK / 2)]
    session = make(connect_timeout=5 * TICK, request_timeout=20 * TICK)
    # A login does not count.
    org.tokens.get()
    begun = time.monotonic()
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get('https://x/a', timeout=given)
    assert total * 0.95 < (time.monotonic() - begun) / TICK < total * 1.5


@pytest.mark.parametrize(
    'given', [math.inf, 1e308, 10**400, (1e308, math.inf)], ids=lambda each: str(each)[:9]
)
def test_a_time_that_no_hub_can_wait_is_a_long_one(org, make, given):
    assert make().get('https://x/a', timeout=given).json() == {'ok': True}


def test_the_callers_own_timeout_passes_and_frees_the_connection(org, make):
    org.answers = [lambda peer: peer.wait_for_close()]
    session = make(pool_size=1)
    with pytest.raises(eventlet.Timeout), eventlet.Timeout(5 * TICK):
        session.get('https://x/a')
    assert session.get('https://x/b').json() == {'ok': True}


def test_a_killed_caller_frees_its_connection(org, make):
    org.answers = [lambda peer: peer.wait_for_close()]
    session = make(pool_size=1)
    caller = eventlet.spawn(session.get, 'https://x/a')
    while not org.requests:
        eventlet.sleep(TICK / 10)
    caller.kill()
    assert session.get('https://x/b').json() == {'ok': True}


@pytest.mark.defect('R5')
@pytest.mark.parametrize('method', ['POST', 'PATCH', 'GET'])
def test_a_request_whose_connection_breaks_is_not_repeated(org, make, method):
    org.answers = [lambda peer: peer.reset()]
    with pytest.raises(requests.exceptions.ConnectionError):
        make().request(method, 'https://x/a')
    assert org.targets() == ['/a']


def test_a_connection_that_the_server_closed_while_idle_is_replaced(org, make):
    session = make()
    org.answers = [lambda peer: (peer.send(GOOD), peer.sock.close())]
    session.get('https://x/a')
    eventlet.sleep(TICK)
    assert session.post('https://x/b').json() == {'ok': True}


# --- number -----------------------------------------------------------------------------------------


@pytest.mark.defect('R3')
def test_no_more_requests_are_under_way_than_the_pool_is_large(org, make):
    under_way, most = set(), []

    def slow(peer):
        under_way.add(peer)
        most.append(len(under_way))
        eventlet.sleep(TICK / 5)
        under_way.discard(peer)
        peer.send(GOOD)

    org.answers = [slow] * 50
    session = make(pool_size=4)
    pool = eventlet.GreenPool(50)
    answers = list(pool.imap(lambda number: session.get(f'https://x/{number}').json(), range(50)))
    assert answers == [{'ok': True}] * 50
    assert max(most) == 4
    assert org.server.connections == 4
    assert org.logins == 1


@pytest.mark.defect('R3')
def test_fifty_calls_that_meet_an_expired_token_make_one_login(org, make):
    session = make(pool_size=10)
    session.get('https://x/before')
    good = 'Bearer token-2'

    def judge(peer):
        peer.send(GOOD if org.requests[-1].headers['Authorization'] == good else refused(EXPIRED))

    org.answers = [judge] * 100
    pool = eventlet.GreenPool(50)
    answers = list(pool.imap(lambda number: session.post(f'https://x/{number}').json(), range(50)))
    assert answers == [{'ok': True}] * 50
    assert org.logins == 2
    assert len(org.requests) <= 1 + 10 + 50


def test_a_wait_for_a_connection_ends_with_an_error_that_names_the_setting(org, make):
    org.answers = [lambda peer: peer.wait_for_close()]
    session = make(pool_size=1, request_timeout=5 * TICK)
    holder = eventlet.spawn(session.get, 'https://x/a', timeout=SECONDS)
    while not org.requests:
        eventlet.sleep(TICK / 10)
    with within(60), pytest.raises(NoConnectionFree, match=r'not sent: 1 other requests \(POOL_SIZE\)'):
        session.get('https://x/b')
    holder.kill()
    assert org.targets() == ['/a']


def test_a_caller_killed_while_it_waits_takes_no_connection_with_it(org, make):
    gate = eventlet.event.Event()
    org.answers = [lambda peer: (gate.wait(), peer.send(GOOD))]
    session = make(pool_size=1)
    holder = eventlet.spawn(session.get, 'https://x/a')
    while not org.requests:
        eventlet.sleep(TICK / 10)
    waiters = [eventlet.spawn(session.get, f'https://x/{number}') for number in range(3)]
    eventlet.sleep(0)
    waiters[0].kill()
    gate.send()
    assert holder.wait().json() == waiters[1].wait().json() == waiters[2].wait().json() == {'ok': True}


# --- ends -------------------------------------------------------------------------------------------


@pytest.mark.defect('R5')
def test_closing_ends_all_connections(org, make):
    closed = []
    org.answers = [lambda peer: (peer.send(GOOD), peer.wait_for_close(), closed.append(True))]
    session = make()
    session.get('https://x/a')
    session.close()
    session.close()
    with eventlet.Timeout(SECONDS):
        while not closed:
            eventlet.sleep(TICK / 10)


def test_a_session_shows_no_token_and_cannot_be_taken_elsewhere(make):
    session = make()
    session.get('https://x/a')
    assert 'token-1' not in repr(session)
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match='holds its token'):
            take(session)


def test_the_request_that_an_exception_carries_shows_no_token(org, make):
    cookie = answer(body=b'{}', headers=['Set-Cookie: sid=hidden; Path=/'])
    org.answers = [cookie, *[lambda peer: peer.reset()] * 3]
    session = make()
    session.get(f'{org.url}/a')
    body = b'<m:sessionId>old</m:sessionId>'
    for call in (
        lambda: session.get(f'{org.url}/services/data/'),
        lambda: session.post(f'{org.url}/services/async/67.0/job', headers={'X-SFDC-Session': 'old'}),
        lambda: session.post(f'{org.url}/services/Soap/m/67.0', data=body),
    ):
        with pytest.raises(requests.exceptions.ConnectionError) as caught:
            call()
        carried = caught.value.request
        assert carried.url.startswith(org.url)
        assert '***' in carried.headers.values()
        for secret in ('token-1', 'hidden'):
            assert secret not in f'{carried.headers} {carried.body!r}'
    # It was sent with them.
    assert [request.headers['Cookie'] for request in org.requests[1:]] == ['sid=hidden'] * 3
    assert b'token-1' in org.requests[-1].body


def test_cookies_that_no_server_would_take_back_are_not_kept(org, make):
    def cookies(count, size):
        return answer(body=b'{}', headers=[f'Set-Cookie: c{n}={"x" * size}; Path=/' for n in range(count)])

    org.answers = [cookies(1, 20), cookies(90, 4000), cookies(1, 60_000), cookies(1, 20)]
    session = make()
    for _ in range(5):
        session.get(f'{org.url}/a')
    sent = [request.headers.get('Cookie') for request in org.requests]
    assert sent == [None, f'c0={"x" * 20}', None, None, f'c0={"x" * 20}']


def test_a_page_of_error_that_repeats_the_request_does_not_show_its_token(org, make):
    page = b'<p>Authorization: Bearer token-1</p>'
    org.answers = [refused(page, '403 No token-1 here', 'text/html'), answer(body=b'"token-1"')]
    session = make()
    refusal = session.get('https://x/a')
    assert (refusal.content, refusal.reason) == (page.replace(b'token-1', b'***'), 'No *** here')
    # An answer that is none of error is what was asked for.
    assert session.get('https://x/b').content == b'"token-1"'


def test_a_caller_killed_as_it_gets_its_turn_leaves_it_to_the_next(make):
    session = make(pool_size=1, request_timeout=SECONDS)
    turns = session._slots
    turns.acquire()
    got = []
    first, second = (
        eventlet.spawn(lambda name: got.append((name, turns.acquire(timeout=SECONDS))), name) for name in 'ab'
    )
    eventlet.sleep(0)
    turns.release()
    first.kill()
    with eventlet.Timeout(SECONDS / 2):
        second.wait()
    assert got == [('b', True)]
