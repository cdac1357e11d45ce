"""What the work of a channel hands out: runs, and what became of events. Floor 4: values only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Outcome
from nameko_salesforce.replay.tracker import Mark

__all__ = [
    'DeadLettered',
    'Dropped',
    'Effect',
    'HandlerStopped',
    'Run',
    'Skipped',
    'Unordered',
]


class Run:
    """One attempt to be made: call the handler, then give the outcome to `ended`. Equal to itself alone.

    Attributes:
        handler: name of the handler.
        events: one, or those of a batch in the order of their arrival.
        attempt: 1 for the first.
        timeout: seconds after which it counts as failed (`Ended.TIMED_OUT`); None = without limit.
    """

    __slots__ = ('_failures', '_open', '_places', 'attempt', 'events', 'handler', 'timeout')

    def __init__(
        self,
        handler: str,
        events: Sequence[Delivery],
        attempt: int,
        timeout: float | None,
        places: Sequence[Any],
        failures: Any,
    ) -> None:
        self.handler = handler
        self.events = events
        self.attempt = attempt
        self.timeout = timeout
        # Of the handling that made it.
        self._places = places
        self._failures = failures
        self._open = True

    def __repr__(self) -> str:
        return f'Run({self.handler}, {len(self.events)} events, attempt {self.attempt})'


@dataclass(frozen=True, slots=True, eq=False)
class DeadLettered:
    """An event's last attempt failed. Keep it, then say `letter_stored`: until then no position passes it.

    Attributes:
        handler: name of the handler that failed.
        event: as it arrived.
        outcome: of the last attempt.
        attempts: that were made, those in a batch with others included.
        first_failed, last_failed: seconds of the clock that the work is given.
    """

    handler: str
    event: Delivery
    outcome: Outcome
    attempts: int
    first_failed: float
    last_failed: float
    _arrival: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """An event's last attempt failed, and its handler is told to skip such events. Attributes as there."""

    handler: str
    event: Delivery
    outcome: Outcome
    attempts: int


@dataclass(frozen=True, slots=True)
class HandlerStopped:
    """An event's last attempt failed, and its handler is told to stop then: it gets nothing until `resume`.

    The event stays in front of the position, and is the first to be run again. Others that were under way and
    fail for the last time after it stay too, without an effect of their own: they are run again like it.
    """

    handler: str
    event: Delivery
    outcome: Outcome
    attempts: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """The event is a re-delivery of one that is in flight or done."""

    event: Delivery


@dataclass(frozen=True, slots=True)
class Unordered:
    """The `key=` of a handler failed, so that the event is handled without order."""

    handler: str
    event: Delivery
    error: BaseException


# A `Mark`: all up to this event is done, and it may be kept as the channel's position.
Effect = Mark | DeadLettered | Skipped | HandlerStopped | Dropped | Unordered
