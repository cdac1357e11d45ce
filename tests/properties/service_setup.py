"""What a service and its org are like, what handlers do, and what events hold: values only."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.outcomes import Ended, Failed, Outcome
from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.resume import OnGap, Start
from nameko_salesforce.streaming.retry import OnFailure
from tests.properties.ledger import ALL

# Seconds since 1970 when the world's clock says 0.
EPOCH = 1_750_000_000.0

# Seconds that the org keeps events. Two hours instead of a day: twice what `resume.LEEWAY` takes off.
RETENTION = 7200.0

# Longer pauses than usual: hours without a network cost the simulation tens of attempts, not hundreds.
BACKOFF = Backoff(factor=3.0, cap=600.0)

FAILED = Failed(ValueError('a handler fails'))

# What handlers do, by weather: (share, seconds, outcome).
GOOD = [(3, 0.0, Ended.HANDLED), (3, 0.02, Ended.HANDLED), (1, 0.4, Ended.HANDLED)]
MOODS: dict[str, list[tuple[int, float, Outcome]]] = {
    'good': GOOD,
    'slow': [(1, 1.0, Ended.HANDLED), (1, 20.0, Ended.HANDLED), (1, 300.0, Ended.HANDLED)],
    'stuck': [(1, 900.0, Ended.HANDLED)],
    'mixed': [*GOOD, (1, 5.0, Ended.HANDLED), (2, 0.1, FAILED), (1, 0.5, Ended.LOST)],
    'bad': [(3, 0.1, FAILED), (1, 0.0, Ended.LOST), (1, 2.0, Ended.HANDLED)],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a service and its org are like."""

    seed: int = 0
    channels: tuple[str, ...] = ('/topic/T',)
    handlers: int = 1
    order: Order = Order.RECORD
    batch: int | None = None
    attempts: int = 2
    timeout: float | None = None
    on_failure: OnFailure = OnFailure.DEAD_LETTER
    start: Start = Start.LATEST
    on_gap: OnGap = OnGap.EARLIEST
    slots: int = 2
    limit: int = 6
    replies_first: bool = False


def data_of(channel: str, about: tuple[str, ...], created: float) -> dict[str, Any]:
    """An event about records, as its channel brings it; an overflow where there are such."""
    moment = datetime.fromtimestamp(created, UTC).isoformat()
    if channel.startswith('/data/'):
        header: dict[str, Any] = {'changeType': 'UPDATE', 'recordIds': list(about)}
        if about == ALL:
            header = {'changeType': 'GAP_OVERFLOW', 'recordIds': ['000000000000000AAA']}
        return {'payload': {'ChangeEventHeader': {**header, 'commitTimestamp': created * 1000}}}
    key = '*' if about == ALL else about[0]
    if channel.startswith('/event/'):
        return {'payload': {'CreatedDate': moment, 'Key__c': key}}
    return {'event': {'createdDate': moment}, 'sobject': {'Id': key}}
