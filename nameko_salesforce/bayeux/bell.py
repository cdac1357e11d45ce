"""A bell that wakes one green thread. Floor 2.

What `eventlet.event.Event` does for a thread that waits again and again, without a new event for each time.
"""

from typing import Any

from eventlet.hubs import get_hub
from greenlet import getcurrent

__all__ = ['Bell']


class Bell:
    """One thread waits, any other rings. A ring that nobody waits for is not kept: look first, then wait."""

    def __init__(self) -> None:
        self._waiter: Any = None
        self._rung = False

    def wait(self, seconds: float | None = None) -> None:
        """Return when it rings, or after `seconds`; now and then without a reason, so look again."""
        hub = get_hub()
        waiter = self._waiter = getcurrent()
        self._rung = False
        timer = None if seconds is None else hub.schedule_call_global(seconds, self._wake, waiter)
        try:
            hub.switch()
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def ring(self) -> None:
        """Wake who waits, in the hub's next turn."""
        if self._waiter is not None and not self._rung:
            self._rung = True
            get_hub().schedule_call_global(0, self._wake, self._waiter)

    def _wake(self, waiter: Any) -> None:
        """Runs in the hub. A thread that has left meanwhile may wait for something else."""
        if self._waiter is waiter:
            waiter.switch()
