"""The programs of `make bench` that need this package alone: the source, the reference and the client."""

import pytest

from benchmarks import programs
from benchmarks.patterns import pattern_of
from benchmarks.programs import Failed, Programs

PATTERN = pattern_of('10', is_quick=True)


@pytest.mark.parametrize('client', ['reference', 'ours'])
def test_a_client_gets_every_event_and_says_what_they_cost(client):
    with Programs(is_quick=True) as all_programs:
        run = all_programs.run(client, PATTERN)
    assert (run['client'], run['pattern'], run['events']) == (client, '10', PATTERN.events)
    assert 0 < run['cpu'] < run['wall'] * 2
    assert sum(run['tenths']) == pytest.approx(run['cpu'])
    assert 0 < run['rss_base'] <= run['rss_peak']
    assert 'latencies' not in run


def test_moments_are_measured_where_events_come_one_at_a_time():
    pattern = pattern_of('single', is_quick=True)
    with Programs(is_quick=True) as all_programs:
        run = all_programs.run('reference', pattern)
    assert len(run['latencies']) == pattern.events
    assert min(run['latencies']) > 0
    assert run['wall'] >= pattern.pause * (pattern.events - 1)


def test_an_idle_client_is_looked_at_from_outside():
    pattern = pattern_of('idle', is_quick=True)
    with Programs(is_quick=True) as all_programs:
        run = all_programs.run('reference', pattern)
    assert 0 < run['idle_seconds'] < pattern.hold
    assert (run['idle_cpu'], run['idle_switches']) == (0, 0)


def test_a_client_that_says_nothing_has_failed_with_what_it_wrote(monkeypatch):
    monkeypatch.setattr(programs, 'commands', lambda client: ['sh', '-c', 'echo no such luck >&2; exit 3'])
    with Programs(is_quick=True) as all_programs, pytest.raises(Failed, match='status 3\nno such luck'):
        all_programs.run('ours', PATTERN)


def test_a_client_that_ends_before_it_is_idle_has_failed(monkeypatch):
    monkeypatch.setattr(programs, 'commands', lambda client: ['sh', '-c', 'exit 3'])
    with Programs(is_quick=True) as all_programs, pytest.raises(Failed, match='status 3'):
        all_programs.run('ours', pattern_of('idle', is_quick=True))


def test_a_client_that_takes_too_long_has_failed(monkeypatch):
    monkeypatch.setattr(programs, 'commands', lambda client: ['sh', '-c', 'exec sleep 60'])
    monkeypatch.setattr(programs, 'LIMIT', 0.1)
    with Programs(is_quick=True) as all_programs, pytest.raises(Failed, match='no result within 0.1 s'):
        all_programs.run('ours', PATTERN)
