"""From what each run said of itself to medians, spreads and ratios. Pure.

A run is a dict: client, pattern, run (its number), and what `clients/meter.py` reports. Ratios are made
inside one run of the whole, between two clients that ran soon after each other; then their median is
taken: a shared machine is faster at one minute than at the next.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any

__all__ = [
    'Figures',
    'Measure',
    'Spread',
    'age_of',
    'base',
    'broadcast',
    'cpu',
    'growth',
    'held',
    'held_cpu',
    'p50',
    'p99',
    'rate',
    'spread_of',
    'wake_ups',
]

Run = Mapping[str, Any]
Measure = Callable[[Run], float]

MB = 2**20

# Seconds.
SALESFORCE_HOLD = 110.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Of some runs: the median, the least and the most."""

    median: float
    low: float
    high: float


def spread_of(values: Iterable[float]) -> Spread | None:
    """None: there are no values."""
    known = sorted(values)
    return Spread(median(known), known[0], known[-1]) if known else None


# --- what can be measured of a run -----------------------------------------------------------------


def cpu(run: Run) -> float:
    """Microseconds of CPU for one event, user and system."""
    return float(run['cpu'] / run['events'] * 1e6)


def rate(run: Run) -> float:
    """Events in a second."""
    return float(run['events'] / run['wall'])


def base(run: Run) -> float:
    """MB of memory before the events."""
    return float(run['rss_base'] / MB)


def growth(run: Run) -> float:
    """MB of memory at the peak, beyond the base."""
    return float((run['rss_peak'] - run['rss_base']) / MB)


def wake_ups(run: Run) -> float:
    """Of an idle client, beyond one in each begun second."""
    return float(max(0, run['idle_switches'] - ceil(run['idle_seconds'])))


def held_cpu(run: Run) -> float:
    """Microseconds of CPU of an idle client in the time that Salesforce holds a poll."""
    return float(run['idle_cpu'] / run['idle_seconds'] * SALESFORCE_HOLD * 1e6)


def p50(run: Run) -> float:
    """Milliseconds from an event's publication to its handler, the median of the run."""
    return _percentile(run['latencies'], 50)


def p99(run: Run) -> float:
    """The same, of which one in a hundred is longer."""
    return _percentile(run['latencies'], 99)


def _percentile(seconds: Iterable[float], percent: int) -> float:
    known = sorted(seconds)
    return known[min(len(known) - 1, len(known) * percent // 100)] * 1e3


def age_of(run: Run) -> float:
    """CPU of the last three tenths of the events over that of the first three."""
    return float(sum(run['tenths'][-3:]) / sum(run['tenths'][:3]))


def broadcast(run: Run) -> float:
    """Seconds until one event has reached all held clients of the fake."""
    return float(run['broadcast'])


def held(run: Run) -> float:
    """kB of the fake's memory for each held client."""
    return float(run['held'] / 1024)


# --- all runs --------------------------------------------------------------------------------------


class Figures:
    """All runs, those that failed left out."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs: dict[tuple[str, str], dict[int, Run]] = {}
        for run in runs:
            if 'failed' not in run:
                self._runs.setdefault((run['pattern'], run['client']), {})[run['run']] = run

    def clients(self, pattern: str) -> list[str]:
        """Who was measured with a pattern."""
        return [client for each, client in self._runs if each == pattern]

    def spread(self, pattern: str, client: str, measure: Measure) -> Spread | None:
        """None: not measured."""
        return spread_of(map(measure, self._runs.get((pattern, client), {}).values()))

    def ratio(
        self,
        one: tuple[str, str],
        other: tuple[str, str],
        measure: Measure,
        over: Measure | None = None,
        *,
        difference: bool = False,
    ) -> Spread | None:
        """One over the other, or less the other, each a (pattern, client), inside each run that has both.

        Args:
            over: what is measured of the other, if that is something else.
        """
        ones, others = self._runs.get(one, {}), self._runs.get(other, {})
        pairs = [
            (measure(ones[number]), (over or measure)(others[number])) for number in ones if number in others
        ]
        return spread_of(first - second if difference else first / second for first, second in pairs)
