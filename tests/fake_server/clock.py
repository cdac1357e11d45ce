"""The server's clock: monotonic time that tests can push forward. Seconds."""

import asyncio
import time

__all__ = ['Clock']


class Clock:
    """Never goes back; whoever waits on it wakes when it is pushed."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._pushed = asyncio.Event()

    def now(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic() + self._offset

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
        left = None if moment is None else max(0.0, moment - self.now())
        try:
            await asyncio.wait_for(pushed.wait(), left)
        except TimeoutError:
            return

    async def sleep(self, seconds: float) -> None:
        """Sleep; pushes count."""
        until = self.now() + seconds
        while self.now() < until:
            await self.wait_until(until)
