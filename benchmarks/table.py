"""The cells of the two tables that a run prints: figures, and targets. Pure; `drawing.py` draws them."""

from collections.abc import Sequence

from benchmarks.figures import Figures, Spread, base, cpu, growth, p50, p99, rate
from benchmarks.patterns import PATTERNS
from benchmarks.targets import Target

__all__ = ['COLUMNS', 'VERDICTS', 'figure_rows', 'markdown_of_figures', 'markdown_of_targets', 'target_row']

COLUMNS = (
    'client',
    'CPU us/event',
    'x reference',
    'events/s',
    'RSS base',
    'peak +MB',
    'p50 ms',
    'p99 ms',
)


VERDICTS = ('pass', 'FAIL', 'not measured')


def figure_rows(figures: Figures, pattern: str) -> list[list[str]]:
    """A row for each client of a pattern, in the order of the columns."""
    rows = []
    for client in figures.clients(pattern):
        ratio = figures.ratio((pattern, client), (pattern, 'reference'), cpu)
        row = [
            client,
            _cell(figures.spread(pattern, client, cpu), 1),
            _cell(ratio, 2),
            _cell(figures.spread(pattern, client, rate), 0, spread_too=False),
            _cell(figures.spread(pattern, client, base), 1, spread_too=False),
            _cell(figures.spread(pattern, client, growth), 1),
        ]
        timed = bool(PATTERNS[pattern].pause)
        row += [_cell(figures.spread(pattern, client, each), 2) if timed else '' for each in (p50, p99)]
        rows.append(row)
    return rows


def target_row(target: Target) -> list[str]:
    """What, limit, measured, pass or fail."""
    passed, failed, unknown = VERDICTS
    verdict = unknown if target.measured is None else passed if target.passed else failed
    value = '' if target.measured is None else _cell(target.measured, 2)
    return [target.words, f'{target.limit:g} {target.unit}', value, verdict]


def _cell(spread: Spread | None, digits: int, *, spread_too: bool = True) -> str:
    if spread is None:
        return ''
    median, low, high = (f'{each:,.{digits}f}' for each in (spread.median, spread.low, spread.high))
    return f'{median} ({low}-{high})' if spread_too and low != high else median


def markdown_of_figures(figures: Figures, patterns: Sequence[str]) -> list[str]:
    """Lines of one table with all patterns, and of one with the moments of those that have them."""
    rows = [[pattern, *row] for pattern in patterns for row in figure_rows(figures, pattern)]
    head = ['pattern', *COLUMNS]
    moments = [[row[1], *row[-2:]] for row in rows if row[-1]]
    lines = _markdown(head[:-2], [row[:-2] for row in rows])
    return [*lines, '', *_markdown([head[1], *head[-2:]], moments)] if moments else lines


def markdown_of_targets(targets: Sequence[Target]) -> list[str]:
    """Lines of one table."""
    return _markdown(['target', 'at most', 'measured', ''], [target_row(each) for each in targets])


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f'| {" | ".join(row)} |' for row in (head, ['---'] * len(head), *rows)]
