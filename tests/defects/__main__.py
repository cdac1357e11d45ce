"""Put each defect of the old packages back, by a small patch, and see its test turn red.

Works in copies of the tree. First all the tests are run as they are: one that is red already shows nothing.
Then one patch after the other is applied, without fuzz, and its test run. A test that stays green, one that
could not be run, and a patch that does not apply any more are faults.

Exit status
    0  each defect was noticed
    1  one was not
    2  the run could not begin: a test is red without any defect, or a patch file is wrong
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.defects.patches import EXCLUDED, Defect, read_all
from tests.defects.trial import Copy, Result

AT_A_TIME = 2


def main() -> int:
    parser = argparse.ArgumentParser(
        prog='python -m tests.defects',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--only', metavar='D1,S3', help='these defects alone')
    parser.add_argument('--list', action='store_true', help='say what there is, and run nothing')
    options = parser.parse_args()
    try:
        defects = list(read_all())
    except ValueError as problem:
        print(problem)
        return 2
    if options.only:
        wanted = set(options.only.split(','))
        if unknown := wanted - {each.name for each in defects}:
            parser.error(f'there is no patch {", ".join(sorted(unknown))}')
        defects = [each for each in defects if each.name in wanted]
    if options.list:
        for each in defects:
            print(f'{each.name:4} {each.what}\n     {each.test}')
        return 0
    return run(defects)


def run(defects: Sequence[Defect]) -> int:
    """Returns the exit status."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix='defects-') as place:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(AT_A_TIME):
            copies.put(Copy(Path(place) / str(number)))
        copy = copies.get()
        print(f'{len(defects)} tests without any defect ...', flush=True)
        red = copy.green(list(dict.fromkeys(each.test for each in defects)))
        copies.put(copy)
        if red:
            print(f'{red}\nnot all of them pass: nothing can be shown')
            return 2
        results = dict(tried(defects, copies))
    good = sum(each.verdict.is_good for each in results.values())
    for name, why in EXCLUDED.items():
        print(f'{name} has no patch: {why}')
    print(f'{good} of {len(defects)} defects were noticed, in {time.monotonic() - began:.0f} s')
    for name, result in results.items():
        if not result.verdict.is_good:
            print(f'WRONG: {name}: {result.verdict.value}: {result.words}')
    return 0 if good == len(defects) else 1


def tried(defects: Sequence[Defect], copies: 'SimpleQueue[Copy]') -> Iterator[tuple[str, Result]]:
    """Each with its result, as it comes, and a line for it."""

    def one(defect: Defect) -> Result:
        copy = copies.get()
        try:
            return copy.trial(defect)
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for number, (defect, result) in enumerate(zip(defects, pool.map(one, defects), strict=True), 1):
            print(
                f'{number}/{len(defects)} {defect.name:4} {result.verdict.value:16} {result.seconds:5.1f} s '
                f'{defect.test.rpartition("::")[2]}  {result.words[:70]}',
                flush=True,
            )
            yield defect.name, result


if __name__ == '__main__':
    sys.exit(main())
