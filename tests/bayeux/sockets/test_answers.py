"""What a server answers on a real socket, and what becomes of it: messages or one failure."""

import gzip
import tracemalloc

import eventlet
import pytest
from eventlet.event import Event

from nameko_salesforce.bayeux.decoder import Unkept
from nameko_salesforce.bayeux.failures import FailureKind
from tests.bayeux.sockets.raw_server import (
    CONNECT,
    EVENTS,
    TICK,
    answer,
    answering,
    chunks,
    wait_until,
    write,
)

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
    ('data', 'complete'),
    [
        (answer(EVENTS), True),
        (chunks(write(*EVENTS)), True),
        # It comes in steps, between which others run.
        (answer(body=gzip.compress(write(*EVENTS)), headers=['Content-Encoding: gzip']), False),
        # White space may follow, or an error.
        (b'HTTP/1.1 200 OK\r\n\r\n' + write(*EVENTS), False),
        (answer(EVENTS) + b'?', False),
    ],
    ids=['length', 'chunked', 'gzip', 'to the end', 'more behind it'],
)
def test_it_is_known_whether_the_exchange_ends_with_the_messages(serve, client, data, complete):
    one, seen = client(serve([lambda peer: (peer.request(), peer.send(data))]).url), []
    assert one.exchange(on_messages=lambda messages: seen.append(one.connection.complete)) is None
    assert seen == [complete]


def test_only_the_last_of_several_requests_ends_the_exchange(serve, client):
    one, seen = client(serve([answering(answer(EVENTS), answer(EVENTS))]).url, request_limit=60), []
    assert one.exchange(CONNECT, CONNECT, on_messages=lambda _: seen.append(one.connection.complete)) is None
    assert seen == [False, True]


def test_only_the_last_piece_ends_the_exchange(serve, client):
    first, rest = answer(EVENTS)[:-10], answer(EVENTS)[-10:]
    going_on = Event()
    one, seen = (
        client(
            serve([lambda peer: (peer.request(), peer.send(first), going_on.wait(), peer.send(rest))]).url
        ),
        [],
    )

    def on_messages(messages):
        seen.append(one.connection.complete)
        if not going_on.ready():
            going_on.send()

    assert one.exchange(on_messages=on_messages) is None
    assert seen == [False, True]


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
    assert isinstance(one.got[1], Unkept)
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
        (
            chunks(zipped, b'x').replace(b'\r\n\r\n', b'\r\nContent-Encoding: gzip\r\n\r\n', 1),
            FailureKind.MALFORMED,
            3,
        ),
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


# --- statuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize('status', [201, 204, 301, 302, 303, 307, 308, 400, 401, 403, 404, 413, 500, 503])
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


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    'place',
    ['http://127.0.0.1:{stranger}/', 'https://localhost:{port}/', '//localhost:{stranger}/', '/elsewhere'],
)
def test_neither_token_nor_cookie_is_led_to_another_host_port_scheme_or_path(serve, client, place, status):
    stranger = serve([])
    heads = []

    def script(peer):
        while (request := peer.request()) is not None:
            heads.append(request)
            if len(heads) == 1:
                peer.send(answer([CONNECT], headers=['Set-Cookie: a=1; Path=/']))
            else:
                location = f'Location: {place.format(stranger=stranger.port, port=server.port)}'
                peer.send(answer(status=f'{status} Elsewhere', headers=[location]))

    server = serve(script)
    one = client(server.url, headers=lambda: {'Authorization': 'Bearer token'})
    assert one.exchange() is None
    assert one.exchange().status == status
    # It had both, and took them nowhere.
    assert (heads[1].headers['Authorization'], heads[1].headers['Cookie']) == ('Bearer token', 'a=1')
    assert (len(heads), server.connections, stranger.connections) == (2, 1, 0)


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
