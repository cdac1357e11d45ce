"""Profile salesforce over real sockets: what the front has to bring along."""

import json
import ssl
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
import trustme
from fake_salesforce.client import start_fake

HANDSHAKE = {'channel': '/meta/handshake', 'version': '1.0', 'supportedConnectionTypes': ['long-polling']}
TOPIC = '/topic/InvoiceStatementUpdates'


def seconds_left(set_cookie, response):
    """How long a cookie lives, by the clock of its response."""
    expires = dict(part.partition('=')[::2] for part in set_cookie.split('; '))['Expires']
    return (parsedate_to_datetime(expires) - parsedate_to_datetime(response.headers['Date'])).total_seconds()


def test_a_subscription_at_work(fake_salesforce, org_client):
    org_client.connected(TOPIC)
    connection = org_client.begin([org_client.connect_message(id=5)])
    fake_salesforce.wait_for('held')
    assert fake_salesforce.publish(TOPIC, {'sobject': {'Id': 'a00'}}) == 1
    event, reply = json.loads(org_client.end(connection)[1])
    assert (event['channel'], event['data']['sobject']) == (TOPIC, {'Id': 'a00'})
    assert (reply['id'], reply['successful']) == (5, True)
    assert fake_salesforce.retained(TOPIC) == [event['data']]
    assert fake_salesforce.violations() == []


def test_both_cookies_are_set_and_the_one_for_routing_has_an_end(org_client):
    response, _ = org_client.exchange([HANDSHAKE])
    browser, routing = response.headers.get_all('Set-Cookie')
    assert browser.startswith('BAYEUX_BROWSER=')
    assert routing.startswith('sfdc-stream=!')
    assert routing.split('; ')[1] == 'path=/'
    assert routing.endswith('; SameSite=None')  # over TLS it is `Secure` as well
    assert seconds_left(routing, response) == pytest.approx(10_800, abs=2)


def test_over_tls_the_routing_cookie_is_secure(tmp_path, raw_client):
    authority = trustme.CA()
    certificate = authority.issue_cert('127.0.0.1')
    certificate.cert_chain_pems[0].write_to_path(tmp_path / 'certificate.pem')
    certificate.private_key_pem.write_to_path(tmp_path / 'key.pem')
    context = ssl.create_default_context()
    authority.configure_trust(context)
    options = ['--tls-certificate', str(tmp_path / 'certificate.pem'), '--tls-key', str(tmp_path / 'key.pem')]
    with start_fake(*options) as fake, raw_client(fake.url, context) as client:
        client.log_in(fake.section())
        response, _ = client.exchange([HANDSHAKE])
        routing = response.headers.get_all('Set-Cookie')[1]
    assert routing.endswith('; SameSite=None; Secure')


def test_the_routing_cookie_ends_sooner_where_the_clock_runs_faster(raw_client):
    with start_fake('--speed', '100') as fake, raw_client(fake.url) as client:
        client.log_in(fake.section())
        response, _ = client.exchange([HANDSHAKE])
        routing = response.headers.get_all('Set-Cookie')[1]
        assert seconds_left(routing, response) == pytest.approx(108, abs=2)
        client.client_id = fake.sessions()[0]['client_id']
        client.post(client.connect_message())
        # 110 seconds of the server's.
        assert client.post(client.connect_message())[0]['successful'] is True


def test_when_routing_ends_a_client_is_unknown_and_gets_another_cookie(fake_salesforce, org_client):
    org_client.connected()
    before = org_client.cookies['sfdc-stream']
    assert fake_salesforce.expire_routing_cookies() == 1
    [reply] = org_client.post(org_client.connect_message())
    assert (reply['error'], reply['advice']['reconnect']) == ('403::Unknown client', 'handshake')
    assert org_client.cookies['sfdc-stream'] != before
    org_client.connected()


@pytest.mark.parametrize(
    ('path', 'text'), [('', 'API version in the URI is mandatory'), ('/36.0', 'Unsupported API version')]
)
def test_the_url_needs_a_version_that_is_served(fake_salesforce, org_client, path, text):
    org_client.address = urlsplit(f'{fake_salesforce.base_url}/cometd')
    response, content = org_client.exchange([HANDSHAKE], path=path)
    assert response.status == 400
    assert text in json.loads(content)[0]['error']


@pytest.mark.parametrize('path', ['', '/', '/handshake'])
def test_slashes_and_types_of_messages_may_follow(org_client, path):
    assert org_client.post(HANDSHAKE, path=path)[0]['successful'] is True


def test_without_a_token_nothing_is_told(org_client):
    org_client.token = None
    refused = [{'error': '401::Request requires authentication', 'successful': False}]
    assert org_client.post(HANDSHAKE) == refused


def test_a_large_request_is_413_with_a_text(org_client):
    response, content = org_client.exchange([{**HANDSHAKE, 'ext': {'fill': 'x' * 32_768}}])
    assert (response.status, content) == (413, b'Maximum Request Size Exceeded')
    assert response.headers['Content-Type'] == 'text/plain;charset=UTF-8'


def test_a_fault_may_deliver_events_twice(fake_salesforce, org_client):
    fake_salesforce.publish(TOPIC, {'sobject': {'Id': 'a00'}})
    org_client.connected()
    fake_salesforce.faults.add('duplicate_events', channel='/meta/subscribe')
    message = {'channel': '/meta/subscribe', 'clientId': org_client.client_id, 'subscription': TOPIC}
    messages = org_client.post({**message, 'ext': {'replay': {TOPIC: -2}}})
    assert [each['channel'] for each in messages] == [TOPIC, TOPIC, '/meta/subscribe']
    assert messages[0] == messages[1]
