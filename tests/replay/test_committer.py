"""Positions reach the store: soon, in order, one save at a time, whatever the store does."""

import logging
import time
from dataclasses import replace

import eventlet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.replay.committer import HURRIED, PAUSES, Committer
from nameko_salesforce.replay.memory_store import MemoryStore
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.store import StoreFailed
from nameko_salesforce.replay.stores import open_store
from tests.replay.test_store import ORG, position
from tests.services.redis_server import SLOWNESS

# Seconds that something may come late by on a busy machine.
MARGIN = 0.25 * SLOWNESS
NO_PAUSE = Backoff(first=0.0, cap=0.0)


class Slow(MemoryStore):
    """A store that takes its time, and fails when it is told to."""

    place = 'slow'

    def __init__(self, takes=0.0):
        super().__init__()
        self.takes = takes
        self.problem = None
        self.begun = []
        self.saved = []
        self.under_way = 0
        self.most_under_way = 0

    def save(self, positions):
        self.begun.append(time.monotonic())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            eventlet.sleep(self.takes)
            if self.problem is not None:
                raise self.problem
            super().save(positions)
            self.saved.append(dict(positions))
        finally:
            self.under_way -= 1


@pytest.fixture
def make():
    """`make(store, **options)` -> a committer that is started, and ends with the test."""
    made = []

    def make(store, **options):
        made.append(Committer(store, **options))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture
def store():
    return Slow()


@pytest.fixture
def warnings(caplog):
    """The lines of level WARNING and above."""
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# --- when --------------------------------------------------------------------------------------------


def test_a_position_is_saved_at_once_where_nothing_else_is_to_be_done(make, store, until):
    committer = make(store, distance=10.0)
    begun = time.monotonic()
    committer.commit('/a', position(1))
    until('the save', lambda: store.saved)
    assert store.begun[0] - begun < MARGIN
    assert committer.waiting == 0
    assert committer.saves == 1


def test_the_last_event_of_a_quiet_channel_is_committed_too(make, store, until):
    committer = make(store)
    for number in range(5):
        committer.commit('/a', position(number))
        eventlet.sleep(0.01)
    until('the last position', lambda: store.load('/a') == position(4))


def test_under_load_a_position_is_on_its_way_within_a_tenth_of_a_second(make, store):
    committer = make(store)
    committed = {}
    end = time.monotonic() + 1.0
    number = 0
    while time.monotonic() < end:
        number += 1
        committed[number] = time.monotonic()
        committer.commit('/a', position(number))
        eventlet.sleep(0.001)
    assert committer.flush(5 * SLOWNESS)
    assert len(store.saved) <= 13
    late = []
    for at, saved in zip(store.begun, store.saved, strict=True):
        newest = saved['/a'].replay_id
        late += [at - moment for name, moment in committed.items() if name <= newest]
        committed = {name: moment for name, moment in committed.items() if name > newest}
    assert committed == {}
    assert max(late) < 0.1 + MARGIN


def test_one_save_is_under_way_at_a_time_and_brings_the_newest_of_each_channel(make, store):
    store.takes = 0.05
    committer = make(store, distance=0.0)
    for number in range(100):
        committer.commit(f'/{number % 3}', position(number))
        eventlet.sleep(0.002)
    assert committer.flush(5 * SLOWNESS)
    assert store.most_under_way == 1
    assert len(store.saved) < 20
    assert [store.load(f'/{each}').replay_id for each in range(3)] == [99, 97, 98]


def test_a_position_that_moves_is_asked_for_when_it_is_saved(make, store, until):
    committer = make(store, distance=0.05)
    done, asked = [], []

    def newest():
        asked.append(len(done))
        return position(len(done))

    for number in range(100):
        done.append(number)
        committer.moved('/a?x=1', newest)
        eventlet.sleep(0.001)
    until('the last position', lambda: store.load('/a') == position(100))
    assert committer.waiting == 0
    assert len(asked) == len(store.saved) < 50


def test_a_position_that_moves_waits_until_the_store_has_it(make, store):
    store.problem = StoreFailed('down')
    committer = make(store, pauses=NO_PAUSE)
    committer.moved('/a', lambda: position(1))
    assert committer.waiting == 1
    assert not committer.flush(0.05)
    assert committer.waiting == 1
    store.problem = None
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == position(1)


def test_a_position_that_is_committed_takes_the_place_of_one_that_has_moved(make, store):
    committer = make(store)
    committer.moved('/a', lambda: position(1))
    committer.commit('/a', position(2))
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == position(2)
    committer.moved('/a', lambda: position(3))
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == position(3)


def test_of_a_position_that_is_there_no_more_nothing_is_saved(make, store):
    committer = make(store)
    committer.moved('/a', lambda: None)
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') is None


def test_a_commit_never_blocks_and_never_switches(make, store):
    store.takes = 10.0
    committer = make(store)
    committer.commit('/a', position(0))
    eventlet.sleep(0.01)
    others = []
    eventlet.spawn(others.append, 1)
    for number in range(1000):
        committer.commit('/a', position(number))
    assert others == []
    assert committer.waiting == 1


def test_commits_before_the_start_are_saved_after_it(store, until):
    committer = Committer(store)
    committer.commit('/a', position())
    eventlet.sleep(0)
    assert store.begun == []
    committer.start()
    committer.start()
    until('the save', lambda: store.load('/a') == position())
    committer.kill()


def test_a_filter_makes_no_channel_of_its_own(make, store):
    committer = make(store)
    committer.commit('/a?x=1', position(1))
    committer.commit('/a', position(2))
    assert committer.waiting == 1
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == position(2)


# --- a store that fails --------------------------------------------------------------------------------


@pytest.mark.defect('S9')
def test_a_store_that_fails_is_told_once_when_it_begins_and_once_when_it_is_over(
    make, store, until, warnings
):
    store.problem = StoreFailed('slow: it is down')
    committer = make(store, pauses=Backoff(first=0.01, cap=0.02))
    committer.commit('/a', position(1))
    until('some attempts', lambda: committer.failures > 4)
    committer.commit('/a', position(2))
    committer.commit('/b', position(3))
    assert committer.failing_since is not None
    assert committer.waiting == 2
    assert store.load('/a') is None
    store.problem = None
    until('the positions', lambda: store.load('/b'))
    assert (store.load('/a'), store.load('/b')) == (position(2), position(3))
    began, ended = warnings()
    assert 'slow: it is down' in began
    assert 'works again after' in ended
    assert 'the positions of 2 channels' in ended
    assert committer.failing_since is None


@pytest.mark.parametrize('problem', [RuntimeError('a bug'), eventlet.Timeout(None), OSError(28, 'full')])
def test_whatever_a_store_raises_does_not_end_the_commits(make, store, until, problem, caplog):
    store.problem = problem
    committer = make(store, pauses=NO_PAUSE)
    committer.commit('/a', position())
    until('some attempts', lambda: committer.failures > 2)
    store.problem = None
    until('the position', lambda: store.load('/a') == position())
    assert [bool(record.exc_info) for record in caplog.records] == [True, False]


def test_pauses_grow_are_capped_and_are_not_cut_short_by_commits(make, store):
    store.problem = StoreFailed('down')
    committer = make(store, pauses=Backoff(first=0.05, cap=0.2), draw=lambda: 0.0)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        committer.commit('/a', position())
        eventlet.sleep(0.005)
    pauses = [later - earlier for earlier, later in zip(store.begun, store.begun[1:], strict=False)]
    assert all(
        pause >= wanted - 0.01 for pause, wanted in zip(pauses, [0.05, 0.1, 0.2, 0.2, 0.2], strict=False)
    )
    assert 3 <= len(pauses) <= 7


def test_pauses_are_jittered_and_end_within_seconds_of_the_store_s_return():
    assert PAUSES.spread > 0
    assert PAUSES.cap <= 5.0
    assert HURRIED.cap <= 0.5


def test_a_position_that_could_not_be_saved_does_not_replace_a_newer_one(make, store, until):
    store.takes = 0.05
    store.problem = StoreFailed('down')
    committer = make(store, pauses=NO_PAUSE, distance=0.0)
    committer.commit('/a', position(1))
    committer.commit('/b', position(1))
    until('the first attempt', lambda: store.under_way)
    committer.commit('/a', position(2))
    until('its failure', lambda: committer.failures)
    store.problem = None
    assert committer.flush(5 * SLOWNESS)
    assert (store.load('/a'), store.load('/b')) == (position(2), position(1))
    assert store.saved == [{'/a': position(2), '/b': position(1)}]


steps = st.lists(
    st.tuples(st.sampled_from(['/a', '/b', '/c']), st.integers(), st.booleans(), st.booleans()), max_size=30
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_after_any_failures_the_store_has_the_newest_of_every_channel(steps):
    store = Slow()
    committer = Committer(store, distance=0.0, pauses=NO_PAUSE)
    committer.start()
    newest = {}
    for channel, replay_id, fails, switches in steps:
        store.problem = StoreFailed('down') if fails else None
        newest[channel] = position(replay_id)
        committer.commit(channel, newest[channel])
        if switches:
            eventlet.sleep(0)
    store.problem = None
    assert committer.flush(5 * SLOWNESS)
    committer.kill()
    assert {channel: store.load(channel) for channel in newest} == newest
    assert store.most_under_way <= 1


@pytest.mark.defect('S9')
@pytest.mark.parametrize(('fail', 'mend'), [('end', 'start'), ('freeze', 'thaw')])
def test_a_redis_that_goes_and_comes_back_under_load_is_caught_up(
    own_redis, make, until, warnings, fail, mend
):
    store = open_store(own_redis.uri, organization=ORG, service='contacts', limit=0.3 * SLOWNESS)
    committer = make(store, pauses=Backoff(first=0.05, cap=0.2))
    slowest = 0.0
    done = 0

    def load_until(what, condition):
        nonlocal done, slowest

        def work():
            nonlocal done, slowest
            done += 1
            begun = time.perf_counter()
            committer.commit('/a', position(done))
            committer.commit('/b', position(-done))
            slowest = max(slowest, time.perf_counter() - begun)
            return condition()

        until(what, work)

    load_until('saves', lambda: committer.saves > 2)
    getattr(own_redis, fail)()
    load_until('failures', lambda: committer.failures > 2)
    getattr(own_redis, mend)()
    load_until('the store', lambda: committer.failing_since is None)
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == position(done)
    assert store.load('/b') == position(-done)
    assert slowest < MARGIN
    assert len(warnings()) == 2
    store.close()


# --- ends --------------------------------------------------------------------------------------------


def test_a_flush_waits_for_the_save_that_is_under_way_and_for_the_next(make, store):
    store.takes = 0.05
    committer = make(store)
    committer.commit('/a', position(1))
    eventlet.sleep(0.01)
    committer.commit('/a', position(2))
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == position(2)


def test_a_flush_of_nothing_is_done_at_once(make, store):
    committer = make(store)
    assert committer.flush(0.0)
    assert store.begun == []


def test_a_flush_does_not_wait_for_the_distance_between_saves(make, store):
    committer = make(store, distance=60.0)
    committer.commit('/a', position(1))
    assert committer.flush(5 * SLOWNESS)
    committer.commit('/a', position(2))
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == position(2)


def test_a_flush_is_bounded_and_cuts_pauses_short(make, store):
    store.problem = StoreFailed('down')
    committer = make(store, pauses=Backoff(first=60.0, cap=60.0))
    committer.commit('/a', position())
    eventlet.sleep(0.01)
    begun = time.monotonic()
    assert not committer.flush(0.3)
    assert time.monotonic() - begun < 0.3 + MARGIN
    assert committer.failures > 2
    store.problem = None
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == position()


def test_several_may_flush_at_a_time(make, store):
    store.takes = 0.05
    committer = make(store)
    committer.commit('/a', position())
    pool = eventlet.GreenPool()
    assert list(pool.imap(lambda _: committer.flush(5 * SLOWNESS), range(5))) == [True] * 5


@pytest.mark.parametrize('how', ['stop', 'kill'])
@pytest.mark.parametrize('when', ['before the start', 'idle', 'saving', 'pausing', 'between saves'])
def test_an_end_is_bounded_leaves_nothing_and_may_come_twice_in_every_state(store, until, how, when):
    started = []

    def spawn(function):
        started.append(eventlet.spawn(function))
        return started[-1]

    committer = Committer(store, spawn=spawn, distance=60.0, pauses=Backoff(first=60.0, cap=60.0))
    if when != 'before the start':
        committer.start()
    if when == 'saving':
        store.takes = 60.0
    if when == 'pausing':
        store.problem = StoreFailed('down')
    if when not in ('before the start', 'idle'):
        committer.commit('/a', position())
        until('the save', lambda: store.begun)
        eventlet.sleep(0.01)
    begun = time.monotonic()
    for _ in range(2):
        if how == 'stop':
            committer.stop(0.2)
        else:
            committer.kill()
    assert time.monotonic() - begun < 0.2 + MARGIN
    eventlet.sleep(0)
    assert all(thread.dead for thread in started)
    committer.start()
    committer.commit('/b', position())
    eventlet.sleep(0.01)
    assert len(started) <= 1
    assert store.under_way == 0


def test_a_stop_saves_what_there_is(make, store, warnings):
    committer = make(store)
    committer.commit('/a', position())
    committer.stop(5 * SLOWNESS)
    assert store.load('/a') == position()
    assert warnings() == []


def test_a_stop_says_what_it_could_not_save(make, store, warnings):
    store.takes = 60.0
    committer = make(store)
    committer.commit('/a', position())
    committer.commit('/b', position())
    committer.stop(0.05)
    [line] = warnings()
    assert 'positions of 2 channels could not be saved' in line


def test_two_stops_at_a_time_say_it_once(make, store, warnings):
    store.takes = 60.0
    committer = make(store)
    committer.commit('/a', position())
    pool = eventlet.GreenPool()
    list(pool.imap(lambda _: committer.stop(0.05), range(2)))
    assert len(warnings()) == 1


def test_a_committer_whose_thread_was_killed_by_somebody_else_hangs_nobody(store, until):
    thread = []

    def spawn(function):
        thread.append(eventlet.spawn(function))
        return thread[-1]

    committer = Committer(store, spawn=spawn)
    committer.start()
    store.takes = 60.0
    committer.commit('/a', position())
    until('the save', lambda: store.under_way)
    flushing = eventlet.spawn(committer.flush, 60.0)
    eventlet.sleep(0)
    thread[0].kill()
    with eventlet.Timeout(5 * SLOWNESS):
        assert flushing.wait() is False
    assert committer.waiting == 1
    committer.kill()


# --- a quiet channel ------------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def quiet(seen_until):
    return Position(7, None, seen_until, 1.0)


@pytest.mark.defect('S4')
def test_a_quiet_channel_is_renewed_once_a_minute_with_its_own_id(make, store, clock):
    committer = make(store, clock=clock, distance=0.0)
    committer.adopt('/a', quiet(2.0))
    committer.adopt('/b', quiet(2.0))
    for second in range(600):
        clock.now = 1000.0 + second
        committer.seen(['/a', '/b'], 5000.0 + second)
        eventlet.sleep(0)
    eventlet.sleep(0)
    assert len(store.saved) == 10
    assert store.saved[-1] == {'/a': quiet(5540.0), '/b': quiet(5540.0)}


def test_a_channel_that_is_not_active_is_not_renewed(make, store, clock, until):
    committer = make(store, clock=clock, distance=0.0)
    committer.adopt('/a', quiet(2.0))
    committer.adopt('/b', quiet(2.0))
    committer.seen(['/a', '/unknown'], 5000.0)
    until('the renewal', lambda: store.saved)
    assert store.saved == [{'/a': quiet(5000.0)}]


def test_what_is_adopted_is_not_saved(make, store):
    committer = make(store)
    committer.adopt('/a', quiet(2.0))
    assert committer.flush(5 * SLOWNESS)
    assert store.begun == []


def test_a_position_is_saved_with_the_last_moment_that_its_channel_was_seen(make, store, clock):
    committer = make(store, clock=clock)
    committer.seen(['/a'], 5000.0)
    committer.commit('/a', quiet(4000.0))
    committer.seen(['/a'], 4500.0)
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == quiet(5000.0)


def test_a_clock_that_was_put_back_leaves_no_time_to_come(make, store, clock):
    committer = make(store, clock=clock)
    committer.commit('/a', position(1, seen_until=1000.0))
    committer.seen(['/a'], 90_000.0)
    committer.seen(['/a'], 1100.0)
    committer.commit('/a', position(2, seen_until=1050.0))
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == position(2, seen_until=1100.0)


def test_a_quiet_channel_whose_clock_was_put_back_is_not_seen_in_a_time_to_come(make, store, clock):
    committer = make(store, clock=clock, distance=0.0)
    committer.adopt('/a', quiet(90_000.0))
    committer.seen(['/a'], 1100.0)
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == quiet(1100.0)


def test_a_renewal_does_not_bring_back_an_older_position(make, store, clock):
    committer = make(store, clock=clock, distance=0.0)
    committer.adopt('/a', quiet(2.0))
    newer = replace(quiet(2.0), replay_id=8)
    committer.commit('/a', newer)
    committer.adopt('/a', quiet(3.0))
    committer.seen(['/a'], 5000.0)
    assert committer.flush(5 * SLOWNESS)
    assert store.load('/a') == replace(newer, seen_until=5000.0)


def test_a_stop_renews_so_that_the_age_is_exact(make, store, clock):
    committer = make(store, clock=clock, distance=0.0)
    committer.adopt('/a', quiet(2.0))
    committer.seen(['/a'], 5000.0)
    committer.seen(['/a'], 5030.0)
    committer.stop(5 * SLOWNESS)
    assert store.load('/a') == quiet(5030.0)


def test_channels_told_one_by_one_share_the_minute(make, store, clock):
    committer = make(store, clock=clock, distance=0.0)
    for channel in ('/a', '/b', '/c'):
        committer.adopt(channel, quiet(2.0))
    for minute in range(3):
        clock.now = 1000.0 + 61 * minute
        for channel in ('/a', '/b', '/c'):
            committer.seen([channel], 5000.0 + minute)
            eventlet.sleep(0)
    assert len(store.saved) == 3
    assert set(store.saved[-1]) == {'/a', '/b', '/c'}
