"""`make demo`: what a newcomer sees first."""

import shutil
import subprocess
import sys
from pathlib import Path

import eventlet
import pytest

EXAMPLES = Path(__file__).parents[2] / 'examples'


def run_demo(folder, patience=10.0):
    """Its exit status and what it prints, on standard output and on standard error."""
    program = f'import sys, demo; demo.PATIENCE = {patience}; sys.exit(demo.main())'
    with (folder / 'out').open('w+') as out, (folder / 'err').open('w+') as err:
        process = subprocess.Popen([sys.executable, '-c', program], cwd=folder, stdout=out, stderr=err)
        try:
            with eventlet.Timeout(60):
                status = process.wait()
        finally:
            process.kill()
        return status, (folder / 'out').read_text(), (folder / 'err').read_text()


@pytest.fixture
def examples(tmp_path):
    """A copy of the examples, to be changed."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / 'examples'))


def test_the_demo_shows_each_event_as_the_service_handled_it(examples):
    status, out, err = run_demo(examples)
    assert (status, err) == (0, '')
    handled = out.partition('Handled by the service')[2]
    assert 'created: Grace Hopper' in handled
    assert 'created: Alan Turing' in handled
    assert "Description: 'Hello, Grace Hopper!'" in handled
    assert 'deprecat' not in out


def test_the_demo_fails_and_says_so_when_an_event_is_not_handled(examples):
    service = examples / 'contacts.py'
    service.write_text(service.read_text().replace('contact["Name"]', 'contact["Nobody"]'))
    status, _, err = run_demo(examples, patience=1.0)
    assert status == 1
    assert 'The demo failed: an event was not handled within 1 s: created: Grace Hopper' in err
    assert "KeyError: 'Nobody'" in err


def test_the_service_of_the_demo_has_at_most_15_lines():
    assert len((EXAMPLES / 'contacts.py').read_text().splitlines()) <= 15
