"""What is promised, next to what was measured. Pure.

A target is judged by the median of its runs; a bound of memory by the worst of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.figures import Figures, Spread, age_of, broadcast, cpu, growth, held, held_cpu, p99, wake_ups
from benchmarks.patterns import HELD_CLIENTS, OURS, PEERS

__all__ = ['Target', 'targets']

# "Does not grow", in figures that are never quite the same.
NO_GROWTH = 1.2


@dataclass(frozen=True, slots=True)
class Target:
    """Attributes:

    words: what.
    limit: the most that passes.
    unit: of both.
    measured: None: not measured.
    worst: judged by the worst run.
    """

    words: str
    limit: float
    unit: str
    measured: Spread | None
    worst: bool = False

    @property
    def value(self) -> float | None:
        """What is judged."""
        if self.measured is None:
            return None
        return self.measured.high if self.worst else self.measured.median

    @property
    def passed(self) -> bool:
        return self.value is not None and self.value <= self.limit


def targets(figures: Figures) -> list[Target]:
    """All of them, measured or not."""
    return [
        *_bayeux(figures),
        *_services(figures),
        *_memory(figures),
        *_idle(figures),
        *_latency(figures),
        *_growth(figures),
        *_fake(figures),
    ]


def _bayeux(figures: Figures) -> Iterator[Target]:
    for pattern, limit in (('1', 4.5), ('10', 2.5), ('100', 1.5)):
        ratio = figures.ratio((pattern, 'ours'), (pattern, 'reference'), cpu)
        yield Target(f'callback per event, {pattern} a response: CPU over the reference', limit, 'x', ratio)
    for pattern in ('1', '10', '100'):
        for peer in PEERS:
            ratio = figures.ratio((pattern, 'ours'), (pattern, peer), cpu)
            yield Target(f'callback per event, {pattern} a response: CPU over {peer}', 1.0, 'x', ratio)


def _services(figures: Figures) -> Iterator[Target]:
    for pattern in ('10', '100'):
        ratio = figures.ratio((pattern, 'ours_service'), (pattern, 'floor'), cpu)
        yield Target(f'handler per event, {pattern} a response: CPU over the Nameko floor', 1.5, 'x', ratio)
    ratio = figures.ratio(('100', 'ours_batches'), ('100', 'reference'), cpu)
    yield Target('batch handlers, 100 a response: CPU over the reference', 2.0, 'x', ratio)


def _memory(figures: Figures) -> Iterator[Target]:
    for pattern, words in (('backlog', 'instant'), ('backlog-slow', 'slow')):
        for client in OURS:
            grown = figures.spread(pattern, client, growth)
            yield Target(
                f'200,000 events, {words} handlers: memory of {client}', 16.0, 'MB', grown, worst=True
            )
    for client in OURS:
        grown = figures.spread('burst', client, growth)
        yield Target(f'50,000 events in one response: memory of {client}', 8.0, 'MB', grown, worst=True)
    ratio = figures.ratio(('burst', 'ours'), ('burst', 'reference'), cpu)
    yield Target('50,000 events in one response: CPU over the reference', 1.0, 'x', ratio)


def _idle(figures: Figures) -> Iterator[Target]:
    for client in ('ours', 'ours_service'):
        woken = figures.spread('idle', client, wake_ups)
        yield Target(f'a held poll: wake-ups of {client} beyond one a second', 0.0, '', woken)
    # The heartbeat of a service takes longer than that in 110 s, and is allowed.
    ratio = figures.ratio(('idle', 'ours'), ('single', 'ours'), held_cpu, cpu)
    yield Target('a poll held for 110 s: CPU over that of an answered one', 1.0, 'x', ratio)


def _latency(figures: Figures) -> Iterator[Target]:
    for client in ('ours', 'ours_service'):
        later = figures.ratio(('single', client), ('single', 'reference'), p99, difference=True)
        yield Target(f'publish to handler, p99 less that of the reference: {client}', 2.0, 'ms', later)


def _growth(figures: Figures) -> Iterator[Target]:
    # Not of batches: each is of one channel, so that with more channels there is less in each.
    for client in ('ours', 'ours_service'):
        ratio = figures.ratio(('channels-100', client), ('100', client), cpu)
        yield Target(f'100 channels over 1: CPU of {client}', NO_GROWTH, 'x', ratio)
    for client in OURS:
        aged = figures.spread('backlog', client, age_of)
        yield Target(f'last over first three tenths of 200,000: CPU of {client}', NO_GROWTH, 'x', aged)


def _fake(figures: Figures) -> Iterator[Target]:
    words = f'the fake, {HELD_CLIENTS:,} held clients'
    yield Target(f'{words}: one broadcast', 1.0, 's', figures.spread('held', 'fake', broadcast), worst=True)
    yield Target(f'{words}: memory of each', 40.0, 'kB', figures.spread('held', 'fake', held), worst=True)
