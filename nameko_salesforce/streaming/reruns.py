"""Past events that are run once more, such as dead letters: who waits for them, and how they end. Floor 4."""

from collections.abc import Iterable
from dataclasses import dataclass

from eventlet.event import Event

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.streaming.handling import Arrival

__all__ = ['Reruns']


@dataclass(slots=True)
class _Rerun:
    arrival: Arrival
    over: Event
    failed: bool = False


class Reruns:
    """Those under way in all channels."""

    def __init__(self) -> None:
        self._reruns: list[_Rerun] = []

    def add(self, arrival: Arrival) -> Event:
        """One more. The event that comes back is sent whether it was handled, when that is over."""
        rerun = _Rerun(arrival, Event())
        self._reruns.append(rerun)
        return rerun.over

    def failed(self, event: Delivery) -> None:
        """A handler has failed with an event for good; harmless where it is none of these."""
        for each in self._reruns:
            each.failed = each.failed or each.arrival.event is event

    def settle(self) -> None:
        """Tell of those that are over by now."""
        if self._reruns:
            self._end([each for each in self._reruns if not each.arrival.unfinished])

    def forget(self) -> None:
        """None of them will end: they have failed."""
        for each in self._reruns:
            each.failed = True
        self._end(list(self._reruns))

    def _end(self, over: Iterable[_Rerun]) -> None:
        for each in over:
            self._reruns.remove(each)
            each.over.send(not each.failed)
