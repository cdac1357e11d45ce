"""Servers that send without end, as fast as they can: the exchange ends, and others have their turns."""

import gzip
import time

import eventlet
import eventlet.patcher
import pytest
import trustme

from nameko_salesforce.bayeux.failures import FailureKind
from tests.bayeux.sockets.raw_server import TICK, answer, answering

# A sender in a thread of its own is not slowed down by whoever reads too much in this one.
socket = eventlet.patcher.original('socket')
ssl = eventlet.patcher.original('ssl')
threading = eventlet.patcher.original('threading')

OK = b'HTTP/1.1 200 OK\r\n'
CHUNKED = OK + b'Transfer-Encoding: chunked\r\n\r\n'
EVENT = b'{"channel":"/topic/a","data":{"x":"' + b'y' * 400 + b'"}}'


class Flood:
    """A server in a thread: `first`, then `again` for ever, to the first client that comes."""

    def __init__(self, first, again, context=None):
        self._first, self._again, self._context = first, again, context
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]
        self.sent = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        sock, _ = self._listener.accept()
        sock.settimeout(400 * TICK)
        if self._context is not None:
            sock = self._context.wrap_socket(sock, server_side=True)
        try:
            sock.recv(65_536)
            sock.sendall(self._first)
            while True:
                sock.sendall(self._again)
                self.sent += len(self._again)
        except OSError:
            # The client has gone.
            sock.close()

    def close(self):
        self._thread.join(400 * TICK)
        self._listener.close()
        assert not self._thread.is_alive(), 'the client has not hung up'


@pytest.fixture
def flood(nothing_survives):
    floods = []

    def start(*what):
        floods.append(Flood(*what))
        return floods[-1]

    yield start
    for each in floods:
        each.close()


def longest_wait(call):
    """What `call` gives, and the longest time in seconds that another green thread waited for its turn."""
    waits = [0.0]

    def watch():
        last = time.monotonic()
        while True:
            eventlet.sleep(0.001)
            waits.append(time.monotonic() - last)
            last = time.monotonic()

    watcher = eventlet.spawn(watch)
    eventlet.sleep(0)
    try:
        return call(), max(waits)
    finally:
        watcher.kill()


@pytest.mark.parametrize(
    ('first', 'again', 'kind'),
    [
        (b'', b'HTTP/1.1 100 Continue\r\n\r\n' * 1000, FailureKind.NOT_HTTP),
        (OK, b'X: y\r\n' * 10_000, FailureKind.NOT_HTTP),
        (OK, b'y' * 60_000, FailureKind.NOT_HTTP),
        (CHUNKED + b'2\r\n[]\r\n0\r\n', b'X: y\r\n' * 10_000, FailureKind.TRUNCATED),
        (CHUNKED + b'2\r\n[]\r\n2;', b'y' * 60_000, FailureKind.TRUNCATED),
        (CHUNKED + b'1\r\n[\r\n', b'1\r\n \r\n' * 10_000, FailureKind.TIMEOUT),
        (OK + b'\r\n[', b' ' * 60_000, FailureKind.TIMEOUT),
        (OK + b'\r\n[{"channel":"', b'x' * 60_000, FailureKind.TIMEOUT),
        (OK + b'\r\n[', b'[' * 60_000, FailureKind.MALFORMED),
    ],
    ids=['interim', 'headers', 'header', 'trailers', 'chunk size', 'chunks', 'space', 'message', 'nesting'],
)
def test_what_never_ends_is_one_failure_and_others_have_their_turns(flood, client, first, again, kind):
    server = flood(first, again)
    one = client(f'http://127.0.0.1:{server.port}/', network_allowance=10 * TICK)
    failure, wait = longest_wait(lambda: one.exchange(read_timeout=20 * TICK))
    assert failure.kind is kind
    assert wait < 40 * TICK


def test_events_without_end_are_delivered_until_the_connection_is_closed(flood, client):
    server = flood(OK + b'\r\n[' + EVENT, (b',' + EVENT) * 1000)
    one = client(f'http://127.0.0.1:{server.port}/')

    def take(messages):
        nonlocal count
        assert count <= 5_000, 'called after it was closed'
        count += len(messages)
        if count > 5_000:
            one.connection.close()

    count = 0
    failure, wait = longest_wait(lambda: one.exchange(on_messages=take))
    assert (failure.kind, failure.detail) == (FailureKind.RESET, 'closed on this side')
    assert wait < 40 * TICK


def test_an_answer_to_connect_that_does_not_end_is_a_refusal_of_the_proxy(flood, client):
    proxy = flood(b'', b'HTTP/1.1 100 Continue\r\n\r\n' * 1000)
    one = client('https://acme.example/', proxy=f'http://127.0.0.1:{proxy.port}')
    failure, wait = longest_wait(one.exchange)
    assert failure.kind is FailureKind.PROXY
    assert wait < 40 * TICK


def test_a_proxy_that_talks_behind_its_answer_to_connect_is_refused(flood, client):
    proxy = flood(OK + b'\r\nHello', b'x' * 1000)
    one = client('https://acme.example/', proxy=f'http://127.0.0.1:{proxy.port}')
    assert one.exchange().kind is FailureKind.PROXY


def test_tls_records_of_one_byte_leave_turns_to_others(flood, client, tmp_path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert('localhost').private_key_and_cert_chain_pem.write_to_path(tmp_path / 'server.pem')
    context.load_cert_chain(tmp_path / 'server.pem')
    authority.cert_pem.write_to_path(tmp_path / 'ca.pem')
    server = flood(OK + b'\r\n[', b' ', context)
    one = client(
        f'https://localhost:{server.port}/', ca_bundle=str(tmp_path / 'ca.pem'), network_allowance=10 * TICK
    )
    failure, wait = longest_wait(one.exchange)
    assert failure.kind is FailureKind.TIMEOUT
    assert wait < 40 * TICK


@pytest.mark.parametrize('size', [100, 65_536, 200_000])
def test_a_second_gzip_member_ends_the_exchange(serve, client, size):
    body = gzip.compress(b'[' + b' ' * (size - 2) + b']') + gzip.compress(b'[]')
    server = serve(answering(answer(body=body, headers=['Content-Encoding: gzip'])))
    assert client(server.url).exchange().kind is FailureKind.MALFORMED


def test_a_small_body_that_is_a_hundred_megabytes_leaves_turns_to_others(serve, client):
    bomb = gzip.compress(b'[' + b' ' * 100_000_000 + b']')
    server = serve(answering(answer(body=bomb, headers=['Content-Encoding: gzip'])))
    one = client(server.url)
    failure, wait = longest_wait(lambda: one.exchange(read_timeout=400 * TICK))
    assert failure is None
    assert wait < 40 * TICK
