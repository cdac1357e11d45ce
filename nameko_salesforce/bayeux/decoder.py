"""Bayeux messages out of a response body, while it arrives. Floor 0: bytes in, messages out, no I/O.

Decides where a message ends, whether it is kept, and what is wrong with a body; knows nothing of
what is in a message. A message leaves as soon as it is complete, so that memory is bounded by the
largest message and not by the response (CometD sends a backlog of 50,000 events in one).

The messages that lie wholly in a chunk are decoded by one call: a list is complete up to some `},{`, or it
is not JSON up to there. A message that is not had so is followed by `_Boundary`, which looks at each
character once: neither a 16 MiB message in small pieces nor a slow drip costs more than linear time.
"""

import codecs
import io
import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from nameko_salesforce.bayeux.codec import JSON, Decode
from nameko_salesforce.bayeux.failures import Failure, FailureKind

__all__ = ['MessageDecoder', 'Unkept']

# What is kept of both ends of a message above the limit: enough for a log line and for the channel.
_GLIMPSE = 2048

_SPACE = re.compile(r'[ \t\n\r]*')
# Both stop at the first character that changes the state of `_Boundary`. No part of them can match
# what stands behind it, so that they never try twice.
_OUTSIDE = re.compile(r'[^"{}]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"{}]*)*', re.DOTALL)
_IN_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)

# The channel of a message of which only the ends are known. Only flat members may stand between it
# and the message's own brace, otherwise it could be a field of the payload that has this name.
# No two neighbours can match the same white space: patterns that can take exponential time.
_STRING = r'"(?:[^"\\]|\\.)*"'
_MEMBER = rf'\s*{_STRING}\s*:\s*(?:{_STRING}|[^"{{}}\[\],\s]+)\s*'
_CHANNEL = rf'\s*"channel"\s*:\s*({_STRING})\s*'
_CHANNEL_IN_HEAD = re.compile(rf'\{{(?:{_MEMBER},)*?{_CHANNEL}[,}}]', re.DOTALL)
_CHANNEL_IN_TAIL = re.compile(rf',{_CHANNEL}(?:,{_MEMBER})*\}}\Z', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Unkept:
    """A message that was received to its end, but not kept: too long, or not to be decoded.

    A value and no failure: the messages behind it are good, and asking again would bring it again.

    Attributes:
        size: characters of the whole message.
        reason: why it was not kept.
        head: its first characters, at most 2048.
        channel: its channel where that could be seen in its first or last 2048 characters, else None.
    """

    size: int
    reason: str
    head: str
    channel: str | None


class _Place(Enum):
    """What may come next in the body."""

    START = 'the list, or one bare message'
    FIRST = 'a message or the end of the list'
    MESSAGE = 'a message'
    INSIDE = 'the rest of a message'
    COMMA = 'a comma or the end of the list'
    END = 'nothing'


class MessageDecoder:
    """One response body: a JSON list of objects, or one bare object.

    NaN and Infinity inside a message are accepted, though JSON knows neither: refusing them would cost
    the messages behind them as well, and replay would bring the same body again. Of duplicate keys
    the last wins. An invalid body still gives all messages before its first fault; a message of good
    syntax that cannot be decoded (a number of 5,000 digits, deep nesting) is `Unkept`.

    Args:
        message_limit: the longest message that is kept, in characters (of the JSON text as sent).
        decode: decodes one message or a list of them, see `codec.Decode`.

    Attributes:
        characters: of the text that `feed` has taken. What each message takes of them is not counted: that
            would cost the quick way through a whole body.
    """

    def __init__(self, message_limit: int = 16 * 2**20, decode: Decode = JSON.decode) -> None:
        self._limit = message_limit
        self._decode = decode
        self._place = _Place.START
        self._bare = False
        self._begun = False
        self._in_runs = True
        self._undecoded = b''
        self._rest: _Rest | None = None
        self._failure: Failure | None = None
        self.characters = 0

    @property
    def failure(self) -> Failure | None:
        """What is wrong so far: NOT_JSON, MALFORMED or None. Once set, `feed` ignores its input."""
        return self._failure

    @property
    def is_complete(self) -> bool:
        """Whether the list has ended, as far as has been seen."""
        return self._place is _Place.END and not self._undecoded and self._failure is None

    def feed(self, chunk: bytes) -> list[dict[str, Any] | Unkept]:
        """Take the next part of the body.

        Args:
            chunk: any number of bytes; pieces of up to 64 KiB keep the memory small.
        Returns:
            The messages that it completed, in order. Look at `failure` afterwards.
        Raises:
            Nothing.
        """
        messages: list[dict[str, Any] | Unkept] = []
        if self._failure is not None:
            return messages
        text, fault = self._text(chunk)
        self.characters += len(text)
        if self._place is _Place.START and text.startswith('[') and text.endswith(']'):
            # A body that came as a whole, as polls mostly do.
            whole = self._list(text)
            if whole is not None:
                messages += whole
                self._place = _Place.END
                self._failure = fault
                return messages
        self._in_runs = True
        index, size = 0, len(text)
        while index < size and self._failure is None:
            if self._rest is not None:
                index = self._continue(self._rest, text, index, messages)
                continue
            index = _SPACE.match(text, index).end()  # type: ignore[union-attr]  # matches nothing, too
            if index < size:
                index = self._step(text, index, messages)
        if self._failure is None:
            self._failure = fault
        return messages

    def close(self) -> Failure | None:
        """Say whether the body was complete. To be called once, at its end.

        Returns:
            None, or the first fault: EMPTY, TRUNCATED, NOT_JSON, MALFORMED.
        """
        if self._failure is None and self._undecoded and self._place is _Place.END:
            self._fail(FailureKind.MALFORMED, 'data behind the end of the list')
        if self._failure is not None or self._place is _Place.END:
            return self._failure
        if self._place is _Place.START and not self._undecoded:
            return Failure(FailureKind.EMPTY)
        return Failure(FailureKind.TRUNCATED, f'the body ended where there should be {self._place.value}')

    def _list(self, text: str) -> list[dict[str, Any] | Unkept] | None:
        """The messages of a list; None where it is none, or one of them might be too long."""
        if len(text) > self._limit:
            return None
        try:
            messages: list[Any] = self._decode(text)
        except Exception:
            # It may be anybody's codec, so that there is no list of what it raises.
            return None
        for message in messages:
            if not isinstance(message, dict):
                return None
        return messages

    # --- between messages -----------------------------------------------------------------------

    def _step(self, text: str, index: int, messages: list[dict[str, Any] | Unkept]) -> int:
        """Take the character at `index`, which is no space, or the messages that begin there."""
        place, char = self._place, text[index]
        if char == '{' and place in (_Place.START, _Place.FIRST, _Place.MESSAGE):
            self._bare = place is _Place.START
            return self._messages(text, index, messages)
        if char == ',' and place is _Place.COMMA:
            self._place = _Place.MESSAGE
        elif char == '[' and place is _Place.START:
            self._place = _Place.FIRST
        elif char == ']' and place in (_Place.FIRST, _Place.COMMA):
            self._place = _Place.END
        elif place is _Place.START:
            self._fail(FailureKind.NOT_JSON, f'it begins with {text[index : index + 40]!r}')
        else:
            self._fail(
                FailureKind.MALFORMED, f'{text[index : index + 40]!r} where there should be {place.value}'
            )
        return index + 1

    def _messages(self, text: str, index: int, messages: list[dict[str, Any] | Unkept]) -> int:
        """Decode the messages that lie wholly in `text` from `index` on: the hot path."""
        if self._in_runs and not self._bare:
            end = len(text) - 1 if text.endswith('}]') else text.rfind('},{', index) + 1
            run = self._list(f'[{text[index:end]}]') if end > index else None
            if run is not None:
                messages += run
                self._place = _Place.COMMA
                return end
            # Once a chunk, so that it stays linear: the rest goes message by message.
            self._in_runs = False
        self._place = _Place.INSIDE
        self._rest = _Rest(self._limit)
        return index

    def _continue(self, rest: '_Rest', text: str, index: int, messages: list[dict[str, Any] | Unkept]) -> int:
        """Follow an incomplete message through `text`, and take it when its end is there."""
        end = rest.take(text, index)
        if end is None:
            return len(text)
        self._rest = None
        self._place = _Place.END if self._bare else _Place.COMMA
        whole: Any = rest.value(self._too_long)
        if isinstance(whole, str):
            try:
                whole = self._decode(whole)
            except json.JSONDecodeError as error:
                # Broken syntax: nothing behind it can be trusted to be a message.
                self._fail(FailureKind.MALFORMED, f'a message cannot be decoded: {str(error)[:100]}')
                return end
            except RecursionError:
                whole = _unkept('it is nested too deeply', whole)
            except Exception as error:
                whole = _unkept(f'it cannot be decoded: {str(error)[:100]}', whole)
        messages.append(whole)
        return end

    @property
    def _too_long(self) -> str:
        return f'it is longer than message_limit, {self._limit} characters'

    # --- bytes to text --------------------------------------------------------------------------

    def _text(self, chunk: bytes) -> tuple[str, Failure | None]:
        """Decode `chunk`; give the text before an invalid byte, and the failure for that byte."""
        if self._undecoded:
            chunk = self._undecoded + chunk
        fault = None
        try:
            text, used = codecs.utf_8_decode(chunk, 'strict', False)
        except UnicodeDecodeError as error:
            fault = Failure(FailureKind.MALFORMED, f'invalid UTF-8: {error.reason}')
            used = len(chunk)
            text = chunk[: error.start].decode()
        # At most three bytes of a character whose rest has not arrived.
        self._undecoded = chunk[used:] if used < len(chunk) else b''
        if text and not self._begun:
            self._begun = True
            text = text.removeprefix('\ufeff')
        return text, fault

    def _fail(self, kind: FailureKind, detail: str) -> None:
        self._failure = Failure(kind, detail)


class _Rest:
    """A message that began in one chunk and ends in a later one, or is too long to keep."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._boundary = _Boundary()
        # Takes many small pieces without a list that would outgrow them.
        self._kept = io.StringIO()
        self._size = 0
        self._oversized = False
        self._head = ''
        self._tail = ''

    def take(self, text: str, index: int) -> int | None:
        """Take what of `text[index:]` belongs to the message.

        Returns:
            The index behind its end, or None if that is not in `text`.
        """
        end = self._boundary.find(text, index)
        piece = text[index:end]
        self._size += len(piece)
        if self._size <= self._limit:
            self._kept.write(piece)
            return end
        if not self._oversized:
            self._oversized = True
            piece = self._kept.getvalue() + piece
            self._kept = io.StringIO()
        if len(self._head) < _GLIMPSE:
            self._head = (self._head + piece)[:_GLIMPSE]
        self._tail = (self._tail + piece)[-_GLIMPSE:]
        return end

    def value(self, too_long: str) -> str | Unkept:
        """The whole message, once its end was found; `too_long` is the reason not to keep one."""
        if not self._oversized:
            return self._kept.getvalue()
        return Unkept(self._size, too_long, self._head, _channel(self._head, self._tail))


class _Boundary:
    """Finds the brace that closes a message, looking at each character once.

    Braces outside strings are counted and nothing else is checked: the decoder sees the message
    afterwards, and what it refuses is malformed whatever its end.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def find(self, text: str, index: int) -> int | None:
        """Follow the message through `text[index:]`; give the index behind its end, None if it goes on."""
        size = len(text)
        while index < size:
            if self._escaped:
                self._escaped = False
                index += 1
                continue
            stops = _IN_STRING if self._in_string else _OUTSIDE
            index = stops.match(text, index).end()  # type: ignore[union-attr]  # matches nothing, too
            if index == size:
                break
            char = text[index]
            index += 1
            if char == '"':
                # Outside: a string that does not end in `text`, else the pattern had skipped it.
                self._in_string = not self._in_string
            elif char == '\\':
                self._escaped = True
            elif char == '{':
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth == 0:
                    return index
        return None


def _unkept(reason: str, text: str) -> Unkept:
    head = text[:_GLIMPSE]
    return Unkept(len(text), reason, head, _channel(head, text[-_GLIMPSE:]))


def _channel(head: str, tail: str) -> str | None:
    seen = _CHANNEL_IN_HEAD.match(head) or _CHANNEL_IN_TAIL.search(tail)
    try:
        return json.loads(seen[1]) if seen else None
    except ValueError:
        return None
