"""What a server does on a real socket, and what the transport makes of it: messages or one failure."""

import gzip
import json
import os
import subprocess
import sys
import time
import tracemalloc

import eventlet
import greenlet
import pytest
from eventlet.green import socket as green_socket

from nameko_salesforce.bayeux.decoder import Oversized
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.failures import FailureKind
from nameko_salesforce.bayeux.transport import Transport, TransportOptions
from tests.bayeux.sockets.raw_server import TICK, RawServer, answer, wait_until

CONNECT = {'channel': '/meta/connect', 'successful': True}
EVENTS = [{'channel': '/topic/a', 'data': {'n': n}} for n in range(3)]


def answering(*answers, then=None):
    """A script: one answer for each request, then `then(peer)`, or wait for the client to close."""

    def script(peer):
        for data in answers:
            if peer.request() is None:
                return
            peer.send(data)
        if then is not None:
            then(peer)
        else:
            peer.wait_for_close()

    return script


def chunks(*parts):
    """A chunked answer; give None as last part to leave the end open."""
    data = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
    for part in parts:
        if part is None:
            return data
        data += b'%x\r\n%b\r\n' % (len(part), part)
    return data + b'0\r\n\r\n'


def write(*messages):
    return json.dumps(messages).encode()


# --- requests -------------------------------------------------------------------------------------


def test_a_request_is_a_post_of_a_list_to_the_plain_url(serve, client):
    seen = []

    def script(peer):
        seen.append(peer.request())
        peer.send(answer([CONNECT]))

    server = serve(script)
    one = client(server.url + '?a=b', headers=lambda: {'Authorization': 'Bearer t'})
    assert one.exchange({'channel': '/meta/connect', 'id': '1'}) is None
    assert one.got == [CONNECT]
    (request,) = seen
    assert request.line == 'POST /cometd/60.0?a=b HTTP/1.1'
    assert request.messages == [{'channel': '/meta/connect', 'id': '1'}]
    assert request.headers['Host'] == f'localhost:{server.port}'
    assert request.headers['Content-Type'] == 'application/json;charset=UTF-8'
    assert request.headers['Accept-Encoding'] == 'gzip'
    assert request.headers['Authorization'] == 'Bearer t'
    assert 'Cookie' not in request.headers


def test_headers_are_asked_for_before_each_request(serve, client):
    seen = []
    tokens = iter(['first', 'second'])

    def script(peer):
        for _ in range(2):
            seen.append(peer.request().headers['Authorization'])
            peer.send(answer())

    one = client(serve(script).url, headers=lambda: {'Authorization': next(tokens)})
    assert one.exchange() is None
    assert one.exchange() is None
    assert seen == ['first', 'second']


@pytest.mark.parametrize(
    'headers',
    [
        {'Authorization': 'Bearer secret\r\nX-Evil: 1'},
        {'Authorization': 'Bearer secret\n'},
        {'Authorization': 'Bearer secret\0'},
        {'Authorization': 'Bearer secret \u20ac'},
        {'Authorization': None},
        {'X: secret': '1'},
        {'': '1'},
        {'X\r\nY': '1'},
        {'Content-Length': '3'},
        {'transfer-encoding': 'chunked'},
        {'Host': 'secret.example.com'},
    ],
)
def test_a_header_that_cannot_be_sent_is_a_failure_without_a_connection(serve, client, headers):
    server = serve([])
    failure = client(server.url, headers=lambda: headers).exchange()
    assert failure.kind is FailureKind.REQUEST
    assert 'Bearer' not in failure.detail
    assert server.connections == 0


def test_a_callable_for_headers_that_raises_is_a_failure_that_hides_its_text(serve, client):
    def headers():
        raise RuntimeError('Bearer secret')

    failure = client(serve([]).url, headers=headers).exchange()
    assert failure.kind is FailureKind.REQUEST
    assert 'RuntimeError' in failure.detail
    assert 'secret' not in failure.detail


def test_a_message_that_cannot_be_encoded_is_a_failure_and_nothing_is_sent(serve, client):
    server = serve([])
    failure = client(server.url).exchange({'a': 1}, {'a': {1}})
    assert failure.kind is FailureKind.REQUEST
    assert server.connections == 0


def test_messages_are_packed_into_bodies_below_the_limit(serve, client):
    bodies = []

    def script(peer):
        while (request := peer.request()) is not None:
            bodies.append(request)
            peer.send(answer([{'n': len(bodies)}]))

    messages = [{'id': str(n), 'x': 'y' * 30} for n in range(20)]
    one = client(serve(script).url, request_limit=200)
    assert one.exchange(*messages) is None
    assert [message for body in bodies for message in body.messages] == messages
    assert all(len(body.body) < 200 for body in bodies)
    # No body could have taken the first message of the next one.
    assert all(
        len(body.body) + 1 + len(json.dumps(after.messages[0], separators=(',', ':'))) >= 200
        for body, after in zip(bodies, bodies[1:], strict=False)
    )
    assert one.got == [{'n': n + 1} for n in range(len(bodies))]


def test_a_body_of_exactly_the_limit_is_split(serve, client):
    sizes = []

    def script(peer):
        while (request := peer.request()) is not None:
            sizes.append(len(request.body))
            peer.send(answer())

    pair = [{'a': 1}, {'b': 2}]
    length = len(json.dumps(pair, separators=(',', ':')))
    server = serve(script)
    assert client(server.url, request_limit=length + 1).exchange(*pair) is None
    assert sizes == [length]
    assert client(server.url, request_limit=length).exchange(*pair) is None
    assert sizes == [length, 9, 9]


def test_a_message_above_the_limit_goes_alone_and_the_rest_is_not_sent(serve, client):
    lengths = []

    def script(peer):
        for status in ('200 OK', '413 Request Entity Too Large'):
            lengths.append(len(peer.request().messages))
            peer.send(answer(status=status))

    failure = client(serve(script).url, request_limit=100).exchange({'a': 1}, {'a': 'x' * 200}, {'b': 2})
    assert (failure.kind, failure.status) == (FailureKind.STATUS, 413)
    assert lengths == [1, 1]


def test_a_refusal_that_comes_before_the_request_was_read_is_seen(serve, client):
    def script(peer):
        peer.head()
        peer.send(answer(status='413 Request Entity Too Large', headers=['Connection: close']))
        peer.sock.shutdown(green_socket.SHUT_WR)
        peer.wait_for_close()

    failure = client(serve(script).url).exchange({'a': 'x' * 8_000_000})
    assert (failure.kind, failure.status) == (FailureKind.STATUS, 413)


def test_no_message_is_no_request(serve, client):
    server = serve([])
    one = client(server.url)
    assert one.connection.exchange([], read_timeout=1, on_message=one.got.append) is None
    assert server.connections == 0


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'data',
    [
        answer(EVENTS),
        answer(body=b'\xef\xbb\xbf' + write(*EVENTS)),
        answer(EVENTS, headers=['Content-Type: text/html']),
        chunks(*[write(*EVENTS)[n : n + 7] for n in range(0, len(write(*EVENTS)), 7)]),
        answer(body=gzip.compress(write(*EVENTS)), headers=['Content-Encoding: gzip']),
        chunks(gzip.compress(write(*EVENTS))).replace(
            b'\r\n\r\n', b'\r\nContent-Encoding: x-gzip\r\n\r\n', 1
        ),
        b'HTTP/1.1 100 Continue\r\n\r\n' + answer(EVENTS),
    ],
    ids=['length', 'bom', 'wrong-type', 'chunked', 'gzip', 'chunked-gzip', 'continue'],
)
def test_messages_come_out_of_every_framing_and_the_connection_is_kept(serve, client, data):
    server = serve([answering(data, data)])
    one = client(server.url)
    assert one.exchange() is None
    assert one.exchange() is None
    assert one.got == EVENTS * 2


@pytest.mark.parametrize(
    'data',
    [
        b'HTTP/1.0 200 OK\r\n\r\n' + write(*EVENTS),
        b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n' + write(*EVENTS),
        answer(EVENTS, headers=['Connection: close']),
    ],
)
def test_a_connection_that_the_server_ends_is_replaced(serve, client, data):
    server = serve([lambda peer: (peer.request(), peer.send(data))] * 2)
    one = client(server.url)
    assert one.exchange() is None
    assert one.exchange() is None
    assert one.got == EVENTS * 2


def test_each_message_is_handed_over_before_the_next_one_arrives(serve, client):
    one = None

    def script(peer):
        peer.request()
        peer.send(chunks(None))
        for count, part in enumerate([b'[{"n":0}', b',{"n":1}', b']']):
            peer.send(b'%x\r\n%b\r\n' % (len(part), part))
            wait_until(lambda count=count: len(one.got) == min(count + 1, 2), 'the message just sent')
        peer.send(b'0\r\n\r\n')

    one = client(serve(script).url)
    assert one.exchange() is None


def test_a_message_above_the_limit_is_reported_and_the_others_delivered(serve, client):
    big = {'channel': '/topic/a', 'data': 'x' * 5000}
    server = serve(answering(answer([EVENTS[0], big, EVENTS[1]])))
    one = client(server.url, message_limit=1000)
    assert one.exchange() is None
    assert [one.got[0], one.got[2]] == EVENTS[:2]
    assert isinstance(one.got[1], Oversized)
    assert one.got[1].channel == '/topic/a'


def test_a_gzip_bomb_is_not_unpacked_in_memory(serve, client):
    bomb = gzip.compress(b'[' + b' ' * 100_000_000 + b']')
    server = serve(answering(answer(body=bomb, headers=['Content-Encoding: gzip'])))
    one = client(server.url)
    tracemalloc.start()
    try:
        assert one.exchange() is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_a_long_answer_that_is_all_there_does_not_stop_other_green_threads(serve, client):
    body = gzip.compress(write(*[{'n': n, 'x': 'y' * 300} for n in range(20_000)]))
    server = serve(answering(answer(body=body, headers=['Content-Encoding: gzip'])))
    one = client(server.url)
    seen = set()

    def watch():
        while True:
            seen.add(len(one.got))
            eventlet.sleep(0)

    thread = eventlet.spawn(watch)
    assert one.exchange() is None
    thread.kill()
    # Six megabytes in 64 KiB pieces.
    assert len(seen) > 50


# --- bad bodies -----------------------------------------------------------------------------------

zipped = gzip.compress(write(*EVENTS))


@pytest.mark.parametrize(
    ('data', 'kind', 'delivered'),
    [
        (answer(body=b''), FailureKind.EMPTY, 0),
        (b'HTTP/1.1 200 OK\r\n\r\n', FailureKind.EMPTY, 0),
        (chunks(), FailureKind.EMPTY, 0),
        (answer(body=b'', headers=['Content-Encoding: gzip']), FailureKind.EMPTY, 0),
        (answer(body=b'<html>Maintenance</html>'), FailureKind.NOT_JSON, 0),
        (answer(body=b'[{}, 1]'), FailureKind.MALFORMED, 1),
        (answer(EVENTS)[:-3], FailureKind.TRUNCATED, 2),
        (answer(EVENTS)[:-1], FailureKind.TRUNCATED, 3),
        (answer(body=write(*EVENTS)[:-1]), FailureKind.TRUNCATED, 3),
        (chunks(write(*EVENTS), None), FailureKind.TRUNCATED, 3),
        (chunks(write(*EVENTS), None) + b'5\r\n  ', FailureKind.TRUNCATED, 3),
        (chunks(write(*EVENTS), None) + b'zz\r\n', FailureKind.TRUNCATED, 3),
        (b'HTTP/1.0 200 OK\r\n\r\n' + write(*EVENTS)[:-1], FailureKind.TRUNCATED, 3),
        (answer(body=zipped[:-6], headers=['Content-Encoding: gzip']), FailureKind.TRUNCATED, 3),
        (answer(body=b'[{}]', headers=['Content-Encoding: gzip']), FailureKind.MALFORMED, 0),
        (answer(body=zipped + b'x', headers=['Content-Encoding: gzip']), FailureKind.MALFORMED, 3),
        (answer(body=b'xyz', headers=['Content-Encoding: br']), FailureKind.MALFORMED, 0),
    ],
)
def test_a_bad_body_is_one_failure_after_what_was_good_in_it(serve, client, data, kind, delivered):
    server = serve([answering(data, then=lambda peer: None), answering(answer([CONNECT]))])
    one = client(server.url)
    failure = one.exchange()
    assert failure.kind is kind
    assert len(one.got) == delivered
    # The next exchange has a connection of its own.
    assert one.exchange() is None


# --- bad heads and lost connections ---------------------------------------------------------------


@pytest.mark.parametrize(
    ('data', 'kind'),
    [
        (b'', FailureKind.RESET),
        (b'HTTP/1.1 200 OK\r\nContent-', FailureKind.EMPTY),
        (b'SSH-2.0-OpenSSH\r\n', FailureKind.NOT_HTTP),
        (b'HTTP/1.1 2x0 OK\r\n\r\n', FailureKind.NOT_HTTP),
        (b'HTTP/9.9 200 OK\r\n\r\n', FailureKind.NOT_HTTP),
        (b'HTTP/1.1 200 OK\r\nX: ' + b'y' * 70_000 + b'\r\n\r\n', FailureKind.NOT_HTTP),
        (b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 200 + b'\r\n', FailureKind.NOT_HTTP),
        (b'y' * 70_000, FailureKind.NOT_HTTP),
    ],
)
def test_a_bad_head_is_a_failure_and_the_next_exchange_works(serve, client, data, kind):
    server = serve([answering(data, then=lambda peer: None), answering(answer([CONNECT]))])
    one = client(server.url)
    assert one.exchange().kind is kind
    assert one.exchange() is None


@pytest.mark.parametrize('data', [b'', b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{}'])
def test_a_reset_connection_is_a_failure_and_the_next_exchange_works(serve, client, data):
    def script(peer):
        peer.request()
        peer.send(data)
        wait_until(lambda: len(one.got) == bool(data), 'what was sent before the reset')
        peer.reset()

    server = serve([script, answering(answer([CONNECT]))])
    one = client(server.url)
    assert one.exchange().kind is (FailureKind.TRUNCATED if data else FailureKind.RESET)
    assert one.exchange() is None


def test_an_idle_connection_that_the_server_closed_is_replaced_without_a_failure(serve, client):
    def script(peer):
        peer.request()
        peer.send(answer([CONNECT]))

    server = serve([script] * 3)
    one = client(server.url)
    for count in range(3):
        assert one.exchange() is None
        readable = one.connection._readable
        wait_until(lambda readable=readable: readable.poll(0), 'the end of the connection')
        assert server.connections == count + 1


def test_an_idle_connection_that_talks_unasked_is_replaced(serve, client):
    server = serve(
        [answering(answer([CONNECT]), then=lambda peer: chatter(peer)), answering(answer([CONNECT]))]
    )

    def chatter(peer):
        wait_until(lambda: answered, 'the end of the exchange')
        peer.send(b'HTTP/1.1 408 Request Timeout\r\n\r\n')
        peer.wait_for_close()

    one = client(server.url)
    answered = []
    assert one.exchange() is None
    answered.append(True)
    wait_until(lambda: one.connection._readable.poll(0), 'the unasked answer')
    assert one.exchange() is None


def test_the_idle_check_works_with_a_descriptor_above_1024(serve, client):
    server = serve([answering(answer(), answer())])
    filler = [os.open('/dev/null', os.O_RDONLY) for _ in range(1100)]
    try:
        one = client(server.url)
        assert one.exchange() is None
        assert one.connection._sock.fileno() > 1024
        assert one.exchange() is None
        one.connection.close()
        server.close()
    finally:
        for number in filler:
            os.close(number)


def test_a_refused_connection_is_a_failure(client):
    listener = eventlet.listen(('127.0.0.1', 0))
    port = listener.getsockname()[1]
    listener.close()
    failure = client(f'http://127.0.0.1:{port}/').exchange()
    assert failure.kind is FailureKind.CONNECT
    assert failure.detail == f'127.0.0.1:{port}: Connection refused'


# eventlet's resolver calls dnspython by an old name.
@pytest.mark.filterwarnings('ignore:please use dns.resolver:DeprecationWarning')
def test_an_unknown_host_is_a_failure(client):
    assert client('http://nowhere.invalid/').exchange().kind is FailureKind.DNS


def test_a_host_name_that_is_none_is_a_failure(client):
    assert client(f'http://{"x" * 70}.invalid/').exchange().kind is FailureKind.DNS


# --- statuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize('status', [201, 204, 301, 302, 307, 400, 401, 403, 404, 413, 500, 503])
def test_only_200_is_a_success_and_a_redirect_is_not_followed(serve, client, status):
    stranger = serve([])
    data = answer([CONNECT], status=f'{status} Some Reason', headers=[f'Location: {stranger.url}'])
    server = serve([answering(data), answering(answer([CONNECT]))])
    one = client(server.url)
    failure = one.exchange()
    assert (failure.kind, failure.status) == (FailureKind.STATUS, status)
    assert one.got == []
    assert stranger.connections == 0
    assert one.exchange() is None


def test_the_reason_of_a_refusal_is_its_text_without_markup(serve, client):
    page = b'<html><style>p {}</style><p>Down for\r\n maintenance &mdash; ' + b'x' * 500
    server = serve(answering(answer(status='503 Unavailable', body=page)))
    failure = client(server.url).exchange()
    assert failure.detail.startswith('503 Unavailable Down for maintenance')
    assert len(failure.detail) == 200


def test_a_refusal_that_repeats_the_request_does_not_reveal_it(serve, client):
    def script(peer):
        request = peer.request()
        peer.send(answer(status='400 Bad', body=f'{request.headers}'.encode()))

    failure = client(
        serve(script).url, headers=lambda: {'Authorization': 'Bearer 00Dsecret!token'}
    ).exchange()
    assert 'Authorization' in failure.detail
    assert 'secret' not in failure.detail


@pytest.mark.parametrize(
    ('headers', 'seconds'),
    [
        ([], 0),
        (['Retry-After: 120'], 120),
        (['Retry-After: -5'], 0),
        (['Retry-After: soon'], 0),
        (['Retry-After: ' + '9' * 5000], 0),
        (['Date: Mon, 23 Nov 2026 10:00:00 GMT', 'Retry-After: Mon, 23 Nov 2026 10:01:30 GMT'], 90),
        (['Date: Mon, 23 Nov 2026 10:00:00 GMT', 'Retry-After: Mon, 23 Nov 2026 09:00:00 GMT'], 0),
        (['Retry-After: Mon, 99 Nov 2026 09:00:00 GMT'], 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(serve, client, headers, seconds):
    server = serve(answering(answer(status='503 Unavailable', headers=headers)))
    assert client(server.url).exchange().retry_after == pytest.approx(seconds)


def test_a_refusal_with_an_endless_body_is_read_to_a_bound_only(serve, client):
    def script(peer):
        peer.request()
        peer.send(b'HTTP/1.1 500 Oops\r\n\r\n')
        with pytest.raises(OSError):  # noqa: PT012  # the client closes somewhere in the middle
            while True:
                peer.send(b'x' * 4096)

    assert client(serve(script).url).exchange().status == 500


def test_a_refusal_whose_body_never_comes_is_still_that_refusal(serve, client):
    data = b'HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n'
    server = serve(answering(data))
    failure = client(server.url, network_allowance=4 * TICK).exchange()
    assert (failure.kind, failure.status) == (FailureKind.STATUS, 401)


# --- cookies --------------------------------------------------------------------------------------


def test_cookies_of_a_200_go_out_on_both_connections_until_forgotten(serve, client):
    seen = []

    def script(peer):
        while (request := peer.request()) is not None:
            seen.append(request.headers.get('Cookie'))
            peer.send(answer(headers=['Set-Cookie: BAYEUX_BROWSER=abc; Path=/; HttpOnly']))

    one = client(serve(script).url)
    other = one.transport.connection()
    assert one.exchange() is None
    assert one.exchange() is None
    assert other.exchange([{}], read_timeout=100 * TICK, on_message=one.got.append) is None
    one.transport.forget_cookies()
    assert one.exchange() is None
    other.close()
    assert seen == [None, 'BAYEUX_BROWSER=abc', 'BAYEUX_BROWSER=abc', None]


def test_cookies_of_other_statuses_are_not_stored(serve, client):
    seen = []

    def script(peer):
        while (request := peer.request()) is not None:
            seen.append(request.headers.get('Cookie'))
            peer.send(answer(status='500 Oops', headers=['Set-Cookie: a=1; Path=/']))

    one = client(serve(script).url)
    one.exchange()
    one.exchange()
    assert seen == [None, None]


# --- time -----------------------------------------------------------------------------------------


def elapsed(call):
    start = time.monotonic()
    return call(), time.monotonic() - start


def test_a_head_that_does_not_come_is_a_timeout(serve, client):
    one = client(serve([answering(b''), answering(answer())]).url)
    failure, seconds = elapsed(lambda: one.exchange(read_timeout=4 * TICK))
    assert failure.kind is FailureKind.TIMEOUT
    assert 4 * TICK <= seconds < 40 * TICK
    assert one.exchange() is None


def test_a_head_that_trickles_does_not_get_around_the_timeout(serve, client):
    def script(peer):
        peer.request()
        peer.drip(b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 90)

    failure, seconds = elapsed(lambda: client(serve(script).url).exchange(read_timeout=4 * TICK))
    assert failure.kind is FailureKind.TIMEOUT
    assert seconds < 40 * TICK


def test_a_body_that_trickles_without_a_message_is_a_timeout(serve, client):
    def script(peer):
        peer.request()
        peer.send(b'HTTP/1.1 200 OK\r\n\r\n[{}')
        peer.drip(b' ' * 500)

    one = client(serve(script).url, network_allowance=4 * TICK)
    failure, seconds = elapsed(one.exchange)
    assert failure.kind is FailureKind.TIMEOUT
    assert one.got == [{}]
    assert seconds < 40 * TICK


def test_a_long_body_may_take_long_as_long_as_messages_come(serve, client):
    def script(peer):
        peer.request()
        peer.send(b'HTTP/1.1 200 OK\r\n\r\n[{}')
        for _ in range(12):
            eventlet.sleep(TICK)
            peer.send(b',{}')
        peer.send(b']')

    one = client(serve(script).url, network_allowance=5 * TICK)
    failure, seconds = elapsed(lambda: one.exchange(read_timeout=5 * TICK))
    assert failure is None
    assert seconds > 10 * TICK


def test_a_server_that_reads_nothing_is_a_timeout(serve, client):
    one = client(serve(lambda peer: eventlet.sleep(100)).url)
    assert one.exchange({'a': 'x' * 20_000_000}, read_timeout=4 * TICK).kind is FailureKind.TIMEOUT


def test_time_in_on_message_does_not_count_against_the_server(serve, client):
    def slow(message):
        one.got.append(message)
        eventlet.sleep(6 * TICK)

    one = client(serve(answering(answer(EVENTS))).url, network_allowance=3 * TICK)
    assert one.exchange(on_message=slow, read_timeout=3 * TICK) is None
    assert one.got == EVENTS


def test_an_answer_that_waited_while_this_process_was_busy_is_no_timeout(serve, client):
    server = serve(answering(answer([CONNECT])))
    one = client(server.url)
    assert one.exchange() is None
    server = serve(answering(answer([CONNECT])))
    two = client(server.url)
    thread = two.start(read_timeout=2 * TICK)

    def block():
        # Not green on purpose: the hub does not turn, and both ends of the connection wait.
        time.sleep(4 * TICK)

    wait_until(lambda: server.connections, 'the connection')
    eventlet.spawn(block)
    assert thread.wait() is None


def test_connecting_is_bounded_by_its_own_timeout(client):
    # A listener whose queue is full does not answer the next SYN.
    listener = green_socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(0)
    fillers = []
    for _ in range(3):
        filler = green_socket.socket()
        filler.setblocking(False)
        filler.fd.connect_ex(listener.getsockname())
        fillers.append(filler)
    one = client(f'http://127.0.0.1:{listener.getsockname()[1]}/', connect_timeout=4 * TICK)
    failure, seconds = elapsed(one.exchange)
    for sock in [listener, *fillers]:
        sock.close()
    assert failure.kind is FailureKind.CONNECT_TIMEOUT
    assert seconds < 40 * TICK


def test_a_dead_address_leaves_time_for_the_next_one(serve, client, monkeypatch):
    server = serve(answering(answer([CONNECT])))
    resolve = green_socket.getaddrinfo

    def both(host, port, *rest):
        (good, *_) = resolve('127.0.0.1', port, *rest)
        # TEST-NET-1 answers nobody, or the network says so at once.
        return [(*good[:4], ('192.0.2.1', port)), good]

    monkeypatch.setattr(green_socket, 'getaddrinfo', both)
    assert client(server.url, connect_timeout=20 * TICK).exchange() is None


# --- being stopped --------------------------------------------------------------------------------


def held(serve):
    """A server that keeps the request, and says so."""
    state = []

    def script(peer):
        peer.request()
        state.append('held')
        peer.wait_for_close()
        state.append('closed')

    return serve(script), state


def test_a_killed_exchange_closes_its_socket(serve, client):
    server, state = held(serve)
    thread = client(server.url).start()
    wait_until(lambda: state == ['held'], 'the request')
    thread.kill()
    wait_until(lambda: state == ['held', 'closed'], 'the end of the connection')
    with pytest.raises(greenlet.GreenletExit):
        thread.wait()


def test_a_timeout_of_the_caller_goes_through_and_closes_the_socket(serve, client):
    server, state = held(serve)
    one = client(server.url)
    with pytest.raises(eventlet.Timeout) as caught, eventlet.Timeout(2 * TICK) as timeout:
        one.exchange()
    assert caught.value is timeout
    wait_until(lambda: state == ['held', 'closed'], 'the end of the connection')


def test_what_on_message_raises_goes_through_and_the_next_exchange_works(serve, client):
    server = serve([answering(answer(EVENTS)), answering(answer([CONNECT]))])
    one = client(server.url)

    def fail(message):
        raise ConnectionResetError(message['channel'])

    with pytest.raises(ConnectionResetError, match='/topic/a'):
        one.exchange(on_message=fail)
    assert one.exchange() is None
    assert one.got == [CONNECT]


def test_closing_from_another_thread_ends_a_held_exchange_at_once(serve, client):
    server, state = held(serve)
    one = client(server.url)
    thread = one.start()
    wait_until(lambda: state == ['held'], 'the request')
    one.connection.close()
    one.connection.close()
    failure = thread.wait()
    assert (failure.kind, failure.detail) == (FailureKind.RESET, 'closed on this side')


def test_closing_inside_on_message_ends_the_exchange_after_it(serve, client):
    def script(peer):
        peer.request()
        peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{}')
        peer.wait_for_close()

    one = client(serve(script).url)
    failure = one.exchange(on_message=lambda message: one.connection.close())
    assert failure.kind is FailureKind.RESET


def test_a_closed_connection_opens_again_when_used(serve, client):
    server = serve([answering(answer())] * 2)
    one = client(server.url)
    one.connection.close()
    assert one.exchange() is None
    one.connection.close()
    assert one.exchange() is None


def test_a_second_exchange_on_a_busy_connection_is_a_local_error(serve, client):
    server, state = held(serve)
    one = client(server.url)
    thread = one.start()
    wait_until(lambda: state == ['held'], 'the request')
    with pytest.raises(LocalError):
        one.exchange()
    one.connection.close()
    assert thread.wait().kind is FailureKind.RESET


def test_an_exchange_inside_on_message_has_a_deadline_of_its_own(serve, client):
    inner, state = held(serve)
    two = client(inner.url)
    outcomes = []

    def nested(message):
        outcomes.append(two.exchange(read_timeout=4 * TICK).kind)

    one = client(serve(answering(answer(EVENTS[:1]))).url, network_allowance=2 * TICK)
    assert one.exchange(on_message=nested, read_timeout=2 * TICK) is None
    assert outcomes == [FailureKind.TIMEOUT]


# --- configuration --------------------------------------------------------------------------------


def test_a_replaced_url_is_used_by_the_next_exchange(serve, client):
    first, second = serve(answering(answer([{'n': 1}]))), serve(answering(answer([{'n': 2}])))
    one = client(first.url)
    assert one.exchange() is None
    one.transport.url = second.url
    assert one.transport.url == second.url
    assert one.exchange() is None
    assert one.got == [{'n': 1}, {'n': 2}]


@pytest.mark.parametrize(
    'url',
    [
        '',
        None,
        'na1.example.com/cometd',
        'ftp://na1.example.com/',
        'https:///cometd',
        'https://user:secret@na1.example.com/',
        'https://na1.example.com:port/',
        'https://na1.example.com:99999/',
        'https://na1.example.com:0/',
        'https://na1.example.com/#secret',
        'https://na1.example.com/a b',
        'https://na1.example.com/\r\nX: y',
        'https://b\u00fccher.example.com/',
        'https://[::1/',
    ],
)
def test_a_wrong_url_is_a_local_error_that_names_it_and_keeps_the_former(url):
    with pytest.raises(LocalError, match=r'^url: ') as caught:
        Transport(url)
    assert 'secret' not in str(caught.value)
    transport = Transport('https://na1.example.com/cometd/60.0')
    with pytest.raises(LocalError, match=r'^url: '):
        transport.url = url
    assert transport.url == 'https://na1.example.com/cometd/60.0'


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('connect_timeout', 0),
        ('connect_timeout', None),
        ('network_allowance', -1),
        ('network_allowance', float('nan')),
        ('message_limit', 0),
        ('request_limit', 1.5),
        ('proxy', 'socks5://localhost'),
        ('proxy', 'localhost:3128'),
        ('proxy', 'http://user:secret@:3128'),
    ],
)
def test_a_wrong_option_is_a_local_error_that_names_it(option, value):
    with pytest.raises(LocalError, match=rf'^{option}: ') as caught:
        Transport('https://na1.example.com/', options=TransportOptions(**{option: value}))
    assert 'secret' not in str(caught.value)


def test_no_password_is_in_a_repr():
    options = TransportOptions(proxy='http://user:secret@localhost:3128')
    transport = Transport('https://na1.example.com/', options=options)
    assert 'secret' not in f'{options!r} {transport!r} {transport.connection()!r} {transport.route!r}'


# --- the hub --------------------------------------------------------------------------------------

UNPATCHED = """
import warnings
warnings.filterwarnings('ignore', message=r'\\s*Eventlet is deprecated')
import sys, eventlet
from nameko_salesforce.bayeux.transport import Transport
ticks = []
def tick():
    while True:
        ticks.append(1)
        eventlet.sleep({tick} / 10)
eventlet.spawn(tick)
assert not eventlet.patcher.is_monkey_patched('socket')
failure = Transport(sys.argv[1]).connection().exchange([{{}}], read_timeout={tick} * 10, on_message=print)
print(failure.kind.name, len(ticks))
"""


def test_other_green_threads_run_while_an_exchange_is_held_in_an_unpatched_process():
    server = RawServer(answering(b''))
    program = subprocess.Popen(
        [sys.executable, '-c', UNPATCHED.format(tick=TICK), server.url], stdout=subprocess.PIPE, text=True
    )
    wait_until(lambda: program.poll() is not None, 'the end of the program')
    kind, ticks = program.communicate()[0].split()
    server.close()
    assert kind == 'TIMEOUT'
    assert int(ticks) > 20
