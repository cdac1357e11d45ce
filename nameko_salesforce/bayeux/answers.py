"""Reading an HTTP answer: the pieces of a good body, the reason in a bad one. Floor 2.

Decides on content encodings and on how much is read at a time; bodies are never in memory as a
whole. Raises what the socket, `http.client` and `zlib` raise; `transport.py` catches it.
"""

import email.utils
import http.client
import re
import time
import zlib
from collections.abc import Iterable, Iterator

import eventlet

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.watchdog import Expired

__all__ = ['PIECE', 'pieces', 'refusal']

# Bytes that are read at a time, and the most that a step of decompression may give: a small body can
# hold gigabytes.
PIECE = 65_536
# Of the body of a refusal no more is read; the reason stands at its beginning.
_REFUSAL = 4096
_DETAIL = 200

_TAGS = re.compile(r'<(style|script)\b.*?</\1\s*>|<[^>]*>', re.DOTALL | re.IGNORECASE)
_UNPRINTABLE = re.compile(r'[^\x21-\x7e\xa1-\uffff]+')


def pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body as it arrives, decompressed, in pieces of up to 64 KiB; none of them is empty.

    A sender that is faster than we are would keep the hub from turning, since a green socket switches
    only when it has to wait: this generator switches after each 64 KiB.

    Raises:
        http.client.IncompleteRead: the body broke off. Also OSError, EOFError, HTTPException, zlib.error.
    """
    coding = (response.getheader('Content-Encoding') or 'identity').strip().lower()
    raw = _raw(response)
    if coding in ('gzip', 'x-gzip'):
        raw = _unzipped(raw)
    elif coding != 'identity':
        raise zlib.error(f'content encoding {coding[:20]!r}, which was not asked for')
    unbroken = 0
    for piece in raw:
        yield piece
        unbroken += len(piece)
        if unbroken >= PIECE:
            eventlet.sleep(0)
            unbroken = 0


def _raw(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while response.length != 0:
        piece = response.read1(PIECE)
        if not piece:
            break
        yield piece
    # Chunked bodies have no length and complain themselves; one that ends with the connection cannot.
    if response.length:
        raise http.client.IncompleteRead(b'', response.length)


def _unzipped(raw: Iterator[bytes]) -> Iterator[bytes]:
    gunzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    empty = True
    for data in raw:
        empty = False
        if gunzip.eof:
            raise zlib.error('data behind the end of the gzip body')
        while True:
            piece = gunzip.decompress(data, PIECE)
            if piece:
                yield piece
            data = gunzip.unconsumed_tail
            # A full piece may have left output inside the decompressor although all input is consumed.
            if not data and len(piece) < PIECE:
                break
        if gunzip.unused_data:
            raise zlib.error('data behind the end of the gzip body')
    if not (empty or gunzip.eof):
        raise http.client.IncompleteRead(b'')


def refusal(response: http.client.HTTPResponse, secrets: Iterable[str] = ()) -> Failure:
    """The failure of an answer whose status is not 200; reads a small part of its body.

    Args:
        response: its head has been read.
        secrets: texts of the request; where the answer repeats one, it is hidden.
    Returns:
        STATUS with status, Retry-After, and up to 200 characters: the reason phrase and the text.
    Raises:
        Nothing of the network: the status is the news, whatever becomes of the body.
    """
    body = b''
    try:
        for piece in pieces(response):
            body += piece
            if len(body) >= _REFUSAL:
                break
    except (Exception, Expired):
        pass
    text = f'{response.reason} {_TAGS.sub(" ", body[:_REFUSAL].decode(errors="replace"))}'
    for secret in sorted(set(secrets), key=len, reverse=True):
        text = text.replace(secret, '***')
    text = _UNPRINTABLE.sub(' ', text).strip()
    return Failure(
        FailureKind.STATUS,
        f'{response.status} {text}'[:_DETAIL],
        response.status,
        retry_after(response.getheader('Retry-After'), response.getheader('Date')),
    )


def retry_after(value: str | None, date: str | None) -> float:
    """Seconds that a `Retry-After` header asks for.

    Args:
        value: the header: seconds or an HTTP date.
        date: the answer's `Date`, by whose clock such a date is meant; None means ours.
    Returns:
        Seconds >= 0; 0 for no header and for one that makes no sense.
    Source: RFC 9110, 10.2.3.
    """
    if not value:
        return 0.0
    # Nine digits are thirty years; int() refuses absurd lengths with an exception.
    if re.fullmatch(r'\s*[0-9]{1,9}\s*', value):
        return float(value)
    until, now = _timestamp(value), _timestamp(date or '')
    if until is None:
        return 0.0
    return max(0.0, until - (time.time() if now is None else now))


def _timestamp(date: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
