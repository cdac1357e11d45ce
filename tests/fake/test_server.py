"""Sockets of the server: TLS and IPv6."""

import http.client
import json
import socket
import ssl
from urllib.parse import urlsplit

import pytest
import trustme
from fake_salesforce.client import start_fake
from fake_salesforce.server import ServerOptions
from fake_salesforce.settings import SALESFORCE


@pytest.fixture
def authority(tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert('127.0.0.1', 'localhost')
    certificate.cert_chain_pems[0].write_to_path(tmp_path / 'certificate.pem')
    certificate.private_key_pem.write_to_path(tmp_path / 'key.pem')
    return authority


def test_tls(tmp_path, authority):
    options = [
        '--profile',
        'vanilla',
        '--tls-certificate',
        str(tmp_path / 'certificate.pem'),
        '--tls-key',
        str(tmp_path / 'key.pem'),
    ]
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with start_fake(*options) as fake:
        address = urlsplit(fake.url)
        assert address.scheme == 'https'
        connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=20, context=context)
        headers = {'Content-Type': 'application/json'}
        connection.request('POST', '/cometd', b'[{"channel":"/meta/handshake"}]', headers)
        assert json.loads(connection.getresponse().read())[0]['successful'] is True
        connection.close()
        assert len(fake.sessions()) == 1


def test_tls_connections_can_be_reset_too(tmp_path, authority):
    options = [
        '--profile',
        'vanilla',
        '--tls-certificate',
        str(tmp_path / 'certificate.pem'),
        '--tls-key',
        str(tmp_path / 'key.pem'),
    ]
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with start_fake(*options) as fake:
        fake.faults.add('reset')
        address = urlsplit(fake.url)
        connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=20, context=context)
        headers = {'Content-Type': 'application/json'}
        connection.request('POST', '/cometd', b'[{"channel":"/meta/handshake"}]', headers)
        with pytest.raises(ConnectionResetError):
            connection.getresponse()
        connection.close()


def test_options_show_no_password():
    org = {'users': [{'username': 'ada@example.com', 'password': 'hush'}]}
    assert 'hush' not in repr(ServerOptions(settings=SALESFORCE, org=org))


def test_ipv6(raw_client):
    if not socket.has_ipv6:
        pytest.skip('this Python has no IPv6')
    with start_fake('--profile', 'vanilla', '--host', '::1') as fake, raw_client(fake.url) as client:
        assert fake.url.startswith('http://[::1]:')
        assert client.connected().client_id
        assert len(fake.sessions()) == 1  # a control request, under the name of this machine in IPv6
