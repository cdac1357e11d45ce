"""Let a service live through hours of Salesforce's time in bad weather, and look whether it stays as it is.

A real `nameko run` with a real Redis against the fake org, whose clock runs faster: tokens, cookies and
sessions end in their time, the server, the network and Redis fail at a raised rate, and events are published
all the while. In the end nothing may be lost, the order of each record must have been kept, and memory,
descriptors and green threads must be what they were. Which timers run faster: docs/proof.md.

Exit status
    0  all is well
    1  an event was lost, order was broken, something grows, or a run of 15 minutes or more has not seen some
       kind of trouble
    2  the run could not be brought to its end
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from fake_salesforce.client import start_fake

from tests.crash.progress import Progress
from tests.crash.trial import RunFailed
from tests.services.redis_server import RedisServer
from tests.soak.report import report, wrong
from tests.soak.run import Soak

SPEED = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog='python -m tests.soak',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--minutes', type=float, default=20.0, help='of real time (20)')
    parser.add_argument(
        '--speed', type=float, default=SPEED, help=f'seconds of the server in one real second ({SPEED:g})'
    )
    parser.add_argument(
        '--seed', type=int, help='the weather and the events follow from it; else it is drawn'
    )
    parser.add_argument('--folder', type=Path, help='keep log, diary and vital signs here')
    parser.add_argument('--verbose', action='store_true', help='log all that the library says')
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    folder = options.folder or Path(tempfile.mkdtemp(prefix='soak-'))
    folder.mkdir(parents=True, exist_ok=True)
    print(
        f'seed {seed}, Nameko {version("nameko")}, {options.minutes:g} minutes, {options.speed:g} times',
        flush=True,
    )
    status = run(options.minutes * 60, options.speed, seed, folder, verbose=options.verbose)
    if status == 0 and options.folder is None:
        shutil.rmtree(folder)
    else:
        print(f'log, diary and vital signs: {folder}')
    return status


def run(seconds: float, speed: float, seed: int, folder: Path, *, verbose: bool) -> int:
    """Returns the exit status."""
    progress = Progress()
    # Redis' socket needs a short path.
    with (
        tempfile.TemporaryDirectory(prefix='redis-') as place,
        RedisServer(Path(place)) as redis,
        start_fake('--speed', str(speed)) as fake,
    ):
        one = Soak(fake, redis, folder, seed, verbose=verbose, progress=progress)
        begun = time.monotonic()
        try:
            verdict = one.execute(seconds)
            lived = one.lived((time.monotonic() - begun) * speed)
        except RunFailed as problem:
            progress.end()
            print(f'the run failed: {problem}')
            return 2
        finally:
            one.close()
    progress.end()
    weather = one.weather
    for line in report(verdict, weather.counts, one.vitals, lived):
        print(line)
    problems = one.wrong + wrong(verdict, weather.kinds, weather.counts, one.vitals, lived, seconds)
    for line in problems:
        print(f'WRONG: {line}')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
