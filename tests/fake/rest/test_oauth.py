"""The token endpoint: flows, replies, errors."""

import base64
import hashlib
import hmac
import json

import jwt
import pytest
from fake_salesforce import oauth

ADA = 'ada@example.com'
KEY, SECRET = 'fake-consumer-key', 'fake-consumer-secret'
APP = {'client_id': KEY, 'client_secret': SECRET}
BASE = 'http://127.0.0.1:8080'
REAL_TIME = 1_795_000_000.0  # on the clock of clients

PASSWORD = {'grant_type': 'password', **APP, 'username': ADA, 'password': 'secrettoken'}
CREDENTIALS = {'grant_type': 'client_credentials', **APP}


@pytest.fixture
def world(tenant_world):
    return tenant_world


def ask(world, form, *, authorization=None, host='127.0.0.1'):
    reply = oauth.answer(
        world.identity,
        world.org,
        form=form,
        authorization=authorization,
        host=host,
        base_url=BASE,
        now=world.now,
        real_time=REAL_TIME,
        wall_time_ms=1_278_448_832_702,
    )
    return reply.status, json.loads(reply.body)


def error(world, form, **how):
    status, body = ask(world, form, **how)
    assert set(body) == {'error', 'error_description'}
    assert status == 400
    return body['error'], body['error_description']


def basic(key=KEY, secret=SECRET):
    return 'Basic ' + base64.b64encode(f'{key}:{secret}'.encode()).decode()


def test_the_password_flow_has_no_scope_and_no_refresh_token(world):
    status, body = ask(world, PASSWORD)
    assert status == 200
    assert set(body) == {'id', 'issued_at', 'instance_url', 'signature', 'access_token', 'token_type'}
    ada = world.org.users.by_username(ADA)
    assert body['id'] == f'{BASE}/id/{world.org.organization_id}/{ada.id}'
    assert (body['instance_url'], body['token_type']) == (BASE, 'Bearer')
    assert body['issued_at'] == '1278448832702'
    assert world.identity.user_of(f'Bearer {body["access_token"]}', world.now) == ada.id


def test_the_signature_can_be_verified_with_the_consumer_secret(world):
    _, body = ask(world, PASSWORD)
    signed = (body['id'] + body['issued_at']).encode()
    assert base64.b64decode(body['signature']) == hmac.digest(SECRET.encode(), signed, hashlib.sha256)


@pytest.mark.parametrize('in_body', [True, False])
def test_client_credentials_come_in_the_body_or_by_basic_authentication(world, in_body):
    form = CREDENTIALS if in_body else {'grant_type': 'client_credentials'}
    status, body = ask(world, form, authorization=None if in_body else basic())
    assert status == 200
    assert set(body) == {
        'access_token',
        'signature',
        'scope',
        'instance_url',
        'id',
        'token_type',
        'issued_at',
    }
    assert body['scope'] == 'api id'


@pytest.mark.parametrize('host', ['login.salesforce.com', 'test.salesforce.com'])
def test_client_credentials_are_served_on_the_host_of_an_org_alone(world, host):
    assert error(world, CREDENTIALS, host=host) == ('invalid_grant', 'request not supported on this domain')
    assert ask(world, CREDENTIALS, host='acme.my.salesforce.com')[0] == 200
    assert ask(world, PASSWORD, host=host)[0] == 200


@pytest.mark.parametrize('header', ['Digest x', 'Basic', 'Basic ???', 'Basic eA==', basic(secret='wrong')])
def test_wrong_basic_authentication_is_an_invalid_client(world, header):
    form = {'grant_type': 'client_credentials'}
    assert error(world, form, authorization=header) == ('invalid_client', 'invalid client credentials')


def test_the_refresh_flow_tells_the_scope(world):
    token = world.identity.grant_refresh_token(ADA, KEY)
    status, body = ask(world, {'grant_type': 'refresh_token', **APP, 'refresh_token': token})
    assert (status, body['scope']) == (200, 'api id refresh_token')
    assert 'refresh_token' not in body


@pytest.mark.parametrize(
    ('form', 'expected'),
    [
        ({**PASSWORD, 'password': 'wrong'}, ('invalid_grant', 'authentication failure')),
        ({**PASSWORD, 'password': 'secret'}, ('invalid_grant', 'authentication failure')),
        ({**PASSWORD, 'username': 'nobody'}, ('invalid_grant', 'authentication failure')),
        ({**PASSWORD, 'client_id': 'nobody'}, ('invalid_client_id', 'client identifier invalid')),
        ({**PASSWORD, 'client_secret': 'x'}, ('invalid_client', 'invalid client credentials')),
        ({**CREDENTIALS, 'client_id': 'nobody'}, ('invalid_client_id', 'client identifier invalid')),
        (
            {'grant_type': 'refresh_token', **APP, 'refresh_token': 'x'},
            ('invalid_grant', 'expired access/refresh token'),
        ),
        ({}, ('unsupported_grant_type', 'grant type not supported')),
        ({'grant_type': 'magic'}, ('unsupported_grant_type', 'grant type not supported')),
        ({'grant_type': 'password', **APP}, ('invalid_request', 'missing required parameter: username')),
        ({**PASSWORD, 'password': ''}, ('invalid_request', 'missing required parameter: password')),
        ({**PASSWORD, 'sandbox': 'true'}, ('invalid_request', 'unexpected parameter: sandbox')),
    ],
)
def test_errors(world, form, expected):
    assert error(world, form) == expected


@pytest.mark.parametrize(
    ('settings', 'user', 'form', 'expected'),
    [
        ({'password_flow': False}, {}, PASSWORD, ('invalid_grant', 'authentication failure')),
        ({}, {'locked': True}, PASSWORD, ('invalid_grant', 'authentication failure')),
        ({}, {'active': False}, PASSWORD, ('invalid_grant', 'inactive user')),
        ({'logins_per_hour': 0}, {}, PASSWORD, ('rate_limit_exceeded', 'login rate exceeded')),
        ({'client_credentials_flow': False}, {}, CREDENTIALS, ('invalid_grant', 'authentication failure')),
    ],
)
def test_errors_of_an_org_that_lets_nobody_in(world, settings, user, form, expected):
    world.configure(**settings)
    world.user(**user)
    assert error(world, form) == expected


def test_a_token_in_the_header_means_nothing_here(world):
    assert ask(world, CREDENTIALS, authorization='Bearer 00D!old')[0] == 200


def test_an_app_without_a_user_to_run_as(world):
    world.app(run_as='')
    assert error(world, CREDENTIALS)[0] == 'invalid_grant'


# --- JWT --------------------------------------------------------------------------------------------


@pytest.fixture
def assertion(world, private_key, public_pem):
    """Makes the form of a request; the app knows our key and Ada has approved it."""
    world.app(public_key=public_pem, approved=[ADA])

    def make(key=private_key, algorithm='RS256', **claims):
        good = {'iss': KEY, 'sub': ADA, 'aud': oauth.AUDIENCES[0], 'exp': int(REAL_TIME) + 180}
        chosen = {name: value for name, value in {**good, **claims}.items() if value is not None}
        return {'grant_type': oauth.JWT_BEARER, 'assertion': jwt.encode(chosen, key, algorithm=algorithm)}

    return make


@pytest.mark.parametrize('audience', oauth.AUDIENCES)
def test_a_signed_assertion_logs_its_subject_in(world, assertion, audience):
    status, body = ask(world, assertion(aud=audience))
    assert status == 200
    assert set(body) == {'access_token', 'scope', 'instance_url', 'id', 'token_type'}
    assert body['id'].endswith(world.org.users.by_username(ADA).id)


def test_times_may_be_texts_as_simple_salesforce_sends_them(world, assertion):
    assert ask(world, assertion(exp=f'{REAL_TIME + 180:.0f}'))[0] == 200


@pytest.mark.parametrize(
    ('claims', 'expected'),
    [
        ({'aud': 'http://127.0.0.1:8080'}, 'Audience validation failed'),
        ({'aud': None}, 'Audience validation failed'),
        ({'exp': int(REAL_TIME)}, 'expired authorization code'),
        ({'exp': int(REAL_TIME) + 3600}, 'expired authorization code'),
        ({'exp': 'soon'}, 'invalid assertion'),
        ({'exp': None}, 'invalid assertion'),
        ({'sub': 'integration@example.com'}, "user hasn't approved this consumer"),
        ({'sub': 'nobody'}, "user hasn't approved this consumer"),
    ],
)
def test_wrong_claims_are_told(world, assertion, claims, expected):
    assert error(world, assertion(**claims)) == ('invalid_grant', expected)


def test_an_unknown_issuer_is_an_unknown_client(world, assertion):
    assert error(world, assertion(iss='nobody')) == ('invalid_client_id', 'client identifier invalid')
    assert error(world, assertion(iss=None)) == ('invalid_client_id', 'client identifier invalid')


def test_a_signature_of_another_key_is_refused(world, assertion):
    from cryptography.hazmat.primitives.asymmetric import rsa

    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert error(world, assertion(key=other)) == ('invalid_grant', 'invalid assertion')


def test_another_algorithm_is_refused(world, assertion):
    symmetric = assertion(key='k' * 40, algorithm='HS256')
    assert error(world, symmetric) == ('invalid_grant', 'invalid assertion')


def test_an_app_without_a_key_takes_no_assertion(world, assertion):
    form = assertion()
    world.app(approved=[ADA])
    assert error(world, form) == ('invalid_grant', 'invalid assertion')


def test_what_is_no_token_is_refused(world):
    form = {'grant_type': oauth.JWT_BEARER, 'assertion': 'x'}
    assert error(world, form) == ('invalid_grant', 'invalid assertion')


def test_flows_have_short_names():
    grants = ['password', 'refresh_token', oauth.JWT_BEARER, 'client_credentials', 'x']
    flows = [oauth.flow_of({'grant_type': grant}) for grant in grants]
    assert [*flows, oauth.flow_of({})] == [
        'password',
        'refresh',
        'jwt',
        'client_credentials',
        'unknown',
        'unknown',
    ]
