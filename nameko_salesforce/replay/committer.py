"""Brings positions to the store, in a green thread of its own. Floor 3.

Decides when: at once where nothing was saved for `distance` seconds, else `distance` after the save before;
one save at a time, with the newest position of each channel. Decides nothing about positions: whoever
commits one says that everything up to it is done.

A store that fails delays positions and nobody else: they are saved when it is back, after growing, jittered
pauses, with one WARNING when that begins and one when it is over.

**A quiet channel must not look lost.** `seen` tells that a channel was connected; that is written with the
positions of the channels, all in one save, at most once every `renewal` seconds, and once more by `flush`.
That the clock was put back is written at once.

Invariants:
- A position is in `_waiting`, to be asked for (`_moved`), or in the save that is under way (`_saving`),
  until the store has it.
- No switch of green threads between taking positions and putting back what could not be saved, but for the
  save.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import eventlet
from eventlet.event import Event

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.store import Store, StoreFailed

__all__ = ['Committer']

log = logging.getLogger('nameko_salesforce.replay')

# A store that was restarted is back within a second or two; 5 s more or less do not matter after a minute.
PAUSES = Backoff(first=0.2, cap=5.0)

# Seconds by which a clock must have been put back for a position to be made older. Less may be an event that
# was created before others that came earlier.
PUT_BACK = 900.0

# While somebody waits for the end of a flush.
HURRIED = Backoff(first=0.05, cap=0.5)


class Committer:
    """Saves positions in the background.

    Args:
        store: where to.
        clock: gives seconds, monotonic.
        spawn: starts a green thread; a framework passes its own.
        draw: gives a random number in [0, 1), for jitter.
        distance: seconds between the beginnings of two saves. What was committed is on its way after as
            long at the latest, and a store that many services share gets ten saves a second from each at
            most.
        renewal: seconds between two writes that say nothing but how long channels were connected. They cost a
            write each, and make a position look older than it is by as much, of 24 hours.
        pauses: after failed saves.

    Attributes:
        saves, failures: of the store, so far.
        saved: channel -> what the store holds, as far as it is known.
        failing_since: when the save failed that began a row of failures, by `clock`; None: the last one
            succeeded.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float] = time.monotonic,
        spawn: Callable[[Callable[[], None]], Any] = eventlet.spawn,
        draw: Callable[[], float] = random.random,
        distance: float = 0.1,
        renewal: float = 60.0,
        pauses: Backoff = PAUSES,
    ) -> None:
        self.saves = 0
        self.failures = 0
        self.failing_since: float | None = None
        self.saved: dict[str, Position] = {}
        self._store = store
        self._clock = clock
        self._spawn = spawn
        self._draw = draw
        self._distance = distance
        self._renewal = renewal
        self._pauses = pauses
        self._waiting: dict[str, Position] = {}
        self._moved: dict[str, Callable[[], Position | None]] = {}
        self._saving: dict[str, Position] = {}
        self._known: dict[str, Position] = {}
        self._seen: dict[str, float] = {}
        self._renewed_at: float | None = None
        self._failed_in_a_row = 0
        self._thread: Any = None
        self._ended = False
        self._work: Event | None = None
        self._nap: Event | None = None
        self._flushes: list[Event] = []

    @property
    def waiting(self) -> int:
        """Channels whose newest position is not in the store yet."""
        return len(self._waiting.keys() | self._moved.keys() | self._saving.keys())

    @property
    def failing_for(self) -> float | None:
        """Seconds since saving began to fail; None: the last save succeeded."""
        return None if self.failing_since is None else self._clock() - self.failing_since

    def start(self) -> None:
        """Begin to save. Positions may be committed before. Does not switch, nor does it touch the store."""
        if self._thread is None and not self._ended:
            self._thread = self._spawn(self._run)

    def adopt(self, channel: str, position: Position) -> None:
        """Know what the store holds for a channel, so that it can be renewed; saves nothing."""
        channel = without_filter(channel)
        self._known.setdefault(channel, position)
        self.saved.setdefault(channel, position)

    def commit(self, channel: str, position: Position) -> None:
        """Have a position saved, in place of an older one of the channel. Never blocks, never raises.

        Its `seen_until` is put forward to what `seen` told.
        """
        channel = without_filter(channel)
        self._moved.pop(channel, None)
        position = self._put_forward(channel, position)
        self._known[channel] = position
        self._waiting[channel] = position
        _send(self._work)

    def moved(self, channel: str, position: Callable[[], Position | None]) -> None:
        """The same, of a position that is asked for when it can be saved: it moves with each event.

        Args:
            position: gives the newest; None where there is none any more. Must not switch.
        """
        self._moved[without_filter(channel)] = position
        _send(self._work)

    def settle(self) -> None:
        """Ask for all positions that have moved."""
        moved, self._moved = self._moved, {}
        for channel, give in moved.items():
            position = give()
            if position is not None:
                self.commit(channel, position)

    def seen(self, channels: Iterable[str], until: float) -> None:
        """Channels were subscribed to and a connect was answered. Never blocks.

        Args:
            channels: those that are active; others are not known to bring their events.
            until: seconds since 1970.
        """
        for channel in map(without_filter, channels):
            self._seen[channel] = until
            known = self._known.get(channel)
            if known is not None and until < known.seen_until - PUT_BACK:
                # A time to come would hide a loss.
                self._known[channel] = self._waiting[channel] = replace(known, seen_until=until)
                _send(self._work)
        if self._renewed_at is None or self._clock() - self._renewed_at >= self._renewal:
            self._renew()

    def flush(self, timeout: float) -> bool:
        """Wait until everything is saved, how long channels were connected included.

        Pauses after failures are short meanwhile.

        Args:
            timeout: seconds.
        Returns:
            Whether it is.
        """
        self.settle()
        self._renew()
        if self.waiting and self._thread is not None:
            done = Event()
            self._flushes.append(done)
            _send(self._nap)
            try:
                with eventlet.Timeout(max(0.0, timeout), False):
                    done.wait()
            finally:
                self._flushes.remove(done)
        return not self.waiting

    def stop(self, timeout: float) -> None:
        """Flush, then end. Any number of times, in any state. Says what it could not save.

        Args:
            timeout: seconds.
        """
        if not self._ended:
            saved = self.flush(timeout)
            if not saved and not self._ended:
                log.warning(
                    '%s: the positions of %d channels could not be saved in time; what was done since the '
                    'ones before is done again after the next start',
                    self._store.place,
                    self.waiting,
                )
        self.kill()

    def kill(self) -> None:
        """End at once. Any number of times, in any state. Never raises."""
        self._ended = True
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.kill()

    # --- the green thread -------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._ended:
                self._wait_for_work()
                begun = self._clock()
                if self._save():
                    if not (self._waiting or self._moved):
                        self._flushed()
                    self._sleep_until(begun + self._distance, lambda: bool(self._flushes))
                else:
                    self._pause()
        finally:
            # Whoever ended it: nobody waits for it, and `kill` does not kill its own caller.
            self._thread = None
            self._flushed()

    def _wait_for_work(self) -> None:
        while not (self._waiting or self._moved):
            self._work = Event()
            self._work.wait()

    def _flushed(self) -> None:
        for done in self._flushes:
            _send(done)

    def _save(self) -> bool:
        """Save what waits; whether the store has it."""
        self.settle()
        if not self._waiting:
            return True
        self._saving, self._waiting = self._waiting, {}
        saved = False
        try:
            self._store.save(self._saving)
            saved = True
        except StoreFailed as problem:
            self._failed(str(problem), None)
        except (Exception, eventlet.Timeout) as problem:
            # A bug, of a store that somebody else wrote perhaps. It must not end the commits for good.
            self._failed(repr(problem), problem)
        finally:
            positions, self._saving = self._saving, {}
            if not saved:
                self._waiting = {**positions, **self._waiting}
        if saved:
            self.saved.update(positions)
            self._succeeded(len(positions))
        return saved

    def _failed(self, words: str, bug: BaseException | None) -> None:
        self.failures += 1
        self._failed_in_a_row += 1
        if self.failing_since is None:
            self.failing_since = self._clock()
            log.warning(
                'positions cannot be saved, which delays nothing else, and is tried again until it works: %s',
                words,
                exc_info=bug,
            )

    def _succeeded(self, positions: int) -> None:
        self.saves += 1
        self._failed_in_a_row = 0
        if self.failing_since is not None:
            lasted = self._clock() - self.failing_since
            self.failing_since = None
            log.warning(
                '%s works again after %.1f s; the positions of %d channels were caught up',
                self._store.place,
                lasted,
                positions,
            )

    def _pause(self) -> None:
        """After a failure; a flush that begins meanwhile ends it."""
        hurried = bool(self._flushes)
        pauses = HURRIED if hurried else self._pauses
        end = self._clock() + pauses.delay(self._failed_in_a_row, self._draw())
        self._sleep_until(end, lambda: not hurried and bool(self._flushes))

    def _sleep_until(self, end: float, unless: Callable[[], bool]) -> None:
        while not unless() and (rest := end - self._clock()) > 0:
            self._nap = Event()
            with eventlet.Timeout(rest, False):
                self._nap.wait()

    # --- how long channels were connected --------------------------------------------------------

    def _put_forward(self, channel: str, position: Position) -> Position:
        until = self._seen.get(channel, position.seen_until)
        return replace(position, seen_until=until) if until > position.seen_until else position

    def _renew(self) -> None:
        """Have saved what `seen` told of the channels that have a position."""
        renewed = {
            channel: self._put_forward(channel, position)
            for channel, position in self._known.items()
            if self._seen.get(channel, position.seen_until) > position.seen_until
        }
        if renewed:
            self._renewed_at = self._clock()
            self._known.update(renewed)
            self._waiting.update(renewed)
            _send(self._work)


def _send(event: Event | None) -> None:
    """Let whoever waits for it go on; any number of times."""
    if event is not None and not event.ready():
        event.send()
