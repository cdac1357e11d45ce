"""The old defects as patches: what each puts back, and which test must not let it pass. Pure.

A patch file begins with what the defect does, in a sentence, and a line `Test: ` with the node id of a test;
the rest is a unified diff. `EXCLUDED` names the defects without one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ['ALL', 'EXCLUDED', 'FOLDER', 'Defect', 'read', 'read_all']

FOLDER = Path(__file__).parent

# As numbered in the list of what the old packages did: the client (D), streaming and positions (S),
# PushTopics (T), REST (R).
ALL = [
    f'{kind}{number}'
    for kind, count in (('D', 16), ('S', 16), ('T', 8), ('R', 6))
    for number in range(1, count + 1)
]

EXCLUDED = {
    'S14': 'replicas of a service share nothing yet: each handles every event, and the guide says so',
}

_HEAD = re.compile(r'(?P<what>.+?)\n\nTest: (?P<test>\S+)\n\n--- a/', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Defect:
    """One patch.

    Attributes:
        what: it puts back.
        test: node id of the test that must turn red.
        patch: the file, for `git apply`.
    """

    name: str
    what: str
    test: str
    patch: Path


def read(path: Path) -> Defect:
    """One patch file.

    Raises:
        ValueError: names the file, and what is missing.
    """
    found = _HEAD.match(path.read_text())
    if found is None:
        raise ValueError(f'{path.name}: a sentence, a line "Test: ..." and a diff are asked for')
    return Defect(path.stem, ' '.join(found['what'].split()), found['test'], path)


def read_all(folder: Path = FOLDER) -> Iterator[Defect]:
    """All that there are, in the order of the list.

    Raises:
        ValueError: a patch is missing, or nobody knows its name.
    """
    files = {each.stem: each for each in folder.glob('*.patch')}
    missing = [name for name in ALL if name not in files and name not in EXCLUDED]
    strange = sorted(files.keys() - set(ALL))
    if missing or strange:
        raise ValueError(
            f'without a patch: {", ".join(missing) or "none"}; unknown: {", ".join(strange) or "none"}'
        )
    yield from (read(files[name]) for name in ALL if name in files)
