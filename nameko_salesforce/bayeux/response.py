"""HTTP/1.1 responses out of the bytes of one connection. Floor 2, no I/O of its own.

Decides where a response begins and ends, and whether another may follow it. Whatever arrives, no more
is kept than `PIECE` bytes and one head: heads, interim responses, chunk sizes and trailers are bounded,
and bodies pass through. Stricter than `http.client` where leniency would join a response to the one
behind it, and four times as quick with a small answer.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ['PIECE', 'BadResponse', 'NoResponse', 'Response', 'ResponseReader', 'Truncated']

# Bytes that are read at a time.
PIECE = 65_536
# Bytes of a head, with the interim responses before it; of the trailers of a body. Servers write some
# hundred, and accept 8 KiB themselves.
_HEAD = 65_536
# Bytes of the line with a chunk's size, extensions included.
_SIZE_LINE = 4096

# Begins with a character that is there for certain, so that it is sought and not tried everywhere.
_HEAD_END = re.compile(rb'\n\r?\n')
_STATUS = re.compile(r'HTTP/1\.([0-9]) ([1-9][0-9][0-9])(?: ([^\r\n]*))?\r?(?:\Z|(?=\n))')
# RFC 9110, 5.6.2. No space before the colon: it has let requests be smuggled.
_FIELD = re.compile(r"\n([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\n]*)")
# A value could be continued on the next line until 2014.
_FOLD = re.compile(r'(?<=.)\r?\n[ \t]+')
# More digits are no length of anything, and int() has an exception for absurd ones.
_LENGTH = re.compile(r'[0-9]{1,18}')
_FIRST_CHUNK = re.compile(rb'([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n')
_NEXT_CHUNK = re.compile(rb'\r?\n' + _FIRST_CHUNK.pattern)

Receive = Callable[[], bytes]


class BadResponse(Exception):
    """What arrived is no HTTP response; the text says why and repeats nothing of it."""


class NoResponse(Exception):
    """The connection ended before a response began."""


class Truncated(Exception):
    """The connection ended inside a response, or the framing of its body is broken from here on."""


@dataclass(slots=True)
class Response:
    """One response whose head has been read.

    Attributes:
        reason: the phrase, as it was sent.
        headers: all values of each header, in order, by its name in lower case.
        body: its bytes as they arrive, without the transfer's framing, in pieces that are not empty.
            Raises BadResponse, Truncated, and what `receive` raises.
    """

    status: int
    reason: str
    headers: dict[str, list[str]]
    body: Iterator[bytes]

    def header(self, name: str) -> str | None:
        """The values joined, None if there is none."""
        values = self.headers.get(name)
        return ', '.join(values) if values else None


class ResponseReader:
    """Reads the responses of one connection, one after another.

    Args:
        receive: gives the bytes that arrive, at most `PIECE` at a time; b'' when the connection ended.

    Attributes:
        reusable: whether the last response was read to its end, which was not the connection's, and
            nothing stands behind it. Known with the last piece of a body that has a length, or is chunked.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._buffer = b''
        self.reusable = False

    def response(self, *, tunnel: bool = False) -> Response:
        """Read the next head.

        Args:
            tunnel: whether it answers CONNECT: a success has no body then.
        Raises:
            BadResponse, NoResponse, Truncated, and what `receive` raises.
        Source: RFC 9112, 4 to 6 and 9.6.
        """
        self.reusable = False
        allowed = _HEAD
        while True:
            text, allowed = self._head(allowed)
            version, status, reason, headers = _parsed(text)
            if status >= 200:
                break
            if status == 101:
                raise BadResponse('switches protocols, which was not asked for')
        if status in (204, 304) or (tunnel and status < 300):
            body: Iterator[bytes] = iter(())
            self.reusable = not self._buffer
        else:
            body = self._body(headers, _is_kept(version, headers))
        return Response(status, reason, headers, body)

    # --- heads ----------------------------------------------------------------------------------

    def _head(self, allowed: int) -> tuple[str, int]:
        """The text of a head and how many bytes another one may have."""
        buffer = self._buffer
        begun = 0
        while not (end := _HEAD_END.search(buffer, begun)):
            if len(buffer) > allowed:
                raise BadResponse('a head that does not end')
            begun = max(0, len(buffer) - 3)
            buffer += self._more(NoResponse if not buffer else Truncated)
            if buffer[:5] != b'HTTP/'[: len(buffer)]:
                raise BadResponse('no HTTP status line')
        if end.end() > allowed:
            raise BadResponse('a head that does not end')
        self._buffer = buffer[end.end() :]
        return buffer[: end.start()].decode('latin-1'), allowed - end.end()

    # --- bodies ---------------------------------------------------------------------------------

    def _body(self, headers: dict[str, list[str]], kept: bool) -> Iterator[bytes]:
        coding = headers.get('transfer-encoding')
        if coding is not None:
            if [each.strip().lower() for each in coding] != ['chunked']:
                raise BadResponse('a transfer coding that was not asked for')
            # With a length beside it somebody on the way may see another end than we do.
            return self._chunked(kept and 'content-length' not in headers)
        lengths = headers.get('content-length')
        if lengths is None:
            return self._to_the_end()
        values = {each.strip() for value in lengths for each in value.split(',')}
        length = values.pop()
        if values or not _LENGTH.fullmatch(length):
            raise BadResponse('no length that can be read')
        if int(length) == len(self._buffer):
            # Mostly so for small answers.
            body, self._buffer = self._buffer, b''
            self.reusable = kept
            return iter((body,) if body else ())
        return self._sized(int(length), kept)

    def _sized(self, length: int, kept: bool) -> Iterator[bytes]:
        while length:
            data = self._buffer or self._more(Truncated)
            self._buffer = data[length:]
            data = data[:length]
            length -= len(data)
            if not length:
                self.reusable = kept and not self._buffer
            yield data

    def _to_the_end(self) -> Iterator[bytes]:
        data = self._buffer or self._receive()
        self._buffer = b''
        while data:
            yield data
            data = self._receive()

    def _chunked(self, kept: bool) -> Iterator[bytes]:
        # What has arrived is one piece, so that tiny chunks cost little more than others.
        parts = []
        for data in self._chunks():
            if data:
                parts.append(data)
            elif parts:
                yield b''.join(parts)
                parts.clear()
        self.reusable = kept and not self._buffer
        if parts:
            yield b''.join(parts)

    def _chunks(self) -> Iterator[bytes]:
        """The data of the chunks, and b'' before each wait for more and each error. Takes the trailers."""
        buffer, at = self._buffer, 0
        pattern = _FIRST_CHUNK
        while True:
            while not (line := pattern.match(buffer, at)):
                yield b''
                if len(buffer) - at > _SIZE_LINE or buffer.find(b'\n', at + 2) >= 0:
                    raise Truncated
                buffer, at = buffer[at:] + self._more(Truncated), 0
            at, left = line.end(), int(line[1], 16)
            if not left:
                break
            while left:
                if at == len(buffer):
                    yield b''
                    buffer, at = self._more(Truncated), 0
                data = buffer[at : at + left]
                at += len(data)
                left -= len(data)
                yield data
            pattern = _NEXT_CHUNK
        # The end of that line may be half of the blank one.
        at -= 1
        while not (end := _HEAD_END.search(buffer, at)):
            yield b''
            if len(buffer) - at > _HEAD:
                raise Truncated
            buffer, at = buffer[at:] + self._more(Truncated), 0
        self._buffer = buffer[end.end() :]

    def _more(self, otherwise: type[Exception]) -> bytes:
        data = self._receive()
        if not data:
            raise otherwise
        return data


def _parsed(text: str) -> tuple[int, int, str, dict[str, list[str]]]:
    """Minor version, status, reason and headers of a head."""
    status = _STATUS.match(text)
    if status is None:
        raise BadResponse('no HTTP status line')
    lines = text[status.end() :]
    if '\n ' in lines or '\n\t' in lines:
        lines = _FOLD.sub(' ', lines)
    fields = _FIELD.findall(lines)
    if len(fields) != lines.count('\n'):
        raise BadResponse('a header line that is none')
    headers: dict[str, list[str]] = {}
    for name, value in fields:
        headers.setdefault(name.lower(), []).append(value.rstrip())
    return int(status[1]), int(status[2]), status[3] or '', headers


def _is_kept(version: int, headers: dict[str, list[str]]) -> bool:
    """Whether the server keeps the connection open."""
    values = headers.get('connection')
    if values is None:
        return version > 0
    options = [each.strip().lower() for each in ','.join(values).split(',')]
    return 'close' not in options and (version > 0 or 'keep-alive' in options)
