"""Feed everything that reads with input that no one should send, for as long as there is time.

Rounds of the tests in this folder, each with another seed and more examples than `make test` takes. What any
of them finds is printed with its seed and with what repeats it; a test that does not end counts, too.

Exit status
    0  nothing was found
    1  something was
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]

# A round takes half a minute or so.
EXAMPLES = 300

# Seconds for one test, and for a round whose process does not even obey that. One example has a limit of its
# own, and says then what it was given (`conftest.py`).
TEST_LIMIT, ROUND_LIMIT = 300, 1200


def main() -> int:
    parser = argparse.ArgumentParser(
        prog='python -m tests.fuzz',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--minutes', type=float, default=5.0, help='of real time; the last round is ended (5)'
    )
    parser.add_argument('--seed', type=int, help='of the first round; else it is drawn')
    parser.add_argument('--examples', type=int, default=EXAMPLES, help=f'of each test and round ({EXAMPLES})')
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    end = time.monotonic() + options.minutes * 60
    rounds = 0
    while not rounds or time.monotonic() < end:
        left = max(0.0, end - time.monotonic()) / 60
        print(f'round {rounds + 1}, seed {seed + rounds}, {left:.1f} minutes left', flush=True)
        if problem := round_of(seed + rounds, options.examples):
            print(f'{problem}: FOUND with --seed {seed + rounds} --minutes 0 --examples {options.examples}')
            return 1
        rounds += 1
    print(f'{rounds} rounds of {options.examples} examples for each test, from seed {seed} on: nothing found')
    return 0


def round_of(seed: int, examples: int, folder: Path = FOLDER, limit: float = ROUND_LIMIT) -> str:
    """Run the tests of a folder, each named as it begins; '' where nothing was found, else what in short."""
    # By a thread, which ends the process: an exception would be one more example to Hypothesis.
    timeouts = [f'--timeout={TEST_LIMIT}', '--timeout-method=thread']
    process = subprocess.Popen(
        [sys.executable, '-m', 'pytest', '-c', 'pyproject.toml', '-v', '--no-header', '-rN', *timeouts]
        + [f'--hypothesis-seed={seed}', str(folder)],
        cwd=ROOT,
        env={**os.environ, 'FUZZ_EXAMPLES': str(examples), 'PYTHONUNBUFFERED': '1'},
        start_new_session=True,
    )
    try:
        return 'a test failed or hung' if process.wait(limit) else ''
    except subprocess.TimeoutExpired:
        return f'the round did not end within {limit:g} s'
    finally:
        # With what the tests have started; also where this process is interrupted.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == '__main__':
    sys.exit(main())
