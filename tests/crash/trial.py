"""What every run of a service has: server, store, publisher, weather, and the look at what is left.

Everything that is waited for is a fact, with a bound; a bound that is passed is `RunFailed`.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fake_salesforce.client import FakeServer

from nameko_salesforce.replay.store import DeadLetter, Store, StoreFailed
from nameko_salesforce.replay.stores import open_store
from tests.crash.diary import DiaryReader, Entry
from tests.crash.process import Service
from tests.crash.publisher import Publisher
from tests.crash.streams import HANDLERS, QUIET_CHANNEL, SEED, SERVICE, replay_id_of
from tests.crash.verdict import Expected, Life, Verdict, judge
from tests.crash.weather import Weather
from tests.services.redis_server import RedisServer

__all__ = ['LOOK', 'START', 'RunFailed', 'Trial']

SLOWNESS = float(os.environ.get('TIME_FACTOR', '1'))

# Seconds that a start may take until a handler begins, that the end may go on without an event done, that
# positions may be late, and that SIGTERM may take.
START = 60.0 * SLOWNESS
STANDSTILL = 45.0 * SLOWNESS
LATE = 30.0 * SLOWNESS
END = 15.0 * SLOWNESS

LOOK = 0.02

# Kinder to a test's time than to a real Salesforce.
QUICK = {
    'HANDSHAKE_DISTANCE': 0.05,
    'BACKOFF_FIRST': 0.05,
    'BACKOFF_CAP': 0.5,
    'DISCONNECT_TIMEOUT': 0.5,
    'NETWORK_ALLOWANCE': 5,
    'LOGINS_PER_HOUR': 1000,
}

# A run of any length in one day of the org.
LIMITS = {
    'daily_event_limit': -1,
    'daily_api_requests': 10**9,
    'logins_per_hour': 10**6,
    'client_limit': -1,
}


class RunFailed(Exception):
    """The run could not go on; the text says why."""


class Trial:
    """A service, its server, its store, its publisher and its weather.

    Args:
        fake, redis: started, and of this run alone.
        folder: for configuration, log and diary.
        seed: what is drawn follows from it; what happens depends on the machine, too.
        module: of the service.
        settings: of the server.
        verbose: log all that the library says.
        progress: called with a line about where the run is.

    Attributes:
        wrong: what is not as it should be, as sentences.
    """

    def __init__(
        self,
        fake: FakeServer,
        redis: RedisServer,
        folder: Path,
        seed: int,
        *,
        module: str,
        settings: dict[str, Any],
        verbose: bool = False,
        progress: Callable[[str], None],
    ) -> None:
        self.wrong: list[str] = []
        self._fake = fake
        self._progress = progress
        fake.seed(SEED)
        fake.configure(**LIMITS, **settings)
        person = fake.person()
        [organization] = person.query('SELECT Id FROM Organization')
        self._store: Store = open_store(redis.uri, organization=organization['Id'], service=SERVICE)
        section = fake.section(REPLAY_STORE_URI=redis.uri, **QUICK)
        self.service = Service(module, folder, section, str(seed), verbose=verbose)
        self.publisher = Publisher(person, f'publisher {seed}')
        self.weather = Weather(fake, redis, f'weather {seed}')
        self._diary = DiaryReader(self.service.diary)
        self._entries: list[Entry] = []
        self._life = Life()
        self._quiet_promised: int | None = None
        self._calm = False

    def close(self) -> None:
        """Whatever happened, leave no thread and no process of its own."""
        self.publisher.stop()
        self.service.kill()
        self._store.close()
        self._diary.close()

    def _end_well(self) -> Verdict:
        """Let a living service come to rest in fair weather, end it, and judge."""
        self.publisher.stop()
        self._calm = True
        self.weather.clear_up()
        expected = self._expected()
        self._wait_for_quiet(expected)
        self._check_positions(expected)
        status = self.service.terminate(END)
        if status != 0:
            self.wrong.append(f'SIGTERM in the end: status {status}')
        self._check_positions(expected)
        self._read()
        violations = self._fake.violations()
        self.wrong += [f'a rule of the server was broken: {each.detail}' for each in violations]
        return judge(expected, self._entries, self._letters())

    def _promise(self) -> None:
        """Once there is a position of the channel that starts with new events, its events are promised."""
        if self._quiet_promised is not None:
            return
        try:
            if self._store.load(QUIET_CHANNEL) is not None:
                self._quiet_promised = len(self._fake.retained(QUIET_CHANNEL))
        except StoreFailed:
            pass  # the weather

    # --- the end -----------------------------------------------------------------------------------

    def _expected(self) -> dict[str, Expected]:
        logs = {each.channel: self._fake.retained(each.channel) for each in HANDLERS.values()}
        found = {}
        for name, handler in HANDLERS.items():
            log = logs[handler.channel]
            promised = 0
            if handler.channel == QUIET_CHANNEL:
                promised = len(log) if self._quiet_promised is None else self._quiet_promised
            found[name] = Expected({replay_id_of(each): handler.keys(each) for each in log}, promised)
        return found

    def _letters(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {name: set() for name in HANDLERS}
        page: list[DeadLetter] = []
        while page := self._store.dead_letters(after=page[-1].number if page else None, count=1000):
            for letter in page:
                found[letter.handler].add(int(letter.replay_id or 0))
        return found

    def _wait_for_quiet(self, expected: dict[str, Expected]) -> None:
        """Until nothing is left to be done, or nothing is done any more."""
        left = -1
        end = 0.0
        while True:
            self._read()
            verdict = judge(expected, self._entries, self._letters())
            lost = sum(len(each.lost) for each in verdict.tallies.values())
            if not lost and not self._life.running:
                return
            if lost != left:
                left, end = lost, time.monotonic() + STANDSTILL
                self._progress(f'{left} events are left to be done')
            elif time.monotonic() > end:
                return
            self._wait(1.0)

    def _check_positions(self, expected: dict[str, Expected]) -> None:
        """Whether those are stored that belong to the last events."""
        wanted: dict[str, Any] = {}
        for name, each in expected.items():
            ids = list(each.keys)
            wanted[HANDLERS[name].channel] = ids[-1] if len(ids) > each.promised else None
        end = time.monotonic() + LATE
        while wrong := self._wrong_positions(wanted):
            if time.monotonic() > end:
                self.wrong += wrong
                return
            time.sleep(LOOK)

    def _wrong_positions(self, wanted: dict[str, Any]) -> list[str]:
        wrong = []
        for channel, replay_id in wanted.items():
            found = self._store.load(channel)
            if replay_id is not None and (found is None or found.replay_id != replay_id):
                wrong.append(f'the position of {channel} is {found}; its last event is {replay_id}')
        return wrong

    # --- waiting -----------------------------------------------------------------------------------

    def _read(self) -> None:
        news = self._diary.news()
        self._entries += news
        for entry in news:
            if entry.life == self.service.life:
                self._life.follow(entry)

    def _wait(self, seconds: float, *, alive: bool = True) -> None:
        end = time.monotonic() + seconds
        while True:
            if self.publisher.problem is not None:
                raise RunFailed(f'the publisher failed: {self.publisher.problem!r}')
            if not self._calm:
                self.weather.look()
            if alive and self.service.status is not None:
                raise RunFailed(f'life {self.service.life} ended by itself, status {self.service.status}')
            rest = end - time.monotonic()
            if rest <= 0:
                return
            time.sleep(min(rest, LOOK))

    def _until(self, what: str, condition: Callable[[], Any], patience: float) -> None:
        end = time.monotonic() + patience
        while True:
            self._read()
            if condition():
                return
            if time.monotonic() > end:
                raise RunFailed(f'life {self.service.life}: waited {patience:g} s for {what}')
            self._wait(LOOK)
