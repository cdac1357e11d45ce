"""One run: kills a service again and again, and looks at what is left when all is quiet."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fake_salesforce.client import FakeServer

from tests.crash.trial import LOOK, START, RunFailed, Trial
from tests.crash.verdict import Life, Verdict
from tests.services.redis_server import RedisServer

__all__ = ['Findings', 'Run', 'RunFailed']

# Share of the kills that come before handlers begin, as a rule, and seconds after the start of these.
EARLY, EARLY_S = 0.15, 2.0

# The others come so many seconds after the first handler of this life has begun; one in eight later.
SOON_S, LATER, LATER_S = 3.0, 1 / 8, 8.0

# Seconds that the service is down.
DOWN_S = 1.0

# Shorter polls: what comes with the answer to a subscribe beside a held poll is not committed before that has
# ended.
POLL_S = 10.0


@dataclass(slots=True)
class Findings:
    """What a run has shown besides the verdict.

    Attributes:
        kills: that found a handler begun in that life.
        early: those that did not.
        before_login: of the early ones.
        idle: those that came between two handlers.
        down: of each time that the service was down, how many writes were done.
    """

    kills: int = 0
    early: int = 0
    before_login: int = 0
    idle: int = 0
    down: list[int] = field(default_factory=list)


class Run(Trial):
    """With kills; arguments as for `Trial`."""

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
            module='tests.crash.service',
            settings={'timeout': POLL_S},
            verbose=verbose,
            progress=progress,
        )
        self.findings = Findings()
        self._random = random.Random(f'kills {seed}')

    def execute(self, kills: int) -> Verdict:
        """All of it.

        Raises:
            RunFailed: it could not be brought to its end.
        """
        self.publisher.start()
        while self.findings.kills < kills:
            self._start()
            self._progress(f'{self.findings.kills} of {kills} kills')
            self._live()
            self._kill()
        self._start()
        return self._end_well()

    # --- lives -------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._life = Life()
        self._mark = self._fake.mark()
        self.service.start()

    def _live(self) -> None:
        """Until a random moment."""
        if self._random.random() < EARLY:
            self._wait(self._random.uniform(0, EARLY_S))
            return
        self._until('a handler to begin', lambda: self._life.begun, START)
        longest = LATER_S if self._random.random() < LATER else SOON_S
        self._wait(self._random.uniform(0, longest))
        # As good as always there are some already.
        self._until('an unfinished worker', lambda: self._life.running, START)

    def _kill(self) -> None:
        self.service.kill()
        self._read()
        if self._life.running:
            self.findings.kills += 1
        elif self._life.begun:
            self.findings.idle += 1  # the last one has ended meanwhile
        else:
            self.findings.early += 1
            if not self._fake.journal('login', after=self._mark):
                self.findings.before_login += 1
        before = self.publisher.count
        self._promise()
        self._wait(self._random.uniform(0, DOWN_S), alive=False)
        end = time.monotonic() + START
        while self.publisher.count == before and time.monotonic() < end:
            self._wait(LOOK, alive=False)
        self.findings.down.append(self.publisher.count - before)
