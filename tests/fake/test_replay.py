"""The replay logs, against lists."""

from random import Random

import pytest
from fake_salesforce.replay import ReplayLogs
from hypothesis import given
from hypothesis import strategies as st

TOPIC, EVENT = '/topic/Orders', '/event/Ink__e'


@pytest.fixture
def logs():
    return ReplayLogs(Random(1), lambda channel: 300.0 if channel.startswith('/event/') else 100.0)


def ids(events):
    return [each['event']['replayId'] for each in events]


def fill(logs, count, channel=TOPIC, now=0.0):
    return ids([logs.append(channel, {'n': number}, now) for number in range(count)])


def test_an_event_gets_an_id_and_keeps_what_it_has(logs):
    data = {'event': {'type': 'created'}, 'sobject': {'Id': '1'}}
    kept = logs.append(TOPIC, data, 0.0)
    assert kept == {'event': {'type': 'created', 'replayId': ids([kept])[0]}, 'sobject': {'Id': '1'}}
    assert 'replayId' not in data['event']


def test_ids_rise_and_have_gaps(logs):
    given_out = fill(logs, 200)
    steps = {after - before for before, after in zip(given_out, given_out[1:], strict=False)}
    assert min(steps) == 1
    assert max(steps) > 1


def test_channels_do_not_share_ids(logs):
    first = fill(logs, 1)
    assert logs.since(EVENT, first[0], 0.0) is None


def test_a_position_gives_what_came_after_it(logs):
    given_out = fill(logs, 3)
    assert ids(logs.since(TOPIC, given_out[0], 0.0)) == given_out[1:]
    assert logs.since(TOPIC, given_out[2], 0.0) == []


@pytest.mark.parametrize('only_new', [-1, '-1'])
def test_minus_one_gives_nothing(logs, only_new):
    fill(logs, 3)
    assert logs.since(TOPIC, only_new, 0.0) == []


@pytest.mark.parametrize('everything', [-2, '-2'])
def test_minus_two_gives_all(logs, everything):
    given_out = fill(logs, 3)
    assert ids(logs.since(TOPIC, everything, 0.0)) == given_out


def test_a_position_may_come_as_a_text(logs):
    given_out = fill(logs, 2)
    assert ids(logs.since(TOPIC, str(given_out[0]), 0.0)) == given_out[1:]


@pytest.mark.parametrize('position', [-3, 0, 10**30, 'abc', '', None, True, 1.0, [], {}])
def test_what_is_no_position_is_refused(logs, position):
    fill(logs, 3)
    assert logs.since(TOPIC, position, 0.0) is None


def test_the_empty_log_knows_only_the_two_words(logs):
    assert logs.since(TOPIC, -1, 0.0) == []
    assert logs.since(TOPIC, -2, 0.0) == []
    assert logs.since(TOPIC, 1, 0.0) is None


def test_events_are_kept_for_the_retention_of_their_channel(logs):
    topic, event = fill(logs, 2), fill(logs, 2, EVENT)
    assert ids(logs.retained(TOPIC, 99.9)) == topic
    assert logs.since(TOPIC, topic[0], 100.0) is None
    assert logs.since(TOPIC, -2, 100.0) == []
    assert ids(logs.since(EVENT, event[0], 100.0)) == event[1:]
    assert logs.since(EVENT, event[0], 300.0) is None


def test_the_newest_id_expires_as_well(logs):
    [last] = fill(logs, 1)
    assert logs.since(TOPIC, last, 99.0) == []
    assert logs.since(TOPIC, last, 100.0) is None


def test_ids_go_on_after_everything_expired(logs):
    before = fill(logs, 3)
    assert fill(logs, 1, now=1000.0)[0] > before[-1]


@pytest.mark.parametrize('chosen', [13, 'AAAAAAAAAB', '7'])
def test_a_publisher_may_choose_an_id(logs, chosen):
    given_out = [*fill(logs, 1), *ids([logs.append(TOPIC, {'event': {'replayId': chosen}}, 0.0)])]
    given_out += fill(logs, 1)
    assert given_out[1] == chosen
    assert ids(logs.since(TOPIC, chosen, 0.0)) == given_out[2:]
    assert ids(logs.since(TOPIC, -2, 0.0)) == given_out


def test_a_chosen_id_that_lies_ahead_is_stepped_over(logs):
    [first] = fill(logs, 1)
    for ahead in range(1, 200):
        logs.append(TOPIC, {'event': {'replayId': first + ahead}}, 0.0)
    assert fill(logs, 1)[0] > first + 199


@pytest.mark.parametrize(
    ('data', 'problem'),
    [
        (5, 'is an object'),
        (None, 'is an object'),
        ({'event': 5}, 'and so is its "event"'),
        ({'event': {'replayId': True}}, 'not a replay id'),
        ({'event': {'replayId': 1.5}}, 'not a replay id'),
        ({'event': {'replayId': 'mine'}}, 'already'),
    ],
)
def test_what_is_no_event_is_not_kept(logs, data, problem):
    logs.append(TOPIC, {'event': {'replayId': 'mine'}}, 0.0)
    with pytest.raises(ValueError, match=problem):
        logs.append(TOPIC, data, 0.0)
    assert len(logs.retained(TOPIC, 0.0)) == 1


STEP = st.tuples(st.sampled_from(['append', 'append', 'since', 'since all', 'wait']), st.integers(0, 60))


@given(st.lists(STEP, max_size=60))
def test_a_log_is_a_list_that_forgets(steps):
    logs = ReplayLogs(Random(1), lambda channel: 100.0)
    kept: list[tuple[float, int]] = []
    now = 0.0
    for step, number in steps:
        if step == 'append':
            kept.append((now, logs.append(TOPIC, {}, now)['event']['replayId']))
        elif step == 'wait':
            now += number
        alive = [each for at, each in kept if at > now - 100.0]
        assert ids(logs.since(TOPIC, -2, now)) == alive
        if step == 'since' and kept:
            chosen = kept[number % len(kept)][1]
            found = logs.since(TOPIC, chosen, now)
            if chosen in alive:
                assert ids(found) == alive[alive.index(chosen) + 1 :]
            else:
                assert found is None
