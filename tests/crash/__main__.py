"""Kill a service with SIGKILL at random moments, while events are published, and count what is lost.

A real `nameko run` with a real Redis against the fake org, in processes of this run's own. Events are
published all the time, also while the service is down; the server, the token and Redis fail at times. In the
end the service runs until all is quiet, and each event must have been handled, in the order of its record.

Exit status
    0  all is well
    1  an event was lost, order was broken, a position is wrong, a kill found no unfinished worker, or nothing
       was published while the service was down
    2  the run could not be brought to its end
"""

import argparse
import random
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from fake_salesforce.client import start_fake

from tests.crash.progress import Progress
from tests.crash.report import report, wrong
from tests.crash.run import Run, RunFailed
from tests.services.redis_server import RedisServer


def main() -> int:
    parser = argparse.ArgumentParser(
        prog='python -m tests.crash',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--kills', type=int, default=200, help='how many that find handlers at work (200)')
    parser.add_argument(
        '--seed', type=int, help='what is drawn follows from it; else it is drawn, and printed'
    )
    parser.add_argument(
        '--folder', type=Path, help='keep log and diary here, not only when something is wrong'
    )
    parser.add_argument('--verbose', action='store_true', help='log all that the library says')
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    folder = options.folder or Path(tempfile.mkdtemp(prefix='crash-'))
    folder.mkdir(parents=True, exist_ok=True)
    print(f'seed {seed}, Nameko {version("nameko")}, {options.kills} kills', flush=True)
    status = run(options.kills, seed, folder, verbose=options.verbose)
    if status == 0 and options.folder is None:
        shutil.rmtree(folder)
    else:
        print(f'log and diary: {folder}')
    return status


def run(kills: int, seed: int, folder: Path, *, verbose: bool) -> int:
    """Returns the exit status."""
    progress = Progress()
    # Redis' socket needs a short path.
    with (
        tempfile.TemporaryDirectory(prefix='redis-') as place,
        RedisServer(Path(place)) as redis,
        start_fake() as fake,
    ):
        one = Run(fake, redis, folder, seed, verbose=verbose, progress=progress)
        try:
            verdict = one.execute(kills)
        except RunFailed as problem:
            progress.end()
            print(f'the run failed: {problem}')
            return 2
        finally:
            one.close()
    progress.end()
    for line in report(one.findings, verdict, one.weather.counts):
        print(line)
    problems = one.wrong + wrong(one.findings, verdict)
    for line in problems:
        print(f'WRONG: {line}')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
