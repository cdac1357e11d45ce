"""One defect put back into a copy of the tree, and what its test makes of it."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from pathlib import Path

from tests.defects.patches import Defect

__all__ = ['Copy', 'Result', 'Verdict', 'verdict_of']

ROOT = Path(__file__).parents[2]

# What the tests need of the tree.
PARTS = ('nameko_salesforce', 'tests', 'examples', 'pyproject.toml', 'setup.py', 'README.md')

# Seconds for one test: pytest's own limit, and ours for a process that does not even obey that.
TEST_LIMIT, LIMIT = 40, 90

# What a patch with a mistake in it raises, of whatever defect.
_MISTAKE = re.compile(r'(NameError|UnboundLocalError|ImportError|SyntaxError|IndentationError)\b')

# As pytest says it, of a file and of a test in one.
_MISSING = re.compile(r'^ERROR: (file or directory )?not found: .*', re.MULTILINE)

_CHANGED = re.compile(r'^\+\+\+ b/(\S+\.py)$', re.MULTILINE)


class Verdict(Enum):
    """What became of a test with a defect put back."""

    RED = 'red'
    'It failed in its call, as it should.'
    LATE = 'TIMED OUT'
    'It did not end in time. A test waits for facts with a limit of its own; this may be a busy machine.'
    GREEN = 'GREEN'
    'It did not notice.'
    FIXTURE = 'FIXTURE FAILED'
    'Before or after its call: what it asserts was not asked, or held.'
    BROKEN = 'BROKEN'
    'It was not run, or met a mistake in the patch: an error of collection or import shows nothing.'
    UNKNOWN = 'NO SUCH TEST'
    'It has another name now: correct that in the patch.'
    INVALID = 'DOES NOT COMPILE'
    'What the patch makes is no Python: that would turn any test red.'
    STALE = 'DOES NOT APPLY'
    'The code has changed: make the patch anew.'

    @property
    def is_good(self) -> bool:
        return self is Verdict.RED


@dataclass(frozen=True, slots=True)
class Result:
    """Of one trial.

    Attributes:
        words: the first line of what pytest or git said.
        seconds: that it took.
    """

    verdict: Verdict
    words: str
    seconds: float


class Copy:
    """A copy of the tree, for one trial at a time; the checkout is never touched.

    Args:
        folder: made here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(
                    source, folder / part, ignore=shutil.ignore_patterns('__pycache__', 'node_modules')
                )
            else:
                shutil.copy(source, folder / part)
        found = self._run(
            [sys.executable, '-c', 'import nameko_salesforce; print(nameko_salesforce.__file__)']
        )
        if not Path(found.stdout.strip()).is_relative_to(folder):
            raise RuntimeError(f'the copy is not what is imported, but {found.stdout}{found.stderr}')

    def green(self, tests: Sequence[str]) -> str:
        """Run tests as the tree is; '' where all pass, else what pytest said."""
        # As `make test` does: some parts are about processes that are monkey-patched, others are not.
        for _, part in groupby(sorted(tests), key=lambda each: each.split('/')[1]):
            found = self._pytest(list(part), 20 * LIMIT)
            if found is None or found.returncode:
                return 'no end' if found is None else found.stdout
        return ''

    def trial(self, defect: Defect) -> Result:
        """Put a defect back, run its test, take it out again."""
        began = time.monotonic()
        applied = self._git('apply', str(defect.patch))
        if applied.returncode:
            return Result(Verdict.STALE, applied.stderr.partition('\n')[0], time.monotonic() - began)
        try:
            if mistake := self._mistake(defect):
                return Result(Verdict.INVALID, mistake, time.monotonic() - began)
            report = self.folder / 'report.xml'
            report.unlink(missing_ok=True)
            found = self._pytest([defect.test], LIMIT, f'--junitxml={report}', f'--timeout={TEST_LIMIT}')
            text = report.read_text() if report.exists() else ''
            verdict, words = (
                (Verdict.LATE, '') if found is None else verdict_of(text, found.stdout + found.stderr)
            )
            return Result(verdict, words, time.monotonic() - began)
        finally:
            self._git('apply', '--reverse', str(defect.patch))

    def _mistake(self, defect: Defect) -> str:
        """Why a file that the patch has changed cannot be compiled; '' where all can."""
        for name in _CHANGED.findall(defect.patch.read_text()):
            try:
                compile((self.folder / name).read_bytes(), name, 'exec')
            except (SyntaxError, ValueError) as problem:
                return str(problem)
        return ''

    def _pytest(
        self, tests: Sequence[str], limit: float, *options: str
    ) -> subprocess.CompletedProcess[str] | None:
        arguments = [sys.executable, '-m', 'pytest', '-q', '-W', 'ignore', *options, *tests]
        try:
            return self._run(arguments, limit)
        except subprocess.TimeoutExpired:
            return None

    def _git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # The copy is in no repository, wherever it may lie.
        ceiling = {'GIT_CEILING_DIRECTORIES': str(self.folder.parent)}
        return self._run(['git', *arguments], 60, ceiling)

    def _run(
        self, arguments: Sequence[str], limit: float = 60, more: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            'PYTHONPATH': str(self.folder),
            'PYTHONDONTWRITEBYTECODE': '1',
            **(more or {}),
        }
        with subprocess.Popen(
            arguments,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=limit)
            finally:
                # With the servers that a test has started; also where this process is interrupted.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)


def verdict_of(report: str, output: str) -> tuple[Verdict, str]:
    """What a report of pytest (JUnit's XML) says of one test, and the first line of its words."""
    cases = list(ElementTree.fromstring(report).iter('testcase')) if report else []
    errors = [_first_line(each) for case in cases for each in case.findall('error')]
    failures = [_first_line(each) for case in cases for each in case.findall('failure')]
    if failures:
        words = failures[0]
        if words.startswith('Failed: Timeout'):
            return Verdict.LATE, words
        return Verdict.BROKEN if _MISTAKE.match(words) else Verdict.RED, words
    if errors:
        words = errors[0]
        if 'Failed: Timeout' in words:
            return Verdict.LATE, words
        return Verdict.FIXTURE if words.startswith('failed on ') else Verdict.BROKEN, words
    if missing := _MISSING.search(output):
        return Verdict.UNKNOWN, missing[0]
    if not report:
        return Verdict.LATE if 'Timeout' in output else Verdict.BROKEN, output.strip().rpartition('\n')[2]
    ran = [case for case in cases if case.find('skipped') is None]
    return (Verdict.GREEN, 'passed') if ran else (Verdict.BROKEN, 'nothing was run')


def _first_line(element: ElementTree.Element) -> str:
    return (element.get('message') or '').partition('\n')[0]
