"""What PushTopics tell about a write. Pure.

Source: Streaming API guide, "PushTopic", "Notification Rules", "Compound Fields in PushTopic Queries".
"""

from datetime import datetime
from typing import Any

from .evaluation import Look, matches
from .moments import wire_datetime
from .push_topics import Topic
from .records import Row, changed_fields
from .values import event_json

__all__ = ['notification']


def notification(
    topic: Topic, operation: str, old: Row, new: Row, *, moment: datetime, look: Look
) -> dict[str, Any] | None:
    """The event that this topic raises for a write to its object; None if it raises none.

    Args:
        operation: `created`, `updated`, `deleted` or `undeleted`.
        old: the record before; for a new one, the record itself.
        new: the record after; for a deleted one, as it was.
        moment: when.
    Returns:
        `data` of the event, without its replay id.
    """
    if not topic.active or operation not in topic.operations:
        return None
    if not matches(topic.where, new, today=moment.date(), look=look):
        return None
    if operation == 'updated' and topic.watched is not None and not topic.watched & _changes(topic, old, new):
        return None
    fields = ('Id',) if operation == 'deleted' else topic.fields
    return {
        'event': {'createdDate': wire_datetime(moment, 'Z'), 'type': operation},
        'sobject': {name: event_json(new[name]) for name in fields},
    }


def _changes(topic: Topic, old: Row, new: Row) -> set[str]:
    """Changed fields as topics see them: the parts of a name change the Name and not themselves.

    So a topic that selects FirstName and LastName without Name never notices that somebody is renamed.
    """
    return set(changed_fields(old, new)) - set(topic.sobject.name_parts)
