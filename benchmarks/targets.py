"""What is promised, next to what was measured. Pure.

A target is judged by the median of its runs; a bound of memory by the worst of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.figures import Figures, Spread, age_of, broadcast, cpu, growth, held, p99, switches
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


def targets(figures: Figures, hold: float) -> list[Target]:
    """All of them, measured or not.

    Args:
        hold: seconds that the idle poll was held.
    """
    return [
        *_bayeux(figures),
        *_services(figures),
        *_memory(figures),
        *_idle(figures, hold),
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


def _idle(figures: Figures, hold: float) -> Iterator[Target]:
    for client in ('ours', 'ours_service'):
        # What an answered poll takes is not counted as a wake-up between polls.
        woken = figures.ratio(('idle', client), ('single', client), switches, difference=True)
        each = None if woken is None else Spread(*(max(0.0, n) / hold for n in _values(woken)))
        yield Target(f'a held poll: wake-ups a second of {client}', 1.0, '/s', each)
    held = figures.ratio(('idle', 'ours'), ('single', 'ours'), cpu)
    # The one includes an answered poll.
    beyond = None if held is None else Spread(*(n - 1 for n in _values(held)))
    yield Target('a held poll: CPU beyond that of an answered one, over that', 1.0, 'x', beyond)


def _latency(figures: Figures) -> Iterator[Target]:
    for client in ('ours', 'ours_service'):
        later = figures.ratio(('single', client), ('single', 'reference'), p99, difference=True)
        yield Target(f'publish to handler, p99 less that of the reference: {client}', 2.0, 'ms', later)


def _growth(figures: Figures) -> Iterator[Target]:
    for client in OURS:
        ratio = figures.ratio(('channels-100', client), ('100', client), cpu)
        yield Target(f'100 channels over 1: CPU of {client}', NO_GROWTH, 'x', ratio)
    for client in OURS:
        aged = figures.spread('backlog', client, age_of)
        yield Target(f'last over first tenth of 200,000: CPU of {client}', NO_GROWTH, 'x', aged)


def _fake(figures: Figures) -> Iterator[Target]:
    words = f'the fake, {HELD_CLIENTS:,} held clients'
    yield Target(f'{words}: one broadcast', 1.0, 's', figures.spread('held', 'fake', broadcast), worst=True)
    yield Target(f'{words}: memory of each', 40.0, 'kB', figures.spread('held', 'fake', held), worst=True)


def _values(spread: Spread) -> tuple[float, float, float]:
    return spread.median, spread.low, spread.high
