"""When a login may be tried. Floor 3: pure; time and chance come in.

Three rules, each with a reason:
- After a refusal a pause of minutes: Salesforce locks users after a few wrong logins.
- After a failure a pause of seconds, so that a thousand callers do not try a dead server in turn.
- No more than so many logins in an hour that Salesforce answers: a token that is refused as soon as it
  is given would otherwise be replaced for ever.
"""

from collections import deque
from typing import NamedTuple

from nameko_salesforce.bayeux.backoff import Backoff

__all__ = ['FAILURE_PAUSE', 'REFUSAL_PAUSE', 'LoginPace', 'Wait']

# 60 to 75 s after the first refusal, 24 to 30 minutes at most: Salesforce's shortest lock lasts 15.
REFUSAL_PAUSE = Backoff(first=75.0, cap=1800.0, spread=0.2)
# Below those of a stream, which asks again by its own clock and should not find the door shut.
FAILURE_PAUSE = Backoff(first=0.5, cap=30.0)
_HOUR = 3600.0


class Wait(NamedTuple):
    """Seconds until a login may be tried, 0 for now; why; and whether after a refusal."""

    seconds: float
    reason: str = ''
    refused: bool = False


class LoginPace:
    """Counts logins, and says when the next one may be tried.

    Args:
        logins_per_hour: at least 1.
        refusal_pause, failure_pause: see the head of the module.
    """

    def __init__(
        self,
        logins_per_hour: int,
        refusal_pause: Backoff = REFUSAL_PAUSE,
        failure_pause: Backoff = FAILURE_PAUSE,
    ) -> None:
        self._limit = logins_per_hour
        self._refusal_pause = refusal_pause
        self._failure_pause = failure_pause
        self._begun: deque[float] = deque()
        self._refusals = 0
        self._failures = 0
        self._pause_ends = float('-inf')
        self._reason = ''

    def wait(self, now: float) -> Wait:
        """How long a login has to wait."""
        if now < self._pause_ends:
            # A refusal sets the count of failures back: where there is none, it came last.
            return Wait(self._pause_ends - now, self._reason, not self._failures)
        while self._begun and self._begun[0] <= now - _HOUR:
            self._begun.popleft()
        if len(self._begun) >= self._limit:
            seconds = self._begun[0] + _HOUR - now
            return Wait(seconds, f'{self._limit} logins in an hour (LOGINS_PER_HOUR)')
        return Wait(0.0)

    def begin(self, now: float) -> None:
        """A login is tried. One of which nothing more is heard counts as answered."""
        self._begun.append(now)

    def succeeded(self) -> None:
        self._refusals = self._failures = 0

    def refused(self, now: float, jitter: float, reason: str) -> float:
        """Salesforce said no.

        Args:
            jitter: random number in [0, 1).
            reason: for those who ask during the pause.
        Returns:
            Seconds of the pause.
        """
        self._refusals += 1
        self._failures = 0
        return self._pause(now, self._refusal_pause.delay(self._refusals, jitter), reason)

    def failed(self, now: float, jitter: float, reason: str, retry_after: float = 0.0) -> float:
        """No answer that says yes or no, so the login does not count; otherwise as `refused`.

        Args:
            retry_after: seconds that the server asks for; believed up to the longest pause after a refusal.
        """
        self._begun.pop()
        self._failures += 1
        wanted = min(retry_after, self._refusal_pause.cap)
        return self._pause(now, max(wanted, self._failure_pause.delay(self._failures, jitter)), reason)

    def _pause(self, now: float, seconds: float, reason: str) -> float:
        self._pause_ends = now + seconds
        self._reason = reason
        return seconds
