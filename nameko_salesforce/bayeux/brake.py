"""The brake: whoever takes the events has enough, and the next poll waits for that. Floor 1: pure.

Decides until when a poll may wait, since a server forgets a client that stays away, and when that has
been long enough to count. Sends nothing, and pauses no channel: the session does.
"""

from nameko_salesforce.bayeux.advice import Advice

__all__ = ['Brake']

# Of the `maxInterval` that a server has told, what is left for the way there.
SHARE = 0.7


class Brake:
    """Of one `Session`; every time in seconds of its clock.

    Args:
        longest: see `SessionOptions.longest_brake`.

    Attributes:
        since: when it was put on; None while it is off.
        exceeded: a poll could wait no longer, and it is still on.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self.since: float | None = None
        self.exceeded = False

    def put_on(self, now: float) -> bool:
        """Whether that changes anything."""
        if self.since is not None:
            return False
        self.since = now
        return True

    def take_off(self, now: float) -> float | None:
        """For how many seconds it was on; None where it was not."""
        since, self.since, self.exceeded = self.since, None, False
        return None if since is None else now - since

    def exceed(self) -> bool:
        """A poll goes out; whether it is the first that does so although the brake is on."""
        first = self.since is not None and not self.exceeded
        self.exceeded = self.exceeded or first
        return first

    def lasts_until(self, answered: float, advice: Advice) -> float:
        """When the next poll goes out at the latest.

        Args:
            answered: when the last connect was.
            advice: a `maxInterval` in it outranks the option where it is shorter.
        """
        return answered if self.since is None else answered + self.longest(advice)

    def longest(self, advice: Advice) -> float:
        """Seconds that a client may stay away, whatever for."""
        known = self._longest if advice.max_interval is None else SHARE * advice.max_interval
        return min(self._longest, known)
