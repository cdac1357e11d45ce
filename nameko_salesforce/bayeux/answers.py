"""Reading an HTTP answer: the pieces of a good body, the reason in a bad one. Floor 2.

Decides on content encodings, and on what a refusal says; bodies are never in memory as a whole. Raises
what the socket, `response.py` and `zlib` raise; `transport.py` catches it.
"""

import email.utils
import re
import time
import zlib
from collections.abc import Iterable, Iterator

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.response import PIECE, Response, Truncated
from nameko_salesforce.bayeux.turns import Turns
from nameko_salesforce.bayeux.watchdog import Expired

__all__ = ['pieces', 'refusal', 'retry_after']

# Of the body of a refusal no more is read; the reason stands at its beginning.
_REFUSAL = 4096
_DETAIL = 200

_TAGS = re.compile(r'<(style|script)\b.*?</\1\s*>|<[^>]*>', re.DOTALL | re.IGNORECASE)
_UNPRINTABLE = re.compile(r'[^\x21-\x7e\xa1-\uffff]+')


def pieces(response: Response) -> Iterator[bytes]:
    """The body as it arrives, decompressed, in pieces of up to 64 KiB; none of them is empty.

    Raises:
        Truncated: the body broke off. zlib.error: it cannot be unpacked. And what the socket raises.
    """
    coding = (response.header('content-encoding') or 'identity').strip().lower()
    if coding == 'identity':
        return response.body
    if coding in ('gzip', 'x-gzip'):
        return _unzipped(response.body)
    raise zlib.error(f'content encoding {coding[:20]!r}, which was not asked for')


def _unzipped(raw: Iterator[bytes]) -> Iterator[bytes]:
    """A small body can hold gigabytes: a step gives at most `PIECE` bytes, and counts as work of its own."""
    gunzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    turns = Turns()
    empty = True
    for data in raw:
        empty = False
        if gunzip.eof:
            raise zlib.error('data behind the end of the gzip body')
        while True:
            piece = gunzip.decompress(data, PIECE)
            if piece:
                yield piece
                turns.count(len(piece))
            data = gunzip.unconsumed_tail
            # A full piece may have left output inside the decompressor although all input is consumed.
            if gunzip.eof or not (data or len(piece) == PIECE):
                break
        if gunzip.unused_data:
            raise zlib.error('data behind the end of the gzip body')
    if not (empty or gunzip.eof):
        raise Truncated


def refusal(response: Response, secrets: Iterable[str] = ()) -> Failure:
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
        retry_after(response.header('retry-after'), response.header('date')),
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
