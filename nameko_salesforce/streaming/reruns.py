"""Past events that are run once more, such as dead letters: who waits for them, and how they end. Floor 4."""

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
        """One more.

        Returns:
            Is sent how that has ended: True, it was handled; False, it has failed for good, and what
            follows a failure was done; None, it was forgotten, and nothing was done about it.
        """
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
            over = [each for each in self._reruns if not each.arrival.unfinished]
            for each in over:
                self._reruns.remove(each)
                each.over.send(not each.failed)

    def forget(self) -> None:
        """None of them will end."""
        reruns, self._reruns = self._reruns, []
        for each in reruns:
            each.over.send(None)
