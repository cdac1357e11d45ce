"""What is sent: headers, bodies below the limit, cookies."""

import json

import pytest
from eventlet.green import socket as green_socket

from nameko_salesforce.bayeux.failures import FailureKind
from tests.bayeux.sockets.raw_server import CONNECT, TICK, answer

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


def test_the_user_agent_may_be_replaced(serve, client):
    seen = []

    def script(peer):
        while (request := peer.request()) is not None:
            seen.append(request.headers['User-Agent'])
            peer.send(answer())

    server = serve(script)
    assert client(server.url).exchange() is None
    assert client(server.url, headers=lambda: {'User-Agent': 'mine/1.0'}).exchange() is None
    assert seen == ['nameko-salesforce', 'mine/1.0']


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
    assert one.connection.exchange([], read_timeout=1, on_messages=one.got.extend) is None
    assert server.connections == 0


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
    assert other.exchange([{}], read_timeout=100 * TICK, on_messages=one.got.extend) is None
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
