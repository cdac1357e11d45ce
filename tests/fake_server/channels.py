"""Channel names: which are valid, and which subscriptions an event reaches. Pure.

Source: Bayeux 1.0, "Channels" and "Channel globbing"; the wider alphabet is the reference server's.
"""

from collections.abc import Mapping

__all__ = ['CONNECT', 'DISCONNECT', 'HANDSHAKE', 'SUBSCRIBE', 'UNSUBSCRIBE']
__all__ += ['first_match', 'is_meta', 'is_service', 'is_valid', 'is_valid_id', 'is_wild', 'matches']
__all__ += ['subscriptions_reached']

HANDSHAKE = '/meta/handshake'
CONNECT = '/meta/connect'
DISCONNECT = '/meta/disconnect'
SUBSCRIBE = '/meta/subscribe'
UNSUBSCRIBE = '/meta/unsubscribe'

_LETTERS_AND_DIGITS = frozenset('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')
# The specification allows the first eight besides letters and digits, the reference server all of them.
# Not `?`, `=`, `&` and `'`: filtered subscriptions in Salesforce's manner are refused here.
_ALPHABET = _LETTERS_AND_DIGITS | frozenset('-_!~()$@' + ' #*+./{}')


def is_valid(channel: object) -> bool:
    """Whether this may stand in a `channel` or `subscription` field.

    Stricter than the reference server in one point: a segment must not be empty (`/a//b`, `/a/`).
    """
    if not isinstance(channel, str) or len(channel) < 2 or not channel.startswith('/'):
        return False
    segments = channel[1:].split('/')
    if not _ALPHABET.issuperset(channel) or '' in segments:
        return False
    return not any(segment in ('*', '**') for segment in segments[:-1])


def is_valid_id(text: str) -> bool:
    """Whether this may be the id of a message: letters and digits, at least one."""
    return bool(text) and _LETTERS_AND_DIGITS.issuperset(text)


def is_wild(channel: str) -> bool:
    """Whether this name is a pattern."""
    return channel.rpartition('/')[2] in ('*', '**')


def is_meta(channel: str) -> bool:
    """Whether this channel is for talking to the server itself."""
    return channel.startswith('/meta/')


def is_service(channel: str) -> bool:
    """Whether this channel is never broadcast."""
    return channel.startswith('/service/')


def subscriptions_reached(channel: str) -> list[str]:
    """All names whose subscribers get an event on `channel`: itself, and the patterns that match it."""
    segments = channel[1:].split('/')
    parents = ['/'.join(['', *segments[:depth]]) for depth in range(len(segments) - 1, -1, -1)]
    names = [channel, f'{parents[0]}/*', *(f'{parent}/**' for parent in parents)]
    return list(dict.fromkeys(names))


def matches(pattern: str, channel: str) -> bool:
    """Whether a subscription to `pattern` gets the events on `channel`."""
    return pattern in subscriptions_reached(channel)


def first_match(texts: Mapping[str, str], channel: str) -> str | None:
    """The text of the first name that is this channel or a pattern for it. A pattern matches itself, too."""
    for pattern, text in texts.items():
        if matches(pattern, channel):
            return text
    return None
