"""Whose turn it is: one run each, and nobody who sleeps is looked at."""

import pytest

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Ended, Failed
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.resume import Rules
from nameko_salesforce.streaming.turns import Turns


def channel(name, **options):
    rules = Rules(channel=name, retention=1000.0, greatest_age=1000.0)
    return Channel(rules, {'handle': None}, [HandlerOptions(name='handle', **options)], lambda: 0.0)


def arrive(which, turns, count, now=0.0):
    for _ in range(count):
        which.work.arrived([Delivery(which.name, {})], now)
    turns.wake(which)


@pytest.fixture
def turns():
    return Turns()


def names(turns, now=0.0):
    found = []
    while (turn := turns.next(now)) is not None:
        found.append(turn[0].name)
    return found


def test_channels_take_turns(turns):
    arrive(channel('/u/a'), turns, 3)
    arrive(channel('/u/b'), turns, 1)
    arrive(channel('/u/c'), turns, 2)
    assert names(turns) == ['/u/a', '/u/b', '/u/c', '/u/a', '/u/c', '/u/a']
    assert turns.deadline is None


def test_a_channel_that_was_not_woken_is_not_looked_at(turns):
    sleeping = channel('/u/a')
    sleeping.work.arrived([Delivery('/u/a', {})], 0.0)
    assert turns.next(0.0) is None
    turns.wake(sleeping)
    assert names(turns) == ['/u/a']


def test_a_retry_wakes_its_channel_when_its_time_has_come(turns):
    one = channel('/u/a')
    arrive(one, turns, 1)
    _, run = turns.next(0.0)
    one.work.ended(run, Failed(ValueError()), 0.0)
    turns.wake(one)
    assert turns.next(0.0) is None
    due = turns.deadline
    assert due == one.work.deadline
    assert turns.next(due - 0.001) is None
    found, run = turns.next(due)
    assert (found, run.attempt) == (one, 2)


def test_many_looks_at_a_waiting_channel_leave_one_time(turns):
    one = channel('/u/a', batch=10, batch_wait=5.0)
    for _ in range(8):
        arrive(one, turns, 1)
        assert turns.next(1.0) is None
    assert len(turns._timers) == 1
    _, run = turns.next(5.0)
    assert len(run.events) == 8
    one.work.ended(run, Ended.HANDLED, 5.0)
    assert names(turns, 100.0) == []
