"""The patches of `make defects`, and its judgement. The run itself takes minutes: a target of its own."""

import re
import subprocess
import sys
import time
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.defects.patches import ALL, EXCLUDED, read, read_all
from tests.defects.trial import ROOT, Copy, Verdict, verdict_of
from tests.project.pages import ROOT as CHECKOUT

DEFECTS = {each.name: each for each in read_all()}

PATCH = """It is broken.

Test: tests/test_it.py::test_it

--- a/it.py
+++ b/it.py
@@ -1,1 +1,1 @@
-a = 1
+a = 2
"""


def report(inside):
    return f'<testsuites><testsuite><testcase name="test_it">{inside}</testcase></testsuite></testsuites>'


def test_each_defect_has_a_patch_or_a_reason():
    assert len(ALL) == 46
    assert DEFECTS.keys() | EXCLUDED.keys() == set(ALL)


@pytest.mark.parametrize('name', DEFECTS)
def test_the_test_of_a_patch_is_marked_with_its_defect(name):
    path, _, function = DEFECTS[name].test.partition('::')
    text = (CHECKOUT / path).read_text()
    found = re.search(rf'((?:^@.*\n(?:^[ )].*\n)*)*)^def {function}\(', text, re.MULTILINE)
    assert found, DEFECTS[name].test
    assert f"defect('{name}')" in found[1]


@pytest.mark.parametrize('name', DEFECTS)
def test_a_patch_changes_the_library_alone_and_little_of_it(name):
    lines = DEFECTS[name].patch.read_text().splitlines()
    assert all(line.startswith('+++ b/nameko_salesforce/') for line in lines if line.startswith('+++'))
    assert sum(line[:1] in '+-' for line in lines if line and line[:3] not in ('+++', '---')) <= 16


def test_a_patch_file_says_what_it_does_and_names_a_test(tmp_path):
    path = tmp_path / 'X1.patch'
    path.write_text(PATCH)
    defect = read(path)
    assert (defect.name, defect.what, defect.test) == ('X1', 'It is broken.', 'tests/test_it.py::test_it')
    path.write_text(PATCH.replace('Test: ', ''))
    with pytest.raises(ValueError, match=r'X1\.patch'):
        read(path)


def test_a_missing_patch_and_an_unknown_one_are_named(tmp_path):
    (tmp_path / 'X1.patch').write_text(PATCH)
    with pytest.raises(ValueError, match=r'without a patch: D1, D2.*unknown: X1'):
        list(read_all(tmp_path))


@pytest.mark.parametrize(
    ('inside', 'verdict'),
    [
        ('', Verdict.GREEN),
        ('<failure message="assert 1 == 2&#10;more" />', Verdict.RED),
        ('<failure message="Failed: Timeout (&gt;40.0s) from pytest-timeout." />', Verdict.LATE),
        ('<failure message="NameError: name &quot;x&quot; is not defined" />', Verdict.BROKEN),
        ('<failure message="KeyError: 1" />', Verdict.RED),
        (
            '<failure message="assert 1" /><error message="failed on teardown with &quot;x&quot;" />',
            Verdict.RED,
        ),
        ('<error message="failed on setup with &quot;assert 1&quot;" />', Verdict.FIXTURE),
        ('<error message="failed on teardown with &quot;assert 1&quot;" />', Verdict.FIXTURE),
        ('<error message="failed on setup with &quot;Failed: Timeout (&gt;40.0s)&quot;" />', Verdict.LATE),
        ('<error message="collection failure" />', Verdict.BROKEN),
        ('<skipped message="no" />', Verdict.BROKEN),
    ],
)
def test_only_a_failure_in_the_call_of_a_test_is_red(inside, verdict):
    assert verdict_of(report(inside), '')[0] is verdict


def test_a_run_without_a_report_is_broken_unless_its_time_was_over():
    assert verdict_of('', 'ImportError while loading conftest')[0] is Verdict.BROKEN
    assert verdict_of('', '+++ Timeout +++')[0] is Verdict.LATE


def test_a_patch_that_does_not_apply_is_stale_and_the_copy_stays_as_it_is(tmp_path):
    path = tmp_path / 'X1.patch'
    path.write_text(PATCH.replace('it.py', 'nameko_salesforce/__init__.py'))
    copy = Copy(tmp_path / 'copy')
    result = copy.trial(read(path))
    assert (result.verdict, result.verdict.is_good) == (Verdict.STALE, False)
    name = 'nameko_salesforce/__init__.py'
    assert (copy.folder / name).read_text() == (ROOT / name).read_text()


TESTS = """
import pytest
from nameko_salesforce import bayeux, planted

def test_that_passes():
    assert True

def test_that_asserts():
    assert planted == 1

def test_that_meets_an_exception():
    {}[planted]

@pytest.fixture
def before():
    raise KeyError(planted)

@pytest.fixture
def behind():
    yield
    raise KeyError(planted)

def test_before(before):
    pass

def test_behind(behind):
    pass
"""
GOOD = 'planted = 2\n'


@pytest.fixture(scope='module')
def copy(tmp_path_factory):
    copy = Copy(tmp_path_factory.mktemp('defects') / 'copy')
    (copy.folder / 'tests/test_planted.py').write_text(TESTS)
    return copy


@pytest.mark.parametrize(
    ('planted', 'test', 'verdict'),
    [
        (GOOD, 'test_that_passes', Verdict.GREEN),
        (GOOD, 'test_that_asserts', Verdict.RED),
        (GOOD, 'test_that_meets_an_exception', Verdict.RED),
        (GOOD, 'test_before', Verdict.FIXTURE),
        (GOOD, 'test_behind', Verdict.FIXTURE),
        (GOOD, 'test_of_another_name', Verdict.UNKNOWN),
        ('other = 2\n', 'test_that_asserts', Verdict.BROKEN),
        ('planted = = 2\n', 'test_that_asserts', Verdict.INVALID),
    ],
)
def test_what_a_test_with_a_patch_is_told_apart_as(copy, tmp_path, planted, test, verdict):
    path = tmp_path / 'X1.patch'
    name = 'nameko_salesforce/__init__.py'
    lines = (ROOT / name).read_text().splitlines(keepends=True)
    diff = ''.join(unified_diff(lines, [*lines, planted], f'a/{name}', f'b/{name}'))
    path.write_text(f'Something.\n\nTest: tests/test_planted.py::{test}\n\n{diff}')
    result = copy.trial(read(path))
    assert result.verdict is verdict, result.words
    assert result.verdict.is_good is (verdict is Verdict.RED)
    assert (copy.folder / name).read_text() == ''.join(lines)


def test_a_test_that_does_not_end_is_ended_with_all_that_it_has_started(tmp_path):
    copy = Copy(tmp_path / 'copy')
    written = tmp_path / 'child'
    program = (
        'import subprocess, time, pathlib; '
        'child = subprocess.Popen(["sleep", "1000"]); '
        f'pathlib.Path({str(written)!r}).write_text(str(child.pid)); '
        'time.sleep(1000)'
    )
    with pytest.raises(subprocess.TimeoutExpired):
        copy._run([sys.executable, '-c', program], limit=3)
    child = int(written.read_text())
    end = time.monotonic() + 10
    while is_running(child):
        assert time.monotonic() < end, 'what it has started lives on'
        time.sleep(0.01)


def is_running(number):
    try:
        return Path(f'/proc/{number}/stat').read_text().rpartition(')')[2].split()[0] not in ('Z', 'X')
    except FileNotFoundError:
        return False


@pytest.mark.parametrize('name', DEFECTS)
def test_a_patch_applies(name):
    # In `make test`, so that whoever changes the code below makes the patch anew.
    patch = str(DEFECTS[name].patch)
    applied = subprocess.run(['git', 'apply', '--check', patch], cwd=ROOT, capture_output=True, text=True)
    assert applied.returncode == 0, applied.stderr
