"""Events that a poll brings before the answer to their own subscribe has ended."""

import pytest

from nameko_salesforce.bayeux.effects import Deliver, Lane, PollAnswered
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.policy import GenericPolicy
from nameko_salesforce.bayeux.transitions import State


class Durable(GenericPolicy):
    def is_durable(self, channel):
        return channel.startswith('/durable')


def event(channel, number):
    return {'channel': channel, 'data': number}


@pytest.fixture
def hand(make_hand):
    return make_hand(Durable()).to_connected()


def test_new_events_wait_for_those_that_the_answer_to_their_subscribe_replays(hand):
    hand.subscribe('/durable')
    hand.answer(Lane.POLL, event('/durable', 3))
    assert hand.deliveries() == []
    hand.answer(Lane.COMMAND, event('/durable', 1), event('/durable', 2))
    assert hand.deliveries() == [1, 2, 3]
    last = hand.said(Deliver)[-1]
    assert (last.lane, last.poll) == (Lane.POLL, None)


def test_they_wait_for_the_end_of_the_answer_though_its_reply_came_first(hand):
    hand.subscribe('/durable')
    send = hand.out[Lane.COMMAND]
    hand.receive(send.exchange, [hand.reply_to(send.requests[0]), event('/durable', 1)])
    hand.answer(Lane.POLL, event('/durable', 3))
    hand.receive(send.exchange, [event('/durable', 2)])
    assert hand.deliveries() == [1, 2]
    hand.carry_out(hand.session.finished(send.exchange, hand.now))
    assert hand.deliveries() == [1, 2, 3]


def test_the_poll_is_over_meanwhile(hand):
    hand.subscribe('/durable')
    hand.answer(Lane.POLL, event('/durable', 3))
    assert hand.said(PollAnswered)
    hand.wait_for_deadline()
    assert [each['channel'] for each in hand.sent(Lane.POLL)] == ['/meta/connect']


@pytest.mark.parametrize('channel', ['/fleeting', '/durable/active'])
def test_events_of_other_channels_and_those_that_nothing_replays_do_not_wait(hand, channel):
    hand.subscribe('/durable/active')
    hand.answer(Lane.COMMAND)
    hand.subscribe('/durable')
    hand.subscribe('/fleeting')
    hand.answer(Lane.POLL, event(channel, 1), event('/durable', 3))
    assert hand.deliveries() == [1]


def test_a_subscription_with_a_filter_is_the_same_channel(hand):
    hand.subscribe("/durable?Name='a'")
    hand.answer(Lane.POLL, event('/durable', 3))
    assert hand.deliveries() == []
    hand.answer(Lane.COMMAND)
    assert hand.deliveries() == [3]


def test_they_are_dropped_with_a_subscribe_that_failed_since_they_come_again(hand):
    hand.subscribe('/durable')
    hand.answer(Lane.POLL, event('/durable', 3))
    hand.fail(Lane.COMMAND)
    assert hand.deliveries() == []
    assert hand.state is not State.CONNECTED  # and the next session asks for them


def test_they_are_dropped_with_a_subscribe_that_was_refused(hand):
    hand.subscribe('/durable')
    hand.answer(Lane.POLL, event('/durable', 3))
    hand.answer(Lane.COMMAND, successful=False, error='403::no')
    assert hand.deliveries() == []


def test_they_are_dropped_with_the_session(hand):
    hand.subscribe('/durable')
    hand.answer(Lane.POLL, event('/durable', 3))
    hand.wait_for_deadline()
    hand.fail(Lane.POLL, Failure(FailureKind.RESET, 'by peer'))
    assert hand.state is not State.CONNECTED
    assert hand.deliveries() == []
