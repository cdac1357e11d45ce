"""Finds out where channels are subscribed from, and how long they were; tells of gaps. Floor 4: an edge.

Brings together the login's organization, the store and the channel's own decision (`resume.py`). Decides
nothing itself; what it cannot find out is a preparation that failed, and the session asks again.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.bayeux.effects import PollAnswered, PollLost
from nameko_salesforce.bayeux.preparation import PreparationFailed
from nameko_salesforce.errors import StreamRefused
from nameko_salesforce.replay.position import ReplayId
from nameko_salesforce.replay.store import StoreFailed, StoreUnreadable
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.effects import Effect
from nameko_salesforce.streaming.policy import is_lost_position
from nameko_salesforce.streaming.positions import Positions
from nameko_salesforce.streaming.resume import NEW_EVENTS, Gap, Halted, OnGap

__all__ = ['Resumption']

log = logging.getLogger('nameko_salesforce')

# Seconds between two looks at all channels after answered connects; positions are renewed far less often.
CONNECTED_DISTANCE = 1.0

CHOICES = {
    OnGap.EARLIEST: 'all events that Salesforce still has are asked for',
    OnGap.LATEST: 'the channel goes on with new events',
    OnGap.FAIL: 'the channel is not subscribed to until somebody decides',
}


class Resumption:
    """For the channels of one service.

    Args:
        channels: of the service.
        positions: where they are kept.
        forget: called where the positions of all channels mean nothing any more: another organization.
        obey: carries out what a channel's work says.
        tell: called with each `Gap`.
        give_up: called with what does not mend by itself.
        lag: gives the seconds that what is told has waited at most, see `Runner`.
        clock, wall: give seconds, monotonic and since 1970.
    """

    def __init__(
        self,
        channels: Iterable[Channel],
        positions: Positions,
        *,
        forget: Callable[[], None],
        obey: Callable[[Channel, Sequence[Effect]], None],
        tell: Callable[[Gap], None],
        give_up: Callable[[Exception], None],
        lag: Callable[[], float],
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._channels = {each.name: each for each in channels}
        self._positions = positions
        self._forget = forget
        self._obey = obey
        self._tell = tell
        self._give_up = give_up
        self._lag = lag
        self._clock = clock
        self._wall = wall
        self._is_good = False  # the poll under way has been answered well
        self._connected_at = float('-inf')

    def replay_map(self, name: str, refusal: str, organization: str) -> dict[str, ReplayId]:
        """Where in its log a channel is subscribed from, as the subscribe request says it.

        Args:
            name: of the channel.
            refusal: the server's last words about it.
            organization: that the login named.
        Raises:
            PreparationFailed: it cannot be known now, or nothing may be subscribed to.
        """
        channel = self._channels[name]
        if channel.durable:
            self._learn(channel, organization)
        # The key is the channel without its filter: another one is refused as missing from the map.
        return {without_filter(name): self._decide(channel, refusal)}

    # --- how long they were subscribed to ----------------------------------------------------------

    def subscribed(self, name: str, active: bool) -> None:
        """A subscription came about, or is no more."""
        channel = self._channels[name]
        channel.active = active
        if active and channel.durable:
            channel.subscribed(self._wall() - self._lag())
            mark = channel.mark(self._wall(), self._clock())
            if mark is not None:
                self._positions.commit(channel.name, mark)

    def connected(self) -> None:
        """A connect was answered well, with what is behind the answer still to come, or to be lost."""
        self._is_good = True

    def poll_ended(self, arrival: PollAnswered | PollLost) -> None:
        """So ended the poll; what is behind the answer has come where it was not lost."""
        if self._is_good and isinstance(arrival, PollAnswered):
            self._all_has_come()
        self._is_good = False

    def _all_has_come(self) -> None:
        """The channels that are subscribed to have brought what there was."""
        clock = self._clock()
        if clock - self._connected_at < CONNECTED_DISTANCE:
            return
        self._connected_at = clock
        now = self._wall()
        for channel in self._channels.values():
            # One that is halted takes nothing, until its subscription is gone.
            if channel.active and channel.durable and not channel.halted:
                channel.connected(now - self._lag())
                self._positions.seen(channel.name, channel.seen_until(now, clock))

    # --- where they go on --------------------------------------------------------------------------

    def _learn(self, channel: Channel, organization: str) -> None:
        try:
            if self._positions.open(organization):
                self._is_good = False
                self._forget()
            if not channel.loaded:
                stored = self._positions.load(channel.name)
                if not channel.loaded:
                    channel.begin(stored)
        except StoreUnreadable as problem:
            error = StreamRefused(channel.name, str(problem))
            self._give_up(error)
            raise PreparationFailed(str(problem)) from problem
        except StoreFailed as problem:
            raise PreparationFailed(f'its position is not known: {problem}') from problem

    def _decide(self, channel: Channel, refusal: str) -> ReplayId:
        gaps, was_unknown = channel.gaps, channel.position is None
        plan, effects = channel.resume(refusal if is_lost_position(refusal) else '', self._wall())
        if isinstance(plan, Halted):
            if channel.gaps != gaps:
                self._notice(plan.gap)
                self._give_up(StreamRefused(channel.name, channel.halted))
            raise PreparationFailed(channel.halted)
        if plan.position is not None and channel.durable:
            self._positions.commit(channel.name, plan.position)
        if was_unknown and channel.durable:
            begins = 'new events' if plan.replay_from == NEW_EVENTS else 'all that Salesforce has kept'
            log.info('%s: no position is known, so that it begins with %s', channel.name, begins)
        self._obey(channel, effects)
        if plan.gap is not None:
            self._notice(plan.gap)
        return plan.replay_from

    def _notice(self, gap: Gap) -> None:
        said: dict[str, Any] = {**asdict(gap), 'chosen': gap.chosen.value}
        log.warning(
            '%s: events may have been missed. Position %r, last connected %.0f s ago, is lost: %s; %s',
            gap.channel,
            gap.replay_id,
            gap.age,
            gap.reason,
            CHOICES[gap.chosen],
            extra={'salesforce_gap': said},
        )
        self._tell(gap)
