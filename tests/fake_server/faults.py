"""Damage by schedule: which request is struck, by what, and what its client then sees. Pure.

    schedule = FaultSchedule()
    schedule.add(Fault(FaultKind.TRUNCATE, channel='/meta/connect', nth=2, bytes=10))
    fault = schedule.strike(['/meta/connect'])     # once per request; None: unharmed
    if fault and not fault.processed: wire = damage(fault, None)        # the broker never sees it
    else: wire = damage(fault, answer) if fault else render(answer)

`Wire` says what goes over the connection and how it ends; who writes it (the HTTP front, a simulation)
obeys `delay` before the first byte and `pace` between single bytes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from typing import Any

from . import channels
from .answers import Answer, TimedCookie

__all__ = [
    'Ending',
    'Fault',
    'FaultKind',
    'FaultSchedule',
    'Wire',
    'damage',
    'fault_from_json',
    'harm',
    'render',
]

MOST_S = 1e9
JSON_TYPE = 'application/json;charset=UTF-8'


class FaultKind(Enum):
    """What can go wrong. "Before" and "after" mean: before or after the broker processed the request."""

    DROP_BEFORE = 'drop_before'
    'The connection closes before the broker saw the request.'
    DROP_AFTER = 'drop_after'
    'The broker processed it; the connection closes without a byte of the answer.'
    DELAY = 'delay'
    'The answer waits `seconds`. With `processed` false the request waits, before the broker sees it.'
    TRUNCATE = 'truncate'
    'The body breaks off after `bytes` bytes, then the connection closes; the headers promise all of it.'
    HTML = 'html'
    'Status 200 with a HTML page, as from a proxy. The broker did not see the request.'
    EMPTY = 'empty'
    'Status 200 with an empty body.'
    STATUS = 'status'
    'HTTP status `status` with a short text, optionally `retry_after`. The broker did not see the request.'
    REORDER = 'reorder'
    'The messages of the body in reverse order.'
    DUPLICATE = 'duplicate'
    'Every message of the body twice: the whole batch, then again.'
    DUPLICATE_EVENTS = 'duplicate_events'
    'The events of the body twice, in front; its replies once. Salesforce may do so after a replay.'
    NO_CHANNEL = 'no_channel'
    'The replies lack `channel`; events keep theirs.'
    NO_SUCCESSFUL = 'no_successful'
    'The replies lack `successful`.'
    NO_ID = 'no_id'
    'The replies lack `id`.'
    OBJECT = 'object'
    'The body is the last message alone, not in an array.'
    SERVER_DISCONNECT = 'server_disconnect'
    'A bare `/meta/disconnect` and a failed connect reply with `error` and advice none, as Salesforce sends.'
    NEVER = 'never'
    'No answer, and the connection stays open. With `processed` false the broker does not see the request.'
    GARBAGE = 'garbage'
    'Bytes that are not HTTP, then the connection closes.'
    DRIP = 'drip'
    'The body one byte at a time, `seconds` apart.'
    RESET = 'reset'
    'The connection is reset (RST) instead of an answer.'


_BEFORE = (FaultKind.DROP_BEFORE, FaultKind.HTML, FaultKind.STATUS)


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the schedule.

    Attributes:
        kind: what happens.
        channel: strike only requests with a message on this channel (or matching this pattern); None: any
            that is for CometD. `login` and `rest` strike logins and requests to REST, and a path such as
            `/services/oauth2/token` or `/services/data/**` those to this path.
        nth: strike from the nth such request on, counted from when the fault was added, >= 1.
        count: how many requests in a row to strike; None: forever.
        processed: whether the broker acts on the request all the same; None: as the kind says.
        seconds: for DELAY and DRIP.
        bytes: for TRUNCATE.
        status: for STATUS.
        retry_after: for STATUS, value of a `Retry-After` header, in seconds.
        error: for SERVER_DISCONNECT, the error text.
    """

    kind: FaultKind
    channel: str | None = None
    nth: int = 1
    count: int | None = 1
    processed: bool | None = None
    seconds: float = 0.05
    bytes: int = 1
    status: int = 503
    retry_after: int | None = None
    error: str = '403::Unknown client'

    def __post_init__(self) -> None:
        if self.nth < 1 or (self.count is not None and self.count < 1):
            raise ValueError('nth and count begin at 1')
        if not 0 <= self.seconds < MOST_S:
            raise ValueError('seconds are from 0 to a thousand million')
        if self.bytes < 0 or not 200 <= self.status <= 599:
            raise ValueError('bytes are not negative, status is from 200 to 599')

    @property
    def reaches_broker(self) -> bool:
        """Whether the broker sees the request."""
        if self.kind in (FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER):
            return self.kind is FaultKind.DROP_AFTER
        return self.kind not in _BEFORE if self.processed is None else self.processed

    def as_json(self) -> dict[str, Any]:
        """This fault as `fault_from_json` reads it."""
        return {**asdict(self), 'kind': self.kind.value}


def fault_from_json(value: Any) -> Fault:
    """A fault from its JSON form: the fields of `Fault`, `kind` by its value.

    Raises:
        ValueError: not an object, unknown fields or kinds, values of the wrong type or out of range.
    """
    if not isinstance(value, Mapping):
        raise ValueError('a fault is an object')
    known = {one.name: one.default for one in fields(Fault)}
    if unknown := sorted(set(value) - set(known)):
        raise ValueError(f'unknown: {", ".join(unknown)}; a fault has {", ".join(known)}')
    kinds = {kind.value: kind for kind in FaultKind}
    if not isinstance(value.get('kind'), str) or value['kind'] not in kinds:
        raise ValueError(f'kind is one of {", ".join(kinds)}')
    types: dict[str, tuple[type, ...]] = {
        'channel': (str, type(None)),
        'nth': (int,),
        'count': (int, type(None)),
        'processed': (bool, type(None)),
        'seconds': (int, float),
        'bytes': (int,),
        'status': (int,),
        'retry_after': (int, type(None)),
        'error': (str,),
    }
    for name, allowed in types.items():
        if name in value and type(value[name]) not in allowed:
            raise ValueError(f'{name}: {value[name]!r} is not {" or ".join(one.__name__ for one in allowed)}')
    return Fault(**{**value, 'kind': kinds[value['kind']]})


@dataclass(slots=True)
class _Entry:
    number: int
    fault: Fault
    seen: int = 0
    struck: int = 0

    @property
    def spent(self) -> bool:
        return self.fault.count is not None and self.struck >= self.fault.count


class FaultSchedule:
    """Faults that wait for their requests. The first one added that strikes, strikes alone."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._count = 0

    def add(self, fault: Fault) -> int:
        """Add a fault; returns its number."""
        self._count += 1
        self._entries.append(_Entry(self._count, fault))
        return self._count

    def clear(self) -> None:
        """Forget all faults."""
        self._entries.clear()

    def listed(self) -> list[dict[str, Any]]:
        """All faults, spent ones too: their fields, `number`, and how often they `struck`."""
        return [{'number': one.number, 'struck': one.struck, **one.fault.as_json()} for one in self._entries]

    def strike(self, request_channels: Iterable[object], *, unnamed: bool = True) -> Fault | None:
        """The fault for a request with messages on these channels. Counts: ask once per request.

        Args:
            request_channels: the names that the request goes by.
            unnamed: whether faults without a channel concern it.
        """
        names = [name for name in request_channels if isinstance(name, str)]
        chosen: _Entry | None = None
        for entry in self._entries:
            if entry.spent or not _concerns(entry.fault, names, unnamed):
                continue
            entry.seen += 1
            if entry.seen >= entry.fault.nth and chosen is None:
                chosen = entry
        if chosen is None:
            return None
        chosen.struck += 1
        return chosen.fault


def _concerns(fault: Fault, names: list[str], unnamed: bool) -> bool:
    if fault.channel is None:
        return unnamed
    return any(name == fault.channel or channels.matches(fault.channel, name) for name in names)


class Ending(Enum):
    """How a connection goes on after an answer."""

    COMPLETE = 'complete'
    'The answer is whole; the connection may be used again.'
    CLOSED = 'closed'
    'The connection closes, with less than was promised.'
    RESET = 'reset'
    'The connection is reset.'
    NEVER = 'never'
    'Nothing more is sent, and the connection stays open.'


@dataclass(frozen=True, slots=True)
class Wire:
    """What goes over the connection.

    Attributes:
        status: HTTP status; None for bytes without an HTTP head (the body may be empty).
        headers: of the answer; a `Content-Length` is the writer's job: `length`.
        body: the bytes that are really sent.
        length: the bytes that the head promises.
        ending: what happens after the body.
        delay: seconds before the first byte.
        pace: seconds between single bytes of the body; 0 sends them at once.
        timed_cookie: a cookie to set, which the writer dates.
    """

    status: int | None
    body: bytes
    length: int
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.COMPLETE
    delay: float = 0.0
    pace: float = 0.0
    timed_cookie: TimedCookie | None = None


def render(answer: Answer) -> Wire:
    """An unharmed answer."""
    if answer.messages is None:
        body = answer.text.encode()
        kind = {'Content-Type': 'text/plain;charset=UTF-8'} if body else {}
        return Wire(answer.status, body, len(body), {**_headers(answer), **kind})
    return _body(answer, answer.messages)


def damage(fault: Fault, answer: Answer | None) -> Wire:
    """What a client sees of an answer that a fault strikes.

    Args:
        fault: the fault.
        answer: what the broker said; None if it was not asked (`Fault.reaches_broker`).
    """
    struck = harm(fault, render(answer if answer is not None else Answer(200, [])))
    if struck is not None:
        return struck
    messages = answer.messages if answer is not None and answer.messages is not None else []
    return _body(answer if answer is not None else Answer(200), _tampered(fault, messages))


def harm(fault: Fault, whole: Wire) -> Wire | None:
    """What a client sees of any answer that a fault strikes; None if the fault is one for Bayeux messages."""
    match fault.kind:
        case FaultKind.DROP_BEFORE | FaultKind.DROP_AFTER:
            return Wire(None, b'', 0, ending=Ending.CLOSED)
        case FaultKind.RESET:
            return Wire(None, b'', 0, ending=Ending.RESET)
        case FaultKind.NEVER:
            return Wire(None, b'', 0, ending=Ending.NEVER)
        case FaultKind.GARBAGE:
            return Wire(None, b'\x16\x03\x01\x02\x00\xff not HTTP at all\r\n\r\n', 0, ending=Ending.CLOSED)
        case FaultKind.DELAY:
            return replace(whole, delay=fault.seconds)
        case FaultKind.DRIP:
            return replace(whole, pace=fault.seconds)
        case FaultKind.TRUNCATE:
            short = whole.body[: min(fault.bytes, max(0, len(whole.body) - 1))]
            return replace(whole, body=short, ending=Ending.CLOSED)
        case FaultKind.HTML:
            page = b'<!DOCTYPE html><html><body><h1>Down for maintenance</h1></body></html>'
            return Wire(200, page, len(page), {'Content-Type': 'text/html;charset=UTF-8'})
        case FaultKind.EMPTY:
            return replace(whole, body=b'', length=0)
        case FaultKind.STATUS:
            text = b'refused by a fault'
            headers = {'Content-Type': 'text/plain'}
            if fault.retry_after is not None:
                headers['Retry-After'] = str(fault.retry_after)
            return Wire(fault.status, text, len(text), headers)
        case _:
            return None


def _tampered(fault: Fault, messages: list[dict[str, Any]]) -> Any:
    match fault.kind:
        case FaultKind.REORDER:
            return messages[::-1]
        case FaultKind.DUPLICATE:
            return messages * 2
        case FaultKind.DUPLICATE_EVENTS:
            return [*(one for one in messages if 'data' in one and 'successful' not in one), *messages]
        case FaultKind.NO_CHANNEL:
            return [_without(one, 'channel') for one in messages]
        case FaultKind.NO_SUCCESSFUL:
            return [_without(one, 'successful') for one in messages]
        case FaultKind.NO_ID:
            return [_without(one, 'id') for one in messages]
        case FaultKind.OBJECT:
            return messages[-1] if messages else {}
        case _:
            last = messages[-1] if messages else {}
            failed = {
                'channel': channels.CONNECT,
                'successful': False,
                'error': fault.error,
                'advice': {'reconnect': 'none', 'interval': 0},
            }
            failed |= {name: last[name] for name in ('id', 'clientId') if name in last}
            return [{'channel': channels.DISCONNECT}, failed]


def _without(message: dict[str, Any], name: str) -> dict[str, Any]:
    """A reply without a field; events, which have no `successful`, stay as they are."""
    if 'successful' not in message:
        return message
    return {key: value for key, value in message.items() if key != name}


def _body(answer: Answer, value: Any) -> Wire:
    try:
        body = json.dumps(value, separators=(',', ':'), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate that somebody published: only escapes can carry it
        body = json.dumps(value, separators=(',', ':')).encode()
    headers = {**_headers(answer), 'Content-Type': JSON_TYPE}
    return Wire(answer.status, body, len(body), headers, timed_cookie=answer.timed_cookie)


def _headers(answer: Answer) -> dict[str, str]:
    headers = dict(answer.headers)
    if answer.set_cookie is not None:
        headers['Set-Cookie'] = answer.set_cookie
    return headers
