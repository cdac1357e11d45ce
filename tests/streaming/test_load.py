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


@pytest.mark.parametrize('each', [0.0, 1.0, 99.9, 100.0, 101.0, 5000.0])
@pytest.mark.parametrize(
    ('events', 'characters'), [(0, 0.0), (7, 350.0), (19, 1999.0), (20, 0.0), (1, 2000.0)]
)
def test_there_is_room_for_as_many_as_can_be_added_one_by_one_until_it_is_full(
    load, events, characters, each
):
    load.change(events, characters)
    room, one_by_one = load.room(each), 0
    while not load.is_full:
        load.change(1, each)
        one_by_one += 1
    assert room == one_by_one
