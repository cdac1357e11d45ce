"""Whatever an event holds, it is handled or a dead letter, and a position is one that can be kept."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Ended, Failed
from nameko_salesforce.events import replay_id_of
from nameko_salesforce.replay.position import position_from_json, position_to_json
from nameko_salesforce.replay.store import DeadLetter
from nameko_salesforce.replay.stores import open_store
from nameko_salesforce.replay.tracker import Mark
from nameko_salesforce.streaming import handle_change_event, handle_platform_event, subscribe
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.effects import DeadLettered
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.resume import Rules
from nameko_salesforce.streaming.retry import Retry
from tests.fuzz.strategies import EVENTS

HOUR = 3600.0
NOW = 1.8e9


def make_channel(order):
    rules = Rules(channel='/event/E__e', retention=72 * HOUR, greatest_age=72 * HOUR)
    options = HandlerOptions(name='handle', order=order, retry=Retry(attempts=1))
    return Channel(rules, {'handle': None}, [options], lambda: 0.0)


@given(st.lists(st.tuples(EVENTS, st.booleans()), max_size=12), st.sampled_from(list(Order)))
def test_every_event_of_any_shape_is_run_and_no_position_waits_for_ever(drawn, order):
    channel = make_channel(order)
    channel.begin(None)
    channel.resume('', NOW)
    channel.subscribed(NOW)
    marks, letters = [], []

    def obey(effects):
        marks.extend(each for each in effects if isinstance(each, Mark))
        letters.extend(each for each in effects if isinstance(each, DeadLettered))

    for data, provisional in drawn:
        event = Delivery('/event/E__e', data)
        obey(channel.arrived([event], NOW, 0.0, provisional=provisional, characters=10.0))
    obey(channel.poll_answered())
    runs = 0
    while (run := channel.work.next(0.0)) is not None:
        runs += 1
        obey(channel.work.ended(run, Failed(ValueError('no')) if runs % 2 else Ended.HANDLED, 0.0))
        obey(channel.work.moved())
    for letter in letters:
        obey(channel.work.letter_stored(letter))
    assert channel.work.unfinished == 0
    for mark in marks:
        position = channel.committed(mark, NOW, 0.0)
        assert position_from_json(position_to_json(position)) == position


@given(EVENTS)
def test_what_decorators_make_of_an_event_of_any_shape_is_given_to_the_method(data):
    """Properties may say None; reading them raises nothing that the fields themselves do not."""
    event = Delivery('/event/E__e', data)
    for decorator in (subscribe('/u/x'), handle_platform_event('E__e'), handle_change_event('Account')):
        method = decorator(lambda *_: None)
        (entrypoint,) = method.nameko_entrypoints
        assert entrypoint.run_args([event])


@given(EVENTS, st.text(max_size=30), st.sampled_from(['memory', 'sqlite']))
def test_a_dead_letter_of_any_event_comes_back_as_it_was(data, error, kind):
    letter = DeadLetter(
        channel='/event/E__e',
        handler='handle',
        data=data,
        replay_id=replay_id_of(data),
        error_type='ValueError',
        error=error,
        attempts=3,
        first_at=NOW,
        last_at=NOW,
    )
    with tempfile.TemporaryDirectory() as folder:
        uri = 'memory://' if kind == 'memory' else f'sqlite:///{Path(folder) / "store.db"}'
        store = open_store(uri, organization='00D000000000001AAA', service='fuzz')
        store.add_dead_letter(letter)
        (kept,) = store.dead_letters()
        assert (kept.channel, kept.handler, kept.error, kept.replay_id) == (
            letter.channel,
            letter.handler,
            letter.error,
            letter.replay_id,
        )
        # NaN is equal to nothing.
        assert repr(kept.data) == repr(data) or kept.data == data
        assert store.dead_letter(kept.number) is not None
        store.close()
