"""Whose certificates REST trusts: the system's store, or a bundle and nothing else.

The store is read by a process of its own, where SSL_CERT_FILE names it.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys

import eventlet
import pytest
import trustme
from eventlet.green import socket as green_socket
from eventlet.green import ssl as green_ssl
from requests.adapters import HTTPAdapter

from tests.bayeux.sockets.raw_server import answer
from tests.salesforce.peers import GOOD

PROGRAM = """
import json, sys, time, warnings
warnings.filterwarnings('ignore', message=r'\\s*Eventlet is deprecated')
import eventlet
eventlet.monkey_patch()
import requests
from nameko_salesforce.bayeux.transport import TransportOptions
from nameko_salesforce.credentials import Token
from nameko_salesforce.rest_session import RestSession
from nameko_salesforce.tokens import Tokens
from nameko_salesforce.web import new_session

url, options, calls = json.loads(sys.argv[1])
token = Token('token', url, '00D000000000001AAA', '005000000000001AAA')
tokens = Tokens(lambda: token, clock=time.monotonic, draw=lambda: 0.5)
network = new_session(TransportOptions(**options))
for session in (network, RestSession(tokens, network)):
    for call in calls:
        try:
            print(session.get(url + '/a', timeout=10, **call).text)
        except requests.exceptions.ConnectionError as error:
            print('refused' if 'CERTIFICATE_VERIFY_FAILED' in str(error) else 'alert')
    session.close()
"""
# Of the two sessions, each with one call.
ANSWERED = ['{"ok": true}'] * 2
REFUSED = ['refused'] * 2


def said(url, *, store, calls=({},), **options):
    """What a process hears whose system trusts `store`."""
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM, json.dumps([url, options, calls])],
        env={**os.environ, 'SSL_CERT_FILE': store, 'SSL_CERT_DIR': '/nowhere'},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split('\n')[:-1]


@pytest.fixture(scope='module')
def authority():
    return trustme.CA()


@pytest.fixture(scope='module')
def files(authority, tmp_path_factory):
    """Names of PEM files: the certificate that is good here, and one of somebody else."""
    folder = tmp_path_factory.mktemp('authorities')
    for name, each in (('good', authority), ('other', trustme.CA())):
        each.cert_pem.write_to_path(folder / name)
    return {name: str(folder / name) for name in ('good', 'other')}


@pytest.fixture
def context(authority):
    context = green_ssl.SSLContext(green_ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert('localhost').configure_cert(context)
    return context


@pytest.fixture
def org(serve, context):
    """The address of an org with a certificate."""
    return f'https://localhost:{serve(answer_all, context).port}'


def answer_all(peer):
    while peer.request() is not None:
        peer.send(GOOD)


def tunnel(peer):
    """What a proxy does with CONNECT."""
    host, _, port = peer.head()[0].split()[1].rpartition(':')
    other = green_socket.create_connection((host, int(port)))
    peer.send(b'HTTP/1.1 200 OK\r\n\r\n')
    back = eventlet.spawn(pump, other, peer.sock)
    pump(peer.sock, other)
    back.wait()
    other.close()


def pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def test_without_a_bundle_the_store_of_the_system_is_trusted_and_no_other(org, files):
    assert said(org, store=files['good']) == ANSWERED
    assert said(org, store=files['other']) == REFUSED


def test_through_a_proxy_as_well(serve, org, files):
    proxy = serve(tunnel)
    assert said(org, store=files['good'], proxy=f'http://localhost:{proxy.port}') == ANSWERED
    assert said(org, store=files['other'], proxy=f'http://localhost:{proxy.port}') == REFUSED
    assert proxy.connections == 4


def test_the_bundle_takes_the_place_of_the_store(org, files):
    assert said(org, store=files['other'], ca_bundle=files['good']) == ANSWERED
    assert said(org, store=files['good'], ca_bundle=files['other']) == REFUSED


@pytest.mark.skipif(
    not hasattr(HTTPAdapter, 'build_connection_pool_key_attributes'),
    reason='requests before 2.32 takes any connection for any call (CVE-2024-35195)',
)
def test_a_bundle_of_one_call_is_not_that_of_the_next(serve, context, files):
    def answer_once(peer):
        # So that each call makes a connection of its own.
        if peer.request() is not None:
            peer.send(answer(body=GOOD.partition(b'\r\n\r\n')[2], headers=['Connection: close']))

    org = f'https://localhost:{serve(answer_once, context).port}'
    calls = [{}, {'verify': files['good']}, {}]
    assert said(org, store=files['other'], calls=calls) == ['refused', ANSWERED[0], 'refused'] * 2


@pytest.mark.parametrize('bundle', [True, False], ids=['bundle', 'store'])
def test_a_client_certificate_is_shown(serve, authority, context, files, tmp_path, bundle):
    ours = trustme.CA()
    context.verify_mode = green_ssl.CERT_REQUIRED
    ours.configure_trust(context)
    certificate = ours.issue_cert('client')
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / 'client.pem')
    org = f'https://localhost:{serve(answer_all, context).port}'
    trusted = {'store': files['other'], 'ca_bundle': files['good']} if bundle else {'store': files['good']}
    assert said(org, **trusted, client_certificate=str(tmp_path / 'client.pem')) == ANSWERED
    assert ANSWERED[0] not in said(org, **trusted)
