"""One handler's share of a channel: what it gets, again and again if need be. Floor 4, without I/O: pure.

Decides what may run when, how a batch is made up and taken apart, and when an event is given up. It
knows no position: it tells its owner (`work.py`) which events it is done with.

A batch that fails is cut in halves, and those again, down to the event that fails alone. The parts go on
side by side as far as the order lets them; one that follows another by a record is held until that is
settled. A failure in company costs no attempt: an event is given up only after it has failed alone
`attempts` times, for it cannot be told from its company's, nor a poison event from an outage.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.options import is_count, is_wait
from nameko_salesforce.bayeux.outcomes import NOT_RUN, Outcome
from nameko_salesforce.bayeux.texts import shown
from nameko_salesforce.events import seconds_of
from nameko_salesforce.replay.position import ReplayId
from nameko_salesforce.replay.tracker import Ticket
from nameko_salesforce.streaming.effects import DeadLettered, Effect, HandlerStopped, Run, Skipped, Unordered
from nameko_salesforce.streaming.order import Key, Keyless, Line, Order, Place, keys_of
from nameko_salesforce.streaming.retry import OnFailure, Retry

__all__ = ['Arrival', 'Handling', 'HandlerOptions']


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerOptions:
    """What a decorator says about its handler.

    Attributes:
        name: tells the handlers of a channel apart.
        order: which events it may get side by side.
        key: what an event is about, in place of record ids; called with the event's data.
        retry: what follows a failure.
        batch: most events of one call; None = one, and not as a list.
        batch_wait: seconds that a batch waits for more events.
    """

    name: str
    order: Order = Order.RECORD
    key: Key | None = None
    retry: Retry = Retry()
    batch: int | None = None
    batch_wait: float = 0.2

    def __post_init__(self) -> None:
        if self.key is not None and not callable(self.key):
            raise ValueError(f"key is {shown(self.key)}; it is a function that is given an event's data")
        if self.batch is not None and not is_count(self.batch):
            raise ValueError(f'batch is {shown(self.batch)}; one event is the least')
        if not is_wait(self.batch_wait):
            raise ValueError(f'batch_wait is {shown(self.batch_wait)}; it is a time in seconds')


class Arrival(Ticket):
    """One event, for all handlers of its channel.

    Args:
        replay_id, event_time: None, where no position waits for it.
    """

    __slots__ = ('characters', 'event', 'since', 'unfinished')

    def __init__(
        self,
        event: Delivery,
        replay_id: ReplayId | None,
        event_time: str | float | None,
        since: float,
        unfinished: int,
        characters: float,
    ) -> None:
        super().__init__(replay_id, event_time)
        self.event = event
        self.since = since
        self.characters = characters  # of its text
        self.unfinished = unfinished  # handlers

    @property
    def created(self) -> float | None:
        """Seconds since 1970 when the event was created; None where it does not say."""
        return seconds_of(self.event_time)


Places = Sequence[Place[Arrival]]


class _Failures(NamedTuple):
    """What some events have behind them that were tried together.

    Attributes:
        first: seconds of the clock when they failed first.
        attempts: that failed.
        alone: how many of these were made with one event.
    """

    first: float
    attempts: int
    alone: int


class Handling:
    """The events of one channel that one handler is not done with.

    Invariant: each of them waits in the line, or was taken from it and is under way, due, pausing or held.
    So none can vanish.

    Args:
        draw: gives a random number in [0, 1), for jitter.

    Attributes:
        running: events of the runs under way.
        handled, dead_letters, skipped: events so far.
        retries: attempts so far that failed and were not the last.
        stopped: the outcome that stopped it, None while it works.
    """

    def __init__(self, options: HandlerOptions, draw: Callable[[], float]) -> None:
        self.running = self.handled = self.retries = self.dead_letters = self.skipped = 0
        self.stopped: Outcome | None = None
        self._options = options
        self._draw = draw
        self._line: Line[Arrival] = Line(options.order)
        self._due: deque[tuple[Places, _Failures | None]] = deque()
        self._pausing: list[tuple[float, int, Places, _Failures]] = []
        self._held: list[tuple[Places, _Failures]] = []
        self._pauses = 0
        self._batch_since: float | None = None  # since when events wait for a batch to be made of them

    @property
    def name(self) -> str:
        return self._options.name

    @property
    def waiting(self) -> int:
        """Events that no attempt was made with."""
        return self._line.waiting

    @property
    def retrying(self) -> int:
        """Events that were taken and are not under way: they, or others of their batch, are due again."""
        return self._line.taken - self.running

    def add(self, arrivals: Iterable[Arrival], now: float) -> list[Unordered]:
        """Take events on, in the order of arrival; those that are handled without order."""
        key, line = self._options.key, self._line
        unordered: list[Unordered] = []
        for arrival in arrivals:
            keys = keys_of(arrival.event.data, key)
            line.add(arrival, keys)
            if isinstance(keys, Keyless):
                unordered.append(Unordered(self.name, arrival.event, keys.error))
        if self._batch_since is None and self._options.batch is not None:
            self._see_batch(now)
        return unordered

    @property
    def deadline(self) -> float | None:
        """When time alone gives `next` something; may have passed while it gives one already."""
        if self.stopped is not None:
            return None
        times = [self._pausing[0][0]] if self._pausing else []
        if self._batch_since is not None:
            times.append(self._batch_since + self._options.batch_wait)
        return min(times, default=None)

    def next(self, now: float) -> Run | None:
        """The next attempt; retries come first. None where there is none now."""
        if self.stopped is not None:
            return None
        if self._pausing:
            self._end_pauses(now)
        failures: _Failures | None = None
        places: Places
        if self._due:
            places, failures = self._due.popleft()
        elif self._options.batch is None:
            place = self._line.take()
            if place is None:
                return None
            places = (place,)
        elif self._batch_is_due(now):
            places = self._line.take_batch(self._options.batch)
            self._batch_since = None
            self._see_batch(now)
        else:
            return None
        self.running += len(places)
        attempt = 1 if failures is None else failures.attempts + 1
        events = [each.content.event for each in places]
        return Run(self.name, events, attempt, self._options.retry.timeout, places, failures)

    def ended(self, run: Run, outcome: Outcome, now: float, effects: list[Effect]) -> Places:
        """Judge an attempt; a second outcome of the same is ignored.

        Args:
            effects: what became of the events is added here.
        Returns:
            Those of the events that this handler is done with. One that was dead-lettered is not among them:
            it is done once the letter is kept.
        """
        if not run._open:
            return ()
        run._open = False
        places: Places = run._places
        failures: _Failures | None = run._failures
        self.running -= len(places)
        if outcome is NOT_RUN:
            self._due.appendleft((places, failures))
            return ()
        if self._options.retry.is_handled(outcome):
            self.handled += len(places)
            self._release(places, now)
            return places
        alone = int(len(places) == 1)
        if failures is None:
            failures = _Failures(now, 1, alone)
        else:
            failures = _Failures(failures.first, failures.attempts + 1, failures.alone + alone)
        if failures.alone >= self._options.retry.attempts:
            return self._give_up(places, failures, outcome, now, effects)
        self.retries += 1
        middle = (len(places) + 1) // 2
        self._pause(places[:middle], failures, now)
        if middle < len(places):
            self._pause_or_hold(places[middle:], failures, now)
        return ()

    def resume(self) -> None:
        """Go on after a stop, with the event that failed."""
        self.stopped = None

    # --- after a failure -------------------------------------------------------------------------

    def _pause(self, places: Places, failures: _Failures, now: float) -> None:
        self._pauses += 1
        due = now + self._options.retry.pause(failures.attempts, self._draw())
        heapq.heappush(self._pausing, (due, self._pauses, places, failures))

    def _pause_or_hold(self, places: Places, failures: _Failures, now: float) -> None:
        if self._line.is_free(places):
            self._pause(places, failures, now)
        else:
            self._held.append((places, failures))

    def _end_pauses(self, now: float) -> None:
        while self._pausing and self._pausing[0][0] <= now:
            _, _, places, failures = heapq.heappop(self._pausing)
            self._due.append((places, failures))

    def _give_up(
        self, places: Places, failures: _Failures, outcome: Outcome, now: float, effects: list[Effect]
    ) -> Places:
        """End of the attempts with one event."""
        arrival = places[0].content
        name, event, attempts = self.name, arrival.event, failures.attempts
        if self._options.retry.on_failure is OnFailure.STOP:
            if self.stopped is None:
                self.stopped = outcome
                effects.append(HandlerStopped(name, event, outcome, attempts))
                put = self._due.appendleft
            else:  # it was under way already; the handler has said why it stopped
                put = self._due.append
            put((places, _Failures(failures.first, attempts, 0)))
            return ()
        self._release(places, now)
        if self._options.retry.on_failure is OnFailure.SKIP:
            self.skipped += 1
            effects.append(Skipped(name, event, outcome, attempts))
            return places
        self.dead_letters += 1
        effects.append(DeadLettered(name, event, outcome, attempts, failures.first, now, arrival))
        return ()

    def _release(self, places: Places, now: float) -> None:
        """Let those go on that waited for these."""
        for each in places:
            self._line.end(each)
        if self._held:
            held, self._held = self._held, []
            for others, failures in held:
                if self._line.is_free(others):
                    self._due.append((others, failures))
                else:
                    self._held.append((others, failures))
        if self._batch_since is None and self._options.batch is not None:
            self._see_batch(now)

    # --- batches ---------------------------------------------------------------------------------

    def _see_batch(self, now: float) -> None:
        if self._line.free:
            self._batch_since = now

    def _batch_is_due(self, now: float) -> bool:
        size, line = self._options.batch, self._line
        if size is None or self._batch_since is None:
            return False
        # With none of its events under way, all that wait can be had, also one behind another.
        full = line.free >= size or (not line.taken and line.waiting >= size)
        return full or now >= self._batch_since + self._options.batch_wait
