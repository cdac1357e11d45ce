"""The parts of a service that own green threads, taken in steps: their books are real, their waits are not.

What a green thread would wait for (a store's answer, the end of a pause, something to do) is an entry in the
agenda of the world. A store takes time: a call has its effect in the middle, and is answered at the end, so
that a process can die in between.
"""

from collections.abc import Callable, Mapping
from typing import Any

from nameko_salesforce.bayeux.outcomes import Ended, Outcome
from nameko_salesforce.replay.committer import HURRIED, Committer
from nameko_salesforce.replay.memory_store import MemoryStore
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.store import DeadLetter, StoreFailed
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.effects import DeadLettered, Run
from nameko_salesforce.streaming.letters import PAUSES, Letters
from nameko_salesforce.streaming.runner import Runner

__all__ = ['StoreModel', 'SteppedCommitter', 'SteppedLetters', 'SteppedRunner', 'SteppedWorkers']


def nothing(_: Callable[[], None]) -> None:
    """In place of starting a green thread."""


class StoreModel:
    """What outlives every process.

    Attributes:
        down: refuses everything.
        unsure: does what it is asked for and then does not answer in time.
        lag: seconds that a call takes.
    """

    place = 'a model'
    lasting = True

    def __init__(self, world: Any) -> None:
        self.down = self.unsure = False
        self.lag = 0.01
        self._world = world
        self._inner = MemoryStore()

    def load(self, channel: str) -> Position | None:
        if self.down or self.unsure:
            self._fail('load fails')
        return self._inner.load(channel)

    def save(self, positions: Mapping[str, Position]) -> None:
        if self.down:
            self._fail('save fails')
        self._inner.save(positions)
        for channel, position in positions.items():
            self._world.logs[channel].saved(position, self._world.wall)
        if self.unsure:
            self._fail('save is unsure')

    def add_dead_letter(self, letter: DeadLetter) -> int:
        if self.down:
            self._fail('letter fails')
        dropped = self._inner.add_dead_letter(letter)
        self._world.logs[letter.channel].letter_stored(letter)
        if self.unsure:
            self._fail('letter is unsure')
        return dropped

    def close(self) -> None:
        """There is nothing to close."""

    def _fail(self, fault: str) -> None:
        self._world.strike(fault)
        raise StoreFailed(fault)


class SteppedCommitter(Committer):
    """Saves when the real one would."""

    def __init__(self, store: StoreModel, process: Any) -> None:
        world = process.world
        super().__init__(store, clock=lambda: world.now, spawn=nothing, draw=world.random.random)
        self.hurried = False
        self._process = process
        self._world = world
        self._model = store
        self._busy = False
        self._begun = float('-inf')

    def commit(self, channel: str, position: Position) -> None:
        super().commit(channel, position)
        self._poke()

    def moved(self, channel: str, position: Callable[[], Position | None]) -> None:
        super().moved(channel, position)
        self._poke()

    def _renew(self) -> None:
        super()._renew()
        self._poke()

    def hurry(self) -> None:
        self.hurried = True
        self.settle()
        self._renew()

    def _poke(self) -> None:
        if (self._waiting or self._moved) and not self._busy:
            self._busy = True
            wait = 0.0 if self.hurried else self._begun + self._distance - self._world.now
            self._process.later(max(0.0, wait), self._begin)

    def _begin(self) -> None:
        self.settle()
        if not self._waiting:
            self._busy = False
            return
        self._begun = self._world.now
        self._saving, self._waiting = self._waiting, {}
        saving = self._saving
        self._world.later(self._model.lag / 2, lambda: self._reach(saving))

    def _reach(self, saving: dict[str, Position]) -> None:
        """The store does it, whether or not somebody still waits for the answer."""
        torn = self._process.alive and self._world.tear('before')
        try:
            self._store.save(saving)
            saved = True
        except StoreFailed as problem:
            saved = False
            if self._process.alive:
                self._failed(str(problem), None)
        if not torn and self._process.alive and not self._world.tear('after'):
            self._process.later(self._model.lag / 2, lambda: self._answered(saved))

    def _answered(self, saved: bool) -> None:
        positions, self._saving = self._saving, {}
        self._busy = False
        if saved:
            self.saved.update(positions)
            self._succeeded(len(positions))
            self._poke()
            return
        self._waiting = {**positions, **self._waiting}
        self._busy = True
        pauses = HURRIED if self.hurried else self._pauses
        self._process.later(pauses.delay(self._failed_in_a_row, self._draw()), self._begin)


class SteppedLetters(Letters):
    """Stores one letter after the other, as the real one does."""

    def __init__(self, process: Any, stored: Callable[[Channel, DeadLettered], None]) -> None:
        world = process.world
        super().__init__(
            lambda: process.positions.store,
            stored,
            spawn=nothing,
            clock=lambda: world.now,
            wall=lambda: world.wall,
            draw=world.random.random,
        )
        self._process = process
        self._failures = 0
        self._busy = False

    def put(self, owner: Channel, channel: str, letter: DeadLettered) -> None:
        super().put(owner, channel, letter)
        self._poke()

    def _poke(self) -> None:
        if self._waiting and not self._busy:
            self._busy = True
            self._process.later(self._process.world.store.lag / 2, self._reach)

    def _reach(self) -> None:
        first = self._waiting[0]
        added = self._add(first, self._failures)
        self._process.later(self._process.world.store.lag / 2, lambda: self._answered(added))

    def _answered(self, added: bool) -> None:
        self._busy = False
        if added:
            self._failures = 0
            first = self._waiting.popleft()
            self._stored(first.owner, first.letter)
            self._poke()
        else:
            self._failures += 1
            self._busy = True
            self._waiting.rotate(-1)
            self._process.later(PAUSES.delay(self._failures, self._draw()), self._reach)


class SteppedWorkers:
    """Slots for handlers; how long one takes and how it ends is up to the world.

    Attributes:
        killed: the container takes no more work.
    """

    def __init__(self, process: Any, slots: int) -> None:
        self.killed = False
        self.running: dict[int, Callable[[], None]] = {}
        self._process = process
        self._slots = slots
        self._numbers = 0

    @property
    def free(self) -> bool:
        return len(self.running) < self._slots

    def spawn(
        self,
        entrypoint: Any,
        args: tuple[Channel, Run],
        context_data: dict[str, Any],
        *,
        timeout: float | None,
        ended: Callable[[Outcome], None],
    ) -> bool:
        world, (channel, run) = self._process.world, args
        if self.killed:
            world.strike('handler not run')
            ended(Ended.NOT_RUN)
            return False
        log = world.logs[channel.name]
        log.started(run.handler, run.events, world.wall)
        seconds, outcome = world.fate_of(log, run)
        if timeout is not None and seconds >= timeout:
            seconds, outcome = timeout, Ended.TIMED_OUT
        self._numbers += 1
        number = self._numbers

        def end() -> None:
            if self.running.pop(number, None) is None:
                return
            if outcome is Ended.HANDLED:
                log.fates[run.handler].handled |= {log.find(each).place for each in run.events}
            else:
                name = outcome.name.lower().replace('_', ' ') if isinstance(outcome, Ended) else 'failed'
                world.strike(f'handler {name}')
            ended(outcome)

        self.running[number] = end
        self._process.later(seconds, end)
        return True


class SteppedRunner(Runner):
    """Starts one run at a time when it is asked to, and never waits."""

    def __init__(self, process: Any, channels: list[Channel], workers: SteppedWorkers, limit: int) -> None:
        world = process.world
        super().__init__(
            channels,
            workers,  # type: ignore[arg-type]
            lambda channel, run: (None, (channel, run), {}),
            brake=process.put_on_brake,
            release=process.take_off_brake,
            positions=process.positions,
            subscribe=process.subscribe_to,
            unsubscribe=process.unsubscribe_from,
            limit=limit,
            spawn=nothing,
            clock=lambda: world.now,
            wall=lambda: world.wall,
            draw=world.random.random,
        )
        self.letters = SteppedLetters(process, self._stored)
        self._world = world
        self._stepped = workers
        self._alarm = float('inf')
        self._waits = False

    def blocks(self, channel: Channel) -> bool:
        """Whether an event of the channel has to wait for room."""
        waits = self._load.is_full and channel.durable and channel not in self.stops
        if waits and not self._waits:
            self._wait_begins()
        elif self._waits and not waits:
            self._wait_ends()
        self._waits = waits
        return waits

    @property
    def room(self) -> int:
        """Events that can be taken before one has to wait."""
        return self._load.room(self._size)

    def is_stopped(self, channel: Channel) -> bool:
        return channel in self.stops

    def go_on(self) -> float | None:
        """Start what can be started; when to look again, where that is news."""
        while not self._halted and self._stepped.free:
            found = self._next()
            if found is None or not self._begin(*found):
                break
        if self._halted or not self._stepped.free:
            return None  # the end of a run asks again
        if self._alarm <= self._clock():
            self._alarm = float('inf')
        deadline = self._turns.deadline
        if deadline is not None and deadline < self._alarm:
            self._alarm = deadline
            return deadline
        return None

    def obey(self, channel: Channel, effects: Any) -> None:
        for each in effects:
            self._world.note(channel, each)
        super().obey(channel, effects)

    def _wait(self, now: float) -> None:
        """Nobody waits here: `go_on` is called whenever something has happened."""
