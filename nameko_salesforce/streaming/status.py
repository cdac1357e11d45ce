"""What can be known of a service's streams at a moment. Floor 4: pure, values only.

Numbers are plain, so that any metrics library can read them; `as_dict` gives all of it as JSON allows.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nameko_salesforce.replay.position import ReplayId

__all__ = ['ChannelReport', 'StreamReport']


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReport:
    """One channel.

    Attributes:
        channel: as subscribed to.
        state: 'active', or why nothing comes: 'wanted', 'preparing', 'pending', 'paused', 'refused',
            'stopped' (a handler gave up, `on_failure='stop'`), 'gone'.
        reason: in words; '' when active.
        last_event_at: seconds since 1970 when the last event arrived; None: none did.
        lag: seconds since the oldest event was created, or arrived, that is not done; 0.0: all are.
        received: id of the last event that arrived; a living process goes on behind it.
        committed: id of the last event that the store holds; None: none, or a mark of the first start.
        committed_age: seconds since the time until which the store says that all events are handled;
            None: it holds nothing.
        unfinished: events that some handler is not done with.
        in_flight, waiting, retrying: of these, events that handlers run, have not tried, will try again; one
            counts for each handler.
        handled, retries, dead_letters, skipped: so far; see `Numbers`.
        repeated: events so far that came again or were passed over: nothing is lost by them.
        unread: events so far that were too large to be read.
        gaps: lost positions so far.
    """

    channel: str
    state: str
    reason: str
    last_event_at: float | None
    lag: float
    received: ReplayId | None
    committed: ReplayId | None
    committed_age: float | None
    unfinished: int
    in_flight: int
    waiting: int
    retrying: int
    handled: int
    retries: int
    dead_letters: int
    skipped: int
    repeated: int
    unread: int
    gaps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReport:
    """The streams of one service.

    Attributes:
        state: of the connection: 'connected', or what it is about.
        state_for: seconds since it came there.
        reason: in words.
        client_id: of the session, '' while there is none.
        reconnects: cause -> how often the connection was lost for it.
        braked_for: seconds since there are more events than handlers can take; None: there are not.
        dropped: events so far that there was no room for, of channels that cannot be replayed.
        store: where positions are kept, '' before the first login.
        store_failing_for: seconds since positions cannot be saved; None: they can.
        unsaved_positions, unsaved_letters: that wait for the store.
        channels: by name.
    """

    state: str
    state_for: float
    reason: str
    client_id: str
    reconnects: Mapping[str, int]
    braked_for: float | None
    dropped: int
    store: str
    store_failing_for: float | None
    unsaved_positions: int
    unsaved_letters: int
    channels: Mapping[str, ChannelReport]

    @property
    def problems(self) -> list[str]:
        """What somebody should know, in words; empty when all is well. For a health check."""
        problems = []
        if self.state != 'connected':
            problems.append(f'{self.state} for {self.state_for:.0f} s: {self.reason}')
        problems += [
            f'{each.channel} is {each.state}: {each.reason}'
            for each in self.channels.values()
            if each.state != 'active'
        ]
        if self.store_failing_for is not None:
            problems.append(f'{self.store}: positions cannot be saved for {self.store_failing_for:.0f} s')
        if self.unsaved_letters:
            problems.append(f'{self.store}: {self.unsaved_letters} dead letters are not stored yet')
        return problems

    def as_dict(self) -> dict[str, Any]:
        """All of it, as JSON allows."""
        return {**asdict(self), 'problems': self.problems}
