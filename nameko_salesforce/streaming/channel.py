"""One channel of a service: its handlers' work, and where it is in the channel's log. Floor 4: pure.

Knows every position of the channel, with the times that belong to them; decides by `resume.py` where it is
subscribed from. Carries nothing out: what has to be kept or told is returned.

**Three positions.** *Received* is where a living process goes on, *committable* where the next one would, and
`mark` stands for both before the first event, or after a position was lost.

**`seen_until` is honest.** It says until when all events are handled, or told as lost: no later than the
channel was known to have brought its events, nor than the oldest event arrived, or was created, that is not
done. While a replay is coming, what has been brought ends with the newest arrival: the rest of a backlog may
be as old as that, and grow too old at the server when the process ends now. A connect that brought nothing
ends a replay. An arrival beside a poll counts once that is answered, as it does for the positions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.events import ChannelKind, created_at, creation_of, seconds_of
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.tracker import Mark
from nameko_salesforce.streaming.effects import Effect
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.resume import MARGIN, NEW_EVENTS, Gap, Halted, OnGap, Resume, Rules, resume
from nameko_salesforce.streaming.work import ChannelWork

__all__ = ['Channel']


class Channel:
    """What a service knows and does about one channel.

    Args:
        rules: see `Rules`.
        handlers: name of the handler -> what stands behind it; opaque here.
        options: of the same handlers.
        draw: gives a random number in [0, 1), for jitter.

    Attributes:
        durable: Salesforce keeps its events, so that there are positions.
        loaded: `begin` was called.
        active: it is subscribed to.
        seen: seconds since 1970 until which it is known to have been connected; 0.0: never yet.
        last_event_at: seconds since 1970 when the last event arrived; None: none did.
        gaps: lost positions so far.
        halted: why nothing is subscribed to or run any more, until somebody decides; '' as a rule.
        wakes_at: when the runner looks after it next; of the runner.
    """

    def __init__(
        self,
        rules: Rules,
        handlers: Mapping[str, Any],
        options: Sequence[HandlerOptions],
        draw: Callable[[], float],
    ) -> None:
        self.name = rules.channel
        self.kind = ChannelKind.of(rules.channel)
        self.durable = self.kind is not ChannelKind.OTHER
        self.handlers = handlers
        self.active = False
        self.last_event_at: float | None = None
        self.gaps = 0
        self.wakes_at: float | None = None
        self._rules = rules
        self._options = options
        self._draw = draw
        self.forget()

    def forget(self) -> None:
        """Begin anew, with work of its own: what is under way is of no use to any position."""
        self.work = ChannelWork(self._options, None, self._draw)
        self.loaded = False
        self.seen = 0.0
        # A replay is coming, and has brought what was created until then, as that says it; no later than.
        self._reached: tuple[str | float | None, float] | None = None
        # The same with what has come beside the poll that is under way.
        self._reached_beside: tuple[str | float | None, float] | None = None
        self._doubts = 0  # so many connects do not show yet that it is over
        self._settled = 0.0  # all from before is done, or was told as lost
        self.halted = ''
        self._gap: Halted | None = None  # told; the session goes on asking
        self._accepted = False
        self._mark: Position | None = None
        self._marked_at = 0.0
        self._promised = False  # what came after the mark is ours
        self._drop_before: float | None = None
        self._asked: Any = None
        self._lost: Any = None  # the id that was refused: not to be asked for again

    # --- where it goes on --------------------------------------------------------------------------

    def begin(self, stored: Position | None) -> None:
        """Learn what the store holds, once, before the first subscription."""
        self.loaded = True
        self.work.begin(stored)
        if stored is not None:
            self._promised = True
            self._settled = stored.seen_until
            self._keep(stored)

    def resume(self, refusal: str, now: float) -> tuple[Resume | Halted, Sequence[Effect]]:
        """Decide where to subscribe from.

        Args:
            refusal: the server's words where it refused the position that was asked for last; else ''.
            now: seconds since 1970.
        """
        if not self.durable:
            return Resume(NEW_EVENTS), ()
        if self._gap is not None:
            return self._gap, ()
        known = self.position
        if known is None or known.replay_id is None or known.replay_id != self._asked:
            refusal = ''
        if known is not None and (refusal or known.replay_id is None):
            # What has not been brought of a backlog is as old as the last that was; a mark is never refused.
            known = replace(known, seen_until=self._brought)
        rules = replace(self._rules, on_gap=OnGap.EARLIEST) if self._accepted else self._rules
        plan = resume(rules, known, refusal, now)
        if plan.gap is not None:
            self.gaps += 1
            self._accepted = False
            plan = replace(plan, gap=self._told(plan.gap))
        if isinstance(plan, Halted):
            self._gap = plan
            self.goes_on()
            return plan, ()
        if plan.gap is not None:
            self._settled = now
        if plan.position is not None:
            self._keep(plan.position)
            self._promised = known is not None
            self._lost = self.work.received
            # A next process would not find what is under way here, and by this it can tell.
            handled = max(self._settled, min(plan.position.seen_until, self._handled))
            plan = replace(plan, position=replace(plan.position, seen_until=handled))
        self._drop_before = plan.drop_before
        self._asked = plan.replay_from
        if plan.replay_from != NEW_EVENTS:
            # The connect that is under way meanwhile does not say what is still to come.
            self._expect_more(1)
        return plan, self.work.skipped_ahead() if plan.replay_from == NEW_EVENTS else ()

    def goes_on(self) -> None:
        """What has halted it is over, but for a lost position that nobody has decided about."""
        gap = self._gap
        self.halted = '' if gap is None else f"the position is lost ({gap.gap.reason}), and on_gap is 'fail'"

    def accept_gap(self) -> bool:
        """Go on in spite of a lost position and 'fail', with all that is kept; False: it is not lost."""
        if self._gap is None:
            return False
        self._gap = None
        self._accepted = True
        self.halted = ''
        return True

    @property
    def position(self) -> Position | None:
        """Where this process is; None where nothing is promised yet."""
        received = self.work.received
        if received is not None and received != self._lost:
            done = self.work.committable
            event_time = None if done is None else seconds_of(done.event_time)
            return Position(received, event_time, self.seen, self._marked_at)
        # Not as it was kept: a channel that has been quiet for days is not a lost one.
        return replace(self._mark, seen_until=self.seen) if self._mark and self._promised else None

    def mark(self, now: float, clock: float) -> Position | None:
        """The mark to be kept; None where an event's position is. Times as for `seen_until`."""
        if self._mark is None or self._mark.replay_id is not None or self.work.committable is not None:
            return None
        return replace(self._mark, seen_until=self.seen_until(now, clock))

    def committed(self, mark: Mark, now: float, clock: float) -> Position:
        """The position to be kept for an event with everything up to it done. Times as for `seen_until`."""
        event_time = seconds_of(mark.event_time)
        return Position(mark.replay_id, event_time, self.seen_until(now, clock), self._marked_at)

    def seen_until(self, now: float, clock: float) -> float:
        """Seconds since 1970 until which all events are handled, or told as lost.

        Args:
            now: seconds since 1970.
            clock: seconds of the clock that the work is given, at the same moment.
        """
        until = self._brought
        oldest = self.work.oldest
        if oldest is not None:
            created = oldest.created
            until = min(until, now - (clock - oldest.since), until if created is None else created)
        # What is not done may be older than a loss that was told, and is part of it. A time to come is of a
        # clock that was wrong.
        return max(until, self._settled) if self._settled <= now + MARGIN else until

    def lag(self, now: float, clock: float) -> float:
        """Seconds since the oldest event that is not done was created, or arrived; 0.0: all are done."""
        oldest = self.work.oldest
        if oldest is None:
            return 0.0
        arrived = clock - oldest.since
        created = oldest.created
        return max(0.0, arrived, 0.0 if created is None else now - created)

    def _keep(self, position: Position) -> None:
        self._mark = position
        self._marked_at = position.marked_at
        self.seen = position.seen_until
        self._reached = None

    @property
    def _brought(self) -> float:
        """Seconds since 1970; what was created until then has arrived."""
        if self._reached is None:
            return self.seen
        creation, latest = self._reached
        created = seconds_of(creation)
        return min(self.seen, latest) if created is None else min(self.seen, latest, created)

    @property
    def _handled(self) -> float:
        """Seconds since 1970; what was created until then is done, as far as events say when that was."""
        oldest = self.work.oldest
        created = None if oldest is None else oldest.created
        return self._brought if created is None else min(self._brought, created)

    def _told(self, gap: Gap) -> Gap:
        """A gap that begins where all was handled: what is under way would be lost with this process."""
        until = min(gap.seen_until, self._handled)
        return replace(gap, seen_until=until, age=max(0.0, gap.noticed_at - until))

    def _expect_more(self, doubts: int) -> None:
        if self._reached is None:
            # Before the mark nothing is promised.
            self._reached = None, max(self.seen, self._marked_at)
        self._doubts = max(self._doubts, doubts)

    # --- what arrives ------------------------------------------------------------------------------

    def arrived(
        self, events: Sequence[Delivery], now: float, clock: float, *, provisional: bool, characters: float
    ) -> Sequence[Effect]:
        """Events that came together; times as for `seen_until`, the rest as for `ChannelWork`."""
        self.last_event_at = now
        self._expect_more(1)
        effects = self._take_on(events, clock, provisional=provisional, characters=characters)
        reached = creation_of(events[-1].data), now
        if provisional:
            self._reached_beside = reached
        else:
            self._reached_beside = None
            self._has_reached(*reached)
        return effects

    def _take_on(
        self, events: Sequence[Delivery], clock: float, *, provisional: bool, characters: float
    ) -> Sequence[Effect]:
        if self._drop_before is None:
            return self.work.arrived(events, clock, provisional=provisional, characters=characters)
        effects: list[Effect] = []
        for event in events:
            created = created_at(event.data)
            if created is not None and created < self._drop_before:
                effects += self.work.pass_over(event, provisional=provisional)
            else:
                effects += self.work.arrived([event], clock, provisional=provisional, characters=characters)
        return effects

    def poll_answered(self) -> Sequence[Effect]:
        """The poll was answered that events have come beside: see `ChannelWork.poll_answered`."""
        reached, self._reached_beside = self._reached_beside, None
        if reached is not None:
            self._has_reached(*reached)
        return self.work.poll_answered()

    def poll_lost(self) -> Sequence[Effect]:
        """The poll failed that events have come beside: see `ChannelWork.poll_lost`."""
        self._reached_beside = None
        return self.work.poll_lost()

    def _has_reached(self, creation: str | float | None, arrived: float) -> None:
        self._promised = True
        self.seen = arrived
        self._reached = creation, arrived

    def subscribed(self, now: float) -> None:
        """It was subscribed to, which says nothing of what is still to come: seconds since 1970."""
        self._promised = True
        self.seen = now

    def connected(self, now: float) -> None:
        """A connect was answered while it was subscribed to: seconds since 1970."""
        self._promised = True
        self.seen = now  # also where the clock was put back: a time to come would hide a loss
        if self._doubts:
            self._doubts -= 1
        else:
            self._reached = None
