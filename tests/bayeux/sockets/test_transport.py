"""Connections on real sockets: lost, late, closed, replaced, and never left behind."""

import os
import subprocess
import sys
import time

import eventlet
import greenlet
import pytest
from eventlet.green import socket as green_socket

from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.failures import FailureKind
from nameko_salesforce.bayeux.watchdog import Expired, Watchdog
from tests.bayeux.sockets.raw_server import CONNECT, EVENTS, TICK, RawServer, answer, answering, wait_until

# --- bad heads and lost connections ---------------------------------------------------------------


@pytest.mark.parametrize(
    ('data', 'kind'),
    [
        (b'', FailureKind.RESET),
        (b'HTTP/1.1 200 OK\r\nContent-', FailureKind.TRUNCATED),
        (b'SSH-2.0-OpenSSH\r\n', FailureKind.NOT_HTTP),
        (b'HTTP/1.1 2x0 OK\r\n\r\n', FailureKind.NOT_HTTP),
        (b'HTTP/9.9 200 OK\r\n\r\n', FailureKind.NOT_HTTP),
        (b'HTTP/1.1 200 OK\r\nX: ' + b'y' * 70_000 + b'\r\n\r\n', FailureKind.NOT_HTTP),
        (b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 20_000 + b'\r\n', FailureKind.NOT_HTTP),
        (b'HTTP/1.1 200 OK\r\nX y\r\n\r\n[]', FailureKind.NOT_HTTP),
        (b'HTTP/1.1 101 Switching Protocols\r\n\r\n', FailureKind.NOT_HTTP),
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


def test_time_in_on_messages_does_not_count_against_the_server(serve, client):
    def slow(messages):
        one.got.extend(messages)
        eventlet.sleep(6 * TICK)

    one = client(serve(answering(answer(EVENTS))).url, network_allowance=3 * TICK)
    assert one.exchange(on_messages=slow, read_timeout=3 * TICK) is None
    assert one.got == EVENTS


def test_an_answer_that_waited_while_this_process_was_busy_is_no_timeout(serve, client):
    def script(peer):
        for pause in (0, 6 * TICK):
            peer.request()
            peer.send(answer([CONNECT]))
            # Not green on purpose: the answer is there, and the hub cannot turn until its time is over.
            # Only the second request comes through the hub's sockets, after whose turn timers come first.
            time.sleep(pause)

    one = client(serve(script).url)
    assert one.exchange() is None
    assert one.exchange(read_timeout=3 * TICK) is None
    assert one.got == [CONNECT] * 2


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


def test_a_deadline_of_the_caller_goes_through_and_closes_the_socket(serve, client):
    server, state = held(serve)
    outer = Watchdog(TICK)
    outer.watch(2 * TICK)
    with pytest.raises(Expired) as caught:
        client(server.url).exchange()
    assert caught.value.watchdog is outer
    wait_until(lambda: state == ['held', 'closed'], 'the end of the connection')


def test_what_on_messages_raises_goes_through_and_the_next_exchange_works(serve, client):
    server = serve([answering(answer(EVENTS)), answering(answer([CONNECT]))])
    one = client(server.url)

    def fail(messages):
        raise ConnectionResetError(messages[0]['channel'])

    with pytest.raises(ConnectionResetError, match='/topic/a'):
        one.exchange(on_messages=fail)
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


def test_closing_inside_on_messages_ends_the_exchange_after_it(serve, client):
    def script(peer):
        peer.request()
        peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{}')
        peer.wait_for_close()

    one = client(serve(script).url)
    failure = one.exchange(on_messages=lambda messages: one.connection.close())
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


def test_an_exchange_inside_on_messages_has_a_deadline_of_its_own(serve, client):
    inner, state = held(serve)
    two = client(inner.url)
    outcomes = []

    def nested(messages):
        outcomes.append(two.exchange(read_timeout=4 * TICK).kind)

    one = client(serve(answering(answer(EVENTS[:1]))).url, network_allowance=2 * TICK)
    assert one.exchange(on_messages=nested, read_timeout=2 * TICK) is None
    assert outcomes == [FailureKind.TIMEOUT]


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
failure = Transport(sys.argv[1]).connection().exchange([{{}}], read_timeout={tick} * 10, on_messages=print)
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
