"""Certificates: who is trusted, who is not, and that a refusal says why."""

import datetime
from pathlib import Path

import pytest
import trustme
from eventlet.green import ssl as green_ssl

from nameko_salesforce.bayeux.failures import FailureKind
from tests.bayeux.sockets.raw_server import TICK, answer, wait_until
from tests.services.certificates import self_signed

CONNECT = {'channel': '/meta/connect', 'successful': True}
PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope='module')
def authority():
    return trustme.CA()


@pytest.fixture(scope='module')
def bundle(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp('ca') / 'ca.pem'
    authority.cert_pem.write_to_path(path)
    return str(path)


def served_by(certificate, client_authority=None):
    """A server-side context; with `client_authority` clients must show a certificate of it."""
    context = green_ssl.SSLContext(green_ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if client_authority is not None:
        context.verify_mode = green_ssl.CERT_REQUIRED
        client_authority.configure_trust(context)
    return context


@pytest.fixture
def context(authority):
    return served_by(authority.issue_cert('localhost'))


def answering(peer):
    while peer.request() is not None:
        peer.send(answer([CONNECT]))


def test_exchanges_work_and_share_a_connection(serve, client, context, bundle):
    server = serve(answering, context)
    one = client(server.url, ca_bundle=bundle)
    assert one.exchange() is None
    assert one.exchange() is None
    assert one.got == [CONNECT] * 2
    assert server.connections == 1


def test_two_connections_share_what_was_read_of_the_certificates(serve, client, context, bundle, tmp_path):
    path = tmp_path / 'ca.pem'
    path.write_bytes(Path(bundle).read_bytes())
    one = client(serve(answering, context).url, ca_bundle=str(path))
    assert one.exchange() is None
    path.unlink()
    other = one.transport.connection()
    assert other.exchange([{}], read_timeout=100 * TICK, on_messages=one.got.extend) is None
    other.close()


def test_an_unknown_authority_is_refused(serve, client, context):
    failure = client(serve(answering, context).url).exchange()
    assert failure.kind is FailureKind.TLS
    assert 'unable to get local issuer certificate' in failure.detail


def test_a_certificate_for_another_host_is_refused(serve, client, authority, bundle):
    server = serve(answering, served_by(authority.issue_cert('other.example.com')))
    failure = client(server.url, ca_bundle=bundle).exchange()
    assert failure.kind is FailureKind.TLS
    assert 'Hostname mismatch' in failure.detail


def test_an_expired_certificate_is_refused(serve, client, authority, bundle):
    expired = authority.issue_cert('localhost', not_before=PAST, not_after=PAST + datetime.timedelta(days=1))
    failure = client(serve(answering, served_by(expired)).url, ca_bundle=bundle).exchange()
    assert failure.kind is FailureKind.TLS
    assert 'certificate has expired' in failure.detail


@pytest.mark.parametrize('with_bundle', [True, False])
def test_a_certificate_that_signs_itself_is_refused(serve, client, bundle, tmp_path, with_bundle):
    context = green_ssl.SSLContext(green_ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    failure = client(serve(answering, context).url, ca_bundle=bundle if with_bundle else None).exchange()
    assert failure.kind is FailureKind.TLS
    assert 'self-signed certificate' in failure.detail


def test_a_server_without_tls_is_a_failure(serve, client, bundle):
    def script(peer):
        peer.send(b'HTTP/1.1 400 Bad Request\r\n\r\n')
        peer.wait_for_close()

    server = serve(script)
    failure = client(server.url.replace('http', 'https'), ca_bundle=bundle).exchange()
    assert failure.kind is FailureKind.TLS


@pytest.mark.parametrize('version', ['TLSv1_2', 'TLSv1_3'])
def test_a_client_certificate_is_shown_when_it_is_demanded(
    serve, client, authority, bundle, tmp_path, version
):
    context = served_by(authority.issue_cert('localhost'), client_authority=authority)
    context.minimum_version = context.maximum_version = green_ssl.TLSVersion[version]
    server = serve(answering, context)
    ours = authority.issue_cert('nameko@example.com')
    both, key = tmp_path / 'both.pem', tmp_path / 'key.pem'
    ours.private_key_and_cert_chain_pem.write_to_path(both)
    ours.private_key_pem.write_to_path(key)

    failure = client(server.url, ca_bundle=bundle).exchange()
    assert failure.kind is FailureKind.TLS
    assert client(server.url, ca_bundle=bundle, client_certificate=str(both)).exchange() is None
    assert client(server.url, ca_bundle=bundle, client_certificate=(str(both), str(key))).exchange() is None


@pytest.mark.parametrize('option', ['ca_bundle', 'client_certificate'])
@pytest.mark.parametrize('content', [None, b'', b'not a certificate'])
def test_a_file_that_cannot_be_used_is_a_failure_that_names_the_option(
    serve, client, tmp_path, option, content
):
    path = tmp_path / 'file.pem'
    if content is not None:
        path.write_bytes(content)
    failure = client(serve(lambda peer: None).url.replace('http', 'https'), **{option: str(path)}).exchange()
    assert failure.kind is FailureKind.TLS
    assert option in failure.detail


def test_an_encrypted_key_is_a_failure_and_asks_nobody(serve, client, authority, tmp_path):
    from cryptography.hazmat.primitives import serialization

    ours = authority.issue_cert('nameko@example.com')
    key = serialization.load_pem_private_key(ours.private_key_pem.bytes(), None)
    path = tmp_path / 'key.pem'
    path.write_bytes(
        ours.cert_chain_pems[0].bytes()
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b'secret'),
        )
    )
    server = serve(lambda peer: None)
    failure = client(server.url.replace('http', 'https'), client_certificate=str(path)).exchange()
    assert failure.kind is FailureKind.TLS


def test_a_handshake_that_hangs_is_a_connect_timeout(serve, client, bundle):
    server = serve(lambda peer: peer.wait_for_close())
    one = client(server.url.replace('http', 'https'), ca_bundle=bundle, connect_timeout=4 * TICK)
    assert one.exchange().kind is FailureKind.CONNECT_TIMEOUT


def test_a_handshake_that_is_cut_is_a_failure(serve, client, bundle):
    server = serve(lambda peer: peer.sock.recv(10))
    failure = client(server.url.replace('http', 'https'), ca_bundle=bundle).exchange()
    assert failure.kind in (FailureKind.TLS, FailureKind.CONNECT)


def test_a_held_exchange_times_out_and_can_be_closed(serve, client, context, bundle):
    held = []

    def script(peer):
        peer.request()
        held.append(True)
        peer.wait_for_close()

    one = client(serve(script, context).url, ca_bundle=bundle)
    assert one.exchange(read_timeout=4 * TICK).kind is FailureKind.TIMEOUT
    thread = one.start()
    wait_until(lambda: len(held) == 2, 'the second request')
    one.connection.close()
    assert thread.wait().kind is FailureKind.RESET
    thread = one.start()
    wait_until(lambda: len(held) == 3, 'the third request')
    thread.kill()


def test_an_idle_connection_that_the_server_closed_is_replaced(serve, client, context, bundle):
    def script(peer):
        peer.request()
        peer.send(answer([CONNECT]))

    server = serve(script, context)
    one = client(server.url, ca_bundle=bundle)
    assert one.exchange() is None
    wait_until(lambda: one.connection._readable.poll(0), 'the end of the connection')
    assert one.exchange() is None
    assert server.connections == 2


def test_an_answer_that_breaks_off_is_truncated(serve, client, context, bundle):
    def script(peer):
        peer.request()
        peer.send(answer([CONNECT, CONNECT])[:-1])

    one = client(serve(script, context).url, ca_bundle=bundle)
    assert one.exchange().kind is FailureKind.TRUNCATED
    assert one.got == [CONNECT] * 2
