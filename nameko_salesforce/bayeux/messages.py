"""Bayeux messages as values; the only place with wire names and milliseconds. Floor 0.

Requests know how to become the dict that goes out (`wire()`); `parse` turns any JSON value that
came in into a `Delivery`, a `Reply` or `Unreadable`, and never raises: servers omit fields that
the spec demands. Source: Bayeux 1.0, "Meta messages" and "Event messages".
"""

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from nameko_salesforce.bayeux.advice import AdviceUpdate, Reconnect

__all__ = [
    'Connect',
    'Delivery',
    'Disconnect',
    'Handshake',
    'Incoming',
    'Publish',
    'Reply',
    'Request',
    'Skipped',
    'Subscribe',
    'Unreadable',
    'Unsubscribe',
    'parse',
]

CONNECTION_TYPE = 'long-polling'

# One hour: above any server's hold (Salesforce 110 s) and any sane interval. What a server asks
# beyond it would look like a dead stream, so it is cut.
LONGEST_ADVICE = 3600.0

# Characters, and connection types: what a server says stands in log lines.
_LONGEST_WORDS = 1000
_MOST_TYPES = 20


# --- out ----------------------------------------------------------------------------------------


class Handshake(msgspec.Struct, frozen=True):
    """`/meta/handshake`; goes alone in its request."""

    id: str
    version: str
    minimum_version: str
    ext: Mapping[str, Any] | None = None

    channel = '/meta/handshake'

    def wire(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            'channel': self.channel,
            'id': self.id,
            'version': self.version,
            'minimumVersion': self.minimum_version,
            'supportedConnectionTypes': [CONNECTION_TYPE],
        }
        return _with_ext(message, self.ext)


class Connect(msgspec.Struct, frozen=True):
    """`/meta/connect`. `hold` asks the server to hold it that many seconds; None = as it likes."""

    id: str
    client_id: str
    hold: float | None = None
    ext: Mapping[str, Any] | None = None

    channel = '/meta/connect'

    def wire(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            'channel': self.channel,
            'id': self.id,
            'clientId': self.client_id,
            'connectionType': CONNECTION_TYPE,
        }
        if self.hold is not None:
            message['advice'] = {'timeout': round(self.hold * 1000)}
        return _with_ext(message, self.ext)


class Disconnect(msgspec.Struct, frozen=True):
    """`/meta/disconnect`."""

    id: str
    client_id: str

    channel = '/meta/disconnect'

    def wire(self) -> dict[str, Any]:
        return {'channel': self.channel, 'id': self.id, 'clientId': self.client_id}


class Subscribe(msgspec.Struct, frozen=True):
    """`/meta/subscribe` for one channel: servers differ in what an array of channels means."""

    id: str
    client_id: str
    subscription: str
    ext: Mapping[str, Any] | None = None

    channel = '/meta/subscribe'

    def wire(self) -> dict[str, Any]:
        return _with_ext(
            {
                'channel': self.channel,
                'id': self.id,
                'clientId': self.client_id,
                'subscription': self.subscription,
            },
            self.ext,
        )


class Unsubscribe(msgspec.Struct, frozen=True):
    """`/meta/unsubscribe` for one channel."""

    id: str
    client_id: str
    subscription: str

    channel = '/meta/unsubscribe'

    def wire(self) -> dict[str, Any]:
        return {
            'channel': self.channel,
            'id': self.id,
            'clientId': self.client_id,
            'subscription': self.subscription,
        }


class Publish(msgspec.Struct, frozen=True):
    """A message on a channel; `data` is any JSON value."""

    id: str
    client_id: str
    channel: str
    data: Any

    def wire(self) -> dict[str, Any]:
        return {'channel': self.channel, 'id': self.id, 'clientId': self.client_id, 'data': self.data}


Request = Handshake | Connect | Disconnect | Subscribe | Unsubscribe | Publish


def _with_ext(message: dict[str, Any], ext: Mapping[str, Any] | None) -> dict[str, Any]:
    if ext:
        message['ext'] = dict(ext)
    return message


# --- in -----------------------------------------------------------------------------------------


class Delivery(msgspec.Struct, frozen=True):
    """One event.

    Attributes:
        channel: the concrete channel, also for a wildcard subscription.
        data: the payload as decoded.
        id: the message's id as text, None where the server sends none.
        ext: the message's `ext`, None where absent.
        advice: advice that rode on the event, mostly None.
    """

    channel: str
    data: Any
    id: str | None = None
    ext: Mapping[str, Any] | None = None
    advice: AdviceUpdate | None = None


class Reply(msgspec.Struct, frozen=True):
    """An answer to a request, or a server's own `/meta/disconnect`.

    Attributes:
        channel: '' where the server sent none.
        id: the request's id as text; None where the server sent none.
        successful: None where the server said neither true nor false: such a reply answers nothing.
        error: the `error` text, 1000 characters at most; '' where absent.
        failure_reason: Salesforce's `ext.sfdc.failureReason`, which outranks `error`; '' where absent.
        client_id: the session's id; in handshake replies. '' where absent, and where it is no text.
        subscription: the channel of a subscribe or unsubscribe reply; '' where absent.
        version, minimum_version: of a handshake reply; '' where absent.
        connection_types: of a handshake reply; empty where absent.
        ext: as sent; empty where absent.
        advice: of this message alone; None where absent.
    """

    channel: str
    id: str | None = None
    successful: bool | None = None
    error: str = ''
    failure_reason: str = ''
    client_id: str = ''
    subscription: str = ''
    version: str = ''
    minimum_version: str = ''
    connection_types: tuple[str, ...] = ()
    ext: Mapping[str, Any] | None = None
    advice: AdviceUpdate | None = None


class Unreadable(msgspec.Struct, frozen=True):
    """A JSON object that is neither an event nor a reply; `summary` names its fields, for the log."""

    summary: str


class Skipped(msgspec.Struct, frozen=True):
    """A message that was read past and not kept: above the size limit, or impossible to decode.

    Attributes:
        size: its size in characters.
        reason: why it was not kept.
        channel: its channel, where the beginning or end of the message told; else None.
    """

    size: int
    reason: str
    channel: str | None = None


Incoming = Delivery | Reply | Unreadable | Skipped


def parse(message: Mapping[str, Any]) -> Delivery | Reply | Unreadable:
    """Read one message of a response. Never raises.

    `data` makes an event, except on meta channels; anything with `successful` or `error`, and
    anything on a meta channel, is a reply.
    """
    channel = message.get('channel')
    if channel.__class__ is str:
        if 'data' in message and not channel.startswith('/meta/'):
            if len(message) == 2:
                return Delivery(channel, message['data'])  # as Salesforce sends them
            advice = message.get('advice')
            id_ = message.get('id')
            ext = message.get('ext')
            return Delivery(
                channel,
                message['data'],
                None if id_ is None else _text(id_),
                None if ext is None else _mapping(ext),
                None if advice is None else _advice(advice),
            )
    else:
        channel = ''
    if channel.startswith('/meta/') or 'successful' in message or 'error' in message:
        return _reply(channel, message)
    return Unreadable('fields: ' + ', '.join(map(str, message))[:200])


def _reply(channel: str, message: Mapping[str, Any]) -> Reply:
    get = message.get
    id_, advice, ext, error = get('id'), get('advice'), get('ext'), get('error')
    successful, client_id, types = get('successful'), get('clientId'), get('supportedConnectionTypes')
    subscription, version, minimum_version = get('subscription'), get('version'), get('minimumVersion')
    ext = None if ext is None else _mapping(ext)
    return Reply(
        channel=channel,
        id=None if id_ is None else _text(id_),
        successful=successful if isinstance(successful, bool) else False if error else None,
        error=_words(error) if error else '',
        failure_reason=_failure_reason(ext) if ext else '',
        # It goes back as it came, and a number that has become a text is another session's.
        client_id=client_id if isinstance(client_id, str) else '',
        subscription=_text(subscription) if subscription else '',
        version=_words(version) if version else '',
        minimum_version=_words(minimum_version) if minimum_version else '',
        connection_types=tuple(map(_words, types[:_MOST_TYPES])) if isinstance(types, list) else (),
        ext=ext,
        advice=None if advice is None else _advice(advice),
    )


def _failure_reason(ext: Mapping[str, Any]) -> str:
    sfdc = _mapping(ext.get('sfdc'))
    return _words(sfdc.get('failureReason')) if sfdc else ''


def _advice(advice: Any) -> AdviceUpdate | None:
    """Advice in seconds; the section of our transport wins over the top level."""
    if _mapping(advice) is None:
        return None
    section = advice.get(CONNECTION_TYPE)
    fields = advice if _mapping(section) is None else {**advice, **section}
    return AdviceUpdate(
        reconnect=_reconnect(fields.get('reconnect')),
        interval=_seconds(fields.get('interval'), lowest=-LONGEST_ADVICE),
        timeout=_seconds(fields.get('timeout'), lowest=0.0),
        max_interval=_seconds(fields.get('maxInterval'), lowest=0.0),
        multiple_clients=fields.get('multiple-clients') is True,
    )


def _reconnect(value: Any) -> Reconnect | None:
    if value is None:
        return None
    try:
        return Reconnect(value)
    except ValueError:
        return Reconnect.NONE


def _seconds(milliseconds: Any, lowest: float) -> float | None:
    """None for what is no number; a number outside the bounds is moved to the bound."""
    if isinstance(milliseconds, str):
        try:
            milliseconds = float(milliseconds)
        except ValueError:
            return None
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if isinstance(milliseconds, float) and math.isnan(milliseconds):
        return None
    bounded = max(lowest * 1000, min(milliseconds, LONGEST_ADVICE * 1000))
    return bounded / 1000


def _mapping(value: Any) -> Mapping[str, Any] | None:
    return value if type(value) is dict or isinstance(value, Mapping) else None


def _text(value: Any) -> str:
    """Text as it is, a number as text (some servers turn ids into numbers), '' for anything else."""
    if isinstance(value, str):
        return value
    try:
        return str(value) if isinstance(value, int | float) else ''
    except ValueError:
        # A whole number of more digits than Python spells.
        return ''


def _words(value: Any) -> str:
    """Text that is read by its beginning, and told."""
    return _text(value or '')[:_LONGEST_WORDS]
