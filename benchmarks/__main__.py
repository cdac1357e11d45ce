"""`make bench`: everybody in turn with every pattern, several times; then figures, targets and a status.

    python -m benchmarks [--quick] [--only ours,reference,100] [--runs 5] [--json FILE]
    python -m benchmarks --read FILE [--markdown]
    python -m benchmarks --one ours 100 [--wrap 'py-spy record -o ours.svg --']

Status 1 if a target is missed, or was not measured though all was to be, or a client failed.
"""

import argparse
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.drawing import draw_figures, draw_targets
from benchmarks.figures import Figures
from benchmarks.patterns import CLIENTS, PATTERNS, Pattern, pattern_of
from benchmarks.plan import choose, plan
from benchmarks.programs import Failed, Programs
from benchmarks.table import markdown_of_figures, markdown_of_targets
from benchmarks.targets import targets

RUNS = 5
# Wide enough for every row where nobody looks at a terminal.
WIDTH = 150


def main() -> int:
    options = arguments()
    if options.one:
        return one(*options.one, is_quick=options.quick, wrap=shlex.split(options.wrap))
    measured = json.loads(options.read.read_text()) if options.read else measure(options)
    return tell(options, measured)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All runs, told on standard error as they come, and kept in the file as far as they have come."""
    chosen = choose(options.only, is_quick=options.quick)
    todo = list(plan(chosen, options.runs))
    progress = Console(stderr=True, highlight=False)
    begun = time.monotonic()
    runs: list[dict[str, Any]] = []
    measured = {
        'patterns': [pattern.name for pattern, _ in chosen],
        'whole': not (options.only or options.quick),
        'load': os.getloadavg()[0],
        'runs': runs,
    }
    with Programs(is_quick=options.quick) as programs:
        for done, (number, client, pattern) in enumerate(todo):
            seconds = time.monotonic() - begun
            place = f'{done:4}/{len(todo)}  run {number + 1}'
            progress.print(f'{seconds:5.0f} s {place}  {pattern.name:<13} {client}')
            runs.append({**attempt(programs, client, pattern), 'run': number})
            minutes = (time.monotonic() - begun) / 60
            measured['title'] = ('few events only, ' if options.quick else '') + (
                f'{number + 1} runs in {minutes:.1f} minutes, {os.cpu_count()} cores, '
                f'load {measured["load"]:.1f} before, Python {platform.python_version()}'
            )
            if options.json:
                options.json.write_text(json.dumps(measured))
    return measured


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='make bench',
        description='Speed and memory, measured against others.',
        epilog='; '.join(f'{pattern.name}: {pattern.words}' for pattern in PATTERNS.values()),
    )
    parser.add_argument('--quick', action='store_true', help='some of it, once, with few events: QUICK=1')
    parser.add_argument(
        '--only',
        default='',
        help=f'clients ({", ".join(CLIENTS)}) and patterns ({", ".join(PATTERNS)}), with commas: ONLY=',
    )
    parser.add_argument(
        '--runs', type=int, help=f'of each client with each pattern: {RUNS}, and 1 with --quick'
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='write all that was measured there')
    parser.add_argument('--read', type=Path, metavar='FILE', help='show what was written there')
    parser.add_argument('--markdown', action='store_true', help='tables for docs/performance.md')
    parser.add_argument(
        '--one', nargs=2, metavar=('CLIENT', 'PATTERN'), help='one run, and what the client says of it'
    )
    parser.add_argument('--wrap', default='', metavar='COMMAND', help='with --one: what the client is run by')
    options = parser.parse_args()
    unknown = set(filter(None, options.only.split(','))) - {*CLIENTS, *PATTERNS}
    if unknown:
        parser.error(f'--only: neither a client nor a pattern: {", ".join(sorted(unknown))}')
    if options.one and (options.one[0] not in CLIENTS or options.one[1] not in PATTERNS):
        parser.error('--one: a client and a pattern')
    options.runs = options.runs or (1 if options.quick else RUNS)
    return options


def one(client: str, name: str, *, is_quick: bool, wrap: Sequence[str]) -> int:
    """One run for whoever looks where the time goes."""
    with Programs(is_quick=is_quick, wrap=wrap) as programs:
        print(json.dumps(programs.run(client, pattern_of(name, is_quick=is_quick))))
    return 0


def attempt(programs: Programs, client: str, pattern: Pattern) -> dict[str, Any]:
    try:
        run = programs.run(client, pattern)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return {'client': client, 'pattern': pattern.name, 'failed': str(failure)}
    if run.get('complete') is False:
        print(f'{client} with {pattern.name}: positions are not at the last events', file=sys.stderr)
        return {**run, 'failed': 'positions are not at the last events'}
    return run


def tell(options: argparse.Namespace, measured: dict[str, Any]) -> int:
    figures = Figures(measured['runs'])
    judged = targets(figures)
    if not measured['whole']:
        judged = [each for each in judged if each.measured is not None]
    patterns = [name for name in measured['patterns'] if name != 'held']
    if options.markdown:
        print(f'{measured["title"]}\n')
        print('\n'.join([*markdown_of_figures(figures, patterns), '', *markdown_of_targets(judged)]))
    else:
        console = Console(width=None if sys.stdout.isatty() else WIDTH)
        draw_figures(figures, patterns, f'{measured["title"]}; median (least-most)', console)
        draw_targets(judged, console)
    failed = [run for run in measured['runs'] if 'failed' in run]
    for run in failed:
        print(f'{run["client"]} with {run["pattern"]} failed: {run["failed"].splitlines()[0]}')
    missed = [each for each in judged if not each.passed]
    print(f'\n{len(judged) - len(missed)} of {len(judged)} targets reached, {len(missed)} missed')
    return 1 if missed or failed else 0


if __name__ == '__main__':
    sys.exit(main())
