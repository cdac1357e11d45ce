"""The brake: a poll waits for those who take the events, and not for ever; then durable channels do."""

import itertools

import pytest

from nameko_salesforce.bayeux.advice import Advice
from nameko_salesforce.bayeux.brake import Brake
from nameko_salesforce.bayeux.effects import (
    BrakeChanged,
    Deliver,
    Lane,
    PollAnswered,
    PollLost,
    PrepareChannel,
)
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import parse
from nameko_salesforce.bayeux.policy import GenericPolicy
from nameko_salesforce.bayeux.transitions import ChannelState, State

LONGEST = 7.0
EVENT = {'channel': '/a', 'data': 1}


class Durable(GenericPolicy):
    def is_durable(self, channel):
        return channel.startswith('/a')


@pytest.fixture
def hand(make_hand):
    """Subscribed to /a, which is durable, and to /b, with a poll out."""
    hand = make_hand(Durable(), longest_brake=LONGEST)
    hand.subscribe('/a')
    hand.subscribe('/b')
    hand.to_connected()
    answer_commands(hand)
    hand.answer()
    hand.effects.clear()
    return hand


def answer_commands(hand):
    """Say yes until nothing more is asked; what was asked."""
    asked = []
    while Lane.COMMAND in hand.out:
        asked += [(each['channel'].split('/')[2], each['subscription']) for each in hand.sent(Lane.COMMAND)]
        hand.answer(Lane.COMMAND)
    return asked


def state(hand, channel='/a'):
    return hand.session.channels[channel].state


def braked_too_long(hand):
    hand.brake()
    hand.answer()
    hand.wait(LONGEST)
    return hand


def paused(hand):
    braked_too_long(hand).answer(Lane.COMMAND)
    assert state(hand) is ChannelState.PAUSED
    return hand


# --- the value ----------------------------------------------------------------------------------


def test_it_is_put_on_and_taken_off_once():
    brake = Brake(LONGEST)
    assert (brake.put_on(1.0), brake.put_on(2.0)) == (True, False)
    assert (brake.take_off(4.0), brake.take_off(5.0)) == (3.0, None)


def test_while_it_is_off_nothing_waits():
    assert Brake(LONGEST).lasts_until(5.0, Advice()) == 5.0
    assert Brake(LONGEST).exceed() is False


@pytest.mark.parametrize(('max_interval', 'lasts'), [(None, 7.0), (10.0, 7.0), (40.0, 7.0), (2.0, 1.4)])
def test_a_server_that_forgets_sooner_is_polled_sooner(max_interval, lasts):
    brake = Brake(LONGEST)
    brake.put_on(0.0)
    assert brake.lasts_until(100.0, Advice(max_interval=max_interval)) == pytest.approx(100.0 + lasts)


def test_only_the_first_poll_beyond_it_is_news():
    brake = Brake(LONGEST)
    brake.put_on(0.0)
    assert (brake.exceed(), brake.exceed()) == (True, False)
    brake.take_off(1.0)
    brake.put_on(2.0)
    assert brake.exceed() is True


# --- the poll -----------------------------------------------------------------------------------


def test_a_braked_poll_waits_and_the_session_stays_connected(hand):
    hand.brake()
    hand.answer()
    assert (hand.sent(), hand.state) == ([], State.CONNECTED)
    assert hand.wait_for_deadline() == LONGEST
    assert [each['channel'] for each in hand.sent()] == ['/meta/connect']


def test_a_brake_leaves_the_poll_alone_that_is_held(hand):
    hand.brake()
    hand.wait(20)
    assert [each['channel'] for each in hand.sent()] == ['/meta/connect']
    hand.answer()
    assert hand.session.deadline == hand.now + LONGEST, 'it counts from the last answered connect'


def test_a_release_sends_the_poll_at_once(hand):
    hand.brake()
    hand.answer()
    hand.wait(3.0)
    hand.release()
    assert [each['channel'] for each in hand.sent()] == ['/meta/connect']
    assert hand.said(BrakeChanged) == [BrakeChanged(True, False, 0.0), BrakeChanged(False, False, 3.0)]


def test_a_poll_that_was_released_is_not_sent_twice(hand):
    hand.brake()
    hand.answer()
    hand.release()
    hand.wait(LONGEST)
    assert len(hand.sent()) == 1


@pytest.mark.parametrize('braked', [False, True])
def test_the_advised_interval_is_the_floor(hand, braked):
    hand.brake()
    hand.answer(advice={'interval': 9000})
    if not braked:
        hand.release()
    assert hand.wait_for_deadline() == 9.0
    assert len(hand.sent()) == 1


def test_a_brake_during_the_advised_interval_makes_it_longer(hand):
    hand.answer(advice={'interval': 2000})
    hand.wait(1.0)
    hand.brake()
    assert hand.wait_for_deadline() == LONGEST - 1.0


def test_brakes_and_releases_repeat_themselves_without_effect(hand):
    hand.release()
    hand.brake()
    hand.brake()
    assert hand.said(BrakeChanged) == [BrakeChanged(True, False, 0.0)]
    hand.release()
    hand.release()
    assert len(hand.said(BrakeChanged)) == 2


def test_commands_do_not_wait(hand):
    hand.brake()
    hand.answer()
    hand.publish('/m', 1)
    assert [each['channel'] for each in hand.sent(Lane.COMMAND)] == ['/m']
    hand.answer(Lane.COMMAND)
    hand.subscribe('/c')
    assert [each['subscription'] for each in hand.sent(Lane.COMMAND)] == ['/c']


def test_a_session_may_begin_braked(make_hand):
    hand = make_hand(longest_brake=LONGEST)
    hand.brake()
    hand.to_connecting().answer()
    assert (hand.state, hand.sent()) == (State.CONNECTED, [])
    hand.release()
    assert len(hand.sent()) == 1


# --- durable channels ---------------------------------------------------------------------------


def test_when_the_longest_brake_is_over_durable_channels_leave_in_front_of_the_poll(hand):
    braked_too_long(hand)
    assert [(each['channel'], each['subscription']) for each in hand.sent(Lane.COMMAND)] == [
        ('/meta/unsubscribe', '/a')
    ]
    assert [send.lane for send in hand.effects if type(send).__name__ == 'Send'][-2:] == [
        Lane.COMMAND,
        Lane.POLL,
    ]
    assert state(hand, '/b') is ChannelState.ACTIVE
    hand.answer(Lane.COMMAND)
    assert hand.session.channels['/a'].state is ChannelState.PAUSED
    assert hand.session.channels['/a'].reason == 'more events come than are handled'
    assert hand.channel_changes() == [('/a', 'paused', 'more events come than are handled')]
    assert hand.said(BrakeChanged)[-1] == BrakeChanged(True, True, LONGEST)


def test_the_polls_go_on_at_the_distance_of_the_brake(hand):
    paused(hand)
    for _ in range(3):
        hand.answer()
        assert hand.wait_for_deadline() == LONGEST
    assert len([each for each in hand.said(BrakeChanged) if each.exceeded]) == 1


def test_events_that_come_all_the_same_are_delivered(hand):
    paused(hand).answer(Lane.POLL, EVENT)
    assert hand.deliveries() == [1]


def test_a_release_prepares_and_subscribes_again(hand):
    paused(hand)
    hand.release()
    assert [each.channel for each in hand.said(PrepareChannel)] == ['/a']
    assert [each['channel'] for each in hand.sent(Lane.COMMAND)] == ['/meta/subscribe']
    hand.answer(Lane.COMMAND)
    assert (state(hand), hand.session.channels['/a'].reason) == (ChannelState.ACTIVE, '')


def test_a_release_while_the_unsubscribe_is_under_way_subscribes_behind_it(hand):
    braked_too_long(hand).release()
    assert state(hand) is ChannelState.REJOIN
    hand.answer(Lane.COMMAND)
    assert [each['channel'] for each in hand.sent(Lane.COMMAND)] == ['/meta/subscribe']


def test_a_release_before_the_unsubscribe_was_sent_leaves_everything_as_it_was(hand):
    hand.publish('/m', 1)  # takes the lane
    braked_too_long(hand)
    assert state(hand) is ChannelState.YIELD
    ticket = hand.subscribe('/a')
    hand.release()
    assert (state(hand), hand.session.channels['/a'].reason) == (ChannelState.ACTIVE, '')
    assert hand.answers()[ticket] is None
    assert {reason for _, state, reason in hand.channel_changes() if state == 'active'} <= {''}
    hand.answer(Lane.COMMAND)
    assert hand.sent(Lane.COMMAND) == []


def test_an_unsubscribe_that_is_lost_is_sent_again(hand):
    braked_too_long(hand)
    hand.session._policy = GenericPolicy()  # a lost answer would cost the session otherwise
    hand.fail(Lane.COMMAND)
    assert state(hand) is ChannelState.YIELD
    hand.wait(60)
    assert [each['channel'] for each in hand.sent(Lane.COMMAND)] == ['/meta/unsubscribe']


def test_an_unsubscribe_that_is_refused_counts_and_says_so(hand):
    braked_too_long(hand).answer(Lane.COMMAND, successful=False, error='403::no')
    status = hand.session.channels['/a']
    assert (status.state, status.reason) == (ChannelState.PAUSED, 'it comes all the same: 403::no')
    hand.release()
    assert [each['channel'] for each in hand.sent(Lane.COMMAND)] == ['/meta/subscribe']


def test_a_lost_session_begins_anew_without_the_paused_channels(hand):
    paused(hand).answer(successful=False, error='402::session_unknown')
    hand.wait_for_deadline()
    hand.answer()
    hand.answer()
    assert answer_commands(hand) == [('subscribe', '/b')]
    assert state(hand) is ChannelState.PAUSED
    hand.release()
    assert answer_commands(hand) == [('subscribe', '/a')]


def test_what_is_subscribed_to_while_others_are_paused_waits_with_them(hand):
    paused(hand)
    ticket = hand.subscribe('/a/2')
    assert (state(hand, '/a/2'), hand.sent(Lane.COMMAND)) == (ChannelState.PAUSED, [])
    hand.release()
    assert answer_commands(hand) == [('subscribe', '/a'), ('subscribe', '/a/2')]
    assert hand.answers()[ticket] is None


def test_a_subscribe_that_was_under_way_is_answered_and_then_undone(hand):
    hand.brake()
    hand.answer()
    ticket = hand.subscribe('/a/2')
    hand.wait(LONGEST)
    assert state(hand, '/a/2') is ChannelState.PENDING
    hand.answer(Lane.COMMAND)
    assert hand.answers()[ticket] is None
    assert answer_commands(hand) == [('unsubscribe', '/a'), ('unsubscribe', '/a/2')]


def test_a_refused_channel_stays_refused_and_is_not_tried_while_the_others_are_paused(hand):
    hand.subscribe('/a/2')
    hand.answer(Lane.COMMAND, successful=False, error='403::no')
    paused(hand)
    assert hand.session.channels['/a/2'].reason == '403::no'
    assert state(hand, '/a/2') is ChannelState.REFUSED
    hand.wait(100)
    assert hand.sent(Lane.COMMAND) == []
    hand.release()
    assert answer_commands(hand) == [('subscribe', '/a'), ('subscribe', '/a/2')]


def test_a_paused_channel_can_be_unsubscribed(hand):
    ticket = paused(hand).unsubscribe('/a')
    assert hand.answers()[ticket] is None
    assert list(hand.session.channels) == ['/b']


def test_a_pause_outlives_a_stop_and_a_start(hand):
    paused(hand).stop()
    hand.answer(Lane.COMMAND)
    assert (hand.state, state(hand)) == (State.HALTED, ChannelState.PAUSED)
    hand.start().answer()
    hand.answer()
    answer_commands(hand)
    assert [state(hand, channel) for channel in ('/a', '/b')] == [ChannelState.PAUSED, ChannelState.ACTIVE]
    hand.release()
    hand.answer(Lane.COMMAND)
    assert state(hand) is ChannelState.ACTIVE


# --- polls and positions ------------------------------------------------------------------------


def test_events_of_the_command_lane_name_the_poll_beside_them(hand):
    poll = hand.out[Lane.POLL].exchange
    hand.publish('/m', 1)
    hand.answer(Lane.COMMAND, EVENT)
    hand.answer(Lane.POLL, EVENT)
    told = [each for each in hand.effects if isinstance(each, Deliver | PollAnswered | PollLost)]
    assert [(each.lane, each.poll) for each in told[:2]] == [(Lane.COMMAND, poll), (Lane.POLL, poll)]
    assert told[2] == PollAnswered(poll)


def test_events_of_the_command_lane_while_a_poll_waits_are_behind_nothing(hand):
    hand.brake()
    hand.answer()
    hand.publish('/m', 1)
    hand.answer(Lane.COMMAND, EVENT)
    assert [each.poll for each in hand.said(Deliver)] == [None]


def test_a_lost_poll_of_a_durable_channel_is_told_and_costs_the_session(hand):
    poll = hand.out[Lane.POLL].exchange
    hand.fail()
    assert hand.said(PollLost) == [PollLost(poll, 'connection lost: by peer')]
    assert hand.state is State.PAUSING
    hand.wait_for_deadline()
    hand.answer()
    hand.answer()
    assert answer_commands(hand) == [('subscribe', '/a'), ('subscribe', '/b')]


def test_a_refusal_with_a_break_behind_it_costs_the_session_too(hand):
    send = hand.out.pop(Lane.POLL)
    reply = hand.reply_to(send.requests[0], successful=False, error='500::x', advice={'reconnect': 'retry'})
    hand.carry_out(hand.session.received(send.exchange, [parse(reply)], hand.now))
    hand.carry_out(hand.session.failed(send.exchange, Failure(FailureKind.TRUNCATED), hand.now))
    assert [each.poll for each in hand.said(PollLost)] == [send.exchange]
    assert hand.state is State.PAUSING


def test_without_a_durable_channel_the_session_is_kept(hand):
    hand.unsubscribe('/a')
    hand.answer(Lane.COMMAND)
    hand.fail()
    assert hand.state is State.RECONNECTING


@pytest.mark.parametrize('end', ['stop', 'a command that finds no session'])
def test_a_poll_that_is_dropped_is_lost(hand, end):
    poll = hand.out[Lane.POLL].exchange
    if end == 'stop':
        hand.stop()
        hand.answer(Lane.COMMAND)
    else:
        hand.publish('/m', 1)
        hand.answer(Lane.COMMAND, successful=False, error='402::session_unknown')
    assert [each.poll for each in hand.said(PollLost)] == [poll]


def test_every_poll_is_told_to_have_ended_once(hand):
    for answer in itertools.islice(itertools.cycle([hand.answer, hand.fail]), 6):
        answer()
        while Lane.POLL not in hand.out:
            hand.wait_for_deadline()
    ended = [each.poll for each in hand.effects if isinstance(each, PollAnswered | PollLost)]
    assert ended == sorted(set(ended))
    sent = [
        each.exchange
        for each in hand.effects
        if type(each).__name__ == 'Send' and each.requests[0].channel == '/meta/connect'
    ]
    assert ended[1:] == [each for each in sent if each <= ended[-1]]
