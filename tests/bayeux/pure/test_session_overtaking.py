"""Events that a poll brings before the answer to their own subscribe has ended."""

import pytest

from nameko_salesforce.bayeux.effects import Deliver, Lane, PollAnswered, PollLost
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import parse
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


def test_they_came_by_an_earlier_subscription_where_the_subscribe_is_refused(hand):
    hand.subscribe('/durable')
    hand.answer(Lane.POLL, event('/durable', 3))
    hand.answer(Lane.COMMAND, successful=False, error='403::no')
    assert hand.deliveries() == [3]


def test_those_of_a_confirmed_subscription_stay_where_another_request_could_not_be_sent(hand):
    hand.subscribe('/durable')
    send = hand.out[Lane.COMMAND]
    hand.receive(send.exchange, [hand.reply_to(send.requests[0])])
    hand.answer(Lane.POLL, event('/durable', 3))
    hand.fail(Lane.COMMAND, Failure(FailureKind.CONNECT))
    assert hand.state is State.CONNECTED
    assert hand.deliveries() == [3]


def test_they_are_weighed_once(hand):
    hand.subscribe('/durable')
    send = hand.out[Lane.POLL]
    messages = [parse(event('/fleeting', 1)), parse(event('/durable', 3))]
    hand.carry_out(hand.session.received(send.exchange, messages, hand.now, 100))
    hand.answer(Lane.POLL)
    hand.answer(Lane.COMMAND)
    assert sum(each.characters for each in hand.said(Deliver)) == 100


def test_it_can_be_seen_how_much_is_held_back(hand):
    assert hand.session.held_back == (0, 0)
    hand.subscribe('/durable')
    send = hand.out[Lane.POLL]
    hand.carry_out(hand.session.received(send.exchange, [parse(event('/durable', 3))], hand.now, 100))
    assert hand.session.held_back == (1, 100)
    hand.answer(Lane.COMMAND)
    assert hand.session.held_back == (0, 0)


# --- what is told of the order ---------------------------------------------------------------------


def told(hand):
    """The numbers of events with the poll that they wait for, and the ends of polls, since the connect."""
    found = []
    for each in hand.effects:
        if isinstance(each, Deliver):
            found.append(([event.data for event in each.deliveries], each.poll))
        elif isinstance(each, PollAnswered | PollLost):
            found.append((type(each), each.poll))
    return found[1:]  # without the first connect


def test_no_end_of_a_poll_is_told_before_the_events_that_it_has_brought(hand):
    hand.subscribe('/durable')
    hand.answer(Lane.COMMAND)
    poll = hand.out[Lane.POLL].exchange
    hand.unsubscribe('/durable')
    hand.answer(Lane.COMMAND, event('/durable', 2))
    hand.subscribe('/durable')
    hand.answer(Lane.POLL, event('/durable', 1))  # the server has sent it before the 2
    hand.answer(Lane.COMMAND, successful=False, error='500::no')
    assert told(hand) == [([2], poll), ([1], None), (PollAnswered, poll)]


def test_what_a_poll_brings_beside_a_command_waits_for_the_end_of_that(hand):
    hand.subscribe('/durable')
    hand.answer(Lane.COMMAND)
    poll = hand.out[Lane.POLL].exchange
    hand.subscribe('/fleeting')
    hand.answer(Lane.POLL, event('/durable', 2))
    assert told(hand) == [([2], poll)]
    after = hand.out[Lane.POLL].exchange
    hand.answer(Lane.COMMAND, event('/durable', 1))
    hand.answer(Lane.POLL)
    assert told(hand)[1:] == [([1], after), (PollAnswered, poll), (PollAnswered, after)]


def test_a_command_whose_answer_is_lost_leaves_it_in_doubt(hand):
    hand.subscribe('/durable')
    hand.answer(Lane.COMMAND)
    poll = hand.out[Lane.POLL].exchange
    hand.subscribe('/fleeting')
    hand.answer(Lane.POLL, event('/durable', 2))
    after = hand.out[Lane.POLL].exchange
    hand.fail(Lane.COMMAND)
    assert hand.state is State.PAUSING
    assert told(hand) == [([2], poll), (PollLost, poll), (PollLost, after)]


def test_they_are_dropped_with_the_session(hand):
    hand.subscribe('/durable')
    hand.answer(Lane.POLL, event('/durable', 3))
    hand.wait_for_deadline()
    hand.fail(Lane.POLL, Failure(FailureKind.RESET, 'by peer'))
    assert hand.state is not State.CONNECTED
    assert hand.deliveries() == []
