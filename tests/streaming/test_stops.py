"""A stopped channel goes on when somebody has said so and its old subscription is gone."""

import pytest

from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.resume import Rules
from nameko_salesforce.streaming.stops import Stops


def channel(name='/u/a'):
    rules = Rules(channel=name, retention=1000.0, greatest_age=1000.0)
    return Channel(rules, {'handle': None}, [HandlerOptions(name='handle')], lambda: 0.0)


@pytest.fixture
def going_on():
    return []


@pytest.fixture
def stops(going_on):
    return Stops(going_on.append)


def test_a_channel_is_stopped_once_and_says_why(stops):
    one = channel()
    assert stops.add(one, 'out of ink')
    assert not stops.add(one, 'another reason')
    assert one in stops
    assert one.halted == 'out of ink'


@pytest.mark.parametrize('order', ['gone first', 'told first'])
def test_both_things_have_to_happen(stops, going_on, order):
    one = channel()
    stops.add(one, 'why')
    first, second = (stops.gone, stops.resume) if order == 'gone first' else (stops.resume, stops.gone)
    first(one)
    assert going_on == []
    second(one)
    assert going_on == [one]
    assert one not in stops
    assert one.halted == ''


def test_a_channel_that_is_not_stopped_is_not_resumed(stops, going_on):
    one = channel()
    assert not stops.resume(one)
    stops.gone(one)
    assert going_on == []


def test_a_stop_after_a_stop_begins_anew(stops, going_on):
    one = channel()
    for _ in range(2):
        stops.add(one, 'why')
        stops.resume(one)
        stops.gone(one)
    assert going_on == [one, one]


def test_all_may_go_on_at_once_and_each_waits_for_its_own(stops, going_on):
    one, other = channel(), channel('/u/b')
    stops.add(one, 'why')
    stops.add(other, 'why')
    stops.gone(one)
    stops.resume_all()
    assert going_on == [one]
    stops.gone(other)
    assert going_on == [one, other]
