"""How often something happened lately: what limits of an hour or a day are compared with. Pure."""

from collections import deque

__all__ = ['DAY_S', 'HOUR_S', 'Window']

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


class Window:
    """How often something happened within the last `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()

    def count(self, now: float) -> int:
        """How often it has happened."""
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        return len(self._times)

    def add(self, now: float) -> None:
        """It happens now."""
        self._times.append(now)
