"""Events that nobody's record is behind: platform events, and messages on generic channels. Pure.

Source: Platform Events guide, "Subscribe with CometD"; Streaming API guide, "Generic Streaming".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .changes import schema_id
from .errors import OrgError, invalid_field
from .moments import wire_datetime
from .records import Row
from .schema import SObject
from .values import event_json

__all__ = ['MAX_PAYLOAD', 'generic_event', 'platform_event']

# Characters of a generic event (Streaming API guide, "Generic Streaming limits").
MAX_PAYLOAD = 3000

_ADDED_BY_THE_BUS = {'EventUuid', 'CreatedDate', 'CreatedById'}


def platform_event(sobject: SObject, row: Row, uuid: str) -> dict[str, Any]:
    """The event of a published platform event: `data` without the replay id. Empty fields are null."""
    own = [each for each in sobject.fields.values() if each.name not in _ADDED_BY_THE_BUS]
    payload = {name: event_json(row[name]) for name in ('CreatedDate', 'CreatedById')}
    return {
        'schema': schema_id(sobject.name, sobject.fields.values()),
        'payload': payload | {each.name: event_json(row[each.name]) for each in own},
        'event': {'EventUuid': uuid},
    }


def generic_event(event: object, moment: datetime) -> dict[str, Any]:
    """The event of one of the `pushEvents` of a push: `data` without the replay id.

    Raises:
        OrgError: it has no payload, or one that is no text or too long, or it is for some users only.
    """
    if not isinstance(event, Mapping) or not isinstance(event.get('payload'), str):
        raise OrgError('JSON_PARSER_ERROR', 'A push event needs a payload, which is a string')
    if len(event['payload']) > MAX_PAYLOAD:
        raise invalid_field(f'The payload is longer than {MAX_PAYLOAD} characters', 'payload')
    if event.get('userIds'):
        # Who is subscribed is not known here; telling everybody would be worse than telling nobody.
        raise invalid_field('The fake org pushes to all subscribers, not to some users', 'userIds')
    return {'event': {'createdDate': wire_datetime(moment, 'Z')}, 'payload': event['payload']}
