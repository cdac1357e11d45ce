"""What goes wrong around the service besides its kills: the server, the network, the token, Redis."""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from fake_salesforce.client import USERNAME, FakeServer

from tests.services.redis_server import RedisServer

__all__ = ['Weather']

# Seconds between two disturbances, on average.
DISTANCE = 1.5

# Seconds that Redis is away; a call to it may take 2.
LONGEST_OUTAGE = 3.0


class Weather:
    """Disturbs whenever `look` is called and it is time; waits for nothing.

    In the thread that started Redis: the kernel would end it with any other one that starts it again.

    Args:
        fake: the server.
        redis: of the service.
        seed: what is drawn follows from it.

    Attributes:
        counts: how often what was done.
    """

    def __init__(self, fake: FakeServer, redis: RedisServer, seed: str) -> None:
        self.counts: Counter[str] = Counter()
        self._fake = fake
        self._redis = redis
        self._random = random.Random(seed)
        self._next_at = 0.0
        self._redis_is_back: Callable[[], None] | None = None
        self._redis_is_back_at = 0.0
        connect, subscribe, login = '/meta/connect', '/meta/subscribe', 'login'
        query = '/services/data/v67.0/query/'  # of the service, for its PushTopics; the publisher has none
        self._kinds: dict[str, tuple[float, Callable[[], Any]]] = {
            'all sessions ended by the server': (3, fake.disconnect_all),
            'restart of the server': (2, fake.restart),
            'token revoked': (2, lambda: fake.revoke_tokens(USERNAME)),
            'routing cookie expired': (2, fake.expire_routing_cookies),
            'answer to a connect lost': (3, lambda: self._fault('drop_after', connect)),
            'answer to a connect broken off': (3, lambda: self._fault('truncate', connect)),
            'answer to a subscribe lost': (1, lambda: self._fault('drop_after', subscribe)),
            'answer to a subscribe late': (1, lambda: self._fault('delay', subscribe)),
            'answer to a login late': (1, lambda: self._fault('delay', login)),
            'connect refused with 503': (1, lambda: self._fault('status', connect)),
            'login refused with 503': (1, lambda: self._fault('status', login)),
            'query refused with 503': (1, lambda: self._fault('status', query)),
            'events twice': (2, lambda: self._fault('duplicate_events', connect)),
            'server blind to closed connections, or no more': (1, self._turn_blind),
            'restart of Redis': (1.5, self._restart_redis),
            'Redis frozen': (1, self._freeze_redis),
        }

    @property
    def kinds(self) -> list[str]:
        """Of all that may be done."""
        return list(self._kinds)

    def look(self) -> None:
        """What is due happens."""
        now = time.monotonic()
        if self._redis_is_back is not None and now >= self._redis_is_back_at:
            self._end_outage()
        if now >= self._next_at:
            if self._next_at:
                self._disturb()
            self._next_at = now + self._random.expovariate(1 / DISTANCE)

    def clear_up(self) -> None:
        """All is well when this returns. Any number of times."""
        self._end_outage()
        if self._fake.running:
            self._fake.faults.clear()
            self._fake.configure(notices_gone=True)

    def _disturb(self) -> None:
        weights = [weight for weight, _ in self._kinds.values()]
        [name] = self._random.choices(list(self._kinds), weights)
        self._kinds[name][1]()
        self.counts[name] += 1

    def _fault(self, kind: str, channel: str) -> None:
        more: dict[str, Any] = {}
        if kind == 'truncate':
            more = {'bytes': self._random.choice((1, 200, 1000, 5000))}
        elif kind == 'delay':
            more = {'seconds': self._random.uniform(0.1, 2.0)}
        self._fake.faults.add(kind, channel=channel, **more)

    def _turn_blind(self) -> None:
        self._fake.configure(notices_gone=not self._fake.settings()['notices_gone'])

    def _restart_redis(self) -> None:
        self._end_outage()
        self._redis.end()
        self._begin_outage(self._redis.start)

    def _freeze_redis(self) -> None:
        self._end_outage()
        self._redis.freeze()
        self._begin_outage(self._redis.thaw)

    def _begin_outage(self, back: Callable[[], None]) -> None:
        self._redis_is_back = back
        self._redis_is_back_at = time.monotonic() + self._random.uniform(0, LONGEST_OUTAGE)

    def _end_outage(self) -> None:
        back, self._redis_is_back = self._redis_is_back, None
        if back is not None:
            back()
