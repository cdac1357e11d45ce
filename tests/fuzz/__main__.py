"""Feed everything that reads with input that no one should send, for as long as there is time.

Rounds of the tests in this folder, each with another seed and more examples than `make test` takes. What any
of them finds is printed with its seed and with what repeats it; a test that does not end counts, too.

Exit status
    0  nothing was found
    1  something was
"""

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]

# A round takes half a minute or so.
EXAMPLES = 300

# Seconds for each example of a test, on the slowest machine; most take a thousandth of it. What takes longer
# than all of them together hangs.
SLOWEST = 1.0


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
        limit = max(60.0, SLOWEST * options.examples)
        found = subprocess.run(
            [sys.executable, '-m', 'pytest', '-q', '--no-header', '--no-summary', '-rf']
            + [f'--hypothesis-seed={seed + rounds}', f'--timeout={limit:g}', str(FOLDER)],
            cwd=ROOT,
            env={**os.environ, 'FUZZ_EXAMPLES': str(options.examples)},
            check=False,
        )
        if found.returncode:
            print(f'FOUND with --seed {seed + rounds} --minutes 0 --examples {options.examples}')
            return 1
        rounds += 1
    print(f'{rounds} rounds of {options.examples} examples for each test, from seed {seed} on: nothing found')
    return 0


if __name__ == '__main__':
    sys.exit(main())
