"""Answers of an org, read within bounds. Floor 3.

What requests, urllib3 and http.client read of an answer has no bound: a head may be interim answers without
end, a chunk may be a line of gigabytes, a body of a megabyte may unpack to a gigabyte. And a sender that is
faster than we are would keep the hub from turning, since a green socket switches only when it has to wait.
So sockets are read through `_Wire`, which counts and switches, and bodies by `read_body`, which unpacks in
pieces. Decides how much that may be. Raises what requests raises, and `AnswerTooLong`.
"""

import http.client
import io
import zlib
from collections.abc import Iterator
from typing import Any

import eventlet
import requests
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RequestException

from nameko_salesforce.web import SystemStoreAdapter

__all__ = ['ANSWER_LIMIT', 'REFUSAL_LIMIT', 'AnswerTooLong', 'BoundedAdapter', 'in_words', 'read_body']

# Bytes. The largest answers are results of bulk queries, 100 MB or so, and files of up to 2 GB, which
# are to be read with `stream=True`.
ANSWER_LIMIT = 2**28
# Of a refusal no more is read: its words stand at the beginning.
REFUSAL_LIMIT = 2**20
# On the wire, for what is no body: the head with its interim answers, and the lines around a piece of body.
# Salesforce needs a few KiB.
OVERHEAD_LIMIT = 2**20

# Bytes that are read at a time, and the most that a step of unpacking may give.
PIECE = 2**16


class AnswerTooLong(RequestException):
    """An answer was not read to its end; Salesforce has acted on the request."""


# --- what comes over the wire --------------------------------------------------------------------


class _TooLong(http.client.HTTPException):
    """As urllib3 lets it pass: it wraps those that it knows."""


class _Wire(io.RawIOBase):
    """The bytes of one answer.

    Attributes:
        left: how many may come until it is set again; None: any number.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._unbroken = 0
        self.left: int | None = OVERHEAD_LIMIT

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: Any) -> int | None:
        if self._unbroken >= PIECE:
            eventlet.sleep(0)
            self._unbroken = 0
        count = self._raw.readinto(buffer)
        read = count or 0
        self._unbroken += read
        if self.left is not None:
            self.left -= read
            if self.left < 0:
                raise _TooLong(f'more than {OVERHEAD_LIMIT} bytes of head, trailer or lengths of chunks')
        return count

    def close(self) -> None:
        super().close()
        self._raw.close()


class _Response(http.client.HTTPResponse):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.wire = _Wire(self.fp.detach())
        self.fp = io.BufferedReader(self.wire)

    def begin(self) -> None:
        super().begin()
        # Whoever reads the body says how much it may be.
        self.wire.left = None


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _SecureConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class BoundedAdapter(SystemStoreAdapter):
    """Reads heads within a bound, and lets other green threads go on while it reads anything."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {'http': _Pool, 'https': _SecurePool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = {'http': _Pool, 'https': _SecurePool}
        return manager


def in_words(error: RequestException) -> RequestException:
    """What was too long on the wire as `AnswerTooLong`, and anything else as it is."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, _TooLong):
            return AnswerTooLong(str(inner), request=error.request)
        inner = inner.__cause__ or inner.__context__
    return error


# --- bodies --------------------------------------------------------------------------------------


def read_body(response: requests.Response, limit: int) -> None:
    """Read the body of an answer that was asked for with `stream=True`, so that `content` has it.

    Args:
        limit: bytes, packed and unpacked. Of a refusal (status 400 and above) `REFUSAL_LIMIT` are kept, and
            what comes behind them is neither read nor told.
    Raises:
        AnswerTooLong, ChunkedEncodingError, ContentDecodingError, ConnectionError: the body is not whole.
            The connection is closed.
    """
    refusal = response.status_code >= 400
    limit = min(limit, REFUSAL_LIMIT) if refusal else limit
    body = io.BytesIO()
    try:
        for piece in _unpacked(response, limit):
            body.write(piece)
            if body.tell() > limit:
                if not refusal:
                    raise AnswerTooLong(f'an answer above {limit} bytes', request=response.request)
                body.truncate(limit)
                response.close()
                break
    except BaseException:
        response.close()
        raise
    response._content = body.getvalue()
    response._content_consumed = True  # type: ignore[attr-defined]  # requests' own


def _unpacked(response: requests.Response, limit: int) -> Iterator[bytes]:
    """Pieces of the body. The hub turns between them."""
    coding = response.headers.get('Content-Encoding', '').strip().lower()
    pieces = _raw(response, limit)
    if coding in ('gzip', 'x-gzip'):
        yield from _inflated(pieces, 16 + zlib.MAX_WBITS)
    elif coding == 'deflate':
        yield from _inflated(pieces, zlib.MAX_WBITS)
    elif ',' in coding or coding in ('br', 'zstd'):
        raise ContentDecodingError(f'content encoding {coding[:40]!r}, which was not asked for')
    else:
        # Such as "utf-8", which is none.
        yield from pieces


def _raw(response: requests.Response, limit: int) -> Iterator[bytes]:
    wire = getattr(getattr(response.raw, '_original_response', None), 'wire', None)
    count = 0

    def more() -> None:
        if wire is not None:
            wire.left = OVERHEAD_LIMIT

    more()
    try:
        for piece in response.raw.stream(PIECE, decode_content=False):
            yield piece
            more()
            count += len(piece)
            if count > limit:
                raise AnswerTooLong(f'an answer above {limit} bytes', request=response.request)
    # As `requests.Response.iter_content` does.
    except urllib3.exceptions.ProtocolError as error:
        raise ChunkedEncodingError(error, request=response.request) from error
    except (urllib3.exceptions.ReadTimeoutError, urllib3.exceptions.SSLError) as error:
        raise requests.exceptions.ConnectionError(error, request=response.request) from error


def _inflated(pieces: Iterator[bytes], form: int) -> Iterator[bytes]:
    """What was packed, a small step at a time: a megabyte may hold a gigabyte.

    Args:
        form: `wbits` of zlib. gzip may have several members (RFC 1952, 2.2); "deflate" is sent with and
            without zlib's frame.
    """
    inflate: Any = None
    begun = False
    try:
        for data in pieces:
            full = False
            # A full step may have left output inside although all input is consumed.
            while data or full:
                if inflate is None:
                    if begun and not data.lstrip(b'\0'):
                        # Padding behind the last member.
                        break
                    if form == zlib.MAX_WBITS and not begun and not _is_zlib(data):
                        form = -zlib.MAX_WBITS
                    inflate, begun = zlib.decompressobj(form), True
                unpacked = inflate.decompress(data, PIECE)
                data, full = inflate.unconsumed_tail, len(unpacked) == PIECE
                if unpacked:
                    yield unpacked
                    eventlet.sleep(0)
                if inflate.eof:
                    # An object that has ended takes no more.
                    data, inflate, full = inflate.unused_data, None, False
    except zlib.error as error:
        raise ContentDecodingError(f'a body that cannot be unpacked: {error}') from error
    if inflate is not None:
        raise ContentDecodingError('a packed body that broke off')


def _is_zlib(data: bytes) -> bool:
    """Whether it begins with the two bytes of RFC 1950, 2.2."""
    return len(data) >= 2 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
