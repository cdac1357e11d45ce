"""The session's rules, one by one. The tables themselves: test_transitions.py."""

import sys

import pytest

from nameko_salesforce.bayeux.effects import (
    Abandon,
    ForgetCookies,
    Ignored,
    Lane,
    MessageSkipped,
    MetaReply,
    Prepare,
    PrepareChannel,
    StateChanged,
)
from nameko_salesforce.bayeux.errors import (
    ExchangeFailed,
    LocalError,
    PublishRefused,
    Stopped,
    SubscriptionRefused,
    UnsubscriptionRefused,
)
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import Skipped
from nameko_salesforce.bayeux.policy import Action, GenericPolicy, Step, Verdict
from nameko_salesforce.bayeux.transitions import ChannelState, State

UNKNOWN = {'successful': False, 'error': '402::session_unknown', 'advice': {'reconnect': 'handshake'}}
GONE = {'successful': False, 'error': '402::session_unknown'}
EVENT = {'channel': '/a', 'data': 1}


class Durable(GenericPolicy):
    def is_durable(self, channel: str) -> bool:
        return channel == '/a'


# --- handshake ----------------------------------------------------------------------------------


def test_a_handshake_goes_alone_and_first(hand):
    hand.subscribe('/a')
    hand.publish('/b', 1)
    hand.start()
    assert [each['channel'] for each in hand.sent()] == ['/meta/handshake']
    assert hand.sent(Lane.COMMAND) == []


@pytest.mark.defect('D16')
def test_the_handshake_carries_version_types_and_ext(make_hand):
    hand = make_hand(version='1.0', minimum_version='0.9', ext={'replay': True}).start()
    (wire,) = hand.sent()
    assert wire == {
        'channel': '/meta/handshake',
        'id': '1',
        'version': '1.0',
        'minimumVersion': '0.9',
        'supportedConnectionTypes': ['long-polling'],
        'ext': {'replay': True},
    }


def test_what_a_preparation_gives_joins_the_ext_of_the_handshake(make_hand):
    hand = make_hand(ext={'a': 1})
    hand.prepares = False
    hand.start()
    (prepare,) = hand.said(Prepare)
    hand.carry_out(hand.session.prepared(prepare.attempt, {'b': 2}, hand.now))
    assert hand.sent()[0]['ext'] == {'a': 1, 'b': 2}


@pytest.mark.defect('D16')
def test_the_first_connect_asks_for_an_answer_at_once(hand):
    hand.to_connecting()
    (wire,) = hand.sent()
    assert wire.get('advice') == {'timeout': 0}
    assert wire['clientId'] == 'c1'
    assert wire['connectionType'] == 'long-polling'


def test_later_connects_leave_the_hold_to_the_server(hand):
    hand.to_connected()
    assert 'advice' not in hand.sent()[0]


@pytest.mark.parametrize(
    ('reply', 'reason'),
    [
        ({'supportedConnectionTypes': ['websocket']}, 'offers no long-polling, only: websocket'),
        ({'version': '0.9'}, 'speaks Bayeux 0.9; at least 1.0'),
        ({'minimumVersion': '2.0'}, 'asks for Bayeux 2.0; this is 1.0'),
    ],
)
def test_a_server_that_nothing_can_be_agreed_with_halts_with_the_reason(hand, reply, reason):
    hand.to_connecting(**reply)
    assert hand.state is State.HALTED
    assert reason in hand.session.why


@pytest.mark.parametrize('client_id', [None, '', 7, True, ['c1'], {}])
def test_a_handshake_that_gives_no_session_is_tried_again_with_growing_pauses(hand, client_id):
    hand.start()
    waits = []
    for _ in range(5):
        hand.answer(clientId=client_id)
        assert hand.state is State.PAUSING
        assert 'no clientId' in hand.session.why
        waits.append(hand.wait_for_deadline())
    assert waits == [5, 5, 5, 8, 16]
    hand.answer()
    assert hand.state is State.CONNECTING


@pytest.mark.defect('D4')
def test_a_refused_handshake_is_tried_again_with_growing_pauses(hand):
    hand.start()
    waits = []
    for _ in range(6):
        hand.answer(successful=False, error='403::handshake_denied', advice={'reconnect': 'handshake'})
        assert hand.state is State.PAUSING
        waits.append(hand.wait_for_deadline())
    assert waits == [5, 5, 5, 8, 16, 32]  # the distance of handshakes first, then the backoff


def test_a_handshake_refused_for_good_halts_and_says_why(hand):
    hand.start().answer(successful=False, error='403::handshake_denied', advice={'reconnect': 'none'})
    assert hand.state is State.HALTED
    assert '403::handshake_denied' in hand.session.why


def test_a_handshake_reply_that_broke_off_is_not_trusted(hand):
    hand.start()
    send = hand.out[Lane.POLL]
    hand.receive(send.exchange, [hand.reply_to(send.requests[0])])
    hand.fail(failure=Failure(FailureKind.TRUNCATED))
    assert hand.state is State.PAUSING


def test_a_refused_handshake_whose_response_broke_off_behind_it_is_judged_as_refused(hand):
    hand.start()
    send = hand.out[Lane.POLL]
    refused = hand.reply_to(send.requests[0], successful=False, error='401::Authentication invalid')
    hand.receive(send.exchange, [refused])
    hand.fail(failure=Failure(FailureKind.TRUNCATED))
    hand.wait_for_deadline()
    assert hand.said(Prepare)[-1].login


@pytest.mark.defect('D6')
def test_advice_of_the_handshake_reply_is_kept(hand):
    hand.to_connecting(advice={'reconnect': 'retry', 'interval': 0, 'timeout': 7000})
    hand.answer()
    assert hand.state is State.CONNECTED
    assert hand.out[Lane.POLL].read_timeout == 7 + 15


@pytest.mark.defect('D6')
def test_many_polls_need_one_handshake(hand):
    hand.to_connecting(advice={'reconnect': 'retry', 'interval': 0, 'timeout': 30000})
    for _ in range(50):
        hand.now += 30
        hand.answer()
    assert hand.state is State.CONNECTED
    assert [move for move in hand.moves() if move[1] is State.HANDSHAKING] == [
        (State.PREPARING, State.HANDSHAKING)
    ]


def test_after_a_handshake_the_action_is_connect_whatever_was_advised_before(hand):
    hand.to_connected().answer(**UNKNOWN)
    hand.wait_for_deadline()
    hand.answer()  # the new handshake, without advice
    hand.answer()  # its first connect, without advice
    assert hand.state is State.CONNECTED


@pytest.mark.parametrize('before', ['unknown', 'halted'])
def test_advice_ends_with_its_session(hand, before):
    none = {'reconnect': 'none', 'interval': -1}
    if before == 'unknown':
        hand.to_connected().answer(**{**UNKNOWN, 'advice': none})
        hand.wait_for_deadline()
    else:
        hand.to_connected().answer(advice=none)
        assert hand.state is State.HALTED
        hand.start()
    hand.answer(successful=False, error='500::busy')  # a refusal without advice
    assert hand.state is State.PAUSING


# --- connect loop -------------------------------------------------------------------------------


@pytest.mark.defect('D1')
def test_a_poll_may_take_as_long_as_the_server_holds_it_and_the_allowance(make_hand):
    hand = make_hand(network_allowance=4.0).to_connected(advice={'timeout': 110000})
    assert hand.out[Lane.POLL].read_timeout == 114


def test_before_any_advice_a_long_hold_is_assumed(hand):
    hand.to_connected()
    assert hand.out[Lane.POLL].read_timeout == 120 + 15


def test_an_interval_is_rested_between_polls(hand):
    hand.to_connected(advice={'interval': 2000})
    assert hand.sent() == []
    assert hand.state is State.CONNECTED
    assert hand.wait_for_deadline() == 2
    assert hand.sent()[0]['channel'] == '/meta/connect'


def test_a_server_that_never_holds_a_poll_is_not_asked_in_a_hot_loop(hand):
    hand.to_connected()
    began, polls = hand.now, 0
    while hand.now < began + 60:
        if Lane.POLL in hand.out:
            polls += 1
            hand.now += 0.001
            hand.answer()
        else:
            hand.wait_for_deadline()
    assert polls < 75


@pytest.mark.parametrize(('events', 'seconds'), [([EVENT], 0.001), ([], 0.1)])
def test_polls_that_bring_events_or_are_held_follow_at_once(hand, events, seconds):
    hand.to_connected()
    for _ in range(50):
        hand.now += seconds
        hand.answer(Lane.POLL, *events)
    assert Lane.POLL in hand.out


@pytest.mark.defect('D15')
def test_a_negative_interval_halts(hand):
    hand.to_connected().answer(advice={'interval': -1})
    assert hand.state is State.HALTED
    assert 'stop' in hand.session.why


@pytest.mark.defect('D15')
def test_the_interval_of_multiple_clients_ends_with_them(hand):
    hand.to_connected(advice={'interval': 2000, 'multiple-clients': True, 'reconnect': 'retry'})
    assert hand.wait_for_deadline() == 2
    hand.answer()
    assert hand.sent(), 'polls follow at once again'


@pytest.mark.parametrize('advice', [{'reconnect': 'none'}, {'reconnect': 'perhaps'}])
def test_advice_to_stop_halts(hand, advice):
    hand.to_connected().answer(advice=advice)
    assert hand.state is State.HALTED


def test_advice_to_handshake_on_a_good_reply_is_obeyed(hand):
    hand.to_proven().answer(advice={'reconnect': 'handshake'})
    assert hand.state is State.PAUSING
    hand.wait_for_deadline()
    assert hand.sent()[0]['channel'] == '/meta/handshake'


def test_advice_counts_from_any_message(hand):
    hand.to_connected().subscribe('/a')
    event = {'channel': '/a', 'data': 1, 'advice': {'timeout': 50000}}
    hand.answer(Lane.COMMAND, event)
    hand.answer()
    assert hand.out[Lane.POLL].read_timeout == 50 + 15


def test_the_interval_is_waited_for_before_a_new_session_too(hand):
    hand.to_proven()
    hand.wait(3600)
    hand.answer(**{**UNKNOWN, 'advice': {'reconnect': 'handshake', 'interval': 20000}})
    assert hand.wait_for_deadline() == 20
    hand.answer(successful=False, error='503::busy', advice={'reconnect': 'handshake', 'interval': 90000})
    assert hand.wait_for_deadline() == 90


def test_advice_of_an_overtaken_exchange_is_not_taken(hand):
    late = hand.to_proven().out[Lane.POLL]
    hand.fail()
    hand.receive(late.exchange, [{**EVENT, 'advice': {'reconnect': 'none'}}])
    hand.wait_for_deadline()
    hand.answer()
    assert hand.deliveries() == [1]
    assert hand.state is State.CONNECTED


# --- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', list(FailureKind))
def test_any_failed_poll_is_retried_on_the_same_session(hand, kind):
    hand.to_proven().fail(failure=Failure(kind, 'x', status=500 if kind is FailureKind.STATUS else None))
    assert hand.state is State.RECONNECTING
    assert hand.wait_for_deadline() == 1
    (wire,) = hand.sent()
    assert (wire['channel'], wire['clientId'], wire['advice']) == ('/meta/connect', 'c1', {'timeout': 0})


def test_a_session_that_cannot_be_reached_three_times_is_given_up(hand):
    hand.to_proven()
    for _ in range(2):
        hand.fail()
        assert hand.state is State.RECONNECTING
        hand.wait_for_deadline()
    hand.fail()
    assert hand.state is State.PAUSING
    hand.wait_for_deadline()
    assert hand.sent()[0]['channel'] == '/meta/handshake'


def test_pauses_grow_to_the_cap(hand):
    hand.to_proven()
    waits = []
    for _ in range(12):
        hand.fail()
        waits.append(hand.wait_for_deadline())
    assert waits[-1] == 60
    assert waits == sorted(waits)


def test_jitter_shortens_a_pause_and_never_lengthens_it(make_hand):
    from nameko_salesforce.bayeux.backoff import Backoff

    hand = make_hand(jitter=0.5, backoff=Backoff(spread=0.5)).to_proven()
    hand.fail()
    assert hand.wait_for_deadline() == 0.75


def test_the_first_good_connect_does_not_reset_the_failure_count(hand):
    hand.to_proven()
    hand.fail()
    hand.wait_for_deadline()
    hand.answer()
    assert hand.session.failures == 1
    hand.answer()
    assert hand.session.failures == 0


def test_good_connects_of_two_sessions_are_not_two_in_a_row(hand):
    hand.to_proven().fail()
    hand.wait_for_deadline()
    hand.answer()
    hand.stop()
    hand.answer(Lane.COMMAND)
    hand.start()
    hand.answer()
    hand.answer()
    assert hand.session.failures == 1


def test_a_session_that_dies_after_every_first_connect_is_slowed_down(hand):
    # Wrong cookies do this: handshake and first connect are fine, and then the client is unknown.
    hand.start()
    waits = []
    for _ in range(8):
        hand.answer()
        hand.answer()
        hand.answer(**UNKNOWN)
        waits.append(hand.wait_for_deadline())
    assert waits == [5, 5, 5, 8, 16, 32, 60, 60]


def test_handshakes_keep_a_distance_even_when_everything_else_is_fine(hand):
    hand.start()
    waits = []
    for _ in range(5):
        hand.answer()
        for _ in range(3):
            hand.answer()
        hand.answer(**UNKNOWN)
        waits.append(hand.wait_for_deadline())
    assert waits == [5] * 5


def test_a_routine_new_handshake_comes_at_once(hand):
    hand.to_proven()
    hand.wait(3600)
    hand.answer(**UNKNOWN)
    assert hand.wait_for_deadline() == 0
    assert hand.sent()[0]['channel'] == '/meta/handshake'


def test_past_max_interval_the_session_is_not_asked_again(hand):
    hand.to_connected(advice={'timeout': 10000, 'interval': 0, 'maxInterval': 5000})
    hand.answer()
    hand.now += 20
    hand.fail()
    assert hand.state is State.PAUSING


def test_within_max_interval_the_session_is_asked_again(hand):
    hand.to_connected(advice={'timeout': 10000, 'interval': 0, 'maxInterval': 5000})
    hand.now += 10
    hand.answer()
    hand.now += 13
    hand.fail()
    assert hand.state is State.RECONNECTING


def test_a_young_session_is_not_taken_for_one_that_must_be_gone(hand):
    hand.to_connecting(advice={'timeout': 10000, 'interval': 0, 'maxInterval': 5000})
    hand.fail()
    assert hand.state is State.RECONNECTING


def test_a_refused_connect_whose_response_broke_off_behind_it_is_judged_as_refused(hand):
    hand.to_proven()
    send = hand.out[Lane.POLL]
    hand.receive(send.exchange, [hand.reply_to(send.requests[0], **UNKNOWN)])
    hand.fail(failure=Failure(FailureKind.TRUNCATED))
    assert hand.state is State.PAUSING


def test_a_limit_at_the_handshake_is_waited_out(hand):
    hand.start().answer(successful=False, error='403::Organization concurrent user limit exceeded')
    assert hand.wait_for_deadline() == 60


def test_the_interval_is_waited_for_before_a_failed_connect_is_repeated(hand):
    hand.to_connected(advice={'interval': 20000})
    hand.wait_for_deadline()
    hand.fail()
    assert hand.wait_for_deadline() == 20


def test_retry_after_is_respected(hand):
    hand.to_proven().fail(failure=Failure(FailureKind.STATUS, status=503, retry_after=40.0))
    assert hand.wait_for_deadline() == 40


@pytest.mark.defect('D5')
def test_http_401_asks_for_new_credentials_once_per_attempt(hand):
    hand.to_proven()
    began = hand.now
    while hand.now < began + 600:
        hand.fail(failure=Failure(FailureKind.STATUS, status=401))
        hand.wait_for_deadline()
    logins = [each for each in hand.said(Prepare) if each.login]
    assert 10 <= len(logins) <= 16  # 5, 5, 5, 8, 16, 32 s and then one a minute
    assert len(hand.said(ForgetCookies)) == len(logins)


@pytest.mark.defect('D5')
def test_http_503_for_ten_minutes_costs_a_dozen_requests(hand):
    hand.to_proven()
    began, requests = hand.now, 0
    while hand.now < began + 600:
        hand.fail(failure=Failure(FailureKind.STATUS, status=503))
        hand.wait_for_deadline()
        requests += 1
    assert requests <= 16


def test_a_failed_preparation_is_tried_again(hand):
    hand.prepares = False
    hand.start()
    waits = []
    for _ in range(3):
        attempt = hand.said(Prepare)[-1].attempt
        hand.carry_out(hand.session.preparation_failed(attempt, Failure(FailureKind.DNS), hand.now))
        waits.append(hand.wait_for_deadline())
    assert waits == [1, 2, 4]


def test_new_credentials_stay_wanted_until_they_are_there(hand):
    hand.to_proven().fail(failure=Failure(FailureKind.STATUS, status=401))
    hand.prepares = False
    hand.wait_for_deadline()
    failed = hand.said(Prepare)[-1]
    hand.carry_out(hand.session.preparation_failed(failed.attempt, Failure(FailureKind.DNS), hand.now))
    hand.wait_for_deadline()
    assert [each.login for each in hand.said(Prepare)] == [False, True, True]


def test_the_outcome_of_an_overtaken_preparation_is_ignored(hand):
    hand.prepares = False
    hand.start()
    hand.stop()
    hand.start()
    hand.carry_out(hand.session.prepared(1, None, hand.now))
    hand.carry_out(hand.session.preparation_failed(1, Failure(FailureKind.RESET), hand.now))
    hand.carry_out(hand.session.preparation_failed(1, '401::Authentication invalid', hand.now))
    assert hand.state is State.PREPARING
    assert hand.session.failures == 0


# --- what a lost session means ------------------------------------------------------------------


@pytest.mark.parametrize(
    'error',
    [
        '402::session_unknown',
        '403::Unknown client',
        '401:c1:Unknown client',
        '402:c1:Unknown Client ID',
    ],
)
@pytest.mark.parametrize('reconnect', ['handshake', 'none', 'retry'])
def test_every_spelling_of_an_unknown_session_leads_to_a_new_one(hand, error, reconnect):
    hand.to_connected().subscribe('/a')
    hand.answer(Lane.COMMAND)
    hand.answer(successful=False, error=error, advice={'reconnect': reconnect})
    assert hand.state is State.PAUSING
    hand.wait_for_deadline()
    hand.answer(clientId='c2')
    hand.answer()
    assert hand.sent(Lane.COMMAND)[0]['subscription'] == '/a'
    assert hand.sent(Lane.COMMAND)[0]['clientId'] == 'c2'


@pytest.mark.defect('D3')
@pytest.mark.parametrize(
    ('error', 'login'), [('403::Unknown client', False), ('401::Authentication invalid', True)]
)
def test_the_recorded_server_disconnects_lead_back(hand, error, login):
    hand.to_connected().subscribe('/a')
    hand.answer(Lane.COMMAND)
    none = {'reconnect': 'none', 'interval': 0}
    hand.answer(Lane.POLL, {'channel': '/meta/disconnect'}, successful=False, error=error, advice=none)
    assert hand.state is State.PAUSING
    hand.wait_for_deadline()
    assert hand.said(Prepare)[-1].login is login
    hand.answer()
    hand.answer()
    assert hand.sent(Lane.COMMAND)[0]['subscription'] == '/a'


def test_a_bare_disconnect_alone_ends_the_session(hand):
    hand.to_proven()
    hand.respond(Lane.POLL, [{'channel': '/meta/disconnect'}, hand.reply_to(hand.out[Lane.POLL].requests[0])])
    assert hand.state is State.PAUSING


def test_a_server_s_disconnect_may_carry_an_id(hand):
    hand.to_proven().answer(Lane.POLL, {'channel': '/meta/disconnect', 'id': 'x7', 'successful': True})
    assert hand.state is State.PAUSING


def test_a_bare_disconnect_on_the_command_lane_ends_the_session(hand):
    hand.to_proven().publish('/a')
    hand.answer(Lane.COMMAND, {'channel': '/meta/disconnect'})
    assert hand.state is State.PAUSING
    assert Lane.POLL not in hand.out, 'the poll of a dead session is given up'


def test_cookies_are_kept_for_a_plain_new_handshake(hand):
    hand.to_connected().answer(**UNKNOWN)
    assert hand.said(ForgetCookies) == []


def test_a_reply_without_channel_and_id_answers_the_only_request(hand):
    hand.to_connected()
    hand.respond(Lane.POLL, [{'error': '401::Request requires authentication', 'successful': False}])
    assert hand.state is State.PAUSING
    hand.wait_for_deadline()
    assert hand.said(Prepare)[-1].login


@pytest.mark.parametrize(
    ('fields', 'active'), [({'subscription': '/b'}, ['/b']), ({'subscription': ''}, []), ({}, [])]
)
def test_a_reply_without_an_id_counts_only_where_it_can_be_about_one_request(hand, fields, active):
    hand.to_proven().publish('/lane/is/busy')
    hand.subscribe('/a')
    hand.subscribe('/b')
    hand.answer(Lane.COMMAND)
    hand.respond(Lane.COMMAND, [{'channel': '/meta/subscribe', 'successful': True, **fields}])
    states = hand.session.channels
    assert [name for name in states if states[name].state is ChannelState.ACTIVE] == active


# --- deliveries ---------------------------------------------------------------------------------


@pytest.mark.defect('D8')
def test_events_of_a_failed_reply_are_delivered_first(hand):
    hand.to_connected()
    failed = hand.reply_to(hand.out[Lane.POLL].requests[0], **UNKNOWN)
    before = len(hand.effects)
    hand.respond(Lane.POLL, [EVENT, failed, {**EVENT, 'data': 2}])
    assert hand.deliveries() == [1, 2]
    kinds = [type(each).__name__ for each in hand.effects[before:]]
    assert kinds.index('Deliver') < kinds.index('StateChanged')


def test_events_leave_before_anything_else_of_their_piece_is_told(hand):
    hand.to_connected().subscribe('/a')
    send = hand.out[Lane.COMMAND]
    before = len(hand.effects)
    hand.receive(send.exchange, [hand.reply_to(send.requests[0]), EVENT])
    assert type(hand.effects[before]).__name__ == 'Deliver'


def test_a_body_that_breaks_off_has_delivered_what_came_before(hand):
    hand.to_connected()
    hand.receive(hand.out[Lane.POLL].exchange, [EVENT])
    hand.fail(failure=Failure(FailureKind.TRUNCATED))
    assert hand.deliveries() == [1]


@pytest.mark.parametrize('lane', list(Lane))
def test_events_ride_on_any_reply(hand, lane):
    hand.to_connected().publish('/b')
    hand.answer(lane, EVENT)
    assert hand.deliveries() == [1]


def test_events_before_their_subscription_is_confirmed_are_delivered(hand):
    hand.to_connected().subscribe('/a')
    hand.answer(Lane.COMMAND, EVENT)
    assert hand.deliveries() == [1]


def test_a_late_event_is_dropped_where_replay_brings_it_again(make_hand):
    hand = make_hand(policy=Durable()).to_connected()
    late = hand.out[Lane.POLL].exchange
    hand.fail()
    hand.receive(late, [EVENT, {'channel': '/other', 'data': 2}])
    assert hand.deliveries() == [2]


@pytest.mark.defect('D12')
def test_a_late_reply_to_an_overtaken_connect_is_ignored(hand):
    hand.to_connected()
    late = hand.out[Lane.POLL]
    hand.fail()
    hand.wait_for_deadline()
    hand.receive(late.exchange, [hand.reply_to(late.requests[0], **UNKNOWN)])
    hand.carry_out(hand.session.finished(late.exchange, hand.now))
    assert hand.state is State.CONNECTING
    assert hand.said(Ignored)


@pytest.mark.parametrize('lane', list(Lane))
def test_a_yes_on_another_channel_answers_nothing_whatever_its_id(hand, lane):
    hand.to_proven().subscribe('/a')
    hand.answer(lane, channel='/meta/unsubscribe')
    assert hand.session.channels['/a'].state is not ChannelState.ACTIVE
    assert hand.said(Ignored)
    if lane is Lane.POLL:
        assert hand.state is State.RECONNECTING


@pytest.mark.defect('D12')
def test_a_reply_with_a_foreign_id_is_not_taken_for_ours(hand):
    hand.to_connected()
    reply = hand.reply_to(hand.out[Lane.POLL].requests[0], id='999', **UNKNOWN)
    hand.respond(Lane.POLL, [reply])
    assert hand.state is State.RECONNECTING  # no reply of ours came: a failed connect, not a lost session
    assert 'no reply' in hand.session.why


@pytest.mark.defect('D12')
def test_ids_are_texts_of_letters_and_digits_and_never_repeat(hand):
    hand.subscribe('/a')
    hand.to_connected().publish('/b')
    hand.answer(Lane.COMMAND)
    ids = [r.id for each in hand.effects if type(each).__name__ == 'Send' for r in each.requests]
    assert len(set(ids)) == len(ids)
    assert all(isinstance(each, str) and each.isalnum() for each in ids)


@pytest.mark.parametrize('lane', list(Lane))
def test_a_reply_that_says_neither_yes_nor_no_answers_nothing(hand, lane):
    hand.to_proven().subscribe('/a')
    hand.answer(lane, successful=None)
    assert hand.session.channels['/a'].state is not ChannelState.REFUSED
    if lane is Lane.POLL:
        assert hand.state is State.RECONNECTING


def test_a_numeric_echo_of_an_id_is_recognised(hand):
    hand.to_connected()
    hand.answer(id=int(hand.sent()[0]['id']))
    assert hand.state is State.CONNECTED


def test_meta_replies_are_told_to_those_who_listen(hand):
    hand.to_connected()
    assert [each.reply.channel for each in hand.said(MetaReply)] == ['/meta/handshake', '/meta/connect']


def test_a_skipped_message_is_told_and_the_stream_goes_on(hand):
    hand.to_connected()
    send = hand.out[Lane.POLL]
    hand.carry_out(hand.session.received(send.exchange, [Skipped(99, 'too long', '/a')], hand.now))
    hand.answer()
    assert [each.skipped.channel for each in hand.said(MessageSkipped)] == ['/a']
    assert hand.state is State.CONNECTED


# --- command lane -------------------------------------------------------------------------------


@pytest.mark.defect('D14')
def test_a_subscribe_goes_out_while_a_poll_is_held(hand):
    hand.to_connected().subscribe('/a')
    assert [each['channel'] for each in hand.sent()] == ['/meta/connect']
    assert [each['subscription'] for each in hand.sent(Lane.COMMAND)] == ['/a']


def test_commands_wait_until_the_session_is_known_to_work(hand):
    hand.subscribe('/a')
    hand.to_connecting()
    assert hand.sent(Lane.COMMAND) == []
    hand.answer()
    assert hand.sent(Lane.COMMAND)[0]['subscription'] == '/a'


@pytest.mark.defect('D13')
def test_channels_are_subscribed_in_declared_order(hand):
    names = [f'/c{number}' for number in range(20)]
    for name in names:
        hand.subscribe(name)
    hand.to_connected()
    sent = []
    while hand.sent(Lane.COMMAND):
        sent += [each['subscription'] for each in hand.sent(Lane.COMMAND)]
        hand.answer(Lane.COMMAND)
    assert sent == names


def test_many_requests_go_in_exchanges_that_end(hand):
    for number in range(250):
        hand.publish('/a', number)
    hand.to_connected()
    sizes, sent = [], []
    while hand.sent(Lane.COMMAND):
        sizes.append(len(hand.sent(Lane.COMMAND)))
        sent += [each['data'] for each in hand.sent(Lane.COMMAND)]
        hand.answer(Lane.COMMAND)
    assert max(sizes) == 100
    assert sent == list(range(250))


def test_messages_behind_an_exchange_that_failed_are_not_lost_with_it(hand):
    tickets = [hand.publish('/a', number) for number in range(250)]
    hand.to_connected()
    hand.fail(Lane.COMMAND)
    assert [each for each in tickets if each in hand.answers()] == tickets[:100]


def test_a_step_costs_the_same_with_many_channels_at_rest(hand):
    for number in range(300):
        hand.subscribe(f'/c{number}')
    hand.to_proven()
    while hand.sent(Lane.COMMAND):
        hand.answer(Lane.COMMAND)
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ('call', 'c_call')

    sys.setprofile(count)
    try:
        hand.session.elapsed(hand.now)
        hand.session.deadline  # noqa: B018
    finally:
        sys.setprofile(None)
    assert calls < 100


def test_a_subscription_carries_what_its_preparation_gave(hand):
    hand.to_connected()
    hand.prepares = False
    hand.subscribe('/a')
    (prepare,) = hand.said(PrepareChannel)
    ext = {'replay': {'/a': -2}}
    hand.carry_out(hand.session.channel_prepared('/a', prepare.attempt, ext, hand.now))
    assert hand.sent(Lane.COMMAND)[0]['ext'] == ext


def test_a_confirmed_subscription_answers_its_ticket_before_the_response_ends(hand):
    hand.to_connected()
    ticket = hand.subscribe('/a')
    send = hand.out[Lane.COMMAND]
    hand.receive(send.exchange, [hand.reply_to(send.requests[0])])
    assert hand.answers() == {ticket: None}
    assert hand.session.channels['/a'].state is ChannelState.ACTIVE


def test_a_refused_subscription_raises_for_its_caller_and_is_retried(hand):
    hand.to_proven()
    ticket = hand.subscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='403:no:subscribe_denied')
    assert isinstance(hand.answers()[ticket], SubscriptionRefused)
    assert hand.answers()[ticket].reason == '403:no:subscribe_denied'
    status = hand.session.channels['/a']
    assert (status.state, status.reason) == (ChannelState.REFUSED, '403:no:subscribe_denied')
    assert hand.state is State.CONNECTED
    assert hand.wait_for_deadline() == 1
    hand.answer(Lane.COMMAND)
    assert hand.session.channels['/a'].state is ChannelState.ACTIVE


def test_a_refusal_is_reported_once_per_change(hand):
    hand.to_proven().subscribe('/a')
    for error in ('403:x:no', '403:x:no', '403:y:no', '403:y:no'):
        hand.answer(Lane.COMMAND, successful=False, error=error)
        hand.wait_for_deadline()
    hand.answer(Lane.COMMAND)
    assert hand.channel_changes() == [
        ('/a', 'refused', '403:x:no'),
        ('/a', 'refused', '403:y:no'),
        ('/a', 'active', ''),
    ]


def test_a_refused_channel_pauses_longer_each_time(hand):
    hand.to_proven().subscribe('/a')
    waits = []
    for _ in range(4):
        hand.answer(Lane.COMMAND, successful=False, error='403:x:no')
        waits.append(hand.wait_for_deadline())
    assert waits == [1, 2, 4, 8]


def begin_anew(hand):
    """The session is lost, and the next one is connected at once."""
    hand.now += 5
    hand.answer(**UNKNOWN)
    hand.wait_for_deadline()
    hand.answer()
    hand.answer()


def test_a_refused_channel_sits_out_its_pause_across_sessions(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='403::limit exceeded')
    begin_anew(hand)
    assert hand.sent(Lane.COMMAND) == []
    assert hand.wait_for_deadline() == 55
    assert hand.sent(Lane.COMMAND)


def test_who_asks_again_does_not_sit_out_the_pause_of_a_refused_channel(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='403::limit exceeded')
    hand.subscribe('/a')
    assert hand.sent(Lane.COMMAND)


def test_what_waits_for_a_busy_lane_is_not_due(hand):
    hand.to_proven().publish('/a', 1)
    hand.publish('/a', 2)
    assert hand.session.deadline is None


def test_nothing_is_prepared_while_the_command_lane_is_shut(hand):
    hand.to_proven().subscribe('/a')
    hand.fail(Lane.COMMAND)
    hand.subscribe('/b')
    assert [each.channel for each in hand.said(PrepareChannel)] == ['/a']
    hand.wait_for_deadline()
    assert [each.channel for each in hand.said(PrepareChannel)] == ['/a', '/a', '/b']


def test_the_outcome_of_an_overtaken_preparation_of_a_channel_is_ignored(hand):
    hand.to_proven()
    hand.prepares = False
    hand.subscribe('/a')
    hand.prepares = True
    hand.now += 5
    hand.answer(**UNKNOWN)
    hand.wait_for_deadline()
    hand.answer()
    hand.prepares = False
    hand.answer()
    first, second = hand.said(PrepareChannel)
    hand.carry_out(hand.session.channel_prepared('/a', first.attempt, {'replay': 'old'}, hand.now))
    assert hand.sent(Lane.COMMAND) == []
    hand.carry_out(hand.session.channel_prepared('/a', second.attempt, {'replay': 'new'}, hand.now))
    assert hand.sent(Lane.COMMAND)[0]['ext'] == {'replay': 'new'}


def test_a_refusal_is_forgotten_once_the_channel_was_active(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='400::invalid')
    hand.wait_for_deadline()
    hand.answer(Lane.COMMAND)
    begin_anew(hand)
    assert [each.refusal for each in hand.said(PrepareChannel)] == ['', '400::invalid', '']


def test_a_refusal_stays_the_reason_to_show_while_its_retry_is_lost(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='400::invalid')
    hand.wait_for_deadline()
    hand.fail(Lane.COMMAND)
    assert hand.session.channels['/a'].reason == '400::invalid'
    assert hand.session.channels['/a'].state is ChannelState.REFUSED


def test_a_refused_channel_does_not_stop_the_others(hand):
    hand.to_proven()
    hand.prepares = False
    hand.subscribe('/a')
    hand.subscribe('/b')
    for prepare in hand.said(PrepareChannel):
        hand.carry_out(hand.session.channel_prepared(prepare.channel, prepare.attempt, None, hand.now))
    no, yes = 0, 0
    while hand.sent(Lane.COMMAND):
        refused = hand.sent(Lane.COMMAND)[0]['subscription'] == '/a'
        hand.answer(Lane.COMMAND, **({'successful': False, 'error': '403::no'} if refused else {}))
        no, yes = no + refused, yes + (not refused)
    assert (no, yes) == (1, 1)
    assert hand.session.channels['/b'].state is ChannelState.ACTIVE


def test_a_preparation_that_fails_counts_as_a_refusal(hand):
    hand.to_connected()
    hand.prepares = False
    ticket = hand.subscribe('/a')
    (prepare,) = hand.said(PrepareChannel)
    hand.carry_out(hand.session.channel_preparation_failed('/a', prepare.attempt, 'store down', hand.now))
    assert isinstance(hand.answers()[ticket], SubscriptionRefused)
    assert hand.session.deadline == hand.now + 1


def test_the_next_preparation_learns_why_the_server_refused(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='400::The replayId {7} you provided was invalid.')
    hand.wait_for_deadline()
    assert [each.refusal for each in hand.said(PrepareChannel)] == [
        '',
        '400::The replayId {7} you provided was invalid.',
    ]


def test_a_preparation_that_fails_does_not_pass_for_a_refusal_of_the_server(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='400::invalid')
    hand.prepares = False
    hand.wait_for_deadline()
    prepare = hand.said(PrepareChannel)[-1]
    hand.carry_out(hand.session.channel_preparation_failed('/a', prepare.attempt, 'store down', hand.now))
    assert hand.session.channels['/a'].reason == 'store down'
    hand.wait_for_deadline()
    assert [each.refusal for each in hand.said(PrepareChannel)] == ['', '400::invalid', '400::invalid']


def test_a_lost_subscribe_is_sent_again_after_a_pause(hand):
    hand.to_proven()
    ticket = hand.subscribe('/a')
    hand.fail(Lane.COMMAND)
    assert hand.state is State.CONNECTED
    assert hand.wait_for_deadline() == 1
    hand.answer(Lane.COMMAND)
    assert hand.answers() == {ticket: None}


@pytest.mark.parametrize('reply', [None, {'successful': None}, {'id': '999'}])
def test_a_subscribe_without_a_reply_is_sent_again_with_growing_pauses(hand, reply):
    hand.to_proven().subscribe('/a')
    waits = []
    for _ in range(4):
        (request,) = hand.out[Lane.COMMAND].requests
        assert request.subscription == '/a'
        hand.respond(Lane.COMMAND, [] if reply is None else [hand.reply_to(request, **reply)])
        waits.append(hand.wait_for_deadline())
    assert waits == [1, 2, 4, 8]
    assert hand.state is State.CONNECTED


def test_pauses_of_the_command_lane_begin_anew_after_a_good_exchange(hand):
    hand.to_proven().subscribe('/a')
    waits = []
    for failures in (2, 1):
        for _ in range(failures):
            hand.fail(Lane.COMMAND)
            waits.append(hand.wait_for_deadline())
        hand.answer(Lane.COMMAND)
        hand.subscribe(f'/b{failures}')
    assert waits == [1, 2, 1]


def test_retry_after_is_respected_on_the_command_lane(hand):
    hand.to_proven().subscribe('/a')
    hand.fail(Lane.COMMAND, Failure(FailureKind.STATUS, status=503, retry_after=40.0))
    hand.publish('/b')
    assert hand.sent(Lane.COMMAND) == []
    assert hand.wait_for_deadline() == 40
    assert hand.sent(Lane.COMMAND)


def test_a_session_lost_on_the_command_lane_gives_up_the_held_poll(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND, **GONE)
    assert hand.state is State.PAUSING
    assert Lane.POLL not in hand.out
    hand.wait_for_deadline()
    hand.answer()
    hand.answer()
    hand.answer(Lane.COMMAND)
    assert hand.session.channels['/a'].state is ChannelState.ACTIVE


def test_a_message_that_an_unknown_session_published_is_published_in_the_next(hand):
    hand.to_proven()
    ticket = hand.publish('/a', 'x')
    hand.answer(Lane.COMMAND, **GONE)
    assert hand.answers() == {}
    hand.wait_for_deadline()
    hand.answer()
    hand.answer()
    assert hand.sent(Lane.COMMAND)[0]['data'] == 'x'
    hand.answer(Lane.COMMAND)
    assert hand.answers() == {ticket: None}


def test_messages_that_an_unknown_session_published_keep_their_order(hand):
    hand.to_proven().publish('/lane/is/busy')
    for number in range(3):
        hand.publish('/a', number)
    hand.answer(Lane.COMMAND)
    hand.answer(Lane.COMMAND, **GONE)
    hand.wait_for_deadline()
    hand.answer()
    hand.answer()
    assert [each['data'] for each in hand.sent(Lane.COMMAND)] == [0, 1, 2]


def test_silence_is_no_yes_of_a_session_that_is_gone(hand):
    hand.to_proven().publish('/lane/is/busy')
    hand.subscribe('/a')
    ticket = hand.publish('/b')
    hand.answer(Lane.COMMAND)
    subscribe, _ = hand.out[Lane.COMMAND].requests
    hand.respond(Lane.COMMAND, [hand.reply_to(subscribe, **GONE)])
    assert isinstance(hand.answers()[ticket], ExchangeFailed)


def test_a_refused_message_raises_for_its_caller(hand):
    hand.to_proven()
    ticket = hand.publish('/a')
    hand.answer(Lane.COMMAND, successful=False, error='403:x:publish_denied')
    assert isinstance(hand.answers()[ticket], PublishRefused)
    assert hand.state is State.CONNECTED


def test_a_message_whose_exchange_failed_is_not_sent_twice(hand):
    hand.to_proven()
    ticket = hand.publish('/a')
    hand.fail(Lane.COMMAND)
    assert isinstance(hand.answers()[ticket], ExchangeFailed)
    hand.wait(100)
    assert hand.sent(Lane.COMMAND) == []


def test_a_refused_message_whose_response_does_not_end_is_answered_with_the_session(hand):
    hand.to_proven()
    ticket = hand.publish('/a')
    send = hand.out[Lane.COMMAND]
    hand.receive(send.exchange, [hand.reply_to(send.requests[0], successful=False, error='403::no')])
    hand.answer(**UNKNOWN)
    assert isinstance(hand.answers()[ticket], ExchangeFailed)


def test_a_message_without_a_reply_counts_as_published(hand):
    hand.to_proven()
    ticket = hand.publish('/a')
    hand.respond(Lane.COMMAND, [])
    assert hand.answers() == {ticket: None}


def test_a_withdrawn_message_is_not_sent(hand):
    ticket = hand.publish('/a')
    hand.session.withdraw(ticket)
    hand.to_connected()
    assert hand.sent(Lane.COMMAND) == []


def test_messages_wait_while_the_way_is_broken(hand):
    hand.to_proven().fail()
    hand.publish('/a', 'x')
    assert hand.sent(Lane.COMMAND) == []
    hand.wait_for_deadline()
    hand.answer()
    assert hand.sent(Lane.COMMAND)[0]['data'] == 'x'


def test_a_command_refused_for_its_token_fetches_a_new_one(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='401::Authentication invalid')
    hand.wait_for_deadline()
    assert hand.said(Prepare)[-1].login


def test_http_401_on_the_command_lane_fetches_a_new_token(hand):
    hand.to_proven().subscribe('/a')
    hand.fail(Lane.COMMAND, Failure(FailureKind.STATUS, status=401))
    assert hand.state is State.PAUSING
    hand.wait_for_deadline()
    assert hand.said(Prepare)[-1].login


class Halting(GenericPolicy):
    """Halts on any failed or refused command."""

    def judge(self, trouble):
        return Verdict(Action.HALT if trouble.step is Step.COMMAND else Action.RETRY, trouble.reason)


def test_a_policy_may_halt_on_a_refused_command(make_hand):
    hand = make_hand(policy=Halting()).to_proven()
    ticket = hand.subscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='403::quota')
    assert (hand.state, hand.session.why) == (State.HALTED, '403::quota')
    assert isinstance(hand.answers()[ticket], Stopped)


def test_a_policy_may_halt_on_a_failed_command(make_hand):
    hand = make_hand(policy=Halting()).to_proven()
    hand.publish('/a')
    hand.fail(Lane.COMMAND)
    assert hand.state is State.HALTED


def test_a_bare_disconnect_beside_a_command_never_makes_two_polls(make_hand):
    hand = make_hand(policy=Halting()).to_proven()  # its verdict on the disconnect is to retry
    hand.publish('/a')
    hand.answer(Lane.COMMAND, {'channel': '/meta/disconnect'})
    hand.answer()
    assert hand.state is State.CONNECTED


def test_a_verdict_on_a_command_reaches_a_session_that_waits_to_reconnect(hand):
    hand.to_proven().publish('/a')
    hand.fail()
    assert hand.state is State.RECONNECTING
    hand.answer(Lane.COMMAND, **GONE)
    assert hand.state is State.PAUSING


# --- unsubscribe --------------------------------------------------------------------------------


def test_a_channel_whose_subscribe_was_lost_is_unsubscribed_to_be_sure(hand):
    hand.to_proven().subscribe('/a')
    hand.fail(Lane.COMMAND)
    ticket = hand.unsubscribe('/a')
    hand.wait_for_deadline()
    assert hand.sent(Lane.COMMAND)[0]['channel'] == '/meta/unsubscribe'
    hand.answer(Lane.COMMAND, successful=False, error='403::unsubscribe_failed')
    assert hand.answers()[ticket] is None, 'the server did not have it: that is what was asked for'
    assert hand.session.channels == {}


def test_an_active_channel_is_unsubscribed_at_the_server(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND)
    ticket = hand.unsubscribe('/a')
    assert hand.sent(Lane.COMMAND)[0]['channel'] == '/meta/unsubscribe'
    hand.answer(Lane.COMMAND)
    assert hand.answers()[ticket] is None
    assert hand.session.channels == {}


def test_a_channel_that_was_never_sent_just_goes(hand):
    subscribed = hand.subscribe('/a')
    ticket = hand.unsubscribe('/a')
    assert hand.answers()[ticket] is None
    assert isinstance(hand.answers()[subscribed], Stopped)


def test_a_subscription_under_way_is_undone_when_nobody_wants_it(hand):
    hand.to_proven().subscribe('/a')
    ticket = hand.unsubscribe('/a')
    hand.answer(Lane.COMMAND)
    assert hand.sent(Lane.COMMAND)[0]['channel'] == '/meta/unsubscribe'
    hand.answer(Lane.COMMAND)
    assert hand.answers()[ticket] is None


def test_a_channel_wanted_again_while_it_is_left_is_joined_again(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND)
    hand.unsubscribe('/a')
    ticket = hand.subscribe('/a')
    hand.answer(Lane.COMMAND)
    assert hand.sent(Lane.COMMAND)[0]['channel'] == '/meta/subscribe'
    hand.answer(Lane.COMMAND)
    assert hand.answers()[ticket] is None


def test_a_channel_whose_leaving_was_lost_is_subscribed_anew_when_wanted_again(hand):
    hand.to_proven().subscribe('/a')
    hand.unsubscribe('/a')
    hand.fail(Lane.COMMAND)  # nobody knows whether the server has subscribed
    hand.subscribe('/a')
    hand.wait_for_deadline()
    assert hand.sent(Lane.COMMAND)[0]['channel'] == '/meta/subscribe'


def test_whoever_left_is_answered_when_the_channel_is_wanted_again_and_the_leaving_is_lost(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND)
    left = hand.unsubscribe('/a')
    hand.subscribe('/a')
    hand.fail(Lane.COMMAND)
    assert isinstance(hand.answers()[left], Stopped)


def test_whoever_left_is_answered_when_the_session_ends_although_it_is_wanted_again(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND)
    left = hand.unsubscribe('/a')
    hand.subscribe('/a')
    hand.answer(**UNKNOWN)
    assert hand.answers()[left] is None, 'with the session the subscription has ended'


def test_a_channel_that_was_not_left_in_time_is_still_left_at_the_server(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND)
    hand.publish('/lane/is/busy')
    hand.unsubscribe('/a')
    hand.subscribe('/a')
    hand.unsubscribe('/a')
    hand.answer(Lane.COMMAND)
    assert [each['channel'] for each in hand.sent(Lane.COMMAND)] == ['/meta/unsubscribe']


def test_a_refused_unsubscription_raises_for_its_caller(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND)
    ticket = hand.unsubscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='403::unsubscribe_failed')
    assert isinstance(hand.answers()[ticket], UnsubscriptionRefused)
    assert hand.session.channels == {}


def test_a_doubt_ends_when_the_server_has_confirmed(hand):
    hand.to_proven().subscribe('/a')
    hand.fail(Lane.COMMAND)
    hand.wait_for_deadline()
    hand.answer(Lane.COMMAND)
    ticket = hand.unsubscribe('/a')
    hand.answer(Lane.COMMAND, successful=False, error='403::unsubscribe_failed')
    assert isinstance(hand.answers()[ticket], UnsubscriptionRefused)


def test_a_new_session_does_not_rejoin_what_was_left(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND)
    hand.unsubscribe('/a')
    hand.answer(**UNKNOWN)
    hand.wait_for_deadline()
    hand.answer()
    hand.answer()
    assert hand.sent(Lane.COMMAND) == []


# --- ack extension ------------------------------------------------------------------------------


def test_ack_is_asked_for_and_used_when_granted(make_hand):
    hand = make_hand(ack=True).start()
    assert hand.sent()[0]['ext'] == {'ack': True}
    hand.answer(ext={'ack': True})
    assert hand.sent()[0]['ext'] == {'ack': 0}
    hand.answer(ext={'ack': 1})
    assert hand.sent()[0]['ext'] == {'ack': 1}


def test_ack_is_left_out_where_the_server_has_it_not(make_hand):
    hand = make_hand(ack=True).to_connecting()
    assert 'ext' not in hand.sent()[0]


def test_ack_is_not_used_unless_asked_for(hand):
    hand.to_connecting(ext={'ack': True})
    assert 'ext' not in hand.sent()[0]


def test_ack_moves_only_with_whole_good_replies(make_hand):
    hand = make_hand(ack=True).to_connecting(ext={'ack': True})
    hand.answer(ext={'ack': 1})
    send = hand.out[Lane.POLL]
    hand.receive(send.exchange, [hand.reply_to(send.requests[0], ext={'ack': 2})])
    hand.fail(failure=Failure(FailureKind.TRUNCATED))
    hand.wait_for_deadline()
    assert hand.sent()[0]['ext'] == {'ack': 1}


def test_ack_starts_again_with_a_new_session(make_hand):
    hand = make_hand(ack=True).to_connecting(ext={'ack': True})
    hand.answer(ext={'ack': 5})
    hand.answer(**UNKNOWN)
    hand.wait_for_deadline()
    hand.answer(ext={'ack': {'enabled': True, 'batch': 2}})
    assert hand.sent()[0]['ext'] == {'ack': 2}


# --- the end ------------------------------------------------------------------------------------


def test_stop_says_goodbye_on_the_command_lane_while_the_poll_is_held(hand):
    hand.to_connected()
    hand.stop()
    assert hand.state is State.DISCONNECTING
    assert hand.sent(Lane.COMMAND)[0]['channel'] == '/meta/disconnect'
    hand.answer(Lane.POLL, advice={'reconnect': 'none'})
    assert hand.state is State.DISCONNECTING, 'the poll that the server woke is not news'
    hand.answer(Lane.COMMAND)
    assert hand.state is State.HALTED


def test_a_server_that_does_not_answer_the_goodbye_is_not_waited_for(hand):
    hand.to_connected()
    hand.stop()
    assert hand.wait_for_deadline() == 5
    assert hand.state is State.HALTED
    assert hand.out == {}


def test_a_second_stop_does_not_forget_the_bound_of_the_first(hand):
    hand.to_connected()
    hand.stop()
    hand.wait(1)
    hand.stop()
    assert hand.wait_for_deadline() == 4
    assert hand.state is State.HALTED


def test_events_that_come_with_the_goodbye_are_delivered(hand):
    hand.to_connected()
    hand.stop()
    hand.answer(Lane.COMMAND, EVENT)
    assert hand.deliveries() == [1]


def test_stop_answers_everybody_who_waits(hand):
    tickets = [hand.subscribe('/a'), hand.publish('/b')]
    hand.to_connecting()
    hand.stop()
    hand.answer(Lane.COMMAND)
    assert all(isinstance(hand.answers()[each], Stopped) for each in tickets)


def test_who_asks_a_halted_session_is_answered_at_once(hand):
    hand.to_proven().answer(advice={'reconnect': 'none'})
    tickets = [hand.subscribe('/a'), hand.publish('/b'), hand.unsubscribe('/c')]
    answers = [hand.answers()[each] for each in tickets]
    assert [type(each) for each in answers] == [Stopped, Stopped, type(None)]
    assert 'advised to stop' in str(answers[0])
    hand.start()
    hand.answer()
    hand.answer()
    assert [each['channel'] for each in hand.sent(Lane.COMMAND)] == ['/meta/subscribe'], 'wanted all the same'


def test_a_command_under_way_is_given_up_for_the_goodbye(hand):
    hand.to_proven()
    ticket = hand.publish('/b')
    hand.stop()
    assert Abandon(Lane.COMMAND) in hand.effects
    assert isinstance(hand.answers()[ticket], ExchangeFailed)
    assert hand.sent(Lane.COMMAND)[0]['channel'] == '/meta/disconnect'


def test_a_halted_session_can_be_started_again_and_subscribes_again(hand):
    hand.to_proven().subscribe('/a')
    hand.answer(Lane.COMMAND)
    hand.answer(advice={'reconnect': 'none'})
    assert hand.state is State.HALTED
    hand.wait(100)
    hand.start()
    hand.answer()
    hand.answer()
    assert hand.sent(Lane.COMMAND)[0]['subscription'] == '/a'


def test_a_second_start_is_a_mistake_and_changes_nothing(hand):
    hand.to_connected()
    with pytest.raises(LocalError, match="'start' cannot happen to a session that is connected"):
        hand.session.start(hand.now)
    assert hand.state is State.CONNECTED
    assert hand.sent()


def test_every_change_of_state_is_told_with_its_reason(hand):
    hand.to_proven().fail()
    change = hand.said(StateChanged)[-1]
    assert (change.old, change.new) == (State.CONNECTED, State.RECONNECTING)
    assert change.why == 'connection lost: by peer'
    assert (change.failures, change.wait, change.for_good) == (1, 1.0, False)


class Patient(GenericPolicy):
    """Waits where the generic one halts."""

    def judge(self, trouble):
        return Verdict(Action.HANDSHAKE, trouble.reason, 300.0, for_good=True)


def test_a_change_of_state_tells_what_the_policy_takes_to_be_for_good(make_hand):
    hand = make_hand(policy=Patient()).to_proven()
    hand.fail()
    change = hand.said(StateChanged)[-1]
    assert (change.new, change.wait, change.for_good) == (State.PAUSING, 300.0, True)
    hand.wait_for_deadline()
    assert not hand.said(StateChanged)[-1].for_good
