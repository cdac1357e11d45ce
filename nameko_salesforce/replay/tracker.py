"""What of one channel has arrived and is done, and how far its positions may move. Floor 3: pure.

Decides which id a living process subscribes from again (*received*), which one a store may keep for the
next process (*committable*), and whether an arrival is only a re-delivery. Ids are opaque: they are
compared for equality alone, and order is the order of arrival. It never looks at what an event holds.

Two lanes bring events. What comes on one of them while there is an exchange on the other is *provisional*:
that one's answer, still on its way or lost, may hold earlier events. Hence
    poll_answered   all that has arrived stands. Whether the events of one lane come before or after those of
                    the other cannot be known, so that a mixture of them is done as a whole or not at all
    poll_lost       what arrived since is put out of the order. It comes again, behind what was lost, and
                    takes its place then, without being run twice
"""

from collections import deque
from typing import Any, NamedTuple

from nameko_salesforce.replay.position import Position, ReplayId

__all__ = ['Mark', 'Ticket', 'Tracker']


class Mark(NamedTuple):
    """An event as a position names it.

    Attributes:
        replay_id: opaque.
        event_time: when it was created, as it arrived with it: opaque.
    """

    replay_id: ReplayId
    event_time: Any


class Ticket:
    """One event, to be handed back when it is done. Equal to itself alone.

    Args:
        replay_id: None where the event has none: no position waits for it or names it.
        event_time: when it was created: opaque.
    """

    __slots__ = ('done', 'event_time', 'following', 'group', 'previous', 'reached', 'replay_id')

    def __init__(self, replay_id: ReplayId | None, event_time: Any) -> None:
        self.replay_id = replay_id
        self.event_time = event_time
        self.done = False
        self.group: _Group | None = None
        # The line of the tracker: the neighbours that are not done either, and what names the last arrival
        # that is done between this one and the following. So done events cost no memory, whatever they wait
        # behind.
        self.previous: Ticket | None = None
        self.following: Ticket | None = None
        self.reached: Names | None = None


# What a `Mark` is made of.
Names = tuple[ReplayId, Any]


class _Group(Ticket):
    """What has arrived since the first provisional event.

    It stands in the line before them like an event that is not done, and so nothing passes it.
    """

    __slots__ = ('answered', 'lost', 'mixed', 'unfinished')

    def __init__(self) -> None:
        super().__init__(None, None)
        self.unfinished = 0
        self.mixed = False  # of both lanes
        self.answered = False
        self.lost = False


class Tracker:
    """One channel's arrivals.

    Invariants:
        - Nothing committable is unfinished: it is done, and so is all that came before it in the stream.
        - Neither position passes a provisional arrival before its poll is answered.
        - Memory is bounded by what is in flight plus the window.
        - An id that is in flight, or among the last `window` done ones, is not taken on again.

    Args:
        committed: where the process began; None where nothing was known.
        window: ids that are remembered after they are done. 1,000 is more than two full responses of the
            100 events Salesforce sends, and what one lost poll can bring again.
    """

    def __init__(self, committed: Position | None, *, window: int = 1000) -> None:
        self._window = window
        self._open: dict[ReplayId, Ticket] = {}
        self._nameless = 0
        self._done: dict[ReplayId, _Group | None] = {}
        self._done_order: deque[ReplayId] = deque()
        self._group: _Group | None = None
        self._received: ReplayId | None = None
        self._latest: ReplayId | None = None
        # A ring: before the first and behind the last stands `_start`, which is never done.
        self._start = self._last = Ticket(None, None)
        self._marked: Names | None = None
        self._mark: Mark | None = None
        self.begin(committed)

    def begin(self, committed: Position | None) -> None:
        """Learn where the process began, before anything has arrived."""
        if committed is not None and committed.replay_id is not None:
            self._received = self._latest = committed.replay_id
            self._start.reached = (committed.replay_id, committed.event_time)
            self._remember(committed.replay_id, None)

    @property
    def received(self) -> ReplayId | None:
        """The id to subscribe from again inside this process; None where nothing with an id has arrived."""
        return self._received

    @property
    def committable(self) -> Mark | None:
        """The last event with everything up to it done, the same object until it moves; None: none yet."""
        reached = self._start.reached
        if reached is not self._marked and reached is not None:
            self._marked = reached
            self._mark = Mark(*reached)
        return self._mark

    @property
    def in_flight(self) -> int:
        """Events that were taken on and are not done."""
        return len(self._open) + self._nameless

    def arrived(self, ticket: Ticket, *, provisional: bool = False) -> bool:
        """Take an event on, in the order of arrival.

        Args:
            ticket: a new one.
            provisional: it came while there was an exchange on the other lane.
        Returns:
            False where it is a re-delivery of one that is in flight or done: its ticket counts for nothing.
        """
        replay_id = ticket.replay_id
        if replay_id is None:
            self._nameless += 1
            return True
        group = self._group
        if provisional:
            if group is None:
                group = self._group = _Group()
                self._append(group)
        elif group is not None:
            group.mixed = True
        self._latest = replay_id
        if group is None:
            self._received = replay_id
        known = self._open.get(replay_id)
        if known is not None:
            if known.group is not None and known.group.lost:
                self._join(known, group)
            return False
        if replay_id in self._done:
            before = self._done[replay_id]
            if before is not None and before.lost:
                self._done[replay_id] = group
                self._last.reached = (replay_id, ticket.event_time)
            return False
        self._open[replay_id] = ticket
        self._join(ticket, group)
        return True

    def done(self, ticket: Ticket) -> None:
        """All handlers are done with an event. More than once is harmless."""
        if ticket.done:
            return
        ticket.done = True
        replay_id = ticket.replay_id
        if replay_id is None:
            self._nameless -= 1
            return
        group = ticket.group
        del self._open[replay_id]
        self._remember(replay_id, group)
        if group is None:
            self._leave(ticket, (replay_id, ticket.event_time))
        elif not group.lost:
            self._leave(ticket, (replay_id, ticket.event_time))
            group.unfinished -= 1
            self._settle(group)

    def mixed(self) -> None:
        """Provisional events came on both lanes: nobody knows in which order the server has sent them."""
        if self._group is not None:
            self._group.mixed = True

    def poll_answered(self) -> None:
        """All that may hold earlier events has arrived: what was provisional stands."""
        group, self._group = self._group, None
        self._received = self._latest
        if group is not None:
            group.answered = True
            self._settle(group)

    def poll_lost(self) -> None:
        """What may hold earlier events failed: subscribe again from before the first provisional arrival."""
        group, self._group = self._group, None
        self._latest = self._received
        if group is None:
            return
        group.lost = True
        before = group.previous
        assert before is not None
        each = group.following
        while each is not None and each is not self._start:
            following = each.following
            each.previous = each.following = each.reached = None
            each = following
        before.following = self._start
        self._start.previous = self._last = before
        group.previous = group.following = group.reached = None

    def skipped_ahead(self) -> None:
        """The channel was resumed at new events only, behind all that has arrived.

        What `poll_lost` has put out of the order does not come again, and takes its place now.
        """
        for ticket in self._open.values():
            if ticket.group is not None and ticket.group.lost:
                self._join(ticket, self._group)

    # --- the line --------------------------------------------------------------------------------

    def _join(self, ticket: Ticket, group: _Group | None) -> None:
        ticket.group = group
        if group is not None:
            group.unfinished += 1
        self._append(ticket)

    def _append(self, ticket: Ticket) -> None:
        last = self._last
        ticket.previous = last
        ticket.following = self._start
        last.following = self._start.previous = self._last = ticket

    def _leave(self, ticket: Ticket, reached: Names | None) -> None:
        """Take a ticket out of the line; what was reached behind it, or it itself, is reached before it."""
        previous, following = ticket.previous, ticket.following
        assert previous is not None
        assert following is not None
        previous.following = following
        following.previous = previous
        if following is self._start:
            self._last = previous
        previous.reached = ticket.reached or reached or previous.reached
        ticket.previous = ticket.following = ticket.reached = None

    def _settle(self, group: _Group) -> None:
        """Let the line pass a group whose poll was answered, once its inner order is no question."""
        if group.answered and group.previous is not None and not (group.mixed and group.unfinished):
            self._leave(group, None)

    def _remember(self, replay_id: ReplayId, group: _Group | None) -> None:
        self._done[replay_id] = group
        self._done_order.append(replay_id)
        if len(self._done_order) > self._window:
            del self._done[self._done_order.popleft()]
