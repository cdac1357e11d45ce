"""A proxy that changes events on their way, into what no server of ours would send."""

import http.client
import json
from urllib.parse import urlsplit

import eventlet

__all__ = ['WildProxy']

# Of the connection, and not of the message.
HOP = ('connection', 'content-length', 'transfer-encoding', 'proxy-authorization')


class WildProxy:
    """For plain HTTP, in green threads of this process.

    Args:
        change: called with the text of each message of a response of the event service; gives another text.

    Attributes:
        url: for `PROXY`.
    """

    def __init__(self, change):
        self._change = change
        self._listener = eventlet.listen(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self._listener.getsockname()[1]}'
        self._threads = [eventlet.spawn(self._accept)]

    def close(self):
        self._listener.close()
        for each in self._threads:
            each.kill()

    def _accept(self):
        while True:
            sock, _ = self._listener.accept()
            self._threads.append(eventlet.spawn(self._serve, sock))

    def _serve(self, sock):
        with sock, sock.makefile('rb') as incoming:
            while line := incoming.readline():
                method, url, _ = line.decode('latin-1').split()
                headers = http.client.parse_headers(incoming)
                body = incoming.read(int(headers.get('Content-Length', 0)))
                sock.sendall(self._answer(method, urlsplit(url), headers, body))

    def _answer(self, method, url, headers, body):
        connection = http.client.HTTPConnection(url.netloc)
        try:
            kept = [(name, value) for name, value in headers.items() if name.lower() not in HOP]
            target = url.path + (f'?{url.query}' if url.query else '')
            connection.request(method, target, body or None, dict(kept))
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        if url.path.startswith('/cometd') and response.status == 200:
            # With the escapes that were sent: not everything here can be written as text.
            messages = [self._change(json.dumps(each)) for each in json.loads(data)]
            data = f'[{",".join(messages)}]'.encode()
        lines = [f'HTTP/1.1 {response.status} {response.reason}']
        lines += [f'{name}: {value}' for name, value in response.getheaders() if name.lower() not in HOP]
        return '\r\n'.join([*lines, f'Content-Length: {len(data)}', '', '']).encode('latin-1') + data
