"""When there is enough, and when there is room again."""

import pytest

from nameko_salesforce.streaming.load import Load


@pytest.fixture
def load():
    told = []
    made = Load(10, 1000, lambda: told.append('brake'), lambda: told.append('release'))
    made.told = told
    return made


def test_the_brake_is_put_on_above_the_limit_and_taken_off_at_half_of_it(load):
    load.change(10, 0)
    assert load.told == []
    load.change(1, 0)
    load.change(1, 0)
    assert load.told == ['brake']
    load.change(-6, 0)
    assert load.is_braked
    load.change(-1, 0)
    assert load.told == ['brake', 'release']
    assert not load.is_braked


def test_text_counts_as_events_do(load):
    load.change(1, 1001)
    assert load.is_braked
    load.change(0, -600)
    assert load.told == ['brake', 'release']


def test_both_have_to_be_less_for_a_release(load):
    load.change(11, 1001)
    load.change(-11, 0)
    assert load.is_braked
    load.change(0, -1001)
    assert load.told == ['brake', 'release']


@pytest.mark.parametrize(('events', 'characters', 'full'), [(19, 0, False), (20, 0, True), (1, 2000, True)])
def test_twice_the_limit_is_full(load, events, characters, full):
    load.change(events, characters)
    assert load.is_full is full
