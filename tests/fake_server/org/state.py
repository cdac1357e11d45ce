"""Everything that an org knows. Pure data: `planting` fills it, `org` changes it.

One value that can be copied as a whole: a seed is planted in a copy, so that a bad one leaves no trace.
"""

from dataclasses import dataclass, field
from random import Random

from .ids import IdMaker
from .push_topics import Topic
from .records import Records
from .schema import Schema
from .users import App, Users

__all__ = ['State', 'new_state']

# Of Developer Edition; Enterprise has 50, Unlimited 100 (Streaming API guide, "PushTopic limits").
MAX_PUSH_TOPICS = 40


@dataclass(slots=True)
class State:
    """What an org knows.

    Attributes:
        ids, schema, records, users: see their classes.
        organization_id: id of the one record of Organization.
        max_push_topics: most PushTopics that may be active at a time.
        profiles: name of a profile -> its id.
        apps: connected apps by consumer key.
        topics: PushTopics by record id.
        change_data_capture: names of the objects whose changes go to the standard channels.
        channels: custom channels -> names of the objects or events on them.
    """

    ids: IdMaker
    schema: Schema
    records: Records
    users: Users
    organization_id: str
    max_push_topics: int = MAX_PUSH_TOPICS
    profiles: dict[str, str] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    change_data_capture: set[str] = field(default_factory=set)
    channels: dict[str, tuple[str, ...]] = field(default_factory=dict)


def new_state(schema: Schema, random: Random) -> State:
    """An org without records and users."""
    ids = IdMaker(random)
    return State(ids, schema, Records(schema, ids), Users(), organization_id=ids.next('00D'))
