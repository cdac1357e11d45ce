"""From the stream to the workers and back: the green thread that runs what the channels want. Floor 4.

Takes events from the client's green thread, hands runs to workers one by one, and carries their outcomes
back. Whose turn it is `turns.py` decides, and `load.py` when there is enough: then the client is braked, so
that the next poll waits, and after that durable channels are paused. From a full load on events wait in front
of the handlers' lines, the client reads no further, and what nothing can bring again is dropped with a word.

Invariants:
- An event is given to its channel's work before anything that came after it.
- A run that was taken ends, whatever becomes of its worker (`bayeux/workers.py`). Ends are taken in by the
  green thread that starts runs, those that have come meanwhile together; by the worker where that thread
  waits for the pool, or has ended.
- Nothing here waits for a worker but the one green thread that starts them.
"""

import functools
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import eventlet
from eventlet.event import Event

from nameko_salesforce.bayeux.bell import Bell
from nameko_salesforce.bayeux.effects import Deliver, Lane, PollAnswered, PollLost
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Failed, Outcome
from nameko_salesforce.bayeux.workers import Workers
from nameko_salesforce.events import replay_id_of
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.tracker import Mark
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.effects import DeadLettered, Effect, HandlerStopped, Run, Skipped, Unordered
from nameko_salesforce.streaming.letters import Letters, error_of
from nameko_salesforce.streaming.load import Load
from nameko_salesforce.streaming.positions import Positions
from nameko_salesforce.streaming.reruns import Reruns
from nameko_salesforce.streaming.stops import Stops
from nameko_salesforce.streaming.turns import Turns
from nameko_salesforce.streaming.work import ChannelWork

__all__ = ['Runner']

log = logging.getLogger('nameko_salesforce')

# Seconds. Whatever has come while events waited for room is taken without a pause once there is some.
CATCHING_UP = 1.0


class Runner:
    """Runs the handlers of all channels of a service.

    Args:
        channels: of the service.
        workers: where handlers run.
        call: gives what `Workers.spawn` needs for a run: entrypoint, arguments, context data.
        brake, release: of the client.
        positions: where committed positions go.
        limit: events that may be unfinished before the client is braked.
        characters: of their text, the same.
        subscribe, unsubscribe: called with a channel that takes events again, or takes no more.
        spawn: starts a green thread.
        clock, wall: give seconds, monotonic and since 1970.

    Attributes:
        channels: that are subscribed to.
        stops: those of them that are stopped.
        letters: dead letters on their way to the store.
        dropped: events so far that there was no room for.
    """

    def __init__(
        self,
        channels: Iterable[Channel],
        workers: Workers,
        call: Callable[[Channel, Run], tuple[Any, tuple[Any, ...], dict[str, Any]]],
        *,
        brake: Callable[[], None],
        release: Callable[[], None],
        positions: Positions,
        subscribe: Callable[[Channel], None],
        unsubscribe: Callable[[Channel], None],
        limit: int = 1000,
        characters: int = 8 * 2**20,
        spawn: Callable[[Callable[[], None]], Any] = eventlet.spawn,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.channels = list(channels)
        self._by_name = {each.name: each for each in self.channels}
        self._places = {each: functools.partial(self._position, each) for each in self.channels}
        self.letters = Letters(
            lambda: positions.store, self._stored, spawn=spawn, clock=clock, wall=wall, draw=draw
        )
        self.dropped = 0
        self._workers = workers
        self._call = call
        self._positions = positions
        self._subscribe = subscribe
        self._unsubscribe = unsubscribe
        self._spawn = spawn
        self._clock = clock
        self._wall = wall
        self._thread: Any = None
        self._halted = False
        self._fences = 0
        self._bell = Bell()  # for the thread: a run may have ended, or there may be one
        self._ends: dict[Channel, list[tuple[ChannelWork, Run, Outcome]]] = {}
        self._is_starting = False  # a worker; the thread does not hear the bell
        self._room: Event | None = None
        self._waited_since = self._waited_until = float('-inf')  # for room; seconds of the clock
        # Of the delivery whose events arrive.
        self._provisional = False
        self._size = 0.0
        self._lane = Lane.POLL
        self._beside: dict[Channel, Lane] = {}  # channels with events that are in doubt; where the first came
        self.stops = Stops(self._go_on)
        self._reruns = Reruns()
        self._load = Load(limit, characters, brake, release)
        self._dropping: dict[str, int] = {}  # channel -> events, since there is no room
        self._turns = Turns()

    # --- life --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to run handlers; what waits already is first. Does not switch."""
        if self._thread is None and not self._halted:
            self._thread = self._spawn(self._run)

    def halt(self) -> None:
        """Start no worker from here on; those that run may end. Any number of times, in any state."""
        self._halted = True
        _send(self._room)
        thread, self._thread = self._thread, None
        if thread is not None and self._is_starting:
            thread.kill()  # out of its wait for the pool
        self._bell.ring()  # else it ends by itself, and not with ends of runs in its hands
        self._take_ends()

    def stop(self, timeout: float) -> None:
        """Keep what is left to keep; the workers have ended. Any number of times.

        Args:
            timeout: seconds, for dead letters and positions together.
        """
        self.halt()
        end = self._clock() + timeout
        self.letters.stop(timeout)
        self._positions.stop(max(0.0, end - self._clock()))

    def kill(self) -> None:
        """End at once. Any number of times."""
        self.halt()
        self.letters.kill()
        self._positions.kill()

    # --- from the stream ---------------------------------------------------------------------------

    def follow(self, arrival: Deliver | PollAnswered | PollLost) -> None:
        """For the client's `follow`: what comes next, or how a poll ended."""
        match arrival:
            case Deliver():
                self._provisional = arrival.poll is not None
                self._lane = arrival.lane
                self._size = arrival.characters / max(1, len(arrival.deliveries))
            case PollAnswered():
                for channel in self._take_beside():
                    self.obey(channel, channel.poll_answered())
            case PollLost():
                for channel in self._take_beside():
                    self.obey(channel, channel.poll_lost())

    def _take_beside(self) -> Iterable[Channel]:
        beside, self._beside = self._beside, {}
        return beside

    def taker(self, channel: Channel) -> Callable[[Sequence[Delivery]], None]:
        """The client's callback for events of a channel that came together."""

        def take(events: Sequence[Delivery]) -> None:
            begin = 0
            while begin < len(events) and not self.is_fenced and channel not in self.stops:
                room = self._load.room(self._size)
                if room:
                    self._take(channel, events[begin : begin + room])
                    begin += room
                elif not self._make_room(channel):
                    if channel.durable:
                        return
                    begin += 1  # dropped

        return take

    def _take(self, channel: Channel, events: Sequence[Delivery]) -> None:
        mixed = self._provisional and self._beside.setdefault(channel, self._lane) is not self._lane
        try:
            self.put(channel, events, provisional=self._provisional, characters=self._size)
            if mixed:
                channel.work.mixed()
        except (Exception, eventlet.Timeout) as error:
            # A bug of ours. The client goes on with the next event, and a position would pass this one.
            log.exception('%s: an event could not be taken on', channel.name)
            self._stop(channel, f'an event could not be taken on: {error!r}')

    def put(
        self,
        channel: Channel,
        events: Sequence[Delivery],
        *,
        provisional: bool = False,
        characters: float = 0.0,
    ) -> None:
        """Have the handlers of a channel run for events, whether there is room or not."""
        before = channel.work.unfinished, channel.work.characters
        try:
            effects = channel.arrived(
                events, self._wall(), self._clock(), provisional=provisional, characters=characters
            )
        finally:
            self._count(channel, before)
        self.obey(channel, effects)
        self._wake(channel)

    def again(self, channel: Channel, handler: str, event: Delivery) -> Event:
        """Have one handler run a past event once more, as it runs others.

        Returns:
            Is sent how that has ended, see `Reruns.add`.
        Raises:
            KeyError: there is no such handler.
        """
        before = channel.work.unfinished, channel.work.characters
        over = self._reruns.add(channel.work.again(event, handler, self._clock()))
        self._count(channel, before)
        self._wake(channel)
        return over

    def _make_room(self, channel: Channel) -> bool:
        """Wait until there is room; False where the event is dropped, or nothing runs any more."""
        if not channel.durable:
            self.dropped += 1
            if channel.name not in self._dropping:
                log.error(
                    '%s: there is no room, and nothing brings its events again: they are dropped until '
                    'handlers have caught up',
                    channel.name,
                )
            self._dropping[channel.name] = self._dropping.get(channel.name, 0) + 1
            return False
        while self._load.is_full and not self._halted:
            self._room = Event()
            self._wait_begins()
            self._room.wait()
            self._wait_ends()
        return not self._halted and not self.is_fenced

    def _wait_begins(self) -> None:
        if not self.lag:  # else what comes has waited since an earlier one
            self._waited_since = self._clock()

    def _wait_ends(self) -> None:
        self._waited_until = self._clock()

    @property
    def lag(self) -> float:
        """Seconds that what comes now has waited at most, behind events that had no room."""
        clock = self._clock()
        return clock - self._waited_since if clock - self._waited_until < CATCHING_UP else 0.0

    def find(self, name: str) -> Channel | None:
        """The channel of this name."""
        return self._by_name.get(name)

    # --- how much there is -------------------------------------------------------------------------

    @property
    def unfinished(self) -> int:
        """Events that some handler is not done with."""
        return self._load.events

    def _count(self, channel: Channel, before: tuple[int, float]) -> None:
        """Something changed in a channel's work: is there enough, or room again?"""
        if channel not in self.stops:
            work = channel.work
            self._weigh(work.unfinished - before[0], work.characters - before[1])

    def _weigh(self, events: int, characters: float) -> None:
        self._load.change(events, characters)
        if self._dropping and not self._load.is_braked:
            dropping, self._dropping = self._dropping, {}
            for name, count in dropping.items():
                log.error('%s: %d events were dropped, because there was no room', name, count)
        if self._room is not None and not self._load.is_full:
            room, self._room = self._room, None
            _send(room)

    # --- runs --------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while True:
                self._take_ends()
                if self._halted:
                    return
                if not self._workers.free:
                    self._bell.wait()
                    continue
                found = self._next()
                if found is not None and not self._begin(*found):
                    return
        finally:
            # Whoever ended it; a kill of the container may come out of this very green thread.
            self._thread = None

    def _next(self) -> tuple[Channel, Run] | None:
        """The next run of the channels in turn; None after a wait for something to do."""
        now = self._clock()
        found = self._turns.next(now)
        if found is None:
            self._wait(now)
        return found

    def _wait(self, now: float) -> None:
        deadline = self._turns.deadline
        self._bell.wait(None if deadline is None else max(0.0, deadline - now))

    def _wake(self, channel: Channel) -> None:
        self._turns.wake(channel)
        self._bell.ring()

    def _begin(self, channel: Channel, run: Run) -> bool:
        work = channel.work
        try:
            entrypoint, args, context_data = self._call(channel, run)
        except Exception as error:
            # An event of a shape that nobody thought of is a failed event, and not the end of the service.
            log.exception('%s: an event cannot be given to %s()', channel.name, run.handler)
            self._ended(channel, work, run, Failed(error))
            return True
        if self._halted:
            return False
        self._is_starting = True
        try:
            return self._workers.spawn(
                entrypoint,
                args,
                context_data,
                timeout=run.timeout,
                ended=lambda outcome: self._ended(channel, work, run, outcome),
            )
        finally:
            self._is_starting = False

    def _ended(self, channel: Channel, work: ChannelWork, run: Run, outcome: Outcome) -> None:
        """A run has ended. As a rule several do before the green thread that starts them has its turn."""
        self._ends.setdefault(channel, []).append((work, run, outcome))
        if self._is_starting or self._thread is None:
            self._take_ends()  # that thread may wait for the pool, or is no more
        else:
            self._bell.ring()

    def _take_ends(self) -> None:
        while self._ends:
            channel = next(iter(self._ends))
            ends = self._ends.pop(channel)
            try:
                self._take_ends_of(channel, ends)
            except Exception as error:
                # A bug of ours, which is to hold up no other channel.
                log.exception('%s: the ends of handlers could not be told', channel.name)
                self._stop(channel, f'the ends of handlers could not be told: {error!r}')
            self._reruns.settle()

    def _take_ends_of(self, channel: Channel, ends: Iterable[tuple[ChannelWork, Run, Outcome]]) -> None:
        work, now = channel.work, self._clock()
        before = work.unfinished, work.characters
        effects: list[Effect] = []
        for of, run, outcome in ends:
            if of is not work:
                continue  # forgotten
            try:
                effects += work.ended(run, outcome, now)
            except Exception:
                # A bug of ours. The ends of the others are told all the same.
                log.exception('%s: the end of a handler could not be told', channel.name)
        effects += work.moved()
        self._count(channel, before)
        self.obey(channel, effects)
        self._turns.wake(channel)

    def _stored(self, channel: Channel, letter: DeadLettered) -> None:
        before = channel.work.unfinished, channel.work.characters
        effects = channel.work.letter_stored(letter)
        self._count(channel, before)
        self.obey(channel, effects)
        self._reruns.settle()

    # --- stopped channels --------------------------------------------------------------------------

    def _stop(self, channel: Channel, why: str) -> None:
        """Leave a channel alone: what waits for it must hold up nobody else."""
        if self.stops.add(channel, why):
            self._unsubscribe(channel)
            self._weigh(-channel.work.unfinished, -channel.work.characters)
            if self._beside.pop(channel, None) is not None:
                # What comes before these is dropped; all of it comes again by the next subscription.
                self.obey(channel, channel.poll_lost())

    def _go_on(self, channel: Channel) -> None:
        self._weigh(channel.work.unfinished, channel.work.characters)
        channel.work.resume()
        self._subscribe(channel)
        self._wake(channel)

    def forget(self) -> None:
        """Begin anew with all channels; what is under way ends without a word.

        No event is taken until `hear`.
        """
        self._fences += 1
        self._beside.clear()
        self._reruns.forget()
        for channel in self.channels:
            before = channel.work.unfinished, channel.work.characters
            channel.forget()
            self._count(channel, before)
        self.stops.resume_all()

    def hear(self) -> None:
        """All that had arrived before `forget` was called has been offered; as often as that was."""
        self._fences -= 1

    @property
    def is_fenced(self) -> bool:
        """What comes now had arrived before `forget` was called."""
        return self._fences > 0

    # --- what becomes of events --------------------------------------------------------------------

    def _position(self, channel: Channel) -> Position | None:
        """What is to be kept of a channel now; None: nothing of it is done."""
        newest = channel.work.committable
        return None if newest is None else channel.committed(newest, self._wall(), self._clock())

    def obey(self, channel: Channel, effects: Sequence[Effect]) -> None:
        """Carry out what a channel's work has said."""
        for effect in effects:
            match effect:
                case Mark():
                    if channel.durable:
                        self._positions.moved(channel.name, self._places[channel])
                case DeadLettered():
                    self._reruns.failed(effect.event)  # and not one that is run again after a stop
                    self.letters.put(channel, channel.name, effect)
                    _tell(channel, effect, 'it is kept as a dead letter')
                case Skipped():
                    self._reruns.failed(effect.event)
                    _tell(channel, effect, 'it is skipped')
                case HandlerStopped():
                    self._stop(channel, _tell(channel, effect, 'the channel is stopped'))
                case Unordered(handler=handler, error=error):
                    log.warning(
                        '%s: the key of %s() failed, and an event is handled without order: %r',
                        channel.name,
                        handler,
                        error,
                    )


def _tell(channel: Channel, what: DeadLettered | Skipped | HandlerStopped, then: str) -> str:
    error_type, error = error_of(what.outcome)
    text = (
        f'{what.handler}() has failed with event {replay_id_of(what.event.data)!r} for good, after '
        f'{what.attempts} attempts ({error_type}: {error}); {then}'
    )
    log.error('%s: %s', channel.name, text)
    return text


def _send(event: Event | None) -> None:
    if event is not None and not event.ready():
        event.send()
