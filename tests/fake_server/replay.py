"""The events of each channel that can still be replayed. Pure.

    logs = ReplayLogs(Random(1), lambda channel: 86_400.0)
    logs.append('/topic/Orders', {'sobject': {...}}, now)      # the same with event.replayId
    logs.since('/topic/Orders', 13, now)                       # what came after it; None: no such event

Ids are opaque to clients and full of gaps here, so that nobody computes with them. A publisher may give
an id of its own, a text as well: one day Salesforce may send such.
Source: Streaming API, "Message Durability".
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any

__all__ = ['ALL_RETAINED', 'ONLY_NEW', 'ReplayLogs']

ONLY_NEW = '-1'
ALL_RETAINED = '-2'

# What the next id is larger by: documentation shows 1,025 after 999, live logs mostly small steps.
_STEPS = (1, 1, 2, 3, 26)


@dataclass(frozen=True, slots=True)
class _Entry:
    place: int
    at: float
    data: dict[str, Any]


@dataclass(slots=True)
class _Log:
    last_id: int
    places: int = 0
    entries: deque[_Entry] = field(default_factory=deque)
    place_of: dict[str, int] = field(default_factory=dict)

    def trim(self, oldest: float) -> None:
        while self.entries and self.entries[0].at <= oldest:
            del self.place_of[_key(self.entries.popleft().data)]


class ReplayLogs:
    """A log for each channel.

    Args:
        random: for ids.
        retention: how many seconds the events of a channel are kept; asked each time.
    """

    def __init__(self, random: Random, retention: Callable[[str], float]) -> None:
        self._random = random
        self._retention = retention
        self._logs: dict[str, _Log] = {}

    def append(self, channel: str, data: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Keep an event.

        Args:
            channel: without a filter.
            data: may hold `event.replayId`, a number or a text.
            now: seconds.
        Returns:
            The data with `event.replayId`.
        Raises:
            ValueError: not what events look like, or an id that is in the log. Nothing was kept.
        """
        event = data.get('event', {}) if isinstance(data, Mapping) else None
        if not isinstance(event, Mapping):
            raise ValueError('the data of an event is an object, and so is its "event"')
        log = self._trimmed(channel, now)
        given = event.get('replayId')
        if given is None:
            # An id that somebody gave may lie in the way.
            while given is None or str(given) in log.place_of:
                given = log.last_id = log.last_id + self._random.choice(_STEPS)
        elif isinstance(given, bool) or not isinstance(given, int | str):
            raise ValueError(f'{given!r} is not a replay id')
        elif str(given) in log.place_of:
            raise ValueError(f'{channel} has an event with the replay id {given} already')
        kept = {**data, 'event': {**event, 'replayId': given}}
        log.places += 1
        log.entries.append(_Entry(log.places, now, kept))
        log.place_of[str(given)] = log.places
        return kept

    def since(self, channel: str, position: object, now: float) -> list[dict[str, Any]] | None:
        """The events after a position, oldest first.

        Args:
            channel: without a filter.
            position: a replay id, -1 (none) or -2 (all that are kept), as numbers or texts.
            now: seconds.
        Returns:
            Their data; None if there is no such position, or no more.
        """
        if isinstance(position, bool) or not isinstance(position, int | str):
            return None
        if str(position) == ONLY_NEW:
            return []
        log = self._trimmed(channel, now)
        if str(position) == ALL_RETAINED:
            return [entry.data for entry in log.entries]
        place = log.place_of.get(str(position))
        if place is None:
            return None
        # Places are without gaps: what comes after is known by number.
        newer = log.places - place
        return [entry.data for entry in islice(log.entries, len(log.entries) - newer, None)]

    def retained(self, channel: str, now: float) -> list[dict[str, Any]]:
        """All that is kept of a channel, oldest first."""
        return [entry.data for entry in self._trimmed(channel, now).entries]

    def _trimmed(self, channel: str, now: float) -> _Log:
        log = self._logs.get(channel)
        if log is None:
            log = self._logs[channel] = _Log(self._random.randint(10, 2000))
        log.trim(now - self._retention(channel))
        return log


def _key(data: Mapping[str, Any]) -> str:
    return str(data['event']['replayId'])
