"""The service that is killed. Its handlers take any time between nothing and seconds, and keep a diary."""

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider

from nameko_salesforce.streaming import (
    handle_change_event,
    handle_gap,
    handle_notification,
    handle_platform_event,
)
from tests.crash.diary import DiaryWriter, Step
from tests.crash.streams import SERVICE, meter_of, replay_id_of

__all__ = ['Crash']


class Hiccup(Exception):
    """What a handler raises that fails."""


class Diary(DependencyProvider):  # type: ignore[misc]  # Nameko is untyped
    """Notes each call, and takes time for it."""

    def setup(self) -> None:
        life = int(os.environ['CRASH_LIFE'])
        self._writer = DiaryWriter(Path(os.environ['CRASH_DIARY']), life)
        self._random = random.Random(f'{os.environ["CRASH_SEED"]}:{life}')

    def get_dependency(self, worker_ctx: Any) -> 'Diary':
        return self

    @contextmanager
    def call(
        self, handler: str, events: Sequence[Mapping[str, Any]], *, mean: float, failing: float = 0.0
    ) -> Iterator[None]:
        """Around the work of a handler.

        Args:
            mean: seconds that it takes on average; one in ten takes about eight times as long as the others.
            failing: share of the calls that fail, at their end.
        """
        ids = [replay_id_of(each) for each in events]
        self._writer.write(Step.BEGUN, handler, ids)
        try:
            eventlet.sleep(self._duration(mean))
            if self._random.random() < failing:
                raise Hiccup('at times')
            yield
        except Exception:
            self._writer.write(Step.FAILED, handler, ids)
            raise
        self._writer.write(Step.DONE, handler, ids)

    def gap(self) -> None:
        self._writer.write(Step.GAP, 'gap', ())

    def _duration(self, mean: float) -> float:
        base = mean / 1.7
        return base * self._random.uniform(0, 2) * (8 if self._random.random() < 0.1 else 1)


class Crash:
    name = SERVICE

    diary = Diary()

    @handle_notification('Parcels', query='SELECT Id, Step__c FROM Parcel__c', start='earliest')
    def follow(self, name: str, notification: Any) -> None:
        with self.diary.call('follow', [notification], mean=0.05, failing=0.03):
            pass

    @handle_change_event('Parcel__c', start='earliest')
    def copy(self, entity: str, event: Any) -> None:
        with self.diary.call('copy', [event], mean=0.05):
            pass

    @handle_change_event('Parcel__c', order=None, start='earliest')
    def count(self, entity: str, event: Any) -> None:
        with self.diary.call('count', [event], mean=0.02):
            pass

    @handle_platform_event('Scan__e', order=None, start='earliest')
    def scan(self, name: str, event: Any) -> None:
        with self.diary.call('scan', [event], mean=0.6):
            pass

    @handle_platform_event('Reading__e', key=meter_of, batch=10, batch_wait=0.1, start='earliest')
    def read(self, name: str, events: list[Any]) -> None:
        with self.diary.call('read', events, mean=0.1, failing=0.02):
            pass

    @handle_platform_event('Damage__e', order=None, attempts=2, start='earliest')
    def repair(self, name: str, event: Any) -> None:
        with self.diary.call('repair', [event], mean=0.05):
            if event.payload['Hopeless__c']:
                raise Hiccup('always')

    @handle_platform_event('Holiday__e')
    def rest(self, name: str, event: Any) -> None:
        with self.diary.call('rest', [event], mean=0.2):
            pass

    @handle_gap
    def notice(self, gap: Any) -> None:
        self.diary.gap()
