"""What goes wrong around the service besides its kills: the server, the network, the token, Redis."""

import random
import threading
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
    """Disturbs in a thread of its own until `stop`.

    Args:
        fake: the server.
        redis: of the service.
        seed: what is drawn follows from it.

    Attributes:
        counts: how often what was done.
        problem: what ended the thread before its time.
    """

    def __init__(self, fake: FakeServer, redis: RedisServer, seed: str) -> None:
        self.counts: Counter[str] = Counter()
        self.problem: BaseException | None = None
        self._fake = fake
        self._redis = redis
        self._random = random.Random(seed)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
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

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """All is well when this returns. Any number of times."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._fake.running:
            self._fake.faults.clear()
            self._fake.configure(notices_gone=True)

    def _run(self) -> None:
        names = list(self._kinds)
        weights = [weight for weight, _ in self._kinds.values()]
        try:
            while not self._stopped.wait(self._random.expovariate(1 / DISTANCE)):
                [name] = self._random.choices(names, weights)
                self._kinds[name][1]()
                self.counts[name] += 1
        except BaseException as problem:
            self.problem = problem

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
        self._redis.end()
        try:
            self._stopped.wait(self._random.uniform(0, LONGEST_OUTAGE))
        finally:
            self._redis.start()

    def _freeze_redis(self) -> None:
        self._redis.freeze()
        try:
            self._stopped.wait(self._random.uniform(0, LONGEST_OUTAGE))
        finally:
            self._redis.thaw()
