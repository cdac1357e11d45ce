"""A poll waits while durable channels are being subscribed to, so that what their log brings comes alone."""

import pytest

from nameko_salesforce.bayeux.effects import Deliver, Lane, PrepareChannel
from nameko_salesforce.bayeux.policy import GenericPolicy
from nameko_salesforce.bayeux.transitions import ChannelState

SETTLING = 5.0


class Durable(GenericPolicy):
    def is_durable(self, channel):
        return channel.startswith('/a')


@pytest.fixture
def hand(make_hand):
    """Its first connect is answered; the test prepares the channels."""
    hand = make_hand(Durable(), settling=SETTLING)
    hand.prepares = False
    return hand


def connected(hand, *channels, **connect):
    for channel in channels:
        hand.subscribe(channel)
    hand.start()
    [each] = [effect for effect in hand.effects if type(effect).__name__ == 'Prepare']
    hand.carry_out(hand.session.prepared(each.attempt, None, hand.now))
    hand.answer()
    hand.answer(**connect)
    return hand


def prepare(hand, channel, *, fails=False):
    [*_, asked] = [each for each in hand.said(PrepareChannel) if each.channel == channel]
    if fails:
        effects = hand.session.channel_preparation_failed(channel, asked.attempt, 'not now', hand.now)
    else:
        effects = hand.session.channel_prepared(channel, asked.attempt, None, hand.now)
    hand.carry_out(effects)


def polls(hand):
    return [each['channel'] for each in hand.sent()] == ['/meta/connect']


def test_the_poll_goes_out_with_the_answer_to_the_subscription(hand):
    connected(hand, '/a')
    assert not polls(hand)
    prepare(hand, '/a')
    assert not polls(hand)
    hand.answer(Lane.COMMAND)
    assert polls(hand)


def test_what_the_log_brings_comes_beside_no_poll(hand):
    connected(hand, '/a')
    prepare(hand, '/a')
    hand.answer(Lane.COMMAND, {'channel': '/a', 'data': 1})
    [deliver] = hand.said(Deliver)
    assert (deliver.lane, deliver.poll) == (Lane.COMMAND, None)


def test_it_waits_for_all_of_them(hand):
    connected(hand, '/a', '/a2')
    prepare(hand, '/a')
    hand.answer(Lane.COMMAND)
    assert not polls(hand)
    prepare(hand, '/a2')
    hand.answer(Lane.COMMAND)
    assert polls(hand)


def test_it_waits_so_long_and_no_longer(hand):
    connected(hand, '/a')
    assert hand.wait_for_deadline() == SETTLING
    assert polls(hand)
    prepare(hand, '/a')
    hand.answer(Lane.COMMAND, {'channel': '/a', 'data': 1})
    [deliver] = hand.said(Deliver)
    assert deliver.poll is not None


def test_it_waits_no_longer_than_the_server_remembers_the_session(hand):
    connected(hand, advice={'reconnect': 'retry', 'timeout': 30000, 'interval': 0, 'maxInterval': 3000})
    hand.subscribe('/a')
    hand.answer()
    assert hand.wait_for_deadline() == pytest.approx(2.1)
    assert polls(hand)


def test_channels_that_nothing_brings_again_hold_up_no_poll(hand):
    connected(hand, '/b')
    assert polls(hand)


def test_a_session_without_channels_polls_at_once(hand):
    connected(hand)
    assert polls(hand)


def test_a_refused_position_is_waited_for_once_more(hand):
    connected(hand, '/a')
    prepare(hand, '/a')
    hand.answer(Lane.COMMAND, successful=False, error='400::The replayId {1} you provided was invalid.')
    assert not polls(hand)
    assert hand.wait_for_deadline() == 1.0  # the pause after a first refusal
    prepare(hand, '/a')
    hand.answer(Lane.COMMAND, {'channel': '/a', 'data': 1})
    [deliver] = hand.said(Deliver)
    assert deliver.poll is None
    assert polls(hand)


def test_a_channel_that_goes_on_being_refused_holds_up_nobody(hand):
    connected(hand, '/a')
    prepare(hand, '/a', fails=True)
    hand.wait_for_deadline()
    prepare(hand, '/a', fails=True)
    assert polls(hand)
    assert hand.session.channels['/a'].state is ChannelState.REFUSED


def test_a_channel_that_is_wanted_later_waits_for_no_poll(hand):
    connected(hand)
    hand.subscribe('/a')
    prepare(hand, '/a')
    assert [each['subscription'] for each in hand.sent(Lane.COMMAND)] == ['/a']
    hand.answer()
    assert not polls(hand), 'the next one waits for the answer'
    hand.answer(Lane.COMMAND)
    assert polls(hand)


def test_a_channel_that_nobody_wants_any_more_holds_up_nothing(hand):
    connected(hand, '/a')
    hand.unsubscribe('/a')
    assert polls(hand)


def test_a_stop_does_not_wait_for_it(hand):
    connected(hand, '/a')
    hand.stop()
    assert [each['channel'] for each in hand.sent(Lane.COMMAND)] == ['/meta/disconnect']
    assert not polls(hand)
