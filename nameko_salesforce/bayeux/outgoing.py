"""What is sent: messages packed into bodies, headers checked and put into a request head. Floor 2, no I/O.

Decides what may stand in a request; knows neither sockets nor time. Header values are secrets: no
failure repeats one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from nameko_salesforce.bayeux.failures import Failure, FailureKind

__all__ = ['is_sendable', 'packed', 'request_head']

# RFC 9110, 5.6.2 and 5.5. A line end in a value would begin a header of somebody else's choice.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r'[\t\x20-\x7e\x80-\xff]*')
# These say where a request goes and where it ends.
_OURS = frozenset(
    ['accept-encoding', 'connection', 'content-length', 'content-type', 'cookie', 'host', 'transfer-encoding']
)


def packed(encoded: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Join messages into JSON lists shorter than `limit` bytes, in order.

    A message that does not fit into any makes a list of its own, which is too long.
    """
    batch: list[bytes] = []
    size = 1
    for message in encoded:
        if batch and size + len(message) + 1 >= limit:
            yield b'[%s]' % b','.join(batch)
            batch, size = [], 1
        batch.append(message)
        # The bracket before the first, the comma or the bracket behind each.
        size += len(message) + 1
    if batch:
        yield b'[%s]' % b','.join(batch)


def is_sendable(name: object, value: object) -> bool:
    """Whether a header is one line of a request, and no more than one."""
    return (
        isinstance(name, str)
        and isinstance(value, str)
        and _NAME.fullmatch(name) is not None
        and _VALUE.fullmatch(value) is not None
    )


def request_head(
    target: str, host: str, headers: Mapping[str, str], *, cookie: str | None, extra: str
) -> bytes | Failure:
    """The head of a POST up to the colon and space of `Content-Length`.

    Args:
        target: path and query, or a whole URL for a proxy.
        host: value of the `Host` header.
        headers: the caller's own; may replace `User-Agent`, but nothing that frames the request.
        cookie: value of the `Cookie` header.
        extra: lines that are known to be good, each with its line end.
    Returns:
        The bytes, or a REQUEST failure that names the header which cannot be sent.
    """
    for name, value in headers.items():
        if not is_sendable(name, '') or name.lower() in _OURS:
            return Failure(FailureKind.REQUEST, f'headers() gave a name that cannot be sent: {name!r:.60}')
        if not is_sendable(name, value):
            return Failure(FailureKind.REQUEST, f'headers() gave a value that cannot be sent for {name:.60}')
    lines = [f'POST {target} HTTP/1.1', f'Host: {host}']
    lines += ['Content-Type: application/json;charset=UTF-8', 'Accept-Encoding: gzip']
    if 'user-agent' not in map(str.lower, headers):
        lines.append('User-Agent: nameko-salesforce')
    lines += [f'{name}: {value}' for name, value in headers.items()]
    if cookie is not None:
        lines.append(f'Cookie: {cookie}')
    return ('\r\n'.join(lines) + f'\r\n{extra}Content-Length: ').encode('latin-1')
