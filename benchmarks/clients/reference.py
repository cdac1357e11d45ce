"""The least that a client of long polling can do: what all others are compared with.

A blocking socket, the head cut by hand, the body read whole and given to `json.loads`; then the events are
counted. No state, no failure, no callback, nobody to call.
"""

import json
import socket
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from benchmarks.clients.meter import Meter, task

PIECE = 65_536


def open_session(
    what: dict[str, Any], connect: Callable[..., Any] = socket.create_connection
) -> Callable[[], Any]:
    """Handshake, subscribe; give what polls once and returns the messages."""
    address = urlsplit(what['url'])
    sock = connect((address.hostname, address.port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    cookie = b''
    number = 0

    def exchange(channel: str, **fields: Any) -> Any:
        nonlocal cookie, number
        number += 1
        body = json.dumps([{'channel': channel, 'id': str(number), **fields}]).encode()
        sock.sendall(
            b'POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s'
            b'Content-Length: %d\r\n\r\n%s' % (address.path.encode(), cookie, len(body), body)
        )
        data = sock.recv(PIECE)
        while (end := data.find(b'\r\n\r\n')) < 0:
            data += sock.recv(PIECE)
        head = data[:end].lower()
        length = int(head.split(b'content-length:', 1)[1].split(b'\r\n', 1)[0])
        if not cookie and b'set-cookie:' in head:
            cookie = b'Cookie: %s\r\n' % data[:end][head.index(b'set-cookie:') + 11 :].split(b';')[0].strip()
        parts = [data[end + 4 :]]
        size = len(parts[0])
        while size < length:
            parts.append(sock.recv(PIECE))
            size += len(parts[-1])
        return json.loads(b''.join(parts))

    [reply] = exchange(
        '/meta/handshake', version='1.0', minimumVersion='1.0', supportedConnectionTypes=['long-polling']
    )
    client_id = reply['clientId']
    exchange('/meta/connect', clientId=client_id, connectionType='long-polling')
    for channel in what['channels']:
        exchange('/meta/subscribe', clientId=client_id, subscription=channel)
    return lambda: exchange('/meta/connect', clientId=client_id, connectionType='long-polling')


def main() -> None:
    what = task()
    meter = Meter(what)
    poll = open_session(what)
    while not meter.result:
        messages = poll()
        if what.get('timed'):
            for message in messages:
                if 'data' in message:
                    meter.event(message['data'])
        else:
            count = len(messages) - 1
            del messages  # to let go of what was read is a part of the work
            meter.events(count)
    meter.report()


if __name__ == '__main__':
    sys.exit(main())
