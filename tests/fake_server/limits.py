"""What Salesforce counts: routes that end, and events that all clients together are given in a day. Pure."""

from random import Random

from .answers import TimedCookie
from .window import DAY_S, Window

__all__ = ['ROUTING_COOKIE', 'EventAllowance', 'Routes']

ROUTING_COOKIE = 'sfdc-stream'
# Live ones are about three times as long; as with them, letters that no cookie parser trips over.
_ROUTE_LENGTH = 32
_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'


class Routes:
    """The routing cookies of the load balancer. Each leads to one server for a while.

    A client whose cookie has ended comes to another server, which does not know its session.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._ends: dict[str, float] = {}

    def leads(self, value: str | None, now: float) -> bool:
        """Whether a cookie still leads to a server."""
        return value is not None and self._ends.get(value, now) > now

    def open(self, lifetime: float, now: float) -> TimedCookie:
        """A new route."""
        self._ends = {each: end for each, end in self._ends.items() if end > now}
        value = '!' + ''.join(self._random.choice(_LETTERS) for _ in range(_ROUTE_LENGTH)) + '=='
        self._ends[value] = now + lifetime
        return TimedCookie(ROUTING_COOKIE, value, lifetime)

    def close_all(self, now: float) -> int:
        """End all routes; returns how many that were."""
        alive = sum(end > now for end in self._ends.values())
        self._ends.clear()
        return alive


class EventAllowance:
    """How many events were given to clients within a day."""

    def __init__(self) -> None:
        self._given = Window(DAY_S)

    def is_spent(self, limit: int, now: float) -> bool:
        """Whether no event may be given now; a negative limit is none."""
        return 0 <= limit <= self._given.count(now)

    def left(self, limit: int, now: float) -> int:
        """How many events may still be given."""
        return 0 if self.is_spent(limit, now) else limit - self._given.count(now)

    def take(self, limit: int, now: float) -> bool:
        """Count an event, unless the allowance is spent; returns whether it may be given."""
        if self.is_spent(limit, now):
            return False
        self._given.add(now)
        return True
