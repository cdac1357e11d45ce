"""What became of the published events, as the diary and the dead letters tell. Pure.

Lost: a handler that was promised an event neither did it nor left a dead letter.

Order, for the events of one record:
    - No call begins before every earlier event was done at least once, in whatever life.
    - Within one life, none begins while another one is under way, nor after a later one was done.
Events whose dead letter is kept count as done. Of a batch, the order within counts.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.crash.diary import Entry, Step

__all__ = ['Expected', 'Life', 'Tally', 'Verdict', 'judge']


@dataclass(frozen=True, slots=True)
class Expected:
    """What a handler should have got.

    Attributes:
        keys: of each event by its replay id, oldest first.
        promised: the first so many events are promised to nobody.
    """

    keys: Mapping[int, Sequence[str]]
    promised: int = 0

    @property
    def ids(self) -> set[int]:
        """Of the events that must not be lost."""
        return set(list(self.keys)[self.promised :])


@dataclass(slots=True)
class Tally:
    """What became of the events of one handler.

    Attributes:
        done: how often each event was done.
        letters: events with a dead letter.
        lost: promised, and neither.
    """

    published: int
    done: dict[int, int]
    letters: set[int]
    lost: list[int]

    @property
    def duplicates(self) -> int:
        """How often an event was done that had been done before."""
        return sum(self.done.values()) - len(self.done)


@dataclass(slots=True)
class Life:
    """One process.

    Attributes:
        begun: calls.
        running: those that have begun and not ended, here: at its end.
    """

    begun: int = 0
    running: set[tuple[str, tuple[int, ...]]] = field(default_factory=set)

    def follow(self, entry: Entry) -> None:
        """Take the next line of this life."""
        call = (entry.handler, entry.replay_ids)
        if entry.step is Step.BEGUN:
            self.begun += 1
            self.running.add(call)
        else:
            self.running.discard(call)


@dataclass(slots=True)
class Verdict:
    """What a run has shown.

    Attributes:
        broken: what was not in order, as sentences.
        repeated: events that one process did twice, as sentences.
        unknown: events that nobody published, as sentences.
        gaps: positions that were lost.
    """

    tallies: dict[str, Tally] = field(default_factory=dict)
    lives: dict[int, Life] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    gaps: int = 0


def judge(
    expected: Mapping[str, Expected],
    entries: Iterable[Entry],
    letters: Mapping[str, Collection[int]],
) -> Verdict:
    """Compare.

    Args:
        expected: of each handler.
        entries: the diary.
        letters: replay ids of each handler's dead letters.
    """
    verdict = Verdict()
    orders = {name: _Order(each.keys, set(letters.get(name, ()))) for name, each in expected.items()}
    done: dict[str, dict[int, int]] = {name: defaultdict(int) for name in expected}
    done_here: set[tuple[str, int]] = set()
    now = 0
    for number, entry in enumerate(entries, 1):
        if entry.life != now:
            now = entry.life
            done_here.clear()
            for order in orders.values():
                order.new_life()
        if entry.step is Step.GAP:
            verdict.gaps += 1
            continue
        verdict.lives.setdefault(now, Life()).follow(entry)
        where = f'line {number}, life {now}, {entry.handler}()'
        strange = [each for each in entry.replay_ids if each not in expected[entry.handler].keys]
        if strange:
            verdict.unknown.append(f'{where}: {strange}')
            continue
        order = orders[entry.handler]
        if entry.step is Step.BEGUN:
            verdict.broken += [f'{where}: {each}' for each in order.begin(entry.replay_ids)]
        else:
            order.end(entry.replay_ids, entry.step is Step.DONE)
        if entry.step is Step.DONE:
            for each in entry.replay_ids:
                done[entry.handler][each] += 1
                if (entry.handler, each) in done_here:
                    verdict.repeated.append(f'{where}: {each}')
                done_here.add((entry.handler, each))
    for name, wanted in expected.items():
        kept = set(letters.get(name, ()))
        lost = sorted(wanted.ids - set(done[name]) - kept)
        verdict.tallies[name] = Tally(len(wanted.keys), dict(done[name]), kept, lost)
    return verdict


class _Order:
    """Watches the calls of one handler."""

    def __init__(self, keys: Mapping[int, Sequence[str]], letters: set[int]) -> None:
        self._keys = keys
        self._done = letters
        self._events: dict[str, list[int]] = defaultdict(list)
        self._places: dict[tuple[str, int], int] = {}
        for replay_id, about in keys.items():
            for key in about:
                self._places[key, replay_id] = len(self._events[key])
                self._events[key].append(replay_id)
        self._first_open: dict[str, int] = defaultdict(int)
        self.new_life()

    def new_life(self) -> None:
        self._running: dict[str, set[int]] = defaultdict(set)
        self._latest: dict[str, int] = {}

    def begin(self, ids: Sequence[int]) -> Iterable[str]:
        """Note a call; gives what is wrong with it."""
        before: set[int] = set()
        for replay_id in ids:
            for key in self._keys[replay_id]:
                place = self._places[key, replay_id]
                missing = self._open_before(key, place, before)
                if missing is not None:
                    yield f'{replay_id} of {key} begins, and {missing} was never done'
                if self._running[key] - before:
                    yield f'{replay_id} of {key} begins beside {sorted(self._running[key] - before)}'
                if place < self._latest.get(key, 0):
                    later = self._events[key][self._latest[key]]
                    yield f'{replay_id} of {key} begins after {later}'
                self._running[key].add(replay_id)
            before.add(replay_id)

    def end(self, ids: Sequence[int], done: bool) -> None:
        """Note that a call has ended."""
        for replay_id in ids:
            if done:
                self._done.add(replay_id)
            for key in self._keys[replay_id]:
                self._running[key].discard(replay_id)
                if done:
                    self._latest[key] = max(self._places[key, replay_id], self._latest.get(key, 0))

    def _open_before(self, key: str, place: int, besides: set[int]) -> int | None:
        """The first event of a record before this place that was never done."""
        events = self._events[key]
        first = self._first_open[key]
        while first < len(events) and events[first] in self._done:
            first += 1
        self._first_open[key] = first
        missing = (each for each in events[first:place] if each not in self._done and each not in besides)
        return next(missing, None)
