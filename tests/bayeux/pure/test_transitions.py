"""Every (state, input) pair is a row or a mistake that changes nothing; and no state is a dead end."""

import itertools

import pytest

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import ChannelChanged
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.subscriptions import Subscriptions
from nameko_salesforce.bayeux.transitions import (
    CHANNEL,
    CONNECTION,
    ChannelInput,
    ChannelState,
    Input,
    State,
)

HELD = [state for state in ChannelState if state is not ChannelState.GONE]


def place(hand, state):
    """Bring a session to a state by the way that leads there."""
    match state:
        case State.IDLE:
            pass
        case State.PREPARING:
            hand.prepares = False
            hand.start()
        case State.HANDSHAKING:
            hand.to_handshaking()
        case State.CONNECTING:
            hand.to_connecting()
        case State.CONNECTED:
            hand.to_connected()
        case State.RECONNECTING:
            hand.to_proven().fail()
        case State.PAUSING:
            hand.to_handshaking().fail()
        case State.DISCONNECTING:
            hand.to_connected().stop()
        case State.HALTED:
            hand.stop()
    assert hand.state is state
    return hand


@pytest.mark.parametrize(('state', 'event'), list(itertools.product(State, Input)))
def test_every_pair_of_the_connection_is_a_row_or_a_refusal_that_changes_nothing(hand, state, event):
    session = place(hand, state).session
    before = (session.state, session.why, session.deadline)
    row = CONNECTION.get((state, event))
    if row is None:
        with pytest.raises(LocalError, match='cannot happen'):
            session._move(event, hand.now, 'test')
        assert (session.state, session.why, session.deadline) == before
        assert session._take() == []
    else:
        if row.do.name in ('HANDSHAKE', 'CHECK', 'POLL'):
            session._exchanges = dict.fromkeys(session._exchanges)
        session._move(event, hand.now, 'test')
        assert session.state is row.next


@pytest.mark.parametrize('state', State)
def test_every_state_can_be_reached_and_every_state_but_the_last_can_be_left(state):
    assert state is State.IDLE or any(row.next is state for row in CONNECTION.values())
    assert any(row.next is not state for (at, _), row in CONNECTION.items() if at is state)


@pytest.mark.parametrize('state', State)
def test_a_stop_is_possible_everywhere(state):
    assert (state, Input.STOP) in CONNECTION


@pytest.mark.parametrize('state', set(State) - {State.IDLE, State.HALTED, State.DISCONNECTING, State.PAUSING})
def test_a_halt_is_possible_wherever_something_is_judged(state):
    assert (state, Input.HALT) in CONNECTION


@pytest.mark.parametrize(('state', 'event'), list(itertools.product(HELD, ChannelInput)))
def test_every_pair_of_a_channel_is_a_row_or_a_refusal_that_changes_nothing(state, event):
    said = []
    book = Subscriptions(Backoff(), lambda: 0.0, said.append)
    book.subscribe('/a', 1, 0.0)
    record = book._book['/a']
    record.state = state
    said.clear()
    following = CHANNEL.get((state, event))
    if following is None:
        with pytest.raises(LocalError, match='cannot happen'):
            book._apply(record, event)
        assert (record.state, said) == (state, [])
    else:
        book._apply(record, event)
        assert record.state is following
        assert ('/a' in book._book) is (following is not ChannelState.GONE)
        if following is ChannelState.GONE:
            assert ChannelChanged('/a', ChannelState.GONE, '') in said


@pytest.mark.parametrize('state', HELD)
@pytest.mark.parametrize(
    'event', [ChannelInput.SUBSCRIBE, ChannelInput.UNSUBSCRIBE, ChannelInput.SESSION_LOST]
)
def test_users_and_a_lost_session_may_come_at_any_time(state, event):
    assert (state, event) in CHANNEL


@pytest.mark.parametrize('state', HELD)
def test_a_lost_session_leaves_no_channel_subscribed(state):
    after = CHANNEL[state, ChannelInput.SESSION_LOST]
    assert after in (ChannelState.WANTED, ChannelState.REFUSED, ChannelState.GONE)


def test_every_row_says_why():
    assert all(row.why for row in CONNECTION.values())
