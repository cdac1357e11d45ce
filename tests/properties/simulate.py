"""Many schedules, drawn from seeds: how many a second, which one fails, and what has struck where.

    python -m tests.properties.simulate --n 100000
    python -m tests.properties.simulate --seed 4711 --n 1 --verbose      one again, step by step
    python -m tests.properties.simulate --seed 4711 --n 1 --reduce       its least part that fails as well

Ends with 1 where a promise was broken, and where something never struck in a state in which it can: then the
run has shown less than it seems to.
"""

import argparse
import logging
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from multiprocessing import Pool
from typing import NamedTuple

from tests.properties.schedules import drawn, reduced
from tests.properties.struck import ENOUGH, missing, table

CHUNK = 50  # schedules that a process lives through before it tells
PROGRESS = 5.0  # seconds between two lines
MOST_FAILURES = 10  # after as many it ends


class Result(NamedTuple):
    """Of some schedules.

    Attributes:
        count: of schedules.
        hits: (fault, state) -> how often.
        sights: what else was seen -> how often.
        failures: (seed, error).
    """

    count: int
    hits: Counter[tuple[str, str]]
    sights: Counter[str]
    failures: list[tuple[int, str]]


def live_through(seeds: Iterable[int]) -> Result:
    hits: Counter[tuple[str, str]] = Counter()
    sights: Counter[str] = Counter()
    failures = []
    count = 0
    for seed in seeds:
        count += 1
        try:
            world = drawn(seed).run()
        except Exception as error:
            failures.append((seed, f'{type(error).__name__}: {error}'))
        else:
            hits.update(world.hits)
            sights.update(world.sights)
    return Result(count, hits, sights, failures)


def results(first: int, count: int, processes: int) -> Iterator[Result]:
    chunks = [range(each, min(each + CHUNK, first + count)) for each in range(first, first + count, CHUNK)]
    if processes == 1:
        yield from map(live_through, chunks)
        return
    with Pool(processes, initializer=quiet) as pool:
        yield from pool.imap_unordered(live_through, chunks)


def quiet() -> None:
    """What the library logs of all these troubles is not read by anybody."""
    logging.disable(logging.CRITICAL)


def tell_one(seed: int, *, reduce: bool) -> int:
    """One schedule, step by step; 1 where it fails."""
    schedule = drawn(seed)
    if reduce:
        schedule = reduced(schedule)
    print(schedule.setup)
    try:
        schedule.run(print)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        return 1
    return 0


def run(first: int, count: int, processes: int) -> int:
    """All of them; 1 where one fails or something is missing."""
    begun = told = time.monotonic()
    total = Result(0, Counter(), Counter(), [])
    for result in results(first, count, processes):
        total.hits.update(result.hits)
        total.sights.update(result.sights)
        total = total._replace(count=total.count + result.count, failures=total.failures + result.failures)
        for seed, error in result.failures:
            print(f'FAILED --seed {seed} --n 1 --verbose: {error}', flush=True)
        now = time.monotonic()
        if now - told > PROGRESS:
            told = now
            speed = total.count / (now - begun)
            left = (count - total.count) / speed
            print(
                f'{total.count} of {count}, {speed:.0f} a second, {len(total.failures)} failed, '
                f'{left:.0f} s left',
                flush=True,
            )
        if len(total.failures) >= MOST_FAILURES:
            break
    seconds = time.monotonic() - begun
    print(table(total.hits, total.sights))
    gaps = missing(total.hits, total.sights) if total.count >= ENOUGH else []
    for each in gaps:
        print(f'NEVER: {each}')
    if total.count < ENOUGH:
        print(f'That everything has struck is asked for from {ENOUGH} schedules on.')
    print(
        f'{total.count} schedules in {seconds:.0f} s, {total.count / seconds:.0f} a second, '
        f'from seed {first} on: {len(total.failures)} failed'
    )
    return int(bool(total.failures or gaps))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='python -m tests.properties.simulate', description=(__doc__ or '').partition('\n')[0]
    )
    parser.add_argument('--n', type=int, default=1000, help='how many schedules (default: 1000)')
    parser.add_argument('--seed', type=int, default=1, help='of the first; the others follow (default: 1)')
    parser.add_argument('--processes', type=int, default=2, help='that share the work (default: 2)')
    parser.add_argument('--verbose', action='store_true', help='tell one schedule step by step')
    parser.add_argument('--reduce', action='store_true', help='tell the least part of one that fails as well')
    options = parser.parse_args(arguments)
    if options.n < 1 or options.processes < 1:
        parser.error('--n and --processes are at least 1')
    if (options.verbose or options.reduce) and options.n != 1:
        parser.error('--verbose and --reduce are for --n 1')
    quiet()
    if options.verbose or options.reduce:
        return tell_one(options.seed, reduce=options.reduce)
    return run(options.seed, options.n, options.processes)


if __name__ == '__main__':
    sys.exit(main())
