"""Where a channel is subscribed from, and what is told where that is not where it was left. Floor 4: pure.

One rule for a new process, which knows a stored position, and for a living one, which knows what it has
received. Decides nothing about when; and keeps nothing: whoever asks keeps the position that comes back.

    no position              begin as `start` says, and keep a mark
    older than is of use     lost
    refused by the server    lost, unless the channel is known to have been connected a short while ago: then
                             all that came after the position is still kept, and is asked for without an id
    a mark, no event yet     all that is kept; events from before the mark are passed over
    otherwise                after the position

A lost position is told as a `Gap`, once, and replaced by a mark, so that no later attempt finds it again.
Source: Streaming API Developer Guide, "Message Durability" (replay options -1 and -2).
"""

from dataclasses import dataclass, replace
from enum import Enum

from nameko_salesforce.replay.position import Position, ReplayId

__all__ = ['ALL_EVENTS', 'NEW_EVENTS', 'Gap', 'Halted', 'OnGap', 'Resume', 'Rules', 'Start', 'resume']

# In the replay map of a subscription.
NEW_EVENTS = -1
ALL_EVENTS = -2

# Seconds. Events are not replayed in the order of their creation: one of a long transaction comes after
# younger ones. No transaction of Apex or of a bulk load lasts longer than ten minutes; the rest is for
# clocks that differ.
MARGIN = 900.0

# Seconds. A channel that was connected within the retention less this has lost nothing.
LEEWAY = 3600.0

# Seconds. What is still kept at the decision may not be any more when the server answers the subscription.
UNTIL_ANSWERED = 60.0


class Start(Enum):
    """Where a service begins that knows no position, as the decorators take it: `start='earliest'`."""

    LATEST = 'latest'
    EARLIEST = 'earliest'


class OnGap(Enum):
    """Where it goes on after a lost position, as the decorators take it: `on_gap='latest'`."""

    EARLIEST = 'earliest'
    LATEST = 'latest'
    FAIL = 'fail'


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Events of a channel may have been missed.

    Attributes:
        channel: as subscribed to.
        reason: why the position is of no use, in words.
        replay_id: the lost position; None where no event had been handled yet.
        event_time: seconds since 1970 when its event was created; None where that is not known.
        seen_until: seconds since 1970; events from before it were handled.
        age: seconds between that and the notice.
        chosen: where the channel goes on.
        noticed_at: seconds since 1970.
    """

    channel: str
    reason: str
    replay_id: ReplayId | None
    event_time: float | None
    seen_until: float
    age: float
    chosen: OnGap
    noticed_at: float


@dataclass(frozen=True, slots=True)
class Resume:
    """Subscribe.

    Attributes:
        replay_from: for the replay map.
        drop_before: seconds since 1970; events created before are done or outside the promise. None: none.
        position: to be kept in place of the one before; None: that stays.
        gap: to be told.
    """

    replay_from: ReplayId
    drop_before: float | None = None
    position: Position | None = None
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Halted:
    """Do not subscribe, until somebody decides: `on_gap='fail'`."""

    gap: Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What decides about one channel.

    Attributes:
        channel: as subscribed to.
        retention: seconds that Salesforce keeps its events.
        greatest_age: seconds since it was last connected after which a position is of no use, where that is
            shorter.
        start, on_gap: of its decorators.
    """

    channel: str
    retention: float
    greatest_age: float
    start: Start = Start.LATEST
    on_gap: OnGap = OnGap.EARLIEST


def resume(rules: Rules, position: Position | None, refusal: str, now: float) -> Resume | Halted:
    """Decide for one subscription.

    Args:
        position: the one stored, or what this process has received; None: there is none.
        refusal: the server's words where it has just refused this very position; else ''.
        now: seconds since 1970.
    """
    if position is None:
        return _first(rules, now)
    if position.replay_id is None and position.seen_until == 0.0:
        # A mark of a subscription that nobody knows to have come about.
        old = now - position.marked_at > rules.greatest_age
        return _first(rules, now) if old else Resume(ALL_EVENTS, _drop_before(_mark_of(position, now)))
    age = position.age(now)
    of_use = min(rules.greatest_age, rules.retention - UNTIL_ANSWERED)
    if age > of_use:
        return _lost(
            rules,
            position,
            f'last connected {_hours(age)} ago; positions are used for {_hours(of_use)}',
            now,
        )
    if position.replay_id is None:
        return Resume(ALL_EVENTS, _drop_before(_mark_of(position, now)))
    if not refusal:
        return Resume(position.replay_id)
    if age > rules.retention - LEEWAY or position.seen_until > now + MARGIN:
        # The latter was written by a clock that was wrong then, or is now: its age is not known.
        return _lost(rules, position, f'refused: {refusal}', now)
    mark = _mark_of(position, now)
    return Resume(ALL_EVENTS, _drop_before(mark), mark)


def _first(rules: Rules, now: float) -> Resume:
    """Its mark says 0 for `seen_until` until the channel was connected: nothing is promised before."""
    if rules.start is Start.EARLIEST:
        return Resume(ALL_EVENTS, None, Position(None, None, 0.0, 0.0))
    return Resume(NEW_EVENTS, None, Position(None, None, 0.0, now))


def _lost(rules: Rules, position: Position, reason: str, now: float) -> Resume | Halted:
    gap = Gap(
        channel=rules.channel,
        reason=reason,
        replay_id=position.replay_id,
        event_time=position.event_time,
        seen_until=position.seen_until,
        age=position.age(now),
        chosen=rules.on_gap,
        noticed_at=now,
    )
    match rules.on_gap:
        case OnGap.FAIL:
            return Halted(gap)
        case OnGap.LATEST:
            return Resume(NEW_EVENTS, None, Position(None, None, now, now), gap)
        case OnGap.EARLIEST:
            mark = replace(_mark_of(position, now), seen_until=now)
            return Resume(ALL_EVENTS, _drop_before(mark), mark, gap)


def _mark_of(position: Position, now: float) -> Position:
    """A mark in place of an id: what was created long before its event is done.

    A mark from a time to come was made by a clock that was wrong then, or is now, and bounds nothing: all
    real events may be from before it.
    """
    marked_at = position.marked_at if position.marked_at <= now + MARGIN else 0.0
    if position.replay_id is None:
        return replace(position, marked_at=marked_at)
    # By Salesforce's clock, like the events that it is compared with.
    known = 0.0 if position.event_time is None else position.event_time
    return Position(None, None, position.seen_until, max(known, marked_at))


def _drop_before(mark: Position) -> float | None:
    return mark.marked_at - MARGIN if mark.marked_at > MARGIN else None


def _hours(seconds: float) -> str:
    return f'{seconds / 3600:.1f} h' if seconds >= 360 else f'{seconds:.0f} s'
