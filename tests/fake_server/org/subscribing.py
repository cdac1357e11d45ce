"""Which channels of the org can be subscribed to, and what Salesforce says of the others. Pure.

Source: Streaming API guide, "Streaming API Error Codes", in the words of live replies where there are any.
"""

from collections.abc import Sequence

from .push_topics import Topic
from .state import State

__all__ = ['topic_problem']

# Recorded for names that cannot be those of a channel: `/event/Panoptes_Event_Channel`.
_DENIED = '403:denied_by_security_policy:create_denied'
# Open to everybody; nothing happens on it here.
_SYSTEM_TOPICS = {'/systemTopic/Logging'}


def topic_problem(channel: str, fields: Sequence[str], state: State) -> str | None:
    """Why a subscription is refused, or None.

    Args:
        channel: without its filter.
        fields: names of the fields that its filter looks at.
    """
    if not channel.startswith('/'):
        return "400::Channel subscriptions must start with a leading '/'"
    if channel in _SYSTEM_TOPICS:
        return None
    _, kind, *rest = channel.split('/')
    if not rest or not all(rest) or (kind != 'u' and len(rest) > 1):
        return _DENIED
    match kind:
        case 'topic':
            return _push_topic(channel, fields, state)
        case 'u':
            return _generic(channel, state)
        case 'event':
            return _event(channel, rest[0], state)
        case 'data':
            return _changes(channel, rest[0], state)
        case _:
            return _DENIED


def _push_topic(channel: str, fields: Sequence[str], state: State) -> str | None:
    # One of a name at most: deleted ones of its name are not active.
    topic = next((each for each in state.topics.values() if each.channel == channel and each.active), None)
    if topic is None:
        return _missing(channel)
    unknown = [each for each in fields if not _selects(topic, each)]
    return f'400::Query fields {{{", ".join(unknown)}}} do not exist on the topic entity' if unknown else None


def _selects(topic: Topic, field: str) -> bool:
    return field.lower() in (each.lower() for each in topic.fields)


def _generic(channel: str, state: State) -> str | None:
    sobject = state.schema.find('StreamingChannel')
    assert sobject is not None, 'a standard object'
    names = [str(row['Name']) for row in state.records.rows(sobject)]
    if channel in names:
        return None
    if channel.lower() in (each.lower() for each in names):
        return '404::channel names may not vary only by case'
    return '404::Unknown channel'


def _event(channel: str, name: str, state: State) -> str | None:
    if not name.endswith(('__e', '__chn')):
        return _DENIED
    sobject = state.schema.find(name)
    known = sobject is not None and sobject.name == name
    return None if known or channel in state.channels else _missing(channel)


def _changes(channel: str, name: str, state: State) -> str | None:
    if not name.endswith(('ChangeEvent', '__chn')) and name != 'ChangeEvents':
        return _DENIED
    captured = {each.change_event for each in state.schema if each.name in state.change_data_capture}
    known = name == 'ChangeEvents' or name in captured or channel in state.channels
    return None if known else _missing(channel)


def _missing(channel: str) -> str:
    return f'400::The channel you requested to subscribe to does not exist {{{channel}}}'
