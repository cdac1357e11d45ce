"""A deadline that moves, for one green thread at a time. Floor 2.

Decides when a thread that waits for the network has waited long enough, and throws `Expired` into it.
One hub timer serves many deadlines: moving the deadline writes a number, and the timer looks at that
number when it fires. An `eventlet.Timeout` for every read costs a timer each.
"""

import time

import eventlet.hubs
import greenlet

__all__ = ['Expired', 'Watchdog']


class Expired(BaseException):
    """The deadline has passed.

    Not an `Exception`, so that no layer below (http.client, ssl, a resolver) takes it for one of its
    own errors; not an `eventlet.Timeout`, which belongs to whoever set it.

    Attributes:
        watchdog: whose deadline it was.
    """

    def __init__(self, watchdog: 'Watchdog') -> None:
        super().__init__('deadline passed')
        self.watchdog = watchdog


class Watchdog:
    """Watches one thread at a time. Its timer may outlive a deadline; `stop` removes it.

    Args:
        step: seconds until the first look at a deadline that is further away. While deadlines are set more
            often, one moved to at least `step` from now costs no timer.
    """

    def __init__(self, step: float) -> None:
        self._step = step
        self._due: float | None = None
        self._late = False
        self._thread: greenlet.greenlet | None = None
        self._timer: eventlet.hubs.timer.Timer | None = None
        self._next = 0.0

    def watch(self, seconds: float) -> None:
        """Set the deadline of the calling thread to `seconds` from now, in place of an earlier one."""
        now = time.monotonic()
        self._due = now + seconds
        self._late = False
        self._thread = greenlet.getcurrent()
        if self._timer is None or self._next > self._due:
            self._arm(min(seconds, self._step), now)

    def rest(self) -> None:
        """No deadline until the next `watch`."""
        self._due = None
        self._thread = None

    def hurry(self) -> bool:
        """Let the deadline pass now.

        Returns:
            Whether a thread is watched; it gets `Expired` in the hub's next turn but one.
        """
        if self._due is None:
            return False
        now = time.monotonic()
        self._due = now
        self._arm(0.0, now)
        return True

    def stop(self) -> None:
        """No deadline, and no timer."""
        self.rest()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, seconds: float, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = now + seconds
        self._timer = eventlet.hubs.get_hub().schedule_call_global(seconds, self._look)

    def _look(self) -> None:
        """Runs in the hub."""
        self._timer = None
        if self._due is None or self._thread is None:
            return
        now = time.monotonic()
        if self._due > now:
            # Who waits for so long already is not woken before it is time.
            self._arm(self._due - now, now)
        elif not self._late:
            # Perhaps it was this process that was late: timers come before sockets in a turn of the
            # hub, and the answer may have been there for long. One turn to take it.
            self._late = True
            self._arm(0.0, now)
        else:
            thread = self._thread
            self.rest()
            thread.throw(Expired(self))
