"""What the broker gives back: an answer, and the small parts that answers are made of. Pure.

The only module of the broker that knows that the wire speaks milliseconds.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import channels, errors
from .settings import BrokerSettings

__all__ = ['Answer', 'TimedCookie', 'advice_of', 'crowded_advice', 'ext_of', 'id_text', 'milliseconds']
__all__ += ['refuse', 'reply_to', 'seconds', 'validate']


@dataclass(frozen=True, slots=True)
class TimedCookie:
    """A cookie with an end, `lifetime` seconds from now; whoever knows the date writes it."""

    name: str
    value: str
    lifetime: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, before anybody damages it.

    Attributes:
        status: HTTP status.
        messages: the JSON array of the body; None for an answer without one.
        set_cookie: whole value of a `Set-Cookie` header, or None.
        headers: further headers.
        timed_cookie: a second cookie to set, or None.
        text: the body of an answer without messages.
    """

    status: int
    messages: list[dict[str, Any]] | None = None
    set_cookie: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timed_cookie: TimedCookie | None = None
    text: str = ''


def seconds(milliseconds: object) -> float | None:
    """A duration that a client sent, None if it is not a usable number or negative."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if not 0 <= milliseconds < 1e12 or math.isnan(milliseconds):
        return None
    return milliseconds / 1000


def milliseconds(duration: float) -> int:
    """A duration as the wire has it."""
    return round(duration * 1000)


def advice_of(settings: BrokerSettings, own_interval: float | None) -> dict[str, Any]:
    """The advice of a healthy session; the interval may be one that its client asked for."""
    interval = settings.interval if own_interval is None else own_interval
    advice: dict[str, Any] = {
        'reconnect': 'retry',
        'interval': milliseconds(interval),
        'timeout': milliseconds(settings.timeout),
    }
    if settings.send_max_interval:
        advice['maxInterval'] = milliseconds(settings.max_interval)
    return advice


def crowded_advice(settings: BrokerSettings) -> dict[str, Any]:
    """The advice for a session too many behind one cookie: to come later, or not at all."""
    interval = settings.multi_session_interval
    if interval <= 0:
        return {'multiple-clients': True, 'reconnect': 'none'}
    return {'multiple-clients': True, 'reconnect': 'retry', 'interval': milliseconds(interval)}


def reply_to(message: Mapping[str, Any], settings: BrokerSettings) -> dict[str, Any]:
    """The beginning of a reply: channel, id and subscription echoed as far as the request had them."""
    reply: dict[str, Any] = {}
    for name in ('channel', 'id'):
        if message.get(name) is not None:
            reply[name] = message[name]
    if 'id' in reply and settings.numeric_ids_as_strings:
        reply['id'] = id_text(reply['id']) or reply['id']
    if reply.get('channel') in (channels.SUBSCRIBE, channels.UNSUBSCRIBE) and 'subscription' in message:
        reply['subscription'] = message['subscription']
    return reply


def refuse(reply: dict[str, Any], error: str) -> None:
    """Turn a reply into a refusal. Only connect and handshake replies say what to do about it."""
    reply['successful'] = False
    reply['error'] = error
    if error == errors.SESSION_UNKNOWN and reply.get('channel') in (channels.CONNECT, channels.HANDSHAKE):
        reply['advice'] = {'reconnect': 'handshake', 'interval': 0}


def validate(message: Mapping[str, Any]) -> str | None:
    """The error text for a message that no server would look at further, else None."""
    channel = message.get('channel')
    if channel is None:
        return errors.CHANNEL_MISSING
    if not channels.is_valid(channel):
        return errors.CHANNEL_INVALID
    if message.get('id') is not None and not channels.is_valid_id(id_text(message['id'])):
        return errors.MESSAGE_ID_INVALID
    return None


def id_text(value: object) -> str:
    """A message id as text, since ids come as numbers too; empty for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ''
    return str(value)


def ext_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `ext` of a message, empty if it has none that is an object."""
    ext = message.get('ext')
    return ext if isinstance(ext, dict) else {}
