"""What becomes of an answer, flow by flow, however odd it is. With the fake org: test_login_fake.py.

Servers say byte by byte what a test wants.
"""

import json
import logging
import sys
import traceback
import types

import eventlet
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.transport import TransportOptions
from nameko_salesforce.config import SalesforceSettings, read_settings
from nameko_salesforce.credentials import ClientCredentials, JwtBearer, SoapLogin, Token
from nameko_salesforce.errors import LoginFailed, LoginPostponed, LoginRefused
from nameko_salesforce.login import log_in
from nameko_salesforce.tokens import Tokens
from tests.bayeux.sockets.raw_server import TICK, Peer, Request, answer

KEY = rsa.generate_private_key(65_537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()

ORG, USER = '00D000000000001', '005000000000001'
ORG_18, USER_18 = '00D000000000001EAA', '005000000000001AAA'
IDENTITY = f'https://login.salesforce.com/id/{ORG}/{USER}'
INSTANCE = 'https://acme.my.salesforce.com'

FLOWS = {
    'soap': {'USERNAME': 'ada@x.com', 'PASSWORD': 'secret-pa<ss', 'SECURITY_TOKEN': 'secret-tok&en'},
    'password': {
        'USERNAME': 'ada@x.com',
        'PASSWORD': 'secret-pa<ss',
        'SECURITY_TOKEN': 'secret-tok&en',
        'CONSUMER_KEY': 'secret-key',
        'CONSUMER_SECRET': 'secret-consumer',
    },
    'client': {'CONSUMER_KEY': 'secret-key', 'CONSUMER_SECRET': 'secret-consumer'},
    'jwt': {'CONSUMER_KEY': 'secret-key', 'USERNAME': 'ada@x.com', 'PRIVATE_KEY': PEM},
    'own': {'ACCESS_TOKEN': 'secret-access'},
    'provided': {'TOKEN_PROVIDER': 'vault_of_the_user.token'},
}
OAUTH = ['password', 'client', 'jwt']
OWN = ['own', 'provided']
# What must be in no text: the beginnings are enough.
SECRETS = ('secret-', 'BEGIN', PEM.splitlines()[1])


def oauth(**changes):
    reply = {'access_token': 'secret-granted', 'instance_url': f'{INSTANCE}/', 'id': IDENTITY} | changes
    return json.dumps({key: value for key, value in reply.items() if value is not None}).encode()


def soap(**changes):
    values = {
        'passwordExpired': 'false',
        'serverUrl': f'{INSTANCE}/services/Soap/u/64.0/{ORG}',
        'sessionId': 'secret-granted',
        'userId': USER,
        'organizationId': ORG,
    } | changes
    return b'<e:E xmlns:e="x">%s</e:E>' % ''.join(f'<{k}>{v}</{k}>' for k, v in values.items()).encode()


def resources(**changes):
    return json.dumps({'identity': IDENTITY, 'limits': '/x'} | changes).encode()


GRANTED = {
    'soap': soap(),
    'password': oauth(),
    'client': oauth(),
    'jwt': oauth(),
    'own': resources(),
    'provided': resources(),
}


def fault(code, text):
    return (
        f'<e:E xmlns:e="x"><e:Fault><faultcode>sf:{code}</faultcode>'
        f'<faultstring>{code}: {text}</faultstring></e:Fault></e:E>'
    ).encode()


def error(code, text):
    return json.dumps({'error': code, 'error_description': text}).encode()


def errors(code, text):
    return json.dumps([{'message': text, 'errorCode': code}]).encode()


@pytest.fixture(autouse=True)
def vault(monkeypatch):
    """The user's module; `vault.token` may be replaced."""
    module = types.ModuleType('vault_of_the_user')
    module.token = lambda: ('secret-access', 'http://127.0.0.1:1')
    monkeypatch.setitem(sys.modules, 'vault_of_the_user', module)
    return module


class Org:
    """One address, and what came to it."""

    def __init__(self, serve, script):
        self.requests = []
        self.server = serve(lambda peer: script(peer, self._request(peer)))
        self.url = f'http://localhost:{self.server.port}'

    def _request(self, peer: Peer) -> Request | None:
        lines = peer.head()
        if lines is None:
            return None
        headers = dict(line.split(': ', 1) for line in lines[1:])
        body = b''
        while len(body) < int(headers.get('Content-Length', 0)):
            body += peer._buffer or (peer._receive() and b'')
            peer._buffer = b''
        self.requests.append(Request(lines[0], headers, body))
        return self.requests[-1]

    def settings(self, flow, **keys) -> SalesforceSettings:
        return read_settings({'SALESFORCE': {**FLOWS[flow], 'LOGIN_URL': self.url, **keys}})


@pytest.fixture
def answers(serve):
    """`answers(body, status)` -> an org that answers so."""

    def make(body, status='200 OK', headers=()):
        return Org(serve, lambda peer, _: peer.send(answer(status=status, headers=headers, body=body)))

    return make


def problem_of(settings):
    """The error of a login; nothing of it shows a secret."""
    with pytest.raises((LoginRefused, LoginFailed)) as caught:
        log_in(settings)
    error = caught.value
    # With what it was raised from and during: a log with traceback shows all of it.
    shown = ''.join(traceback.format_exception(error)) + repr(error) + repr(settings)
    assert not [secret for secret in SECRETS if secret in shown], shown
    return error


# --- logins that are granted -------------------------------------------------------------------------


@pytest.mark.parametrize('flow', FLOWS)
def test_every_flow_gives_token_address_and_identity(answers, flow):
    org = answers(GRANTED[flow])
    token = log_in(org.settings(flow))
    granted = 'secret-access' if flow in OWN else 'secret-granted'
    assert token == Token(granted, org.url, ORG_18, USER_18)
    assert org.server.connections == 1


@pytest.mark.parametrize('version', ['41.0', '64.0', '65.0', '67.0'])
def test_soap_speaks_no_version_without_login(answers, version):
    org = answers(soap())
    log_in(org.settings('soap', API_VERSION=version))
    request = org.requests[0]
    assert request.line == f'POST /services/Soap/u/{min(float(version), 64.0)} HTTP/1.1'
    assert request.headers['SOAPAction'] == 'login'
    assert b'<urn:password>secret-pa&lt;sssecret-tok&amp;en</urn:password>' in request.body


def test_oauth_sends_what_its_flow_needs(answers):
    org = answers(oauth())
    for flow in OAUTH:
        log_in(org.settings(flow), wall=lambda: 1000.0)
    password, client, bearer = (request.body.decode() for request in org.requests)
    assert {request.line for request in org.requests} == {'POST /services/oauth2/token HTTP/1.1'}
    assert password == (
        'grant_type=password&client_id=secret-key&client_secret=secret-consumer'
        '&username=ada%40x.com&password=secret-pa%3Csssecret-tok%26en'
    )
    assert client == 'grant_type=client_credentials&client_id=secret-key&client_secret=secret-consumer'
    grant, _, statement = bearer.partition('&assertion=')
    assert grant == 'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer'
    claims = jwt.decode(
        statement,
        KEY.public_key(),
        ['RS256'],
        audience='https://login.salesforce.com',
        options={'verify_exp': False},
    )
    assert (claims['iss'], claims['sub'], claims['exp']) == ('secret-key', 'ada@x.com', 1180)


@pytest.mark.parametrize(
    ('keys', 'audience'),
    [
        ({}, 'https://login.salesforce.com'),
        ({'SANDBOX': True}, 'https://test.salesforce.com'),
        ({'DOMAIN': 'acme--dev.sandbox.my'}, 'https://test.salesforce.com'),
        ({'DOMAIN': 'acme.my'}, 'https://login.salesforce.com'),
    ],
)
def test_the_audience_of_a_statement_is_that_of_the_kind_of_org(answers, keys, audience):
    org = answers(oauth())
    log_in(org.settings('jwt', **keys))
    statement = org.requests[0].body.decode().partition('&assertion=')[2]
    assert jwt.decode(statement, options={'verify_signature': False})['aud'] == audience


def test_a_key_file_is_read_at_each_login(answers, tmp_path):
    path = tmp_path / 'key.pem'
    path.write_text(PEM)
    org = answers(oauth())
    section = {'CONSUMER_KEY': 'secret-key', 'USERNAME': 'ada@x.com', 'PRIVATE_KEY_FILE': str(path)}
    settings = read_settings({'SALESFORCE': {**section, 'LOGIN_URL': org.url}})
    assert log_in(settings).user_id == USER_18
    path.write_text('secret-nonsense')
    assert problem_of(settings).code == 'PRIVATE_KEY_FILE'
    path.unlink()
    error = problem_of(settings)
    assert (error.code, error.text) == ('PRIVATE_KEY_FILE', 'cannot be read: No such file or directory')
    assert len(org.requests) == 1


def test_a_token_of_ones_own_is_checked_where_it_is_good(answers):
    org = answers(resources())
    log_in(org.settings('own', API_VERSION=66))
    assert org.requests[0].line == 'GET /services/data/v66.0/ HTTP/1.1'
    assert org.requests[0].headers['Authorization'] == 'Bearer secret-access'


def test_a_provider_is_asked_at_each_login_and_says_where(answers, vault):
    org = answers(resources())
    given = iter(['secret-one', 'secret-two'])
    vault.token = lambda: (next(given), f'{org.url}/some/path')
    settings = read_settings({'SALESFORCE': FLOWS['provided']})
    tokens = [log_in(settings) for _ in range(2)]
    assert [each.access_token for each in tokens] == ['secret-one', 'secret-two']
    assert {each.instance_url for each in tokens} == {org.url}


# --- where the token is good -------------------------------------------------------------------------


def direct(credentials, org):
    """Settings whose logins go to `org`, but without LOGIN_URL: replies say where the token is good."""
    return SalesforceSettings(credentials=credentials, login_url=org.url)


@pytest.mark.parametrize(
    ('said', 'expected'),
    [
        (INSTANCE, INSTANCE),
        (f'{INSTANCE}/', INSTANCE),
        (f'{INSTANCE}:8443/x', f'{INSTANCE}:8443'),
    ],
)
def test_without_a_login_url_the_reply_says_where(answers, said, expected):
    org = answers(oauth(instance_url=said))
    assert log_in(direct(ClientCredentials('k', 's'), org)).instance_url == expected


@pytest.mark.parametrize(
    'said', ['http://acme.my.salesforce.com', 'ftp://x', 'acme', '', 'https://u:p@x', 'https://']
)
def test_a_token_is_not_carried_to_an_address_of_no_use_or_without_tls(answers, said):
    org = answers(oauth(instance_url=said))
    assert problem_of(direct(ClientCredentials('k', 's'), org)).failure.kind is FailureKind.NO_REPLY


def test_the_address_of_soap_is_that_of_its_server_without_the_old_suffix(answers):
    org = answers(soap(serverUrl='https://na1-api.salesforce.com/services/Soap/u/64.0/x'))
    token = log_in(direct(SoapLogin('u', 'p', ''), org))
    assert token.instance_url == 'https://na1.salesforce.com'


# --- refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('code', 'text', 'way_out'),
    [
        (
            'INVALID_LOGIN',
            'Invalid username, password, security token; or user locked out.',
            'SECURITY_TOKEN',
        ),
        ('INSUFFICIENT_ACCESS', 'no', 'Use Any API Auth'),
        ('UNSUPPORTED_API_VERSION', 'no', 'client credentials'),
        ('ODD_CODE', 'odd text', ''),
    ],
)
def test_a_soap_fault_is_a_refusal(answers, code, text, way_out):
    org = answers(fault(code, text), '500 Internal Server Error')
    refused = problem_of(org.settings('soap'))
    assert (type(refused), refused.code) == (LoginRefused, code)
    assert text in refused.text
    assert way_out in refused.text


def test_an_expired_password_is_a_refusal_although_there_is_a_session(answers):
    assert problem_of(answers(soap(passwordExpired='true')).settings('soap')).code == 'PASSWORD_EXPIRED'


@pytest.mark.parametrize('flow', OAUTH)
@pytest.mark.parametrize(
    ('code', 'text'),
    [
        ('invalid_grant', 'authentication failure'),
        ('invalid_grant', 'Audience validation failed'),
        ('invalid_client_id', 'client identifier invalid'),
        ('odd', 'odd text'),
    ],
)
def test_an_oauth_error_is_a_refusal(answers, flow, code, text):
    refused = problem_of(answers(error(code, text), '400 Bad Request').settings(flow))
    assert (type(refused), refused.code) == (LoginRefused, code)
    assert text in refused.text


@pytest.mark.parametrize('flow', OWN)
@pytest.mark.parametrize(
    ('status', 'body', 'code', 'said'),
    [
        (
            '401 x',
            errors('INVALID_SESSION_ID', 'Session expired or invalid'),
            'INVALID_SESSION_ID',
            'expired',
        ),
        ('404 x', errors('NOT_FOUND', 'The requested resource does not exist'), 'NOT_FOUND', 'API_VERSION'),
        ('410 Gone', b'<html>', 'GONE', 'raise API_VERSION'),
    ],
)
def test_a_refused_token_of_ones_own_is_a_refusal(answers, flow, status, body, code, said):
    refused = problem_of(answers(body, status).settings(flow))
    assert (type(refused), refused.code) == (LoginRefused, code)
    assert said in refused.text


REFUSALS = {
    'soap': lambda code, text: (fault(code, text), '500 Internal Server Error'),
    **dict.fromkeys(OAUTH, lambda code, text: (error(code, text), '400 Bad Request')),
    **dict.fromkeys(OWN, lambda code, text: (errors(code, text), '401 Unauthorized')),
}


@pytest.mark.parametrize('flow', FLOWS)
def test_an_answer_that_repeats_the_secrets_is_told_without_them(answers, flow):
    everything = ['secret-pa<ss', 'secret-tok&en', 'secret-key', 'secret-consumer', 'secret-access']
    held = [value for value in FLOWS[flow].values() if value in everything] + ['secret-access'] * (
        flow in OWN
    )
    text = ' '.join(held).replace('&', '&amp;').replace('<', '&lt;') if flow == 'soap' else ' '.join(held)
    refused = problem_of(answers(*REFUSALS[flow]('ODD', f'bad {text}')).settings(flow))
    assert '***' in refused.text


@pytest.mark.parametrize('flow', FLOWS)
def test_a_busy_salesforce_refuses_nobody(answers, flow):
    org = answers(*REFUSALS[flow]('SERVER_UNAVAILABLE', 'busy'), headers=['Retry-After: 7'])
    failed = problem_of(org.settings(flow))
    assert isinstance(failed, LoginFailed)
    assert failed.failure.kind is FailureKind.STATUS
    assert failed.failure.retry_after == 7.0


# --- answers of no use -------------------------------------------------------------------------------

HTML = b'<html><body>secret-pa<ss Down for maintenance</body></html>'


@pytest.mark.parametrize('flow', FLOWS)
@pytest.mark.parametrize(
    ('status', 'body', 'kind'),
    [
        ('503 Service Unavailable', HTML, FailureKind.STATUS),
        ('502 Bad Gateway', b'', FailureKind.STATUS),
        ('429 Too Many Requests', b'{}', FailureKind.STATUS),
        ('403 Forbidden', HTML, FailureKind.STATUS),
        ('302 Found', b'', FailureKind.STATUS),
        ('204 No Content', b'', FailureKind.STATUS),
        ('200 OK', b'', FailureKind.EMPTY),
        ('200 OK', b'null', FailureKind.NO_REPLY),
        ('200 OK', b'{"a": 1}', FailureKind.NO_REPLY),
        ('200 OK', b'[]', FailureKind.NO_REPLY),
        ('200 OK', b' ' * 2**21, FailureKind.TOO_LARGE),
    ],
)
def test_an_answer_of_no_use_is_a_failure(answers, flow, status, body, kind):
    org = answers(body, status, ['Location: http://localhost:1/'])
    failed = problem_of(org.settings(flow))
    assert (type(failed), failed.failure.kind) == (LoginFailed, kind)
    assert org.server.connections == 1


@pytest.mark.parametrize('flow', FLOWS)
@pytest.mark.parametrize('body', [HTML, b'\xff\xfe', b'[' * 100_000, b'{"a": 1'])
def test_an_answer_that_is_no_json_is_told_so_where_json_is_asked_for(answers, flow, body):
    kind = FailureKind.NO_REPLY if flow == 'soap' else FailureKind.NOT_JSON
    assert problem_of(answers(body).settings(flow)).failure.kind is kind


@pytest.mark.parametrize('flow', FLOWS)
@pytest.mark.parametrize('body', [HTML, b'{}', b'<a/>', b'{"identity": "x"}'])
def test_what_is_told_of_a_login_speaks_of_logins(answers, flow, body):
    said = str(problem_of(answers(body).settings(flow)))
    assert 'Bayeux' not in said
    assert ('JSON' in said) <= (flow != 'soap')


@pytest.mark.parametrize('flow', FLOWS)
def test_a_body_that_cannot_be_unpacked_is_told_of_as_that(answers, flow):
    failed = problem_of(answers(b'xyz', headers=['Content-Encoding: gzip']).settings(flow))
    assert str(failed).startswith('login failed: answer holds no reply to the request: localhost:')


@pytest.mark.parametrize('flow', FLOWS)
def test_a_reason_phrase_repeats_no_secret(answers, flow):
    secrets = {
        'soap': 'secret-pa<sssecret-tok&en',
        'password': 'secret-consumer',
        'client': 'secret-key',
        'jwt': 'secret-key',
        'own': 'secret-access',
        'provided': 'secret-access',
    }
    failed = problem_of(answers(HTML, f'500 for {secrets[flow]}').settings(flow))
    assert failed.failure.detail.replace('***', '') == '500 for '


@pytest.mark.parametrize('flow', FLOWS)
def test_a_granted_login_that_is_cut_off_is_a_failure(serve, flow):
    def script(peer, _):
        peer.send(answer(body=GRANTED[flow])[:-5])

    assert problem_of(Org(serve, script).settings(flow)).failure.kind is FailureKind.TRUNCATED


@pytest.mark.parametrize('flow', FLOWS)
def test_a_reset_is_a_failure(serve, flow):
    failed = problem_of(Org(serve, lambda peer, _: peer.reset()).settings(flow))
    assert failed.failure.kind is FailureKind.RESET


@pytest.mark.parametrize('flow', FLOWS)
def test_an_answer_that_does_not_come_in_time_is_a_failure(serve, flow):
    org = Org(serve, lambda peer, _: peer.wait_for_close())
    failed = problem_of(org.settings(flow, REQUEST_TIMEOUT=2 * TICK))
    assert failed.failure.kind is FailureKind.TIMEOUT


@pytest.mark.parametrize('flow', FLOWS)
def test_nobody_there_is_a_failure(answers, flow):
    org = answers(b'')
    org.server.close()
    assert problem_of(org.settings(flow)).failure.kind is FailureKind.CONNECT


@pytest.mark.parametrize(
    ('flow', 'body'),
    [
        ('client', oauth(id='nonsense')),
        ('client', oauth(id='https://login.salesforce.com/id/')),
        ('client', oauth(id='https://login.salesforce.com/id/a/b')),
        ('client', oauth(access_token='')),
        ('soap', soap(userId='')),
        ('soap', soap(organizationId='x' * 16)),
        ('soap', soap(sessionId='')),
        ('own', resources(identity='https://login.salesforce.com')),
    ],
)
def test_a_granted_login_without_sense_is_a_failure(answers, flow, body):
    assert problem_of(answers(body).settings(flow)).failure.kind is FailureKind.NO_REPLY


@pytest.mark.parametrize('missing', ['access_token', 'instance_url', 'id'])
def test_a_granted_login_without_a_part_is_a_failure(answers, missing):
    failed = problem_of(answers(oauth(**{missing: None})).settings('client'))
    assert failed.failure.kind is FailureKind.NO_REPLY


def test_a_token_that_no_header_can_hold_is_a_failure(vault, answers):
    vault.token = lambda: ('secret-\N{SNOWMAN}', 'http://127.0.0.1:1')
    assert problem_of(answers(b'').settings('provided')).failure.kind is FailureKind.REQUEST


# --- functions of the user ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    'given',
    [
        None,
        'secret-access',
        ('secret-access',),
        ('secret-access', 7),
        ('secret-access', 'acme'),
        (None, INSTANCE),
        ('', INSTANCE),
        (b'secret-access', INSTANCE),
    ],
)
def test_a_provider_that_gives_something_else_is_a_failure(vault, given):
    vault.token = lambda: given
    failed = problem_of(read_settings({'SALESFORCE': FLOWS['provided']}))
    assert failed.failure.kind is FailureKind.REQUEST
    assert 'TOKEN_PROVIDER vault_of_the_user.token gave no token and instance URL' in str(failed)


def test_a_provider_that_raises_is_a_failure_without_its_words(vault):
    def token():
        raise RuntimeError('secret-access')

    vault.token = token
    failed = problem_of(read_settings({'SALESFORCE': FLOWS['provided']}))
    assert '(RuntimeError)' in str(failed)


def test_a_provider_may_say_itself_that_the_login_was_refused(vault):
    def token():
        raise LoginRefused('VAULT', 'sealed')

    vault.token = token
    assert problem_of(read_settings({'SALESFORCE': FLOWS['provided']})).code == 'VAULT'


@pytest.mark.parametrize('given', [('secret-access',), (None,), (7, 'x')])
def test_a_failure_that_a_provider_makes_itself_is_a_failure_like_any_other(vault, given):
    def token():
        raise LoginFailed(*given)

    vault.token = token
    failed = problem_of(read_settings({'SALESFORCE': FLOWS['provided']}))
    assert failed.failure == Failure(
        FailureKind.REQUEST,
        'TOKEN_PROVIDER vault_of_the_user.token gave no token and instance URL (LoginFailed)',
    )


def test_a_failure_that_a_provider_makes_itself_begins_a_pause(vault):
    def token():
        raise LoginFailed('secret-access')

    vault.token = token
    settings = read_settings({'SALESFORCE': FLOWS['provided']})
    tokens = Tokens(lambda: log_in(settings), clock=lambda: 1000.0, draw=lambda: 0.5)
    with pytest.raises(LoginFailed, match='gave no token'):
        tokens.get()
    with pytest.raises(LoginPostponed, match='gave no token'):
        tokens.get()


def test_a_provider_that_does_not_return_is_a_failure(vault):
    vault.token = lambda: eventlet.sleep(1000 * TICK)
    failed = problem_of(read_settings({'SALESFORCE': {**FLOWS['provided'], 'REQUEST_TIMEOUT': 2 * TICK}}))
    assert failed.failure.kind is FailureKind.TIMEOUT


@pytest.mark.parametrize('flow', ['client', 'provided'])
def test_a_timeout_of_somebody_else_passes(serve, vault, flow):
    vault.token = lambda: eventlet.sleep(1000 * TICK)
    org = Org(serve, lambda peer, _: peer.wait_for_close())
    with pytest.raises(eventlet.Timeout) as caught, eventlet.Timeout(2 * TICK) as theirs:
        log_in(org.settings(flow))
    assert caught.value is theirs


# --- secrets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize('flow', FLOWS)
def test_no_log_shows_a_secret(answers, flow, caplog):
    caplog.set_level(logging.DEBUG)
    log_in(answers(GRANTED[flow]).settings(flow))
    problem_of(answers(*REFUSALS[flow]('ODD', 'odd')).settings(flow))
    problem_of(answers(HTML, '503 x').settings(flow))
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_a_proxy_and_its_password_are_used_and_not_told(serve):
    seen = []

    def script(peer):
        seen.append(peer.request())
        peer.send(answer(status='407 Proxy Authentication Required', body=b'secret-proxy'))

    proxy = serve(script)
    failed = problem_of(
        SalesforceSettings(
            credentials=JwtBearer('secret-key', 'ada@x.com', private_key=PEM),
            login_url='http://acme.example',
            transport=TransportOptions(proxy=f'http://user:secret-proxy@localhost:{proxy.port}'),
        )
    )
    assert failed.failure.kind is FailureKind.PROXY
    assert seen[0].line == 'POST http://acme.example/services/oauth2/token HTTP/1.1'


@pytest.mark.parametrize('token', ['secret-tok\nen', 'secret tok', 'secret-tök€n', '\ud800', ''])
def test_a_token_that_no_header_can_hold_is_none(answers, token):
    org = answers(oauth(access_token=token))
    failure = problem_of(org.settings('client')).failure
    assert failure.kind is FailureKind.NO_REPLY
    assert 'secret' not in str(failure)


@pytest.mark.parametrize('identity', ['http://[bad/id/00D000000000001/005000000000001', '//[', ''])
def test_an_identity_that_is_no_address_is_no_use(answers, identity):
    assert problem_of(answers(oauth(id=identity)).settings('client')).failure.kind is FailureKind.NO_REPLY


@pytest.mark.parametrize(
    ('status', 'reply'),
    [
        ('400 Bad Request', {'error': 'unknown_error', 'error_description': 'retry your request'}),
        ('500 Internal Server Error', {'error': 'internal', 'error_description': 'of theirs'}),
        ('503 Service Unavailable', {'error': 'whatever'}),
    ],
)
def test_a_trouble_of_theirs_is_no_refusal_of_the_credentials(answers, status, reply):
    problem = problem_of(answers(json.dumps(reply).encode(), status=status).settings('client'))
    assert isinstance(problem, LoginFailed)
