"""Brings dead letters to the store, in a green thread of its own. Floor 4: an edge.

One after another, each again until the store has it: until then no position passes its event, so that a crash
brings the event again instead of losing it. What waits is bounded by whoever takes events on, for these are
not done.
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import eventlet
from eventlet.event import Event

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.outcomes import Failed, Outcome
from nameko_salesforce.events import replay_id_of
from nameko_salesforce.replay.store import DeadLetter, Store, StoreFailed
from nameko_salesforce.streaming.effects import DeadLettered

__all__ = ['Letters', 'error_of']

log = logging.getLogger('nameko_salesforce.replay')

PAUSES = Backoff(first=0.2, cap=5.0)

# While a stop waits, which has less time than the longest of those.
HURRIED = Backoff(first=0.05, cap=0.5)

# Characters of an error's text that a letter keeps: the beginning says what it was.
ERROR_LENGTH = 2000


class Letters:
    """Stores letters in the background.

    Args:
        store: gives the store, None as long as it is not known.
        stored: called with what `put` was given, once the store has the letter; must not raise.
        spawn: starts a green thread.
        clock, wall: give seconds, monotonic and since 1970.
        draw: gives a random number in [0, 1), for jitter.
    """

    def __init__(
        self,
        store: Callable[[], Store | None],
        stored: Callable[[Any, DeadLettered], None],
        *,
        spawn: Callable[[Callable[[], None]], Any] = eventlet.spawn,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._stored = stored
        self._spawn = spawn
        self._clock = clock
        self._wall = wall
        self._draw = draw
        self._waiting: deque[_Waiting] = deque()
        self._thread: Any = None
        self._ended = False
        self._emptied: Event | None = None  # a stop waits for it
        self._nap: Event | None = None

    @property
    def waiting(self) -> int:
        """Letters that are not stored."""
        return len(self._waiting)

    def put(self, owner: Any, channel: str, letter: DeadLettered) -> None:
        """Have a letter stored. Never blocks.

        Args:
            owner: handed to `stored`.
        """
        # The store of now: another login may be of another organization.
        self._waiting.append(_Waiting(owner, channel, letter, self._store()))
        if self._thread is None and not self._ended:
            self._thread = self._spawn(self._run)

    def stop(self, timeout: float) -> None:
        """Wait until all are stored, then end. Any number of times.

        Args:
            timeout: seconds.
        """
        if self._waiting and self._thread is not None:
            self._emptied = self._emptied or Event()
            if self._nap is not None and not self._nap.ready():
                self._nap.send()
            with eventlet.Timeout(max(0.0, timeout), False):
                self._emptied.wait()
        if self._waiting and not self._ended:
            log.warning(
                '%d dead letters could not be stored in time; their events come again after the next start',
                len(self._waiting),
            )
        self.kill()

    def kill(self) -> None:
        """End at once. Any number of times."""
        self._ended = True
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.kill()

    def _run(self) -> None:
        failures = 0
        try:
            while self._waiting:
                first = self._waiting[0]
                if self._add(first, failures):
                    failures = 0
                    self._waiting.popleft()
                    self._stored(first.owner, first.letter)
                else:
                    failures += 1
                    self._waiting.rotate(-1)  # the others need not wait for what may be wrong with this one
                    self._pause(failures)
        finally:
            self._thread = None
            if self._emptied is not None and not self._emptied.ready():
                self._emptied.send()

    def _pause(self, failures: int) -> None:
        """After a failure; a stop that begins meanwhile ends it."""
        pauses = PAUSES if self._emptied is None else HURRIED
        self._nap = Event()
        with eventlet.Timeout(pauses.delay(failures, self._draw()), False):
            self._nap.wait()

    def _add(self, waiting: '_Waiting', failures: int) -> bool:
        channel, store = waiting.channel, waiting.store or self._store()
        if store is None:
            return False
        try:
            dropped = store.add_dead_letter(self._letter_of(channel, waiting.letter))
        except (Exception, eventlet.Timeout) as problem:
            if not failures:
                log.warning(
                    '%s: a dead letter cannot be stored, which holds up its position and nothing else; it is '
                    'tried again until it works: %s',
                    channel,
                    problem if isinstance(problem, StoreFailed) else repr(problem),
                )
            return False
        if dropped:
            log.warning(
                '%s: %d of the oldest dead letters were dropped, because there are too many '
                '(DEAD_LETTER_LIMIT)',
                channel,
                dropped,
            )
        return True

    def _letter_of(self, channel: str, letter: DeadLettered) -> DeadLetter:
        error_type, error = error_of(letter.outcome)
        since_1970 = self._wall() - self._clock()
        return DeadLetter(
            channel=channel,
            handler=letter.handler,
            data=letter.event.data,
            replay_id=replay_id_of(letter.event.data),
            error_type=error_type,
            error=error,
            attempts=letter.attempts,
            first_at=since_1970 + letter.first_failed,
            last_at=since_1970 + letter.last_failed,
        )


class _Waiting(NamedTuple):
    """A letter that is not stored."""

    owner: Any
    channel: str
    letter: DeadLettered
    store: Store | None


def error_of(outcome: Outcome) -> tuple[str, str]:
    """The class and the text of what ended an attempt, for logs and letters. Raises nothing."""
    if not isinstance(outcome, Failed):
        return outcome.name, outcome.value
    name = type(outcome.error).__name__
    try:
        return name, str(outcome.error)[:ERROR_LENGTH]
    except Exception:
        return name, '(its text cannot be had)'
