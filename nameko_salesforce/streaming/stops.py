"""Channels of a service that are stopped, and when they go on. Floor 4: pure.

A stopped channel is unsubscribed, and takes nothing more. It goes on when two things have happened, in
whatever order: somebody has said so, and all has come that comes by the subscription that there was. For
that has a hole, of what came while the channel was stopped, and a position would pass it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from nameko_salesforce.streaming.channel import Channel

__all__ = ['Stops']


@dataclass(slots=True)
class _Stop:
    gone: bool = False  # its subscription
    is_over: bool = False  # somebody has said so


class Stops:
    """Those that are stopped.

    Args:
        go_on: called with a channel that is stopped no longer.
    """

    def __init__(self, go_on: Callable[[Channel], None]) -> None:
        self._go_on = go_on
        self._stops: dict[Channel, _Stop] = {}

    def __contains__(self, channel: Channel) -> bool:
        return channel in self._stops

    def add(self, channel: Channel, why: str) -> bool:
        """Stop a channel; False where it is stopped already."""
        if channel in self._stops:
            return False
        channel.halted = why
        self._stops[channel] = _Stop()
        return True

    def resume(self, channel: Channel) -> bool:
        """Somebody says that a channel may go on; False where it is not stopped."""
        stop = self._stops.get(channel)
        if stop is None:
            return False
        stop.is_over = True
        self._end(channel, stop)
        return True

    def gone(self, channel: Channel) -> None:
        """The subscription of a channel is."""
        stop = self._stops.get(channel)
        if stop is not None:
            stop.gone = True
            self._end(channel, stop)

    def resume_all(self) -> None:
        """Nothing is left of what has stopped them."""
        for channel in list(self._stops):
            self.resume(channel)

    def _end(self, channel: Channel, stop: _Stop) -> None:
        if stop.gone and stop.is_over:
            del self._stops[channel]
            channel.goes_on()
            self._go_on(channel)
