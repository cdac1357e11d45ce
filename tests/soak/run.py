"""One run: a service lives through hours of Salesforce's time, and through bad weather all the time."""

import time
from collections.abc import Callable
from pathlib import Path

from fake_salesforce.client import FakeServer

from tests.crash.trial import START, Trial
from tests.crash.verdict import Verdict
from tests.services.redis_server import RedisServer
from tests.soak.vitals import Vitals, read

__all__ = ['Soak']

# Seconds of the server's time: shorter lives than Salesforce's, so that twenty minutes see several of each.
LIVES = {'token_lifetime': 1800.0, 'routing_cookie_ttl': 3600.0}

LOOK_DISTANCE = 1.0


class Soak(Trial):
    """Arguments as for `Trial`."""

    def __init__(
        self,
        fake: FakeServer,
        redis: RedisServer,
        folder: Path,
        seed: int,
        *,
        verbose: bool = False,
        progress: Callable[[str], None],
    ) -> None:
        super().__init__(
            fake,
            redis,
            folder,
            seed,
            module='tests.soak.service',
            settings=LIVES,
            verbose=verbose,
            progress=progress,
        )
        self._file = folder / 'vitals'
        self._file.touch()
        self.service.environment['SOAK_VITALS'] = str(self._file)

    @property
    def vitals(self) -> list[Vitals]:
        return read(self._file.read_text())

    def lived(self, seconds: float) -> dict[str, float]:
        """What has happened in so many seconds of the server's time."""
        return {
            'hours of the server': seconds / 3600,
            **{f'times {name}': seconds / life for name, life in LIVES.items()},
            'logins': float(self.service.log.read_text().count(' logged in at ')),
        }

    def execute(self, seconds: float) -> Verdict:
        """All of it.

        Raises:
            RunFailed: it could not be brought to its end.
        """
        self.publisher.start()
        self.service.start()
        self._until('a handler to begin', lambda: self._life.begun, START)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._promise()
            self._read()
            self._progress(
                f'{left / 60:.1f} minutes left, {self.publisher.count:,} writes, {self._life.begun:,} calls'
            )
            self._wait(min(left, LOOK_DISTANCE))
        return self._end_well()
