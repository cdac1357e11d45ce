"""Whether memory, descriptors and green threads of a process stay as they are. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ['LIMITS', 'Vitals', 'growing', 'read', 'trends']

MIB = 2**20

# By how much the last quarter of a run may be above the second one: the first is warming up, its windows of
# known events fill. A leak of 1 KB for each event of `make soak MINUTES=20` is above 8 MiB.
LIMITS = {'rss': 4 * MIB, 'descriptors': 4, 'green_threads': 10}


@dataclass(frozen=True, slots=True)
class Vitals:
    """At one moment.

    Attributes:
        rss: bytes in memory.
        reconnects: cause -> how often the connection was lost for it, so far.
    """

    rss: int
    descriptors: int
    green_threads: int
    reconnects: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Trend:
    """Medians of two quarters of a run."""

    name: str
    second: float
    last: float

    @property
    def grows(self) -> bool:
        return self.last - self.second > LIMITS[self.name]


def read(text: str) -> list[Vitals]:
    """The file of a service's vital signs; a line that is being written is left out."""
    whole, _, _ = text.rpartition('\n')
    return [Vitals(**json.loads(line)) for line in whole.splitlines()]


def trends(vitals: Sequence[Vitals]) -> Iterator[Trend]:
    """What each figure has done. Four vital signs at least."""
    quarter = len(vitals) // 4
    for name in LIMITS:
        figures = [getattr(each, name) for each in vitals]
        yield Trend(name, median(figures[quarter : 2 * quarter]), median(figures[-quarter:]))


def growing(vitals: Sequence[Vitals]) -> list[str]:
    """What has grown beyond its limit, as sentences."""
    if len(vitals) < 4:
        return [f'the service has looked at itself {len(vitals)} times only']
    return [
        f'{each.name} grow: {each.second:,.0f} in the second quarter, {each.last:,.0f} in the last'
        for each in trends(vitals)
        if each.grows
    ]
