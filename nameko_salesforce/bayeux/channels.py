"""Channel names: what is well formed, what matches what. Floor 0.

Source: Bayeux 1.0, "Channels" and "Channel globbing". Salesforce adds a filter (`/topic/X?Id=...`)
to the name of a subscription; what follows the question mark is not looked at here.
"""

from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.texts import shown

__all__ = ['check_publishable', 'check_subscribable', 'is_meta', 'matching_patterns', 'without_filter']


def is_meta(channel: str) -> bool:
    """Whether the channel belongs to the protocol itself."""
    return channel.startswith('/meta/')


def without_filter(channel: str) -> str:
    """The channel proper of a filtered subscription."""
    return channel.partition('?')[0]


def check_subscribable(channel: str) -> None:
    """Raise `LocalError` when no server could accept a subscription to `channel`.

    Only what is wrong everywhere is refused: the alphabet of a segment differs between servers.
    """
    segments = _segments(channel)
    if is_meta(channel):
        raise LocalError(f'{shown(channel)}: meta channels are listened to with listen(), not subscribed to')
    if any('*' in segment and (segment not in ('*', '**')) for segment in segments[-1:]):
        raise LocalError(f'{shown(channel)}: a wildcard is a whole segment, "*" or "**"')
    if any('*' in segment for segment in segments[:-1]):
        raise LocalError(f'{shown(channel)}: a wildcard can only be the last segment')


def check_publishable(channel: str) -> None:
    """Raise `LocalError` when no server could accept a message on `channel`."""
    segments = _segments(channel)
    if is_meta(channel):
        raise LocalError(f'{shown(channel)}: nobody publishes on a meta channel')
    if any(segment in ('*', '**') for segment in segments):
        raise LocalError(f'{shown(channel)}: a message goes to one channel, not to a wildcard')


def matching_patterns(channel: str) -> tuple[str, ...]:
    """The names under which a delivery on `channel` may have been subscribed to, closest first.

    `/a/b` gives `/a/b`, `/a/*`, `/a/**`, `/**`: servers deliver under the concrete channel, so a
    handler is found by asking for each of these, never by the key alone.
    """
    segments = channel.split('/')
    parent = '/'.join(segments[:-1])
    patterns = [channel, f'{parent}/*']
    patterns += ['/'.join(segments[:depth]) + '/**' for depth in range(len(segments) - 1, 0, -1)]
    return tuple(patterns)


def _segments(channel: str) -> list[str]:
    if not isinstance(channel, str):
        raise LocalError(f'{shown(channel)}: a channel is a string such as "/chat/room"')
    name = without_filter(channel)
    segments = name.split('/')[1:]
    if not name.startswith('/') or not all(segments):
        raise LocalError(f'{shown(channel)}: a channel begins with "/" and has no empty segment')
    try:
        channel.encode()
    except UnicodeEncodeError:
        raise LocalError(f'{shown(channel)}: a channel holds no lone surrogates') from None
    return segments
