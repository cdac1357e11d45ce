"""Every flow against the fake org: granted, refused for every reason it knows, and under every fault."""

import logging
import random
import time
import traceback
from functools import partial

import eventlet
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from nameko_salesforce.bayeux.failures import FailureKind
from nameko_salesforce.config import read_settings
from nameko_salesforce.credentials import OwnToken
from nameko_salesforce.errors import LoginError, LoginFailed, LoginPostponed, LoginRefused
from nameko_salesforce.login import log_in
from nameko_salesforce.tokens import Tokens
from tests.bayeux.sockets.raw_server import TICK

KEY = rsa.generate_private_key(65_537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = (
    KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
OTHER_PEM = (
    rsa.generate_private_key(65_537, 2048)
    .private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    .decode()
)

WORLD = {
    'users': [
        {
            'username': 'grace@example.com',
            'password': 'hidden-<pass>&word',
            'security_token': 'hidden-"token"',
            'last_name': 'Hopper',
        },
        {'username': 'gone@example.com', 'password': 'hidden-pass', 'last_name': 'Gone', 'active': False},
        {
            'username': 'old@example.com',
            'password': 'hidden-pass',
            'last_name': 'Old',
            'password_expired': True,
        },
        {'username': 'none@example.com', 'password': 'hidden-pass', 'last_name': 'None', 'api_login': False},
    ],
    'apps': [
        {
            'name': 'ours',
            'consumer_key': 'hidden-consumer-key',
            'consumer_secret': 'hidden-consumer-secret',
            'run_as': 'grace@example.com',
            'public_key': PUBLIC,
            'approved': ['grace@example.com', 'gone@example.com'],
        },
        {'name': 'idle', 'consumer_key': 'hidden-idle-key', 'consumer_secret': 'hidden-idle-secret'},
    ],
}

APP = {'CONSUMER_KEY': 'hidden-consumer-key', 'CONSUMER_SECRET': 'hidden-consumer-secret'}
USER = {'USERNAME': 'grace@example.com', 'PASSWORD': 'hidden-<pass>&word', 'SECURITY_TOKEN': 'hidden-"token"'}
FLOWS = {
    'soap': USER,
    'password': {**USER, **APP},
    'client_credentials': APP,
    'jwt': {'CONSUMER_KEY': APP['CONSUMER_KEY'], 'USERNAME': USER['USERNAME'], 'PRIVATE_KEY': PEM},
}
SECRETS = ('hidden-', 'BEGIN', PEM.splitlines()[1], OTHER_PEM.splitlines()[1])


@pytest.fixture
def org(fake_salesforce):
    fake_salesforce.seed(WORLD)
    return fake_salesforce


def settings_of(org, flow, **keys):
    section = {**FLOWS[flow], 'LOGIN_URL': org.login_url, **keys}
    return read_settings({'SALESFORCE': section})


def problem_of(settings):
    """The error of a login; nothing of it shows a secret."""
    with pytest.raises(LoginError) as caught:
        log_in(settings)
    shown = ''.join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(settings)
    assert not [secret for secret in SECRETS if secret in shown], shown
    return caught.value


def tokens_of(settings):
    return Tokens(partial(log_in, settings), clock=time.monotonic, draw=random.random)


# --- granted -----------------------------------------------------------------------------------------


@pytest.mark.defect('S11')
@pytest.mark.parametrize('flow', FLOWS)
def test_every_flow_gives_a_token_that_opens_rest_and_says_whose_it_is(org, flow):
    token = log_in(settings_of(org, flow))
    assert token.instance_url == org.login_url
    assert token.organization_id.startswith('00D')
    assert len(token.organization_id) == 18
    # The same facts by the token alone.
    own = read_settings({'SALESFORCE': {'ACCESS_TOKEN': token.access_token, 'LOGIN_URL': org.login_url}})
    assert log_in(own) == token
    assert [entry.detail['flow'] for entry in org.journal('login')] == [flow]


@pytest.mark.defect('T8')
def test_all_flows_of_one_user_have_one_identity(org):
    found = {flow: log_in(settings_of(org, flow)) for flow in FLOWS}
    assert len({(token.organization_id, token.user_id) for token in found.values()}) == 1
    assert len({token.access_token for token in found.values()}) == 4


@pytest.mark.parametrize('sandbox', [False, True])
def test_a_signed_statement_is_accepted_from_a_sandbox_too(org, sandbox):
    assert log_in(settings_of(org, 'jwt', SANDBOX=sandbox)).user_id.startswith('005')


@pytest.mark.parametrize('version', [41, 64, 65, 67])
def test_soap_logs_in_whatever_the_version_of_the_rest(org, version):
    log_in(settings_of(org, 'soap', API_VERSION=version))
    assert org.journal('login')[0].detail['path'] == f'/services/Soap/u/{min(version, 64)}.0'


def test_a_function_of_the_user_gives_the_token_of_another_login(org, monkeypatch):
    module = type(time)('vault_of_the_user')
    module.token = lambda: (log_in(settings_of(org, 'jwt')).access_token, org.login_url)
    monkeypatch.setitem(__import__('sys').modules, 'vault_of_the_user', module)
    tokens = tokens_of(read_settings({'SALESFORCE': {'TOKEN_PROVIDER': 'vault_of_the_user.token'}}))
    token = tokens.get()
    org.revoke_tokens()
    assert tokens.renew(token).access_token != token.access_token


# --- refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('flow', 'keys', 'code', 'said'),
    [
        ('soap', {'PASSWORD': 'hidden-wrong'}, 'INVALID_LOGIN', 'SOAP login() is off'),
        ('soap', {'USERNAME': 'nobody@example.com'}, 'INVALID_LOGIN', 'check USERNAME'),
        ('soap', {'SECURITY_TOKEN': ''}, 'LOGIN_MUST_USE_SECURITY_TOKEN', 'SECURITY_TOKEN is missing'),
        ('soap', {'USERNAME': 'gone@example.com', 'PASSWORD': 'hidden-pass'}, 'INVALID_LOGIN', 'locked'),
        ('password', {'PASSWORD': 'hidden-wrong'}, 'invalid_grant', 'block the username-password flow'),
        ('password', {'CONSUMER_KEY': 'hidden-wrong'}, 'invalid_client_id', 'check CONSUMER_KEY'),
        ('password', {'CONSUMER_SECRET': 'hidden-wrong'}, 'invalid_client', 'CONSUMER_SECRET'),
        ('client_credentials', {'CONSUMER_KEY': 'hidden-wrong'}, 'invalid_client_id', 'check CONSUMER_KEY'),
        ('client_credentials', {'CONSUMER_SECRET': 'hidden-wrong'}, 'invalid_client', 'CONSUMER_SECRET'),
        (
            'client_credentials',
            {'CONSUMER_KEY': 'hidden-idle-key', 'CONSUMER_SECRET': 'hidden-idle-secret'},
            'invalid_grant',
            '"Run As"',
        ),
        ('jwt', {'CONSUMER_KEY': 'hidden-wrong'}, 'invalid_client_id', 'check CONSUMER_KEY'),
        ('jwt', {'CONSUMER_KEY': 'hidden-idle-key'}, 'invalid_grant', 'certificate of the app'),
        ('jwt', {'PRIVATE_KEY': OTHER_PEM}, 'invalid_grant', 'certificate of the app'),
        ('jwt', {'USERNAME': 'ada@example.com'}, 'invalid_grant', 'pre-authorize'),
        ('jwt', {'USERNAME': 'gone@example.com'}, 'invalid_grant', 'activate the user'),
    ],
)
def test_wrong_credentials_are_refused_with_the_way_out(org, flow, keys, code, said):
    refused = problem_of(settings_of(org, flow, **keys))
    assert (type(refused), refused.code) == (LoginRefused, code)
    assert said in refused.text


@pytest.mark.parametrize(
    ('user', 'code'), [('old@example.com', 'PASSWORD_EXPIRED'), ('none@example.com', 'INSUFFICIENT_ACCESS')]
)
def test_users_whom_soap_does_not_serve(org, user, code):
    org.configure(trusted_network=True)
    settings = settings_of(org, 'soap', USERNAME=user, PASSWORD='hidden-pass', SECURITY_TOKEN='')
    assert problem_of(settings).code == code


@pytest.mark.parametrize(
    ('flow', 'setting', 'code', 'said'),
    [
        ('soap', 'soap_login', 'INVALID_OPERATION', "off in orgs since Winter '26"),
        ('password', 'password_flow', 'invalid_grant', 'block the username-password flow'),
        ('client_credentials', 'client_credentials_flow', 'invalid_grant', 'check the app'),
    ],
)
def test_a_flow_that_the_org_has_switched_off_is_refused_with_the_way_out(org, flow, setting, code, said):
    org.configure(**{setting: False})
    refused = problem_of(settings_of(org, flow))
    assert refused.code == code
    assert said in refused.text


def test_a_statement_of_a_clock_that_is_wrong_is_refused(org):
    settings = settings_of(org, 'jwt')
    for wrong in (-600.0, 600.0):
        with pytest.raises(LoginRefused, match='and the clock'):
            log_in(settings, wall=lambda wrong=wrong: time.time() + wrong)


def test_a_revoked_token_of_ones_own_is_refused(org):
    token = log_in(settings_of(org, 'jwt')).access_token
    section = {'ACCESS_TOKEN': token, 'LOGIN_URL': org.login_url}
    settings = read_settings({'SALESFORCE': section})
    org.revoke_tokens()
    with pytest.raises(LoginRefused, match='INVALID_SESSION_ID.*TOKEN_PROVIDER') as caught:
        log_in(settings)
    assert token not in f'{caught.value} {caught.value!r} {settings!r}'


def test_a_version_that_the_org_does_not_have_is_refused_to_a_token_of_ones_own(org):
    token = log_in(settings_of(org, 'jwt')).access_token
    section = {'ACCESS_TOKEN': token, 'LOGIN_URL': org.login_url, 'API_VERSION': 99}
    with pytest.raises(LoginRefused, match='NOT_FOUND.*API_VERSION'):
        log_in(read_settings({'SALESFORCE': section}))


@pytest.mark.parametrize('flow', FLOWS)
def test_too_many_logins_are_trouble_that_passes(org, flow):
    settings = settings_of(org, flow)
    org.configure(logins_per_hour=1)
    log_in(settings)
    failed = problem_of(settings)
    assert isinstance(failed, LoginFailed)
    assert 'rate exceeded' in str(failed).lower()


# --- under faults ------------------------------------------------------------------------------------


@pytest.mark.defect('S11')
@pytest.mark.parametrize('flow', [*FLOWS, 'own'])
@pytest.mark.parametrize(
    ('fault', 'fields', 'kind'),
    [
        ('drop_before', {}, FailureKind.RESET),
        ('drop_after', {}, FailureKind.RESET),
        ('reset', {}, FailureKind.RESET),
        ('truncate', {'bytes': 20}, FailureKind.TRUNCATED),
        ('html', {}, None),
        ('empty', {}, FailureKind.EMPTY),
        ('garbage', {}, FailureKind.NOT_HTTP),
        ('never', {}, FailureKind.TIMEOUT),
        ('drip', {'seconds': 0.05}, FailureKind.TIMEOUT),
        ('status', {'status': 503, 'retry_after': 7}, FailureKind.STATUS),
        ('status', {'status': 401}, FailureKind.STATUS),
        ('status', {'status': 302}, FailureKind.STATUS),
    ],
)
def test_no_fault_is_anything_but_a_failure(org, flow, fault, fields, kind):
    if flow == 'own':
        token = log_in(settings_of(org, 'jwt')).access_token
        section = {'ACCESS_TOKEN': token, 'LOGIN_URL': org.login_url}
        settings = read_settings({'SALESFORCE': {**section, 'REQUEST_TIMEOUT': 10 * TICK}})
    else:
        settings = settings_of(org, flow, REQUEST_TIMEOUT=10 * TICK)
    org.faults.add(fault, channel='rest' if flow == 'own' else 'login', **fields)
    failed = problem_of(settings)
    # SOAP is no JSON when all is well.
    kind = kind or (FailureKind.NO_REPLY if flow == 'soap' else FailureKind.NOT_JSON)
    assert (type(failed), failed.failure.kind) == (LoginFailed, kind)
    assert failed.failure.retry_after == fields.get('retry_after', 0)
    # The fault is over, and nothing of it is left behind.
    assert isinstance(log_in(settings).access_token, str)


# --- one token for all -------------------------------------------------------------------------------


@pytest.mark.defect('R3')
def test_fifty_workers_whose_token_was_revoked_make_one_login(org):
    tokens = tokens_of(settings_of(org, 'client_credentials'))
    token = tokens.get()
    org.revoke_tokens()
    org.faults.add('delay', channel='login', seconds=2 * TICK)
    threads = [eventlet.spawn(tokens.renew, token) for _ in range(50)]
    assert {thread.wait() for thread in threads} == {tokens.current}
    assert len(org.journal('login')) == 2


def test_wrong_credentials_do_not_lock_the_user(org):
    tokens = tokens_of(settings_of(org, 'soap', PASSWORD='hidden-wrong'))
    outcomes = []
    for _ in range(100):
        with pytest.raises(LoginError) as caught:
            tokens.get()
        outcomes.append(type(caught.value))
    assert outcomes == [LoginRefused] + [LoginPostponed] * 99
    assert log_in(settings_of(org, 'soap')).user_id.startswith('005')


def test_a_killed_login_lets_the_next_one_in(org):
    tokens = tokens_of(settings_of(org, 'client_credentials'))
    org.faults.add('never', channel='login')
    thread = eventlet.spawn(tokens.get)
    org.wait_for('fault', timeout=10)
    waiting = eventlet.spawn(tokens.get)
    eventlet.sleep(0)
    thread.kill()
    assert waiting.wait() is tokens.current


def test_no_log_shows_a_secret_or_a_token(org, caplog):
    caplog.set_level(logging.DEBUG)
    for flow in FLOWS:
        tokens = tokens_of(settings_of(org, flow))
        token = tokens.get()
        assert token.access_token not in caplog.text
        org.faults.add('html', channel='login')
        with pytest.raises(LoginFailed):
            tokens.renew(token)
    assert 'logged in at' in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_credentials_of_a_token_of_ones_own_name_its_address(org):
    token = log_in(settings_of(org, 'jwt'))
    section = {'ACCESS_TOKEN': token.access_token, 'INSTANCE_URL': f'{org.login_url}/'}
    settings = read_settings({'SALESFORCE': section})
    assert settings.credentials == OwnToken(token.access_token, org.login_url)
    assert log_in(settings) == token
