"""The server of `make bench`: answers with bytes that were made before the client came.

    python -m benchmarks.source PATTERN [--quick] [--port N | --fd N]

Nothing is rendered while a client is measured but the id and the client's id in the reply to a poll; so it is
faster than whoever asks. It knows one client at a time: a handshake begins anew. Logins are answered, too,
for those that insist. Events come as soon as all channels of the pattern are subscribed to; a poll that comes
before waits. Blocking sockets, a thread for each of the client's two or three connections.
"""

import argparse
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from benchmarks.patterns import Pattern, pattern_of

CLIENT_ID = '4b1dk3ybc6l2a0d8r6f5t3u1w9q7e5z2'
ORGANIZATION = '00D5g00000A1b2cEAB'
USER = '0055g00000A1b2cAAB'
TOKEN = '00D5g00000A1b2c!benchmark'
FIRST_REPLAY_ID = 1_000_000_000
RECORDS = 5_000
PIECE = 65_536
# Seconds that a poll is held when there is nothing more.
TIMEOUT = 110
# Said on standard error when the poll of an idle client has come.
HOLDING = 'holding'

HEAD = (
    b'HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nCache-Control: no-cache,no-store\r\n'
    b'Content-Type: application/json;charset=UTF-8\r\nVary: Accept-Encoding\r\nContent-Length: %d\r\n\r\n'
)
CHUNKED = b'Transfer-Encoding: chunked'
LENGTH = re.compile(rb'\r\nContent-Length: *(\d+)', re.IGNORECASE)

POLL_ID = re.compile(rb'"id": ?("[^"]*"|\d+)')
POLL_REPLY = b'{"channel":"/meta/connect","clientId":"%s","successful":true,"id":%%b}' % CLIENT_ID.encode()


def channels_of(pattern: Pattern) -> list[str]:
    """Names of the channels of a pattern."""
    return [f'/topic/Bench{number}' for number in range(pattern.channels)]


# --- what is made before ---------------------------------------------------------------------------


def event_format(size: int) -> str:
    """JSON of an event with places for channel, replay id, record and the moment of its publication."""
    now = datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%S.000Z')
    record = {
        'Id': '<record>',
        'Name': 'Contact <number>',
        'Email': 'contact<number>@example.com',
        'Phone': '+44 20 7946 0000',
        'Amount': 12.5,
        'Active': True,
        'LastModifiedDate': now,
    }
    happened = {'createdDate': now, 'replayId': '<replay>', 'type': 'updated'}
    event = {'data': {'event': happened, 'sobject': record}, 'channel': '<channel>'}
    for number in range(size):
        missing = size - len(_json(event)) - 30
        if missing <= 0:
            break
        record[f'Text{number}__c'] = 'x' * min(missing, 60)
    text = _json(event).replace('"<replay>"', '%(replay)d').replace('<channel>', '%(channel)s')
    return text.replace('<record>', '%(record)s').replace('<number>', '%(number)05d')


def make_events(pattern: Pattern) -> list[bytes]:
    """All events of the pattern, in order; records and channels go round."""
    text = event_format(pattern.size)
    channels = channels_of(pattern)
    return [
        (
            text
            % {
                'replay': FIRST_REPLAY_ID + number,
                'channel': channels[number % len(channels)],
                'record': f'0035g00000{number % RECORDS:05d}AAB',
                'number': number % RECORDS,
            }
        ).encode()
        for number in range(pattern.total)
    ]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(',', ':'))


# --- the client's session --------------------------------------------------------------------------


class Session:
    """What is sent next. The poll's thread takes it; commands come in another one."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        events = make_events(pattern)
        self._bodies = [b','.join(events[first:behind]) + b',' for first, behind in pattern.responses()]
        self._held = [pattern.hold if first == pattern.warm else 0.0 for first, _ in pattern.responses()]
        self._changed = threading.Condition()
        self._reset()

    def _reset(self) -> None:
        self._subscribed: set[str] = set()
        self._polls = 0
        self._next = iter(zip(self._bodies, self._held, strict=True))
        self._published = 0.0

    def quick_answer(self, body: bytes, connection: socket.socket) -> list[bytes] | None:
        """To one poll of a client that is subscribed; None: look closer."""
        if self._polls and len(self._subscribed) >= self._pattern.channels and body.count(b'"channel"') == 1:
            found = POLL_ID.search(body)
            if found is not None and b'"/meta/connect"' in body:
                return [b'[', *self._poll(connection), POLL_REPLY % found[1], b']']
        return None

    def answer(self, messages: list[dict[str, Any]], connection: socket.socket) -> Iterator[bytes]:
        """Parts of the array's text, without its brackets."""
        replies = []
        for message in messages:
            if message['channel'] == '/meta/connect':
                yield from self._poll(connection)
            replies.append(_json(self._reply(message)).encode())
        yield b','.join(replies)

    def _reply(self, message: dict[str, Any]) -> dict[str, Any]:
        channel = message['channel']
        reply = {'channel': channel, 'clientId': CLIENT_ID, 'successful': True}
        if 'id' in message:
            reply['id'] = message['id']
        if channel == '/meta/handshake':
            with self._changed:
                self._reset()
            reply |= {
                'version': '1.0',
                'minimumVersion': '1.0',
                'supportedConnectionTypes': ['long-polling'],
                'ext': {'replay': True, 'payload.format': True},
                'advice': {'reconnect': 'retry', 'interval': 0, 'timeout': TIMEOUT * 1000},
            }
        elif channel in ('/meta/subscribe', '/meta/unsubscribe'):
            names = message['subscription']
            reply['subscription'] = names
            names = {names} if isinstance(names, str) else set(names)
            with self._changed:
                if channel == '/meta/subscribe':
                    self._subscribed |= names
                else:
                    self._subscribed -= names
                self._changed.notify_all()
        return reply

    def _poll(self, connection: socket.socket) -> Iterator[bytes]:
        self._polls += 1
        if self._polls == 1:
            return  # servers answer the first one at once
        if len(self._subscribed) < self._pattern.channels:
            with self._changed:
                complete = self._changed.wait_for(
                    lambda: len(self._subscribed) >= self._pattern.channels, timeout=TIMEOUT
                )
            if not complete:
                return
        body, hold = next(self._next, (b'', TIMEOUT))
        if hold:
            print(HOLDING, file=sys.stderr, flush=True)
            if _closed(connection, hold):
                return
        if self._pattern.pause and body:
            body = self._stamped(body)
        yield body

    def _stamped(self, body: bytes) -> bytes:
        """One event, when its time has come, with the moment of its publication."""
        self._published = max(self._published + self._pattern.pause, time.monotonic())
        time.sleep(max(0.0, self._published - time.monotonic()))
        # Had the client been late, its event would have waited here: the moment is the planned one.
        return body.replace(b'"event":{', b'"event":{"published":%.9f,' % self._published, 1)


def _closed(connection: socket.socket, seconds: float) -> bool:
    """Wait, but no longer than the client does."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b''
    except TimeoutError:
        return False
    finally:
        connection.settimeout(None)


# --- HTTP ------------------------------------------------------------------------------------------


def read_request(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body. Nobody here sends a request before the last one's answer."""
    data = _more(connection)
    while (end := data.find(b'\r\n\r\n')) < 0:
        data += _more(connection)
    head, body = data[:end], data[end + 4 :]
    length = LENGTH.search(head)
    if length is None and CHUNKED in head:
        while not body.endswith(b'0\r\n\r\n'):
            body += _more(connection)
        body = b''.join(body.split(b'\r\n')[1:-3:2])  # JSON has no line ends here
    while length is not None and len(body) < int(length[1]):
        body += _more(connection)
    return head, body


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(PIECE)
    if not piece:
        raise ConnectionError('the client has gone')
    return piece


def serve_connection(connection: socket.socket, session: Session, address: str) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            connection.sendall(respond(*read_request(connection), session, connection, address))
    except OSError:
        return  # the client has what it wants
    finally:
        connection.close()


def respond(head: bytes, body: bytes, session: Session, connection: socket.socket, address: str) -> bytes:
    target = head.split(b' ', 2)[1]
    if b'/cometd' in target:
        parts = session.quick_answer(body, connection)
        if parts is None:
            messages = json.loads(body)
            messages = messages if isinstance(messages, list) else [messages]
            parts = [b'[', *session.answer(messages, connection), b']']
    else:
        identity = f'{address}/id/{ORGANIZATION}/{USER}'
        login = {'access_token': TOKEN, 'instance_url': address, 'token_type': 'Bearer', 'id': identity}
        parts = [_json({**login, 'identity': identity}).encode()]
    return b''.join([HEAD % sum(map(len, parts)), *parts])


def main() -> None:
    parser = argparse.ArgumentParser(description='Serve one pattern to one client after the other.')
    parser.add_argument('pattern')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--fd', type=int, help='a socket that listens already')
    options = parser.parse_args()
    if options.fd is not None:
        listener = socket.socket(fileno=options.fd)
    else:
        listener = socket.create_server(('127.0.0.1', options.port))
    session = Session(pattern_of(options.pattern, is_quick=options.quick))
    address = f'http://127.0.0.1:{listener.getsockname()[1]}'
    print(address, file=sys.stderr, flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve_connection, args=(connection, session, address), daemon=True).start()


if __name__ == '__main__':
    main()
