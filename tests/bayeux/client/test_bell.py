"""A bell wakes the thread that waits for it, and no other wait of that thread."""

import eventlet
import pytest

from nameko_salesforce.bayeux.bell import Bell
from tests.bayeux.client.conftest import TICK


def waiting(bell, seconds=None):
    """A thread that waits, and the list that it writes to behind it."""
    woken = []

    def wait():
        bell.wait(seconds)
        woken.append(1)

    thread = eventlet.spawn(wait)
    eventlet.sleep(0)
    return thread, woken


def test_a_ring_wakes_who_waits_however_often_it_rings():
    bell = Bell()
    _, woken = waiting(bell)
    assert not woken
    bell.ring()
    bell.ring()
    eventlet.sleep(0)
    assert woken == [1]


def test_a_ring_is_not_kept():
    bell = Bell()
    bell.ring()
    thread, woken = waiting(bell)
    eventlet.sleep(TICK)
    assert not woken
    thread.kill()


def test_it_can_be_waited_for_again():
    bell = Bell()
    for _ in range(3):
        _, woken = waiting(bell)
        bell.ring()
        eventlet.sleep(0)
        assert woken


def test_a_wait_ends_after_its_time_and_leaves_no_timer():
    bell = Bell()
    thread, woken = waiting(bell, TICK)
    thread.wait()
    assert woken
    thread, woken = waiting(bell, 1000 * TICK)
    bell.ring()
    thread.wait()
    assert woken
    assert not [each for _, each in eventlet.hubs.get_hub().timers if not each.called]


def test_a_thread_that_was_killed_in_its_wait_is_not_woken_from_its_next_one():
    bell = Bell()
    reached = []

    def wait():
        try:
            bell.wait()
        except ZeroDivisionError:
            eventlet.sleep(10 * TICK)
            reached.append('the end of the sleep')

    thread = eventlet.spawn(wait)
    eventlet.sleep(0)
    eventlet.hubs.get_hub().schedule_call_global(0, thread.throw, ZeroDivisionError())
    bell.ring()
    with pytest.raises(eventlet.Timeout), eventlet.Timeout(2 * TICK):
        thread.wait()
    assert not reached
    thread.kill()
