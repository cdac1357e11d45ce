"""What handlers have begun and done, in a file that no SIGKILL can shorten.

One line for each step, written by one call to a file that is open for appending: once `write` has returned,
the line is the kernel's, whatever becomes of the process. The order of the lines is the order in time.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

__all__ = ['DiaryReader', 'DiaryWriter', 'Entry', 'Step']


class Step(Enum):
    """What a line says."""

    BEGUN = 'begun'
    DONE = 'done'
    FAILED = 'failed'
    GAP = 'gap'
    'A position was lost, says the library.'


@dataclass(frozen=True, slots=True)
class Entry:
    """One line.

    Attributes:
        life: 1, 2, 3, ...: of the service's process.
        handler: name of the method.
        replay_ids: of the events that it was called with.
    """

    life: int
    step: Step
    handler: str
    replay_ids: tuple[int, ...]


class DiaryWriter:
    """For the process of one life."""

    def __init__(self, path: Path, life: int) -> None:
        self._life = life
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, step: Step, handler: str, replay_ids: Sequence[int]) -> None:
        """Add a line."""
        ids = ','.join(map(str, replay_ids))
        os.write(self._file, f'{self._life} {step.value} {handler} {ids}\n'.encode())


class DiaryReader:
    """Reads what has come since it last looked."""

    def __init__(self, path: Path) -> None:
        self._file = path.open('a+b')
        self._file.seek(0)

    def news(self) -> list[Entry]:
        """The lines that are new."""
        start = self._file.tell()
        text = self._file.read()
        whole = text.rfind(b'\n') + 1
        self._file.seek(start + whole)
        return [_entry(line) for line in text[:whole].decode().splitlines()]

    def close(self) -> None:
        self._file.close()


def _entry(line: str) -> Entry:
    life, step, handler, ids = line.split(' ')
    return Entry(int(life), Step(step), handler, tuple(int(each) for each in ids.split(',') if each))
