"""What becomes of an event whose handler failed. Floor 4, without I/O: pure, values only."""

from dataclasses import dataclass
from enum import Enum

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.options import is_count, is_wait
from nameko_salesforce.bayeux.outcomes import HANDLED, Failed, Outcome
from nameko_salesforce.bayeux.texts import shown

__all__ = ['OnFailure', 'Retry']


class OnFailure(Enum):
    """What follows the last attempt, as the decorators take it: `on_failure='skip'`.

    Each has a word for the event, and never silence: a dead letter, a skipped event, a stopped handler.
    """

    DEAD_LETTER = 'dead_letter'
    SKIP = 'skip'
    STOP = 'stop'


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often, when, and what then.

    Attributes:
        attempts: in all, the first one included.
        timeout: seconds an attempt may take; None = without limit.
        expected: exceptions of the handler that count as handled (`expected_exceptions`). The expiry of
            `timeout` is never one of them.
        on_failure: what follows the last attempt.
        pauses: between attempts. 1 s and then 4 s: a hiccup of a database is over by the first, its restart
            often by the second; longer ones would hold up the record's next events, and the position.
    """

    attempts: int = 3
    timeout: float | None = None
    expected: tuple[type[BaseException], ...] = ()
    on_failure: OnFailure = OnFailure.DEAD_LETTER
    pauses: Backoff = Backoff(first=1.0, factor=4.0, cap=60.0)

    def __post_init__(self) -> None:
        if not is_count(self.attempts):
            raise ValueError(f'attempts is {shown(self.attempts)}; an event is tried at least once')
        if self.timeout is not None and not (is_wait(self.timeout) and self.timeout > 0):
            raise ValueError(
                f'timeout is {shown(self.timeout)}; an attempt needs some seconds, or None for all'
            )

    def is_handled(self, outcome: Outcome) -> bool:
        """Whether the handler is done with its events."""
        return outcome is HANDLED or (
            isinstance(outcome, Failed) and isinstance(outcome.error, self.expected)
        )

    def pause(self, failures: int, jitter: float) -> float:
        """Seconds before the next attempt.

        Args:
            failures: attempts failed in a row, >= 1. Beyond `attempts` (events of a batch, on the way to the
                one that fails) the pause grows no more.
            jitter: random number in [0, 1).
        Raises:
            ValueError: `failures` below 1. Nothing else.
        """
        return self.pauses.delay(min(failures, max(1, self.attempts - 1)), jitter)
