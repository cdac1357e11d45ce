"""Logins over HTTP: raw, and by simple-salesforce, which others wrote."""

import base64
import time
from inspect import signature
from urllib.parse import urlencode

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from fake_salesforce.client import start_fake
from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

ADA = 'ada@example.com'
APP = {'client_id': 'fake-consumer-key', 'client_secret': 'fake-consumer-secret'}
KEYS = {'consumer_key': APP['client_id'], 'consumer_secret': APP['client_secret']}
PASSWORD = {'username': ADA, 'password': 'secret', 'security_token': 'token'}

SOAP_BODY = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    b'<login xmlns="urn:partner.soap.sforce.com"><username>ada@example.com</username>'
    b'<password>secrettoken</password></login></e:Body></e:Envelope>'
)


def test_soap_login_answers_with_its_own_address(fake_salesforce, fetch):
    headers = {'Content_Type': 'text/xml; charset=utf-8', 'SOAPAction': "''"}
    for path in ('/services/Soap/u/64.0', '/services/Soap/u/64.0/', '/services/Soap/c/64.0/00D000000000000'):
        status, body, answered = fetch('POST', path, SOAP_BODY, **headers)
        assert (status, answered['Content-Type']) == (200, 'text/xml; charset=utf-8')
        assert f'<serverUrl>{fake_salesforce.base_url}/services/Soap/' in body
    fake_salesforce.wait_for('login', flow='soap', status=200, error=None, count=3)


def test_soap_login_is_a_post_of_xml(fetch):
    assert fetch('GET', '/services/Soap/u/64.0')[0] == 405
    assert fetch('POST', '/services/Soap/u/64.0', SOAP_BODY, Content_Type='application/soap+xml')[0] == 415
    assert fetch('POST', '/services/Soap/x/64.0', SOAP_BODY)[0] == 404


def test_all_flows_of_the_token_endpoint(fake_salesforce, fetch, private_key, public_pem):
    demo = {'name': 'demo', 'consumer_key': APP['client_id'], 'consumer_secret': APP['client_secret']}
    more = {'run_as': 'integration@example.com', 'public_key': public_pem, 'approved': [ADA]}
    fake_salesforce.seed({'apps': [{**demo, **more}]})
    claims = {'iss': APP['client_id'], 'sub': ADA, 'aud': 'https://login.salesforce.com', 'exp': _soon()}
    refresh_token = fake_salesforce.grant_refresh_token(ADA)
    forms = {
        'password': {'grant_type': 'password', **APP, 'username': ADA, 'password': 'secrettoken'},
        'client_credentials': {'grant_type': 'client_credentials', **APP},
        'refresh': {'grant_type': 'refresh_token', **APP, 'refresh_token': refresh_token},
        'jwt': {
            'grant_type': 'urn:ietf:params:oauth:grant-type:jwt-bearer',
            'assertion': jwt.encode(claims, private_key, algorithm='RS256'),
        },
    }
    for flow, form in forms.items():
        status, body = fetch.token_request(**form)
        assert (status, body['instance_url']) == (200, fake_salesforce.base_url), flow
        fetch.token = body['access_token']
        assert fetch('GET', '/services/data/v67.0/limits/')[0] == 200
        assert body['id'] == fetch('GET', body['id'].removeprefix(fake_salesforce.base_url))[1]['id']
        fake_salesforce.wait_for('login', flow=flow, status=200)


def _soon():
    return int(time.time()) + 180


def test_basic_authentication_is_for_the_host_of_an_org_alone(fake_salesforce, fetch):
    encoded = base64.b64encode(f'{APP["client_id"]}:{APP["client_secret"]}'.encode()).decode()
    headers = {'Authorization': f'Basic {encoded}', 'Content_Type': 'application/x-www-form-urlencoded'}
    form = b'grant_type=client_credentials'
    assert fetch('POST', '/services/oauth2/token', form, **headers)[0] == 200
    for host in ('login.salesforce.com', 'test.salesforce.com:443'):
        status, body, _ = fetch('POST', '/services/oauth2/token', form, **headers, Host=host)
        assert (status, body['error_description']) == (400, 'request not supported on this domain')


def test_secrets_in_the_url_or_in_json_are_refused(fake_salesforce, fetch):
    form = urlencode({'grant_type': 'client_credentials', **APP})
    kind = {'Content_Type': 'application/x-www-form-urlencoded'}
    for answer in (
        fetch('GET', f'/services/oauth2/token?{form}'),
        fetch('POST', f'/services/oauth2/token?{form}', b'', **kind),
        fetch('POST', '/services/oauth2/token', {'grant_type': 'client_credentials', **APP}),
    ):
        assert (answer[0], answer[1]['error']) == (400, 'invalid_request')


def test_userinfo_is_told_with_a_token(fetch):
    assert fetch('GET', '/services/oauth2/userinfo')[:2] == (403, 'Missing_OAuth_Token')
    assert fetch.log_in()('GET', '/services/oauth2/userinfo')[1]['email'] == 'integration@example.com'
    assert fetch('DELETE', '/services/oauth2/userinfo')[0] == 405


def test_the_journal_holds_no_secret(fake_salesforce, fetch, to_fake):
    Salesforce(**PASSWORD, version='64.0', session=to_fake)
    fetch.log_in()
    fetch('GET', '/services/data/v67.0/limits/')
    fetch.token_request(grant_type='password', **APP, username=ADA, password='wrong')
    text = str(fake_salesforce.journal())
    assert 'invalid_grant' in text
    assert all(secret not in text for secret in ('fake-consumer-secret', 'secrettoken', 'wrong', fetch.token))


# --- faults -------------------------------------------------------------------------------------------


def test_faults_strike_logins_that_they_name(fake_salesforce, fetch):
    form = {'grant_type': 'client_credentials', **APP}
    fake_salesforce.faults.add('status', channel='login', status=503, retry_after=7)
    assert fetch.token_request(**form)[0] == 503
    fake_salesforce.wait_for('fault', channels=['login', '/services/oauth2/token'])
    assert fake_salesforce.journal('login') == []
    fake_salesforce.faults.add('html', channel='/services/oauth2/token')
    assert 'maintenance' in fetch.token_request(**form)[1]
    for name, problem in (
        ('reset', ConnectionResetError),
        ('drop_before', ConnectionError),
        ('garbage', Exception),
        ('truncate', Exception),
    ):
        fake_salesforce.faults.add(name, channel='login')
        with pytest.raises(problem):
            fetch.token_request(**form)
    fake_salesforce.faults.add('delay', channel='login', seconds=0.01)
    assert fetch.token_request(**form)[0] == 200
    fake_salesforce.faults.add('delay', channel='login', seconds=0.01, processed=False)
    assert fetch.token_request(**form)[0] == 200


def test_faults_without_a_channel_are_for_streaming(fake_salesforce, fetch):
    fake_salesforce.faults.add('reset')
    fake_salesforce.faults.add('reset', channel='rest')
    assert fetch.token_request(grant_type='client_credentials', **APP)[0] == 200


def test_an_answer_that_is_lost_was_a_login_all_the_same(fake_salesforce, fetch):
    fake_salesforce.faults.add('drop_after', channel='login')
    with pytest.raises(ConnectionError):
        fetch.token_request(grant_type='client_credentials', **APP)
    fake_salesforce.wait_for('login', status=200)


# --- simple-salesforce --------------------------------------------------------------------------------


@pytest.mark.parametrize('more', [{}, {'client_id': 'test'}, {'domain': 'test'}])
def test_simple_salesforce_logs_in_by_soap(fake_salesforce, to_fake, more):
    client = Salesforce(**PASSWORD, version='64.0', session=to_fake, **more)
    assert client.sf_instance == fake_salesforce.base_url.removeprefix('http://')
    assert client.limits()['DailyApiRequests']['Max'] == 100_000


def test_simple_salesforce_logs_in_by_soap_with_an_organization(fake_salesforce, to_fake, fetch):
    fake_salesforce.configure(trusted_network=True)
    identity = fetch.log_in()('GET', '/services/oauth2/userinfo')[1]
    organization = identity['organization_id']
    client = Salesforce(
        username=ADA, password='secret', organizationId=organization, version='64.0', session=to_fake
    )
    assert client.limits()
    with pytest.raises(SalesforceAuthenticationFailed, match='INVALID_LOGIN'):
        Salesforce(username=ADA, password='secret', organizationId='00D0', version='64.0', session=to_fake)


def test_simple_salesforce_escapes_passwords_and_we_read_them(fake_salesforce, to_fake):
    fake_salesforce.seed(
        {'users': [{'username': 'odd@example.com', 'password': '<&">', 'security_token': 't'}]}
    )
    odd = {'username': 'odd@example.com', 'password': '<&">', 'security_token': 't'}
    assert Salesforce(**odd, version='64.0', session=to_fake).limits()


@pytest.mark.skipif(
    'scratch_url' not in signature(SalesforceLogin).parameters, reason='this simple-salesforce has none'
)
def test_simple_salesforce_logs_in_at_a_scratch_address(fake_salesforce):
    token, instance = SalesforceLogin(**PASSWORD, sf_version='64.0', scratch_url=fake_salesforce.base_url)
    assert '!' in token
    assert instance == fake_salesforce.base_url.removeprefix('http://')


@pytest.mark.parametrize(
    ('arguments', 'seed', 'settings', 'code'),
    [
        ({'password': 'wrong'}, {}, {}, 'INVALID_LOGIN'),
        ({'username': 'nobody'}, {}, {}, 'INVALID_LOGIN'),
        ({'security_token': ''}, {}, {}, 'LOGIN_MUST_USE_SECURITY_TOKEN'),
        ({}, {'locked': True}, {}, 'INVALID_LOGIN'),
        ({}, {'api_login': False}, {}, 'INSUFFICIENT_ACCESS'),
        ({}, {}, {'soap_login': False}, 'INVALID_OPERATION'),
        ({}, {}, {'logins_per_hour': 0}, 'LOGIN_RATE_EXCEEDED'),
        ({'version': '65.0'}, {}, {}, 'INVALID_OPERATION'),
        ({'version': '30.0'}, {}, {}, 'UNSUPPORTED_API_VERSION'),
    ],
)
def test_simple_salesforce_reads_the_codes_of_our_faults(
    fake_salesforce, to_fake, arguments, seed, settings, code
):
    if seed:
        fake_salesforce.seed({'users': [{**PASSWORD, **seed}]})
    fake_salesforce.configure(**settings)
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        Salesforce(**{**PASSWORD, 'version': '64.0', 'session': to_fake, **arguments})
    assert refused.value.code == code
    fake_salesforce.wait_for('login', flow='soap', status=500, error=code)


def test_simple_salesforce_logs_in_by_password_flow(fake_salesforce, to_fake):
    client = Salesforce(username=ADA, password='secrettoken', **KEYS, session=to_fake)
    assert client.limits()
    assert fake_salesforce.journal('login', flow='password', status=200)
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        Salesforce(username=ADA, password='secret', **KEYS, session=to_fake)
    assert refused.value.code == 'invalid_grant'
    assert str(refused.value).endswith(': authentication failure')


def test_simple_salesforce_logs_in_by_client_credentials(fake_salesforce, to_fake):
    client = Salesforce(**KEYS, domain='acme.my', session=to_fake)
    assert client.limits()
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        Salesforce(**{**KEYS, 'consumer_secret': 'x'}, domain='acme.my', session=to_fake)
    assert refused.value.code == 'invalid_client'


def test_simple_salesforce_logs_in_by_jwt(fake_salesforce, to_fake, private_key, public_pem):
    pem = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    signed = {'username': ADA, 'consumer_key': APP['client_id'], 'privatekey': pem, 'session': to_fake}
    demo = {'name': 'demo', 'consumer_key': APP['client_id'], 'public_key': public_pem}
    fake_salesforce.seed({'apps': [demo]})
    with (
        pytest.warns(UserWarning, match='authorize'),
        pytest.raises(SalesforceAuthenticationFailed) as refused,
    ):
        Salesforce(**signed)
    assert str(refused.value).endswith(": user hasn't approved this consumer")
    fake_salesforce.seed({'apps': [{**demo, 'approved': [ADA]}]})
    for more in ({}, {'domain': 'test'}, {'instance_url': 'acme.my'}):
        assert Salesforce(**signed, **more).limits()


def test_logins_work_over_tls_too(tmp_path):
    trustme = pytest.importorskip('trustme')
    authority = trustme.CA()
    certificate = authority.issue_cert('127.0.0.1')
    certificate.cert_chain_pems[0].write_to_path(tmp_path / 'certificate.pem')
    certificate.private_key_pem.write_to_path(tmp_path / 'key.pem')
    authority.cert_pem.write_to_path(tmp_path / 'ca.pem')
    files = ['--tls-certificate', str(tmp_path / 'certificate.pem'), '--tls-key', str(tmp_path / 'key.pem')]
    with start_fake(*files) as fake, requests.Session() as session:
        session.trust_env = False  # a bundle of the environment would outrank ours
        session.verify = str(tmp_path / 'ca.pem')
        form = {'grant_type': 'client_credentials', **APP}
        token = session.post(f'{fake.base_url}/services/oauth2/token', form, timeout=20).json()
        assert token['instance_url'] == fake.base_url
        # simple-salesforce insists on https, and so finds this one by itself.
        direct = Salesforce(instance_url=fake.base_url, session_id=token['access_token'], session=session)
        assert direct.limits()


def test_a_plain_cometd_server_has_no_logins(fake_cometd):
    assert requests.post(f'{fake_cometd.base_url}/services/oauth2/token', {}, timeout=20).status_code == 404


def test_a_form_that_is_no_text_is_refused(fetch):
    kind = {'Content_Type': 'application/x-www-form-urlencoded'}
    status, answer, _ = fetch('POST', '/services/oauth2/token', b'grant_type=\xff&x', **kind)
    assert (status, answer['error']) == (400, 'invalid_request')
