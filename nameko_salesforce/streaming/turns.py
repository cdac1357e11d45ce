"""Whose turn it is among the channels of a service. Floor 4: pure.

The channels that may have runs take turns, one run each; the others are not looked at until something
happens to them or their time has come. So the cost of a run does not grow with the number of channels.
"""

import heapq

from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.effects import Run

__all__ = ['Turns']


class Turns:
    """Invariant: a channel that has a run now is awake, or its time is in the heap and has come."""

    def __init__(self) -> None:
        self._awake: dict[Channel, None] = {}
        self._timers: list[tuple[float, int, Channel]] = []
        self._count = 0  # so that equal times compare

    @property
    def deadline(self) -> float | None:
        """When time alone may bring a run, while `next` gives none; seconds of the work's clock."""
        return self._timers[0][0] if self._timers else None

    def wake(self, channel: Channel) -> None:
        """Something happened to a channel."""
        self._awake[channel] = None

    def next(self, now: float) -> tuple[Channel, Run] | None:
        """The next run, with its channel; None where there is none now."""
        while self._timers and self._timers[0][0] <= now:
            _, _, channel = heapq.heappop(self._timers)
            channel.wakes_at = None
            self._awake[channel] = None
        while self._awake:
            channel = next(iter(self._awake))
            del self._awake[channel]
            run = channel.work.next(now)
            if run is not None:
                self._awake[channel] = None  # behind the others
                return channel, run
            self._sleep(channel)
        return None

    def _sleep(self, channel: Channel) -> None:
        deadline = channel.work.deadline
        if deadline is not None and (channel.wakes_at is None or deadline < channel.wakes_at):
            channel.wakes_at = deadline
            self._count += 1
            heapq.heappush(self._timers, (deadline, self._count, channel))
