"""`make soak` in short, and that what it looks for is found."""

import os
import subprocess
import sys

import eventlet
import pytest

from tests.crash.process import ROOT
from tests.crash.verdict import Verdict
from tests.soak.report import FULL, report, wrong
from tests.soak.vitals import LIMITS, MIB, Vitals, growing, read

SLOWNESS = float(os.environ.get('TIME_FACTOR', '1'))

STEADY = {'rss': 80 * MIB, 'descriptors': 15, 'green_threads': 16}


def vitals(*steps, count=40, **steady):
    """So many looks at a process; each step (name, more) has grown evenly from the first to the last."""
    found = []
    for number in range(count):
        figures = {**STEADY, **steady}
        for name, more in steps:
            figures[name] += more * number // (count - 1)
        found.append(Vitals(**figures, reconnects={'403': number}))
    return found


def judged(weather, looks, *, lived=None, seconds=FULL):
    return wrong(Verdict(), ['rain', 'hail'], weather, looks, lived or {}, seconds)


def test_a_service_lives_well_for_some_minutes_of_salesforce(tmp_path):
    with (tmp_path / 'out').open('w+') as out:
        process = subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-m', 'tests.soak', '--minutes', '0.4'],
            cwd=ROOT,
            stdout=out,
            stderr=out,
        )
        try:
            with eventlet.Timeout(100 * SLOWNESS):
                status = process.wait()
        finally:
            process.terminate()
            process.wait()
    text = (tmp_path / 'out').read_text()
    assert status == 0, text
    assert 'lost 0, ' in text


def test_a_process_that_stays_as_it_is_does_not_grow():
    assert growing(vitals()) == []


@pytest.mark.parametrize('name', LIMITS)
def test_what_grows_steadily_is_found(name):
    """From the middle of the second quarter to that of the last is half of a run."""
    assert growing(vitals((name, LIMITS[name]))) == []
    [found] = growing(vitals((name, 3 * LIMITS[name])))
    assert found.startswith(f'{name} grow')


def test_one_high_figure_is_no_trend():
    looks = vitals()
    looks[-2] = Vitals(**{**STEADY, 'rss': 800 * MIB}, reconnects={})
    assert growing(looks) == []


def test_a_service_that_does_not_look_at_itself_is_a_fault():
    assert growing(vitals(count=3)) == ['the service has looked at itself 3 times only']


def test_weather_that_never_came_is_a_fault_of_a_long_run():
    assert judged({'rain': 3}, vitals()) == ['never: hail']
    assert judged({'rain': 3}, vitals(), seconds=FULL - 1) == []
    assert judged({'rain': 3, 'hail': 1}, vitals(), lived={'logins': 0.0}) == ['never: logins']


def test_the_report_has_the_figures():
    lines = list(report(Verdict(), {'rain': 3}, vitals(('rss', 10 * MIB)), {'hours of the server': 6.7}))
    assert '     3 rain' in lines
    assert '       6.7 hours of the server' in lines
    assert 'connection lost: 39 403' in lines
    assert 'rss                83.7 in the second quarter,     88.8 in the last (MiB)' in lines


def test_a_line_that_is_being_written_is_left_out():
    line = '{"rss": 1, "descriptors": 2, "green_threads": 3, "reconnects": {}}\n'
    assert len(read(line + line[:20])) == 1
