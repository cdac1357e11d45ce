"""Nobody is led elsewhere: no redirect of any kind is followed with credentials, a token or a cookie.

Logins of every flow and requests of REST; for the stream: tests/bayeux/sockets/test_answers.py.
"""

import contextlib

import pytest
import requests

from nameko_salesforce.bayeux.failures import FailureKind
from nameko_salesforce.bayeux.transport import TransportOptions
from nameko_salesforce.config import SalesforceSettings, read_settings
from nameko_salesforce.credentials import ClientCredentials, SoapLogin
from nameko_salesforce.errors import LoginFailed
from nameko_salesforce.login import log_in
from nameko_salesforce.rest import rest_client
from nameko_salesforce.rest_session import RestSession
from nameko_salesforce.web import new_session
from tests.bayeux.sockets.raw_server import answer, answering
from tests.salesforce.peers import EXPIRED, Org, refused
from tests.salesforce.test_login import FLOWS, oauth, soap, vault

__all__ = ['vault']  # a fixture, for the flow of a provider

STATUSES = [301, 302, 303, 307, 308]

# Where an answer points; '{stranger}' and '{port}' are ports, the latter of who answers.
PLACES = {
    'another host': 'http://127.0.0.1:{stranger}/services/oauth2/token',
    'another port': 'http://localhost:{stranger}/',
    'another scheme': 'https://localhost:{port}/',
    'no scheme': '//127.0.0.1:{stranger}/',
    'another path': '/elsewhere',
}


@pytest.fixture
def stranger(serve):
    """Whom the answers point to; nobody calls there."""
    stranger = serve([])
    yield stranger
    assert stranger.connections == 0


@pytest.fixture(params=PLACES)
def redirect(request, org, stranger):
    """`redirect(status)` -> an answer that points elsewhere."""
    place = PLACES[request.param].format(stranger=stranger.port, port=org.server.port)
    return lambda status: answer(
        status=f'{status} Elsewhere', headers=[f'Location: {place}', f'Refresh: 0; url={place}'], body=b'{}'
    )


@pytest.mark.parametrize('flow', FLOWS)
def test_a_login_is_not_led_elsewhere(org, redirect, flow):
    settings = read_settings({'SALESFORCE': {**FLOWS[flow], 'LOGIN_URL': org.url}})
    for status in STATUSES:
        org.answers = [redirect(status)] * 2
        with pytest.raises(LoginFailed) as caught:
            log_in(settings)
        assert (caught.value.failure.kind, caught.value.failure.status) == (FailureKind.STATUS, status)
    assert (org.server.connections, len(org.requests)) == (len(STATUSES),) * 2


# simple-salesforce's ways to send something: `call(client)`.
CALLS = {
    'query': lambda client: client.query('SELECT Id FROM Contact'),
    'create': lambda client: client.Contact.create({'LastName': 'Hopper'}),
    'update': lambda client: client.Contact.update('003000000000001', {'LastName': 'Hopper'}),
    'delete': lambda client: client.Contact.delete('003000000000001'),
    'apex': lambda client: client.apexecute('x', method='PUT', data={}),
    'bulk': lambda client: client.bulk.Contact.insert([{'LastName': 'Hopper'}]),
    'bulk 2': lambda client: list(client.bulk2.Contact.query('SELECT Id FROM Contact')),
    'metadata': lambda client: client.mdapi.describe_metadata(),
    'GET': lambda client: client.session.get('https://x/a', allow_redirects=True),
    'POST': lambda client: client.session.post('https://x/a', data=b'{}', allow_redirects=True),
}


@pytest.mark.parametrize('call', CALLS)
def test_a_request_of_rest_is_not_led_elsewhere(org, redirect, call):
    settings = read_settings({'SALESFORCE': {**FLOWS['client'], 'LOGIN_URL': org.url}})
    client = rest_client(org.tokens, settings, new_session(settings.transport))
    with contextlib.closing(client.session):
        for status in STATUSES:
            org.answers = [redirect(status)] * 2
            org.requests.clear()
            # What simple-salesforce makes of such an answer differs from call to call.
            with contextlib.suppress(Exception):
                CALLS[call](client)
            assert len(org.requests) == 1
    assert org.server.connections == 1


@pytest.mark.parametrize('status', STATUSES)
def test_the_session_that_is_handed_out_for_other_requests_follows_nothing(org, redirect, status):
    org.answers = [redirect(status)] * 2
    with new_session(TransportOptions()) as session, pytest.raises(requests.TooManyRedirects):
        session.post(org.url, headers={'Authorization': 'Bearer hidden'}, timeout=20)
    assert (org.server.connections, len(org.requests)) == (1, 1)


# --- where a reply says that the token is good ----------------------------------------------------------

LOGINS = {
    'OAuth': (ClientCredentials('key', 'consumer'), lambda url: oauth(instance_url=url)),
    'SOAP': (
        SoapLogin('ada', 'password', ''),
        lambda url: soap(serverUrl=f'{url}/services/Soap/u/64.0/00D000000000001'),
    ),
}


@pytest.mark.parametrize('scheme', ['http', 'HTTP', 'ftp', 'ws', ''])
@pytest.mark.parametrize('login', LOGINS)
def test_no_token_is_taken_to_an_address_without_tls_that_a_reply_names(serve, stranger, login, scheme):
    credentials, reply = LOGINS[login]
    server = serve(answering(answer(body=reply(f'{scheme}://localhost:{stranger.port}'))))
    settings = SalesforceSettings(credentials=credentials, login_url=f'http://localhost:{server.port}')
    with pytest.raises(LoginFailed, match='ids or address of no use'):
        log_in(settings)


@pytest.mark.parametrize('login', LOGINS)
def test_beside_a_login_url_no_address_that_a_reply_names_is_used(org, stranger, login):
    credentials, reply = LOGINS[login]
    org.answers = [answer(body=reply(f'https://127.0.0.1:{stranger.port}'))]
    settings = SalesforceSettings(credentials=credentials, login_url=org.url, instance_url=org.url)
    assert log_in(settings).instance_url == org.url


# --- cookies --------------------------------------------------------------------------------------------


def test_a_cookie_of_one_instance_is_not_taken_to_another_when_a_request_is_repeated_there(org):
    other = Org()
    org.answers = [answer(body=b'{}', headers=['Set-Cookie: sid=hidden; Path=/']), refused(EXPIRED)]
    session = RestSession(org.tokens, new_session(TransportOptions()))
    # As the address of the client has it.
    base = org.url.replace('127.0.0.1', 'localhost')
    org.address = base
    with contextlib.closing(session):
        session.get(f'{base}/a')
        org.address = other.url
        session.get(f'{base}/b')
    other.server.close()
    assert org.requests[1].headers['Cookie'] == 'sid=hidden'
    [request] = other.requests
    assert request.headers['Authorization'] == 'Bearer token-2'
    assert 'Cookie' not in request.headers
