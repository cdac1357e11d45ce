"""When the broker has to look at which session again. Pure."""

import heapq

from .sessions import Registry, Session

__all__ = ['Timers']


class Timers:
    """A heap of deadlines. Outdated ones stay in it until they are met."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []

    def arm(self, session: Session) -> None:
        """Make sure that there is a timer for what a session is due for."""
        due = session.due
        if due is not None and not session.ended and (session.armed is None or due < session.armed):
            session.armed = due
            heapq.heappush(self._heap, (due, session.client_id))

    def next(self, registry: Registry) -> tuple[float, Session] | None:
        """The session that is due first, and when; None while nothing is pending."""
        while self._heap:
            due, client_id = self._heap[0]
            session = registry.get(client_id)
            if session is not None and session.armed == due and session.due == due:
                return due, session
            heapq.heappop(self._heap)
            if session is not None and session.armed == due:
                session.armed = None
                self.arm(session)
        return None
