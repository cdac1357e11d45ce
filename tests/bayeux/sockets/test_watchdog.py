"""One deadline that moves: it strikes when it has really passed, and only the thread that it is for."""

import time

import eventlet
import eventlet.hubs
import pytest

from nameko_salesforce.bayeux.watchdog import Expired, Watchdog
from tests.bayeux.sockets.raw_server import TICK


@pytest.fixture
def watchdog(nothing_survives):
    watchdog = Watchdog(step=4 * TICK)
    yield watchdog
    watchdog.stop()


def timers():
    hub = eventlet.hubs.get_hub()
    return [timer for _, timer in [*hub.timers, *hub.next_timers] if not timer.called]


def test_a_passed_deadline_is_thrown_into_the_waiting_thread(watchdog):
    start = time.monotonic()
    watchdog.watch(2 * TICK)
    with pytest.raises(Expired) as caught:
        eventlet.sleep(100)
    assert caught.value.watchdog is watchdog
    assert 2 * TICK <= time.monotonic() - start < 40 * TICK


def test_a_deadline_behind_the_step_is_kept(watchdog):
    start = time.monotonic()
    watchdog.watch(9 * TICK)
    with pytest.raises(Expired):
        eventlet.sleep(100)
    assert time.monotonic() - start >= 9 * TICK


def test_a_deadline_that_moves_away_does_not_strike(watchdog):
    watchdog.watch(3 * TICK)
    for _ in range(8):
        eventlet.sleep(TICK)
        watchdog.watch(3 * TICK)


def test_a_deadline_that_moves_near_strikes_there(watchdog):
    watchdog.watch(1000)
    watchdog.watch(TICK)
    with pytest.raises(Expired):
        eventlet.sleep(100)


def test_many_deadlines_need_one_timer(watchdog):
    watchdog.watch(4 * TICK)
    (timer,) = timers()
    for _ in range(1000):
        watchdog.watch(125.0)
        watchdog.watch(4 * TICK)
        watchdog.rest()
    assert timers() == [timer]


def test_who_waits_for_long_is_looked_at_once(watchdog, monkeypatch):
    looks, look = [], Watchdog._look
    monkeypatch.setattr(Watchdog, '_look', lambda self: (looks.append(1), look(self)))
    watchdog.watch(20 * TICK)
    with pytest.raises(Expired):
        eventlet.sleep(100)
    # One on the way, one when the time has come, one a turn later.
    assert len(looks) == 3


def test_a_resting_watchdog_does_not_strike(watchdog):
    watchdog.watch(TICK)
    watchdog.rest()
    eventlet.sleep(3 * TICK)
    assert timers() == []


def test_a_stopped_watchdog_has_no_timer(watchdog):
    watchdog.watch(1000)
    watchdog.stop()
    assert timers() == []


def test_hurrying_strikes_at_once_and_only_where_something_is_watched(watchdog):
    assert not watchdog.hurry()

    def wait():
        watchdog.watch(1000)
        eventlet.sleep(1000)

    thread = eventlet.spawn(wait)
    eventlet.sleep(0)
    assert watchdog.hurry()
    with pytest.raises(Expired):
        thread.wait()


def test_a_thread_that_is_ready_when_the_process_was_late_is_spared(watchdog):
    done = []

    def wait():
        watchdog.watch(TICK)
        eventlet.sleep(1.5 * TICK)
        watchdog.rest()
        done.append(True)

    thread = eventlet.spawn(wait)
    eventlet.sleep(0)
    # Not green on purpose: both times are past when the hub turns again.
    time.sleep(3 * TICK)
    thread.wait()
    assert done
