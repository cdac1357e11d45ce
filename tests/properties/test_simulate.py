"""The seeded runner: what it prints, and what it ends with."""

import logging

import pytest

from tests.properties import simulate, struck
from tests.properties.schedules import ACTIONS, Schedule, drawn
from tests.properties.service_world import ServiceWorld


@pytest.fixture(autouse=True)
def loud_again():
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def broken(monkeypatch):
    """Schedules with an even seed fail."""

    def run(schedule, story=None):
        assert schedule.setup.seed % 2, 'even'
        return ServiceWorld(schedule.setup, story)

    monkeypatch.setattr(Schedule, 'run', run)


def test_a_run_that_is_well_says_how_often_each_fault_struck_in_each_state(capsys):
    assert simulate.main(['--n', '20', '--processes', '1']) == 0
    said = capsys.readouterr().out
    for name in (*struck.FAULTS, *struck.STATES, *struck.SIGHTS):
        assert name in said
    assert '20 schedules in' in said
    assert '0 failed' in said


def test_a_failure_is_told_with_its_seed_and_fails_the_run(capsys, broken):
    assert simulate.main(['--n', '3', '--seed', '7', '--processes', '1']) == 1
    assert 'FAILED --seed 8 --n 1 --verbose: AssertionError: even' in capsys.readouterr().out


def test_one_schedule_is_told_step_by_step(capsys):
    assert simulate.main(['--n', '1', '--seed', '7', '--verbose']) == 0
    said = capsys.readouterr().out
    assert all(f'> {step}' in said for step in drawn(7).steps)


def test_the_least_part_of_one_that_fails_is_told(capsys, broken):
    assert simulate.main(['--n', '1', '--seed', '8', '--reduce']) == 1
    assert 'even' in capsys.readouterr().out


@pytest.mark.parametrize('arguments', [['--n', '0'], ['--processes', '0'], ['--n', '2', '--verbose']])
def test_what_makes_no_sense_is_refused(arguments):
    with pytest.raises(SystemExit):
        simulate.main(arguments)


def test_a_run_that_did_not_show_everything_fails_once_it_is_long_enough(capsys, monkeypatch):
    monkeypatch.setattr(simulate, 'ENOUGH', 5)
    assert simulate.main(['--n', '5', '--processes', '1']) == 1
    assert 'NEVER: ' in capsys.readouterr().out


def test_everything_that_strikes_has_its_row_and_its_column():
    result = simulate.live_through(range(150))
    assert result.failures == []
    faults, states = map(set, zip(*result.hits, strict=True))
    assert faults == set(struck.FAULTS)
    assert states <= set(struck.STATES)
    rare = {'event in front of its replay'}  # has a test of its own, in test_service.py
    assert set(struck.SIGHTS) - rare <= result.sights.keys()
    assert {step.action for seed in range(150) for step in drawn(seed).steps} == set(ACTIONS)


def test_what_is_exempt_is_there_to_be_exempt():
    assert {fault for fault, _ in struck.EXEMPT} <= set(struck.FAULTS)
    assert {state for _, state in struck.EXEMPT} <= set(struck.STATES)
    full = dict.fromkeys(((fault, state) for fault in struck.FAULTS for state in struck.STATES), 1)
    sights = dict.fromkeys(struck.SIGHTS, 1)
    assert struck.missing(full, sights) == []
    del full['crash', 'paused'], full['crash', 'down'], sights['braked']
    assert struck.missing(full, sights) == ['crash while paused', 'braked']
