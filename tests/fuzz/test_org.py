"""Whatever an org answers to logins, queries and PushTopics: it serves, or there is an error in words.

The org is a thread of its own that says what is drawn: whole answers of HTTP, near to what is right.
"""

import gzip
import json
import random
import socket
import threading
import time
from contextlib import suppress

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.bayeux.transport import TransportOptions
from nameko_salesforce.config import read_settings
from nameko_salesforce.credentials import Token
from nameko_salesforce.declarations import Declarations
from nameko_salesforce.errors import DeclarationError, LoginFailed, LoginRefused
from nameko_salesforce.login import log_in
from nameko_salesforce.push_topics import DesiredTopic, SobjectTopic
from nameko_salesforce.rest import RestClient
from nameko_salesforce.rest_session import RestSession
from nameko_salesforce.tokens import Tokens
from nameko_salesforce.web import new_session
from tests.fuzz.strategies import JSON, MUTATIONS, TEXTS, mutated

ORG, USER = '00D000000000001AAA', '005000000000001AAA'
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 300, 302, 400, 401, 403, 404, 410, 500, 503])
HEADERS = st.sampled_from(
    [
        '',
        'Content-Encoding: gzip\r\n',
        'Content-Encoding: deflate\r\n',
        'Retry-After: 9\r\n',
        'Location: /\r\n',
    ]
)
CODES = st.sampled_from(
    ['INVALID_SESSION_ID', 'invalid_grant', 'DUPLICATE_VALUE', 'INVALID_LOGIN', 'SERVER_UNAVAILABLE']
)
REFUSALS = st.lists(
    st.fixed_dictionaries({}, optional={'errorCode': CODES | JSON, 'message': TEXTS | JSON}) | JSON,
    max_size=2,
)


class Org:
    """Says `said` to everybody who asks."""

    def __init__(self):
        self.said = b''
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self._listener.getsockname()[1]}'
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock, suppress(OSError):
                sock.settimeout(5)
                asked = b''
                while b'\r\n\r\n' not in asked:
                    if not (more := sock.recv(65_536)):
                        break
                    asked += more
                head, _, body = asked.partition(b'\r\n\r\n')
                length = next(
                    (
                        int(line[15:])
                        for line in head.split(b'\r\n')
                        if line.lower().startswith(b'content-length')
                    ),
                    0,
                )
                while len(body) < length and (more := sock.recv(65_536)):
                    body += more
                sock.sendall(self.said)

    def close(self):
        # A thread that waits in `accept` is not woken by a close.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture(scope='module')
def org():
    org = Org()
    yield org
    org.close()


def outcome(call, *errors):
    """What a call gives, and what it raised of these."""
    try:
        return call(), None
    except errors as error:
        return None, error


def whole(status, headers, body):
    head = f'HTTP/1.1 {status} x\r\n{headers}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n'
    return head.encode() + body


def json_of(value):
    return json.dumps(value).encode()


def answers(bodies):
    """Answers with bodies near to these, and any other bytes."""
    near = st.builds(whole, STATUSES, HEADERS, st.builds(mutated, bodies, MUTATIONS) | bodies)
    packed = st.builds(mutated, bodies.map(gzip.compress), MUTATIONS)
    near |= st.builds(whole, STATUSES, st.just('Content-Encoding: gzip\r\n'), packed)
    return st.builds(mutated, near, st.just([]) | MUTATIONS) | st.binary(max_size=200)


# --- logins -----------------------------------------------------------------------------------------

FLOWS = {
    'soap': {'USERNAME': 'ada@x.com', 'PASSWORD': 'secret', 'SECURITY_TOKEN': 't'},
    'client': {'CONSUMER_KEY': 'key', 'CONSUMER_SECRET': 'secret'},
    'own': {'ACCESS_TOKEN': 'secret'},
}
IDENTITY = f'https://login.salesforce.com/id/{ORG}/{USER}'
TIMES = st.sampled_from([0, -1, 7200, '7200', 10**400, 1e308, float('nan'), float('inf')])
OAUTH = st.fixed_dictionaries(
    {},
    optional={
        'access_token': st.just('00D!x') | TEXTS | JSON,
        'instance_url': st.just('https://acme.my.salesforce.com') | TEXTS | JSON,
        'id': st.just(IDENTITY) | TEXTS | JSON,
        'issued_at': TIMES | JSON,
        'expires_in': TIMES | JSON,
        'error': CODES | JSON,
        'error_description': TEXTS | JSON,
    },
)
GRANTED = st.fixed_dictionaries(
    {
        'access_token': st.just('00D!x'),
        'instance_url': st.just('https://acme.my.salesforce.com'),
        'id': st.just(IDENTITY),
    },
    optional={'issued_at': TIMES, 'expires_in': TIMES},
)


def soap(values):
    said = ''.join(f'<{name}>{value}</{name}>' for name, value in values.items())
    return f'<e:E xmlns:e="x">{said}</e:E>'.encode('utf-8', 'surrogatepass')


SOAP = st.fixed_dictionaries(
    {},
    optional={
        'Fault': TEXTS,
        'faultcode': CODES.map('sf:{}'.format) | TEXTS,
        'faultstring': TEXTS,
        'passwordExpired': st.sampled_from(['true', 'false']) | TEXTS,
        'serverUrl': st.just('https://acme.my.salesforce.com/services/Soap/u/64.0/00D') | TEXTS,
        'sessionId': st.just('00D!x') | TEXTS,
        'userId': st.just(USER) | TEXTS,
        'organizationId': st.just(ORG) | TEXTS,
    },
).map(soap)
RESOURCES = st.fixed_dictionaries({}, optional={'identity': st.just(IDENTITY) | TEXTS | JSON})
LOGINS = {
    'soap': answers(SOAP),
    'client': answers((OAUTH | GRANTED | JSON).map(json_of)),
    'own': answers((RESOURCES | REFUSALS | JSON).map(json_of)),
}


@pytest.mark.parametrize('flow', FLOWS)
def test_any_answer_to_a_login_gives_a_token_or_an_error_in_words(org, flow):
    settings = read_settings({'SALESFORCE': {**FLOWS[flow], 'LOGIN_URL': org.url, 'REQUEST_TIMEOUT': 2}})

    @given(LOGINS[flow])
    def login(said):
        org.said = said
        token, error = outcome(lambda: log_in(settings), LoginRefused, LoginFailed)
        if error is not None:
            assert str(error).isprintable()
            assert len(str(error)) < 2000
            assert 'secret' not in str(error)
            return
        assert (len(token.organization_id), len(token.user_id)) == (18, 18)
        assert token.instance_url == org.url
        assert token.access_token.isascii()

    login()


# --- REST -------------------------------------------------------------------------------------------


def client_of(org):
    tokens = Tokens(
        lambda: Token('00D!secret', org.url, ORG, USER),
        clock=time.monotonic,
        draw=random.random,
        logins_per_hour=9**9,
    )
    session = RestSession(tokens, new_session(TransportOptions()), request_timeout=2.0, answer_limit=10_000)
    return RestClient(session, version='67.0')


RECORDS = st.fixed_dictionaries(
    {},
    optional={
        'Id': st.just('0IF000000000001AAA') | JSON,
        'Name': st.just('A') | JSON,
        'Query': st.just('SELECT Id FROM Lead') | JSON,
        'ApiVersion': st.just(67.0) | JSON,
        'IsActive': st.booleans() | JSON,
    },
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        'done': st.just(True) | JSON,
        'totalSize': st.just(1) | JSON,
        'nextRecordsUrl': st.just('/services/data/v67.0/query/01g-1') | JSON,
        'records': st.lists(RECORDS | JSON, max_size=2) | JSON,
        'fields': st.lists(st.fixed_dictionaries({'name': st.just('Name') | JSON}), max_size=2) | JSON,
        'id': JSON,
        'success': JSON,
    },
)
REST = answers((QUERIES | REFUSALS | JSON).map(json_of))


@given(said=REST, stream=st.booleans())
def test_any_answer_to_a_request_is_one_or_an_error_of_requests(org, said, stream):
    client = client_of(org)
    org.said = said
    response, error = outcome(
        lambda: client.session.get('https://x/services/data/', stream=stream), requests.RequestException
    )
    if error is not None:
        assert 'secret' not in f'{error!r} {error} {error.request.headers}'
    elif response.status_code >= 400 or not stream:
        assert len(response.content) <= 10_000
    client.session.close()


@given(said=REST, topic=st.sampled_from([DesiredTopic('A', 'SELECT Id FROM Lead'), SobjectTopic('Contact')]))
def test_any_answer_about_a_topic_is_understood_or_an_error_in_words(org, said, topic):
    client = client_of(org)
    org.said = said
    _, error = outcome(lambda: Declarations(lambda: client, [topic]).ensure(topic.name), DeclarationError)
    client.session.close()
    if error is not None:
        assert error.topic == topic.name
        assert len(error.reason) < 2000
        assert 'secret' not in str(error)
