"""A server that says exactly what a test wants, byte by byte, on green sockets in this process.

It knows no HTTP beyond finding the end of a request: whatever a transport must survive can be sent.
"""

import json
import os
import socket
import struct
import time
from dataclasses import dataclass

import eventlet
from eventlet.green import ssl as green_ssl

from nameko_salesforce.bayeux.transport import Transport, TransportOptions

__all__ = [
    'CONNECT',
    'EVENTS',
    'SECONDS',
    'TICK',
    'Client',
    'Peer',
    'RawServer',
    'Request',
    'answer',
    'answering',
    'chunks',
    'wait_until',
    'write',
]

# Unit of all timeouts here, in seconds; a slow machine sets BAYEUX_TICK higher.
TICK = float(os.environ.get('BAYEUX_TICK', '0.05'))
# How long a test waits for a fact before it fails.
SECONDS = 200 * TICK

CONNECT = {'channel': '/meta/connect', 'successful': True}
EVENTS = [{'channel': '/topic/a', 'data': {'n': n}} for n in range(3)]


def wait_until(fact, what):
    """Let other green threads run until `fact()` is true; fail with `what` when it does not come."""
    end = time.monotonic() + SECONDS
    while not fact():
        assert time.monotonic() < end, f'not seen: {what}'
        eventlet.sleep(0.001)


def answer(messages=(), *, status='200 OK', headers=(), body=None):
    """The bytes of a whole HTTP answer with a Content-Length."""
    if body is None:
        body = json.dumps(list(messages)).encode()
    lines = [f'HTTP/1.1 {status}', *headers, f'Content-Length: {len(body)}', '', '']
    return '\r\n'.join(lines).encode('latin-1') + body


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
    """A body."""
    return json.dumps(messages).encode()


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def messages(self):
        return json.loads(self.body)


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock):
        self.sock = sock
        self._buffer = b''

    def _receive(self):
        try:
            data = self.sock.recv(65_536)
        except OSError:
            data = b''
        self._buffer += data
        return data

    def head(self):
        """The lines of the next request head, None when the client closed."""
        while b'\r\n\r\n' not in self._buffer:
            if not self._receive():
                return None
        head, _, self._buffer = self._buffer.partition(b'\r\n\r\n')
        return head.decode('latin-1').split('\r\n')

    def request(self):
        """The next whole request, None when the client closed."""
        lines = self.head()
        if lines is None:
            return None
        headers = dict(line.split(': ', 1) for line in lines[1:])
        length = int(headers.get('Content-Length', 0))
        while len(self._buffer) < length:
            if not self._receive():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Request(lines[0], headers, body)

    def send(self, data):
        self.sock.sendall(data)

    def drip(self, data, pause=TICK / 10):
        """Send one byte at a time until all is sent or the client has closed."""
        for index in range(len(data)):
            try:
                self.send(data[index : index + 1])
            except OSError:
                return
            eventlet.sleep(pause)

    def wait_for_close(self):
        """Return when the client has closed its end."""
        while self._receive():
            pass

    def reset(self):
        """Close so that the client gets RST instead of an orderly end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.sock.close()


class RawServer:
    """Runs `script(peer)` in a green thread for each connection, and closes it afterwards.

    Args:
        script: may be a list: then each connection gets the next one, and there must be no more.
        context: a green server-side TLS context, or None.
    """

    def __init__(self, script, context=None):
        self._scripts = iter(script) if isinstance(script, list) else None
        self._script = script
        self._context = context
        self._listener = eventlet.listen(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]
        self.errors = []
        self.connections = 0
        self._socks = []
        self._threads = [eventlet.spawn(self._accept)]

    @property
    def url(self):
        scheme = 'http' if self._context is None else 'https'
        return f'{scheme}://localhost:{self.port}/cometd/60.0'

    def _accept(self):
        while True:
            sock, _ = self._listener.accept()
            self.connections += 1
            self._threads.append(eventlet.spawn(self._serve, sock))

    def _serve(self, sock):
        self._socks.append(sock)
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                self._socks.append(sock)
                sock.do_handshake()
            script = self._script if self._scripts is None else next(self._scripts)
            script(Peer(sock))
        except green_ssl.SSLError:
            # A client that refuses us is what some tests are about.
            pass
        except Exception as error:
            self.errors.append(error)
        finally:
            sock.close()

    def close(self):
        for thread in self._threads:
            thread.kill()
        for sock in self._socks:
            sock.close()
        self._listener.close()
        assert not self.errors, self.errors


class Client:
    """A transport with one connection, and what came over it."""

    def __init__(self, url, *, headers=None, **options):
        defaults = {'connect_timeout': 100 * TICK, 'network_allowance': 100 * TICK}
        self.transport = Transport(url, headers=headers, options=TransportOptions(**(defaults | options)))
        self.connection = self.transport.connection()
        self.got = []

    def exchange(self, *messages, read_timeout=100 * TICK, on_messages=None):
        """Send the messages (one by default); gives the failure or None."""
        return self.connection.exchange(
            messages or [{'channel': '/meta/connect'}],
            read_timeout=read_timeout,
            on_messages=on_messages or self.got.extend,
        )

    def start(self, *messages, **options):
        """The same in a green thread; `wait()` gives its outcome."""
        return eventlet.spawn(self.exchange, *messages, **options)
