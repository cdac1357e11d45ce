"""A service's life: org, network, session, channels, handlers, store, process after process, under one clock.

`ledger.py` says what must hold, `schedules.py` what can happen. Hypothesis draws here, seeds do in
`simulate.py`.
"""

import logging

import pytest
from fake_salesforce.faults import FaultKind
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nameko_salesforce.streaming.resume import Start
from tests.properties.schedules import ACTIONS, LONGEST, SETUPS, Schedule, Step, drawn, reduced
from tests.properties.service_setup import Setup

SETUP = st.builds(
    Setup, seed=st.integers(0, 2**16), **{name: st.sampled_from(choices) for name, choices in SETUPS.items()}
)
STEP = st.one_of(
    [
        st.builds(Step, st.just(name), st.tuples(*[st.sampled_from(choices) for choices in arguments]))
        for name, (weight, arguments) in ACTIONS.items()
        for _ in range(1 + weight // 6)
    ]
)


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(SETUP, st.lists(STEP, max_size=LONGEST))
def test_whatever_happens_all_that_is_promised_is_done_in_the_end(setup, steps):
    Schedule(setup, tuple(steps)).run()


def test_a_seed_tells_the_same_story_again():
    stories = [[], []]
    for story in stories:
        drawn(7).run(story.append)
    assert stories[0] == stories[1]
    assert len(stories[0]) > 20


def test_a_schedule_that_fails_is_cut_down_to_what_it_needs(monkeypatch):
    steps = tuple(Step('time_passes', (seconds,)) for seconds in (1.0, 0.5, 3.0, 0.1))

    def run(schedule):
        if Step('time_passes', (3.0,)) in schedule.steps:
            raise AssertionError('three')

    monkeypatch.setattr(Schedule, 'run', run)
    assert reduced(Schedule(Setup(), steps)).steps == (Step('time_passes', (3.0,)),)
    with pytest.raises(AssertionError, match='does not fail'):
        reduced(Schedule(Setup(), steps[:2]))


# --- what was found ---------------------------------------------------------------------------------


def test_a_poll_that_overtakes_the_replay_of_its_channel_commits_nothing_over_it():
    steps = (
        Step('an_exchange_fails', (FaultKind.DELAY, '/meta/subscribe', 1, 0)),
        Step('events_are_published', (0, 1, 'A')),
        Step('time_passes', (5.04,)),
        Step('events_are_published', (0, 1, 'B')),
    )
    world = Schedule(Setup(start=Start.EARLIEST), steps).run()
    assert world.sights['event in front of its replay'] >= 1


def test_a_poll_that_breaks_off_behind_its_reply_says_nothing_of_what_was_behind():
    steps = (
        Step('time_passes', (3.0,)),
        Step('more_is_published_than_is_handled', (8, 0.05)),
        Step('an_exchange_fails', (FaultKind.TRUNCATE, '/meta/connect', 1, 151)),
        Step('events_are_published', (1, 3, 'each')),
        Step('time_passes', (45.0,)),
        Step('the_process_crashes', (1.0,)),
    )
    channels = ('/event/E__e', '/topic/T')
    world = Schedule(Setup(channels=channels, timeout=10.0, replies_first=True), steps).run()
    assert world.hits['truncate', 'braked'] + world.hits['truncate', 'connected'] >= 1
