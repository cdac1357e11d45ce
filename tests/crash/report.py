"""What a run says in the end. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean

from tests.crash.run import Findings
from tests.crash.verdict import Verdict

__all__ = ['outcome', 'report', 'unfulfilled', 'wrong']

# Of each kind of sentences; the diary has all.
SHOWN = 10


def report(findings: Findings, verdict: Verdict, weather: Mapping[str, int]) -> Iterator[str]:
    """The figures, line by line."""
    yield (
        f'{findings.kills} kills with handlers at work, {findings.early} before any had begun '
        f'({findings.before_login} of them before a login), {findings.idle} between two'
    )
    yield f'unfinished workers at a kill:      {_spread(unfinished(verdict, findings))}'
    yield f'writes while the service was down: {_spread(findings.down)}'
    yield from outcome(verdict, weather)


def outcome(verdict: Verdict, weather: Mapping[str, int]) -> Iterator[str]:
    """What became of the events, and in what weather."""
    yield ''
    yield f'{"handler":10}{"published":>12}{"handled":>12}{"letters":>12}{"duplicated":>12}{"lost":>12}'
    for name, tally in verdict.tallies.items():
        figures = (tally.published, len(tally.done), len(tally.letters), tally.duplicates, len(tally.lost))
        yield f'{name:10}' + ''.join(f'{each:12,}' for each in figures)
    yield ''
    for name, count in sorted(weather.items()):
        yield f'{count:6,} {name}'
    yield ''
    tallies = verdict.tallies.values()
    yield (
        f'lost {sum(len(each.lost) for each in tallies):,}, '
        f'duplicated {sum(each.duplicates for each in tallies):,}, '
        f'twice in one life {len(verdict.repeated):,}, order broken {len(verdict.broken):,}, '
        f'positions lost {verdict.gaps:,}'
    )


def wrong(findings: Findings, verdict: Verdict) -> list[str]:
    """All that makes the run a failure, as sentences."""
    found = unfulfilled(verdict)
    idle = sum(not each for each in unfinished(verdict, findings)) - findings.idle
    if idle > 0:
        found.append(f'{idle} kills found no unfinished worker')
    silent = sum(not each for each in findings.down)
    if silent:
        found.append(f'nothing was published in {silent} of the times that the service was down')
    return found


def unfulfilled(verdict: Verdict) -> list[str]:
    """What the service had promised and did not keep, as sentences."""
    found = []
    for name, tally in verdict.tallies.items():
        if tally.lost:
            found.append(f'{name}() has lost {_some([str(each) for each in tally.lost])}')
    for what, sentences in (
        ('order', verdict.broken),
        ('twice in one life', verdict.repeated),
        ('never published', verdict.unknown),
    ):
        found += [f'{what}: {each}' for each in sentences[:SHOWN]]
    if verdict.gaps:
        found.append(f'{verdict.gaps} positions were lost, and the server keeps all')
    return found


def unfinished(verdict: Verdict, findings: Findings) -> list[int]:
    """Calls that each kill cut off, where handlers had begun; the last life was not killed."""
    last = findings.kills + findings.early + findings.idle + 1
    return [len(life.running) for number, life in verdict.lives.items() if number != last]


def _spread(numbers: Sequence[int]) -> str:
    if not numbers:
        return 'none'
    return f'{min(numbers)} to {max(numbers)}, {mean(numbers):.1f} on average, {sum(numbers):,} in all'


def _some(words: Sequence[str]) -> str:
    more = f' and {len(words) - SHOWN} more' if len(words) > SHOWN else ''
    return ', '.join(words[:SHOWN]) + more
