"""What a run says in the end. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from tests.crash.report import outcome, unfulfilled
from tests.crash.verdict import Verdict
from tests.soak.vitals import MIB, Vitals, growing, trends

__all__ = ['report', 'wrong']

# A run that is shorter has not seen everything, and need not.
FULL = 15 * 60.0


def report(
    verdict: Verdict, weather: Mapping[str, int], vitals: Sequence[Vitals], lived: Mapping[str, float]
) -> Iterator[str]:
    """The figures, line by line.

    Args:
        lived: what the server has seen: name -> figure.
    """
    yield from outcome(verdict, weather)
    yield ''
    yield from (f'{count:10,.1f} {name}' for name, count in lived.items())
    yield ''
    if vitals:
        yield 'connection lost: ' + ', '.join(
            f'{count} {why}' for why, count in vitals[-1].reconnects.items()
        )
    if len(vitals) >= 4:
        for each in trends(vitals):
            unit = MIB if each.name == 'rss' else 1
            yield (
                f'{each.name:14} {each.second / unit:8.1f} in the second quarter, '
                f'{each.last / unit:8.1f} in the last{" (MiB)" if unit != 1 else ""}'
            )


def wrong(
    verdict: Verdict,
    kinds: Sequence[str],
    weather: Mapping[str, int],
    vitals: Sequence[Vitals],
    lived: Mapping[str, float],
    seconds: float,
) -> list[str]:
    """All that makes the run a failure, as sentences.

    Args:
        kinds: of weather that there are.
        seconds: that were asked for.
    """
    found = unfulfilled(verdict) + growing(vitals)
    if seconds >= FULL:
        found += [f'never: {kind}' for kind in kinds if not weather.get(kind)]
        found += [f'never: {name}' for name, count in lived.items() if not count]
    return found
