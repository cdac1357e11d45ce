"""Somebody who works in the org all the time, whether the service lives or not."""

import random
import threading
import time
from collections.abc import Callable

from fake_salesforce.people import Person

__all__ = ['Publisher']

# Writes a second, on average. With what its handlers take, the service is busy and can keep up.
RATE = 15.0

# Records that are updated; a few of them most of the time.
PARCELS = 12

# One write in so many begins a burst of as many.
BURST_DISTANCE, BURST = 100, 30

# Seconds between two events of the quiet channel, on average.
QUIET_DISTANCE = 15.0


class Publisher:
    """Writes in a thread of its own until `stop`.

    Args:
        person: who writes.
        seed: what is drawn follows from it.

    Attributes:
        count: writes that are done; each raises an event or two.
        problem: what ended the thread before its time.
    """

    def __init__(self, person: Person, seed: str) -> None:
        self.count = 0
        self.problem: BaseException | None = None
        self._person = person
        self._random = random.Random(seed)
        self._parcels: list[str] = []
        self._step = 0
        self._burst = 0
        self._quiet_at = time.monotonic() + self._random.expovariate(1 / QUIET_DISTANCE)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._actions: dict[Callable[[], object], float] = {
            self._update: 10,
            self._replace: 1,
            self._scan: 7,
            self._read: 6,
            self._damage: 2,
        }

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the last write is done. Any number of times."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopped.wait(self._pause()):
                self._write()
                self.count += 1
        except BaseException as problem:
            self.problem = problem

    def _pause(self) -> float:
        if self._burst:
            self._burst -= 1
            return 0.0
        if self._random.randrange(BURST_DISTANCE) == 0:
            self._burst = BURST
        return self._random.expovariate(RATE)

    def _write(self) -> None:
        now = time.monotonic()
        if now >= self._quiet_at:
            self._quiet_at = now + self._random.expovariate(1 / QUIET_DISTANCE)
            self._celebrate()
            return
        [action] = self._random.choices(list(self._actions), list(self._actions.values()))
        action()

    def _update(self) -> None:
        if len(self._parcels) < PARCELS:
            self._replace()
            return
        self._step += 1
        # The first of the list is the busiest.
        place = int(self._random.random() ** 2 * PARCELS)
        self._person.update('Parcel__c', self._parcels[place], Step__c=self._step)

    def _replace(self) -> None:
        """A new record, in place of one that rests from now on."""
        self._step += 1
        parcel = self._person.create('Parcel__c', Step__c=self._step)
        if len(self._parcels) < PARCELS:
            self._parcels.append(parcel)
        else:
            self._parcels[self._random.randrange(PARCELS)] = parcel

    def _scan(self) -> None:
        self._person.create('Scan__e', Number__c=self.count)

    def _read(self) -> None:
        self._person.create('Reading__e', Meter__c=f'meter-{self._random.randrange(5)}')

    def _damage(self) -> None:
        self._person.create('Damage__e', Hopeless__c=self._random.random() < 0.03)

    def _celebrate(self) -> None:
        self._person.create('Holiday__e', Number__c=self.count)
