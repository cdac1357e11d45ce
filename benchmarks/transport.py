"""What an exchange costs: `python benchmarks/transport.py`.

CPU time of this process for one keep-alive POST and the decoding of its answer, next to a loop that does
nothing but that (green socket, head parsed by hand, json.loads), against a server in another
process; then the decoder alone next to json.loads. The least of several runs, in microseconds.
"""

import json
import os
import subprocess
import sys
import time
import warnings

warnings.filterwarnings('ignore', message=r'\s*Eventlet is deprecated')

import eventlet  # noqa: E402
from eventlet.green import socket  # noqa: E402

from nameko_salesforce.bayeux.decoder import MessageDecoder  # noqa: E402
from nameko_salesforce.bayeux.transport import Transport  # noqa: E402

RUNS = 60
PIECE = 65_536
REQUEST = {'channel': '/meta/connect', 'clientId': 'x' * 32, 'connectionType': 'long-polling', 'id': '17'}


def body_of(events):
    """A poll's answer: its reply and this many events of about 400 bytes."""
    reply = {'channel': '/meta/connect', 'clientId': 'x' * 32, 'id': '17', 'successful': True}
    return json.dumps([event(n) for n in range(events)] + [reply], separators=(',', ':')).encode()


def event(number):
    record = {
        'Id': f'003{number:015d}',
        'Name': f'Contact {number}',
        'Email': f'contact{number}@example.com',
        'Phone': '+44 20 7946 0000',
        'Amount': 12.5,
        'Active': True,
        'LastModifiedDate': '2026-11-23T12:00:00.000+0000',
        'Description': 'x' * 60,
    }
    happened = {'createdDate': '2026-11-23T12:00:00.000Z', 'replayId': number, 'type': 'updated'}
    return {'data': {'event': happened, 'sobject': record}, 'channel': '/topic/ContactUpdates'}


def serve(events):
    """Answer every request with the same bytes, in a process of its own."""
    body = body_of(events)
    head = 'HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nCache-Control: no-cache,no-store\r\n'
    head += 'Content-Type: application/json;charset=UTF-8\r\nVary: Accept-Encoding\r\n'
    data = f'{head}Content-Length: {len(body)}\r\n\r\n'.encode() + body
    listener = eventlet.listen(('127.0.0.1', 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        eventlet.spawn(answer, sock, data)


def answer(sock, data):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Clients here send each request with one call and wait for its answer.
    while b'}]' in sock.recv(PIECE):
        sock.sendall(data)


def reference(port):
    """The least that can be done: one request sent, one head cut, one body decoded."""
    sock = socket.create_connection(('127.0.0.1', port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    body = json.dumps([REQUEST]).encode()
    request = (
        b'POST /cometd/60.0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n' % len(body) + body
    )

    def exchange(on_messages):
        sock.sendall(request)
        data = b''
        while b'\r\n\r\n' not in data:
            data += sock.recv(PIECE)
        head, _, data = data.partition(b'\r\n\r\n')
        length = int(head.split(b'Content-Length: ')[1].split(b'\r\n')[0])
        while len(data) < length:
            data += sock.recv(PIECE)
        on_messages(json.loads(data))

    return exchange, sock.close


def library(port):
    transport = Transport(
        f'http://127.0.0.1:{port}/cometd/60.0', headers=lambda: {'Authorization': 'Bearer x'}
    )
    connection = transport.connection()

    def exchange(on_messages):
        failure = connection.exchange([REQUEST], read_timeout=125.0, on_messages=on_messages)
        assert failure is None, failure

    return exchange, connection.close


def least(calls, count):
    """Microseconds of CPU for one of `count` calls of each, the least of many runs that take turns.

    Turns, because a shared machine is faster at one minute than at the next.
    """
    best = [float('inf')] * len(calls)
    for _ in range(RUNS):
        for place, call in enumerate(calls):
            start = time.process_time()
            for _ in range(count):
                call()
            best[place] = min(best[place], time.process_time() - start)
    return [seconds / count * 1e6 for seconds in best]


def cost_of_exchanges(events, count):
    program = subprocess.Popen(
        [sys.executable, os.path.abspath(__file__), 'serve', str(events)], stdout=subprocess.PIPE, text=True
    )
    try:
        port = int(program.stdout.readline())
        both = [make(port) for make in (reference, library)]
        for exchange, _ in both:
            got = []
            exchange(got.extend)
            assert len(got) == events + 1
        figures = least([lambda run=run: run(lambda messages: None) for run, _ in both], count)
        for _, close in both:
            close()
        return figures
    finally:
        program.terminate()
        program.wait()


def decode(body):
    decoder = MessageDecoder()
    for index in range(0, len(body), PIECE):
        decoder.feed(body[index : index + PIECE])
    assert decoder.close() is None


def row(*cells):
    print(''.join(f'{cell:>14}' for cell in cells))


def main():
    row('events', 'reference', 'transport', 'ratio')
    for events, count in ((1, 100), (10, 80), (100, 30)):
        base, ours = cost_of_exchanges(events, count)
        row(events, f'{base:.1f}', f'{ours:.1f}', f'{ours / base:.2f}')
    print()
    row('events', 'json.loads', 'decoder', 'ratio')
    for events, count in ((1, 500), (10, 100), (100, 20), (1000, 2)):
        body = body_of(events)
        base, ours = least([lambda body=body: json.loads(body), lambda body=body: decode(body)], count)
        row(events, f'{base:.1f}', f'{ours:.1f}', f'{ours / base:.2f}')


if __name__ == '__main__':
    if sys.argv[1:2] == ['serve']:
        serve(int(sys.argv[2]))
    else:
        main()
