"""From each state, after any odd answers: a server in order is used again, or there is a reason in words."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import Lane, StateChanged
from nameko_salesforce.bayeux.errors import RemoteError, Stopped
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.policy import GenericPolicy
from nameko_salesforce.bayeux.transitions import ChannelState, State
from nameko_salesforce.streaming.policy import SalesforcePolicy
from tests.bayeux.pure.conftest import Hand
from tests.fuzz.strategies import ODD, Odd

CHANNELS = ['/a', '/event/E__e']
ADVICE = {'reconnect': 'retry', 'interval': 0, 'timeout': 1000}
# At most an hour's pause by advice, some of them in a row: a few dozen steps in order do.
STEPS_TO_RECOVER = 200

LANES = st.sampled_from(list(Lane))
FAILURES = st.builds(
    Failure,
    st.sampled_from(list(FailureKind)),
    st.just('drawn'),
    st.sampled_from([0, 400, 401, 403, 404, 413, 500, 503]),
)
ANSWERS = st.lists(
    st.one_of(
        st.tuples(st.just('in place of the reply'), LANES, ODD),
        st.tuples(st.just('fields of the reply'), LANES, ODD),
        st.tuples(st.just('before the reply'), LANES, ODD),
        st.tuples(st.just('fails'), LANES, FAILURES),
        st.tuples(st.just('in order'), LANES, st.none()),
        st.tuples(st.just('time passes'), LANES, st.none()),
    ),
    min_size=1,
    max_size=30,
)


def preparing(hand):
    hand.prepares = False
    hand.start()
    hand.prepares = True


def reconnecting(hand):
    hand.to_connected().fail(Lane.POLL, Failure(FailureKind.RESET, 'by peer'))


def pausing(hand):
    hand.to_handshaking().fail(Lane.POLL, Failure(FailureKind.RESET, 'by peer'))


def disconnecting(hand):
    hand.to_connected().stop()


def halted(hand):
    hand.start().stop()


WAYS = {
    State.IDLE: lambda hand: None,
    State.PREPARING: preparing,
    State.HANDSHAKING: Hand.to_handshaking,
    State.CONNECTING: Hand.to_connecting,
    State.CONNECTED: Hand.to_proven,
    State.RECONNECTING: reconnecting,
    State.PAUSING: pausing,
    State.DISCONNECTING: disconnecting,
    State.HALTED: halted,
}


def answer(hand, how, lane, what):
    if how == 'time passes':
        if hand.session.deadline is not None:
            hand.wait_for_deadline()
    elif lane in hand.out:
        match how:
            case 'in place of the reply':
                hand.respond(lane, [what])
            case 'fields of the reply':
                hand.answer(lane, **what)
            case 'before the reply':
                hand.answer(lane, what)
            case 'fails':
                hand.fail(lane, what)
            case 'in order':
                hand.answer(lane, advice=ADVICE)


def answer_in_order(hand):
    if Lane.COMMAND in hand.out:
        hand.answer(Lane.COMMAND, advice=ADVICE)
    elif Lane.POLL in hand.out:
        hand.wait(50.0)  # held: what waits meanwhile comes due
        if Lane.POLL in hand.out and Lane.COMMAND not in hand.out:
            hand.answer(Lane.POLL, advice=ADVICE)
    else:
        hand.wait_for_deadline()


def be_in_order(hand):
    """As a server in order is, until the session is well or has ended."""
    for _ in range(STEPS_TO_RECOVER):
        if hand.state is State.HALTED or is_well(hand):
            break
        answer_in_order(hand)


def is_well(hand):
    channels = hand.session.channels
    return (
        hand.state is State.CONNECTED
        and Lane.POLL in hand.out
        and all(name in channels and channels[name].state is ChannelState.ACTIVE for name in CHANNELS)
    )


def test_there_is_a_way_to_each_state():
    assert WAYS.keys() == set(State)
    for state, way in WAYS.items():
        hand = Hand(SessionOptions(backoff=Backoff(spread=0.0)), GenericPolicy())
        way(hand)
        assert hand.state is state


@pytest.mark.parametrize('state', State, ids=lambda state: state.value)
# Rarely drawn: a session that ends while somebody waits.
@example(
    answers=[('fields of the reply', Lane.POLL, Odd('unknown version'))], policy=GenericPolicy(), ack=False
)
@example(
    answers=[('fields of the reply', Lane.POLL, Odd('refused for good'))], policy=GenericPolicy(), ack=False
)
@given(answers=ANSWERS, policy=st.sampled_from([GenericPolicy(), SalesforcePolicy()]), ack=st.booleans())
def test_odd_answers_from_any_state_end_in_events_or_in_a_reason(state, answers, policy, ack):
    hand = Hand(SessionOptions(ack=ack, backoff=Backoff(spread=0.0)), policy)
    WAYS[state](hand)
    if state is State.PREPARING:
        hand.carry_out(hand.session.prepared(1, None, hand.now))
    if state in (State.IDLE, State.HALTED):
        hand.start()
    stopped = state is State.DISCONNECTING
    tickets = [] if stopped else [hand.subscribe(channel) for channel in CHANNELS]
    for each in answers:
        answer(hand, *each)
    be_in_order(hand)
    if hand.state is State.HALTED:
        assert_reason_heard(hand, tickets)
        hand.start()  # whoever heard it may begin again
        for channel in CHANNELS:
            hand.subscribe(channel)
        be_in_order(hand)
    assert is_well(hand), (hand.state, hand.session.why, hand.session.channels)
    assert set(tickets) <= hand.answers().keys()
    for channel in CHANNELS:
        told = len(hand.deliveries())
        hand.receive(hand.out[Lane.POLL].exchange, [{'channel': channel, 'data': f'event of {channel}'}])
        assert hand.deliveries()[told:] == [f'event of {channel}']


def assert_reason_heard(hand, tickets):
    [*_, last] = hand.said(StateChanged)
    assert last.new is State.HALTED
    assert last.why
    for ticket in tickets:
        assert ticket in hand.answers(), 'nobody told the caller'
        error = hand.answers()[ticket]
        assert error is None or isinstance(error, RemoteError)
        if isinstance(error, Stopped):
            assert str(error)
