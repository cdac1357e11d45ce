"""A position survives being written down, whatever its id looks like."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.replay.position import VERSION, Position, position_from_json, position_to_json

times = st.floats(min_value=0, max_value=4e9)
replay_ids = st.integers() | st.integers(0, 2**200) | st.text(st.characters(codec=None))
positions = st.builds(Position, st.none() | replay_ids, st.none() | times, times, times)


@pytest.mark.defect('S8')
@given(positions)
def test_a_position_comes_back_as_it_was(position):
    text = position_to_json(position)
    again = position_from_json(text)
    assert again == position
    assert type(again.replay_id) is type(position.replay_id)
    assert text.isascii()


@pytest.mark.defect('S8')
@pytest.mark.parametrize('replay_id', [0, -1, 10**30, '', '0', '17', ' 17', 'ä\ud800', 'a"b\\c', 'null'])
def test_an_id_is_a_number_or_a_text_and_stays_it(replay_id):
    again = position_from_json(position_to_json(Position(replay_id, None, 1.0, 0.0))).replay_id
    assert (again, type(again)) == (replay_id, type(replay_id))


@pytest.mark.parametrize('replay_id', [True, 1.5, b'7', ['7'], {}])
def test_what_is_no_id_makes_no_position(replay_id):
    with pytest.raises(ValueError, match='replay id'):
        Position(replay_id, None, 1.0, 0.0)


@pytest.mark.parametrize('moment', [float('nan'), float('inf'), 10**400, None, '1', True])
def test_what_is_no_time_makes_no_position(moment):
    for times in ((None, moment, 1.0), (None, 1.0, moment), (moment, 1.0, 1.0)):
        if times == (None, 1.0, 1.0):
            continue
        with pytest.raises(ValueError, match='times'):
            Position(7, *times)


def test_its_age_counts_from_when_the_channel_was_last_connected():
    position = Position(7, event_time=100.0, seen_until=500.0, marked_at=50.0)
    assert position.age(560.0) == 60.0


def test_where_clocks_disagree_a_position_is_new():
    assert Position(7, None, 500.0, 50.0).age(400.0) == 0.0


def test_a_field_of_a_later_version_is_ignored_and_not_carried_along():
    later = {**json.loads(position_to_json(Position(7, None, 2.0, 1.0))), 'fencing': 12}
    position = position_from_json(json.dumps(later))
    assert position == Position(7, None, 2.0, 1.0)
    assert 'fencing' not in position_to_json(position)


def test_a_version_that_means_something_else_is_refused():
    later = {**json.loads(position_to_json(Position(7, None, 2.0, 1.0))), 'v': VERSION + 1}
    with pytest.raises(ValueError, match=f'version {VERSION + 1}'):
        position_from_json(json.dumps(later))


GOOD = {'v': 1, 'replay_id': 7, 'event_time': None, 'seen_until': 2.0, 'marked_at': 1.0}


@pytest.mark.parametrize(
    'text',
    [
        '',
        '7',
        'null',
        '[]',
        '{}',
        'nonsense',
        '[' * 100_000,
        *(json.dumps({name: value for name, value in GOOD.items() if name != left}) for left in GOOD),
        *(
            json.dumps({**GOOD, **wrong})
            for wrong in (
                {'v': '1'},
                {'v': None},
                {'replay_id': True},
                {'replay_id': 1.5},
                {'replay_id': []},
                {'event_time': '1'},
                {'event_time': 10**400},
                {'seen_until': None},
                {'seen_until': 10**400},
                {'marked_at': float('nan')},
                {'marked_at': {}},
            )
        ),
    ],
)
def test_what_is_no_position_is_never_taken_for_one(text):
    with pytest.raises(ValueError):
        position_from_json(text)


@given(st.text())
def test_no_text_does_more_harm_than_to_be_refused(text):
    with suppress(ValueError):
        position_from_json(text)
