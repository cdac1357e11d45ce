"""`make bench`: everybody in turn with every pattern, several times; then figures, targets and a status.

    python -m benchmarks [--quick] [--only ours,reference,100] [--runs 5] [--json FILE]
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
from benchmarks.targets import targets

RUNS = 5
# Wide enough for every row where nobody looks at a terminal.
WIDTH = 150


def main() -> int:
    options = arguments()
    if options.one:
        return one(*options.one, is_quick=options.quick, wrap=shlex.split(options.wrap))
    chosen = choose(options.only, is_quick=options.quick)
    progress = Console(stderr=True)
    progress.print(f'{sum(len(clients) for _, clients in chosen)} clients and patterns, {options.runs} times')
    begun = time.monotonic()
    runs: list[dict[str, Any]] = []
    with Programs(is_quick=options.quick) as programs:
        for number, client, pattern in plan(chosen, options.runs):
            seconds = time.monotonic() - begun
            progress.print(
                f'{seconds:5.0f} s  run {number + 1}  {pattern.name:<13} {client}', highlight=False
            )
            runs.append({**attempt(programs, client, pattern), 'run': number})
    return tell(options, chosen, runs, time.monotonic() - begun)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='make bench', description='Speed and memory, measured against others.'
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


def tell(
    options: argparse.Namespace,
    chosen: Sequence[tuple[Pattern, Sequence[str]]],
    runs: Sequence[dict[str, Any]],
    seconds: float,
) -> int:
    figures = Figures(runs)
    load = os.getloadavg()[1]
    title = (
        f'{options.runs} runs in {seconds / 60:.1f} minutes, {os.cpu_count()} cores, load {load:.1f}, '
        f'Python {platform.python_version()}; median (least-most)'
    )
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    names = [pattern.name for pattern, _ in chosen if 'fake' not in pattern.clients]
    draw_figures(figures, names, title, console)
    judged = targets(figures, pattern_of('idle', is_quick=options.quick).hold)
    draw_targets(judged, console)
    if options.json:
        options.json.write_text(json.dumps({'title': title, 'runs': runs}, indent=1))
    failed = [run for run in runs if 'failed' in run]
    for run in failed:
        print(f'{run["client"]} with {run["pattern"]} failed: {run["failed"].splitlines()[0]}')
    whole = not (options.only or options.quick)
    missed = [each for each in judged if not each.passed and (whole or each.measured is not None)]
    print(f'{sum(each.passed for each in judged)} of {len(judged)} targets reached, {len(missed)} missed')
    return 1 if missed or failed else 0


if __name__ == '__main__':
    sys.exit(main())
