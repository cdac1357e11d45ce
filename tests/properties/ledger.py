"""What was published and what became of it: plain lists, with the promises of the service looked up in them.

Knows nothing of sessions, trackers or positions in memory. It is told what an outsider can see: what was
published, which handler was called with what and how that ended, what the store holds, what was told. Places
are those in the channel's log, from 1; times are seconds since 1970.

**What is promised.** From the first moment at which the store holds a position that says until when events
were seen, every event that is published is handled by every handler, skipped or kept as a dead letter, or
lies in a span that a told gap names. With `start='earliest'` also those that the server had at that moment.

**Order.** No handler that asks for it is called with an event while an earlier promised one of its records
(an overflow stands for all) is neither done nor given up in front of it. One exception: an event that came
beside a poll, from which earlier ones may come later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.events import replay_id_of
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.store import DeadLetter
from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.resume import LEEWAY, Gap, OnGap, Start

ALL = ('all records',)

# Seconds by which a client may take a poll's answer for fresher than it is: the ways there and back, and the
# longest delay that a fault gives an answer.
FRESHNESS = 6.0


@dataclass(slots=True, eq=False)
class Published:
    """One event, as its publisher knows it."""

    place: int
    replay_id: int | str
    at: float
    about: tuple[str, ...]
    poison: bool
    # Per process: as which it has arrived, 0 where it has not, and whether beside a poll.
    arrived: int = 0
    beside: bool = False

    def stands_against(self, other: 'Published', order: Order) -> bool:
        if order is Order.NONE:
            return False
        if order is Order.CHANNEL or ALL in (self.about, other.about):
            return True
        return not set(self.about).isdisjoint(other.about)


@dataclass(slots=True)
class Fate:
    """What one handler has made of the events of a channel: places."""

    order: Order
    handled: set[int] = field(default_factory=set)
    skipped: set[int] = field(default_factory=set)
    lettered: set[int] = field(default_factory=set)  # the letter is in the store
    given_up: set[int] = field(default_factory=set)  # said so, whatever the store holds
    done: int = 0  # all up to this place are settled or nobody's business, for good

    def settled(self, place: int) -> bool:
        return place in self.handled or place in self.lettered or place in self.skipped


class Log:
    """One channel."""

    def __init__(self, name: str, orders: dict[str, Order], retention: float, start: Start) -> None:
        self.name = name
        self.events: list[Published] = []
        self.by_id: dict[int | str, Published] = {}
        self.fates = {handler: Fate(order) for handler, order in orders.items()}
        self.retention = retention
        self.start = start
        self.promised_from: float | None = None
        self.stored: Position | None = None
        self.gaps: list[Gap] = []
        self._arrivals = 0

    # --- what happens ------------------------------------------------------------------------------

    def publish(self, replay_id: int | str, at: float, about: tuple[str, ...], *, poison: bool) -> Published:
        event = Published(len(self.events) + 1, replay_id, at, about, poison)
        self.events.append(event)
        self.by_id[replay_id] = event
        return event

    def find(self, delivery: Delivery) -> Published:
        replay_id = replay_id_of(delivery.data)
        assert replay_id is not None
        assert replay_id in self.by_id, f'{self.name}: an event that nobody published'
        return self.by_id[replay_id]

    def process_began(self) -> None:
        for each in self.events:
            each.arrived, each.beside = 0, False
        self._arrivals = 0

    def arrived(self, delivery: Delivery, *, beside: bool) -> None:
        event = self.find(delivery)
        if not event.arrived:
            self._arrivals += 1
            event.arrived, event.beside = self._arrivals, beside

    def started(self, handler: str, deliveries: Sequence[Delivery], now: float) -> None:
        """A handler is called."""
        fate = self.fates[handler]
        events = [self.find(each) for each in deliveries]
        places = [each.place for each in events]
        for event in events:
            for earlier in self.events[fate.done : event.place - 1]:
                if not event.stands_against(earlier, fate.order) or not self.is_promised(earlier):
                    continue
                before = places.index(event.place)
                fine = (
                    fate.settled(earlier.place)
                    or earlier.place in fate.given_up
                    or earlier.place in places[:before]
                    or (event.beside and not 0 < earlier.arrived < event.arrived)
                    or self.is_excused(earlier, now)
                )
                assert fine, f'{self.name}: {handler}() got event {event.place} before {earlier.place}'

    def saved(self, position: Position, now: float) -> None:
        """The store holds this now."""
        self.stored = position
        if position.replay_id is not None:
            assert position.seen_until > 0.0, f'{self.name}: a position of no known age'
        if position.seen_until > 0.0 and self.promised_from is None:
            earliest = self.start is Start.EARLIEST
            self.promised_from = now - self.retention if earliest else now
        done = self.done(now)
        if position.replay_id is not None:
            assert position.replay_id in self.by_id, f'{self.name}: a position that no event has'
            place = self.by_id[position.replay_id].place
            assert place <= done, f'{self.name}: {place} is committed, and {done + 1} is unhandled'
        seen = position.seen_until - FRESHNESS
        for event in self.events[done:]:
            if event.at >= seen:
                break
            told = not self.is_promised(event) or self._naming(event) or self._is_settled(event)
            claim = f'said to be handled until {seen:.3f}'
            assert told, f'{self.name}: {claim}, and {event.place} of {event.at:.3f} is not'

    def letter_stored(self, letter: DeadLetter) -> None:
        assert letter.replay_id is not None
        self.fates[letter.handler].lettered.add(self.by_id[letter.replay_id].place)

    def gap_told(self, gap: Gap) -> None:
        assert gap.age > self.retention - LEEWAY, f'{self.name}: a gap where nothing can be missing: {gap}'
        self.gaps.append(gap)

    # --- what is promised --------------------------------------------------------------------------

    def is_promised(self, event: Published) -> bool:
        return self.promised_from is not None and event.at >= self.promised_from

    def is_excused(self, event: Published, now: float) -> bool:
        """Whether a gap was told that names it, and it was not to be had, or not asked for."""
        gone = event.at + self.retention <= now
        return any(gone or each.chosen is OnGap.LATEST for each in self._naming(event))

    def _naming(self, event: Published) -> list[Gap]:
        """The gaps whose span holds it. Where new events are asked for, that takes the time of a request."""
        return [
            each
            for each in self.gaps
            if each.seen_until - FRESHNESS
            <= event.at
            <= each.noticed_at + (FRESHNESS if each.chosen is OnGap.LATEST else 0.0)
        ]

    def _is_settled(self, event: Published) -> bool:
        return all(fate.settled(event.place) for fate in self.fates.values())

    @property
    def is_kept(self) -> bool:
        """Whether the store holds the position of the last event.

        Where that came beside a poll, what was published before it may have arrived behind it. The position
        names the last arrival then, and the next process gets the last event once more.
        """
        if self.stored is None or self.stored.replay_id is None:
            return False
        last, kept = self.events[-1], self.by_id[self.stored.replay_id]
        return kept is last or (last.beside and kept.arrived == self._arrivals)

    def done(self, now: float) -> int:
        """The place up to which nothing is left to be handled."""
        for fate in self.fates.values():
            while fate.done < len(self.events):
                event = self.events[fate.done]
                if not self.is_promised(event) and self.promised_from is None:
                    break  # may be promised yet
                if self.is_promised(event) and not (fate.settled(event.place) or self.is_excused(event, now)):
                    break
                fate.done += 1
        if self.promised_from is None:
            return len(self.events)
        return min(fate.done for fate in self.fates.values())

    def check_all_done(self, now: float) -> None:
        done = self.done(now)
        assert done == len(self.events), f'{self.name}: event {done + 1} is lost'
