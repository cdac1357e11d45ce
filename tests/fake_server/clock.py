"""The server's clock: monotonic time that tests can push forward. Seconds."""

import asyncio
import time

__all__ = ['Clock']


class Clock:
    """Never goes back; whoever waits on it wakes when it is pushed.

    Args:
        speed: how many of its seconds pass in one real second, > 0.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._start = time.monotonic()
        self._offset = 0.0
        self._pushed = asyncio.Event()

    def now(self) -> float:
        """Seconds since some moment in the past."""
        return self._start + (time.monotonic() - self._start) * self._speed + self._offset

    def real_seconds_until(self, moment: float) -> float:
        """How long to wait for a moment if nobody pushes; 0 if it has passed."""
        return max(0.0, moment - self.now()) / self._speed

    def advance(self, seconds: float) -> None:
        """Push the clock forward by `seconds`, >= 0."""
        self._offset += seconds
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self._pushed.set()
        self._pushed = asyncio.Event()

    async def wait_until(self, moment: float | None) -> None:
        """Return at `moment` (None: never) or at the next push or wake, whatever is first."""
        pushed = self._pushed
        left = None if moment is None else self.real_seconds_until(moment)
        try:
            await asyncio.wait_for(pushed.wait(), left)
        except TimeoutError:
            return

    async def sleep(self, seconds: float) -> None:
        """Sleep; pushes count."""
        until = self.now() + seconds
        while self.now() < until:
            await self.wait_until(until)
