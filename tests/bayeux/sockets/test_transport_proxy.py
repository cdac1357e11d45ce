"""Through a real proxy: tunnels for https, whole URLs for http, and what it says when it refuses."""

import subprocess
import sys

import eventlet
import pytest
import trustme
from eventlet.green import socket as green_socket
from eventlet.green import ssl as green_ssl

from nameko_salesforce.bayeux.failures import FailureKind
from tests.bayeux.sockets.raw_server import TICK, answer, wait_until

CONNECT = {'channel': '/meta/connect', 'successful': True}


def is_open(port):
    try:
        green_socket.create_connection(('127.0.0.1', port), TICK).close()
    except OSError:
        return False
    return True


def proxy_process(folder, *options):
    """Run proxy.py on a free port; yields the port."""
    port_file = folder / 'port'
    program = subprocess.Popen(
        [
            sys.executable,
            '-m',
            'proxy',
            '--hostname',
            '127.0.0.1',
            '--port',
            '0',
            '--port-file',
            str(port_file),
        ]
        + ['--num-workers', '1', '--num-acceptors', '1', '--log-level', 'CRITICAL', '--data-dir', str(folder)]
        + list(options)
    )
    try:
        wait_until(lambda: port_file.exists() and port_file.read_text().strip(), 'the port of the proxy')
        port = int(port_file.read_text().split()[0])
        wait_until(lambda: is_open(port), 'the proxy')
        yield port
    finally:
        program.terminate()
        program.wait()


@pytest.fixture(scope='module')
def open_proxy(tmp_path_factory):
    yield from proxy_process(tmp_path_factory.mktemp('open'))


@pytest.fixture(scope='module')
def guarded_proxy(tmp_path_factory):
    yield from proxy_process(tmp_path_factory.mktemp('guarded'), '--basic-auth', 'user:p@ss:word')


@pytest.fixture(scope='module')
def authority():
    return trustme.CA()


@pytest.fixture
def context(authority):
    context = green_ssl.SSLContext(green_ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert('localhost').configure_cert(context)
    return context


@pytest.fixture
def bundle(authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / 'ca.pem')
    return str(tmp_path / 'ca.pem')


def answering(peer):
    while peer.request() is not None:
        peer.send(answer([CONNECT]))


@pytest.mark.parametrize('tls', [False, True])
@pytest.mark.parametrize('guarded', [False, True])
def test_exchanges_go_through_a_real_proxy(request, serve, client, context, bundle, tls, guarded):
    port = request.getfixturevalue('guarded_proxy' if guarded else 'open_proxy')
    credentials = 'user:p%40ss%3Aword@' if guarded else ''
    server = serve(answering, context if tls else None)
    one = client(server.url, ca_bundle=bundle, proxy=f'http://{credentials}localhost:{port}')
    assert one.exchange() is None
    assert one.exchange() is None
    assert one.got == [CONNECT] * 2
    assert server.connections >= 1


@pytest.mark.parametrize('tls', [False, True])
@pytest.mark.parametrize('credentials', ['', 'user:wrong@'])
def test_wrong_credentials_are_refused_by_a_real_proxy(
    serve, client, guarded_proxy, context, bundle, tls, credentials
):
    server = serve(answering, context if tls else None)
    proxy = f'http://{credentials}127.0.0.1:{guarded_proxy}'
    failure = client(server.url, ca_bundle=bundle, proxy=proxy).exchange()
    assert (failure.kind, failure.status) == (FailureKind.PROXY, 407)
    assert 'wrong' not in failure.detail
    assert server.connections == 0


def test_a_server_that_a_real_proxy_cannot_reach_is_a_proxy_failure(client, open_proxy):
    listener = eventlet.listen(('127.0.0.1', 0))
    port = listener.getsockname()[1]
    listener.close()
    failure = client(f'https://127.0.0.1:{port}/', proxy=f'http://127.0.0.1:{open_proxy}').exchange()
    assert failure.kind is FailureKind.PROXY


def test_a_tunnel_does_not_excuse_a_wrong_certificate(serve, client, context, open_proxy):
    server = serve(answering, context)
    failure = client(server.url, proxy=f'http://127.0.0.1:{open_proxy}').exchange()
    assert failure.kind is FailureKind.TLS


# --- what a hostile proxy says --------------------------------------------------------------------


@pytest.mark.parametrize(
    ('data', 'status'),
    [
        (b'HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nnope', 407),
        (b'HTTP/1.1 502 Bad Gateway\r\n\r\n', 502),
        (b'HTTP/1.1 302 Found\r\nLocation: http://evil.example.org/\r\n\r\n', 302),
        (b'HELO\r\n', None),
        (b'', None),
    ],
)
def test_a_refused_tunnel_is_a_proxy_failure_with_the_status(serve, client, data, status):
    heads = []

    def script(peer):
        heads.append(peer.head())
        peer.send(data)

    server = serve(script)
    proxy = f'http://user:secret@localhost:{server.port}'
    failure = client(
        'https://na1.example.com/cometd/60.0', headers=lambda: {'A': 'token'}, proxy=proxy
    ).exchange()
    assert (failure.kind, failure.status) == (FailureKind.PROXY, status)
    assert 'secret' not in str(failure)
    (head,) = heads
    # Nothing but what the tunnel needs: the proxy must not see the token.
    assert head == [
        'CONNECT na1.example.com:443 HTTP/1.1',
        'Host: na1.example.com:443',
        'Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=',
    ]


@pytest.mark.parametrize('scheme', ['http', 'https'])
def test_a_proxy_that_repeats_its_credentials_does_not_have_them_told(serve, client, scheme):
    def script(peer):
        head = peer.head()
        [line] = [line for line in head if line.startswith('Proxy-Authorization: ')]
        said = f'407 {line.split()[2]} is p@hid, written p%40hid'
        peer.send(answer(status=said, body=f'p@hid p%40hid {line}'.encode()))

    proxy = f'http://user:p%40hid@localhost:{serve(script).port}'
    failure = client(f'{scheme}://na1.example.com/', proxy=proxy).exchange()
    assert (failure.kind, failure.status) == (FailureKind.PROXY, 407)
    assert '407 *** is ***, written ***' in failure.detail
    assert 'hid' not in failure.detail
    assert 'dXNlcjpwQGhpZA==' not in failure.detail


def test_a_plain_url_is_asked_for_as_a_whole(serve, client):
    seen = []

    def script(peer):
        seen.append(peer.request())
        peer.send(answer([CONNECT]))

    server = serve(script)
    one = client('http://na1.example.com/cometd/60.0', proxy=f'http://user@localhost:{server.port}')
    assert one.exchange() is None
    (request,) = seen
    assert request.line == 'POST http://na1.example.com/cometd/60.0 HTTP/1.1'
    assert request.headers['Host'] == 'na1.example.com'
    assert request.headers['Proxy-Authorization'] == 'Basic dXNlcjo='


def test_a_proxy_that_does_not_answer_is_a_connect_timeout(serve, client):
    server = serve(lambda peer: peer.wait_for_close())
    one = client(
        'https://na1.example.com/', proxy=f'http://localhost:{server.port}', connect_timeout=4 * TICK
    )
    failure = one.exchange()
    assert failure.kind is FailureKind.CONNECT_TIMEOUT
    assert 'proxy' in failure.detail


def test_a_proxy_that_is_not_there_is_named(client):
    listener = eventlet.listen(('127.0.0.1', 0))
    port = listener.getsockname()[1]
    listener.close()
    failure = client('https://na1.example.com/', proxy=f'http://user:secret@127.0.0.1:{port}').exchange()
    assert failure.kind is FailureKind.CONNECT
    assert failure.detail == f'proxy 127.0.0.1:{port}: Connection refused'


def test_a_proxy_in_the_environment_is_not_used(serve, client, monkeypatch):
    stranger = serve([])
    for name in ('http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'ALL_PROXY'):
        monkeypatch.setenv(name, f'http://127.0.0.1:{stranger.port}')
    assert client(serve(answering).url).exchange() is None
    assert stranger.connections == 0
