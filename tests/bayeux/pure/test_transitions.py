"""Every (state, input) pair is a row or a mistake that changes nothing; and no state is a dead end."""

import itertools

import pytest

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import ChannelChanged, Lane
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.exchanges import Exchanges
from nameko_salesforce.bayeux.subscriptions import BRAKED, TO_PREPARE, Subscriptions
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


def test_a_channel_that_the_server_may_have_is_gone_by_its_word_or_with_the_session_alone():
    asked = {ChannelState.PENDING, ChannelState.ACTIVE, ChannelState.UNWANTED, ChannelState.LEAVE}
    asked |= {ChannelState.LEAVING, ChannelState.REJOIN, ChannelState.YIELD, ChannelState.YIELDING}
    words = {
        event for (state, event), then in CHANNEL.items() if state in asked and then is ChannelState.GONE
    }
    assert words == {ChannelInput.ACCEPTED, ChannelInput.REFUSED, ChannelInput.SESSION_LOST}


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
            session._exchanges = Exchanges()
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
    'event',
    [
        ChannelInput.SUBSCRIBE,
        ChannelInput.UNSUBSCRIBE,
        ChannelInput.SESSION_LOST,
        ChannelInput.PAUSE,
    ],
)
def test_users_and_a_lost_session_and_a_brake_may_come_at_any_time(state, event):
    assert (state, event) in CHANNEL


@pytest.mark.parametrize('state', HELD)
def test_a_pause_leaves_nothing_subscribed_and_nothing_about_to_be_but_what_is_under_way(state):
    after = CHANNEL[state, ChannelInput.PAUSE]
    assert after is state or after in BRAKED
    assert after not in (*TO_PREPARE, ChannelState.PREPARING, ChannelState.READY, ChannelState.ACTIVE)


@pytest.mark.parametrize('state', HELD)
@pytest.mark.parametrize('event', [ChannelInput.RESUME, ChannelInput.RESUME_IN_DOUBT])
def test_a_release_leaves_nothing_paused(state, event):
    assert CHANNEL.get((state, event), ChannelState.WANTED) not in BRAKED


@pytest.mark.parametrize(
    'events', list(itertools.product(['brake', 'release', 'session lost', 'stop'], repeat=2))
)
@pytest.mark.parametrize('state', State)
def test_a_brake_is_legal_everywhere_and_in_any_order(hand, state, events):
    place(hand, state)
    for event in events:
        match event:
            case 'brake':
                hand.brake()
            case 'release':
                hand.release()
            case 'stop':
                hand.stop()
            case 'session lost':
                if Lane.POLL in hand.out:
                    hand.answer(successful=False, error='402::session_unknown')
        hand.wait(7.0)
    alive = hand.session.deadline is not None or hand.out
    assert alive or hand.state in (State.IDLE, State.HALTED, State.PREPARING), f'{hand.state} went silent'


@pytest.mark.parametrize('state', HELD)
def test_a_lost_session_leaves_no_channel_subscribed(state):
    after = CHANNEL[state, ChannelInput.SESSION_LOST]
    assert after in (ChannelState.WANTED, ChannelState.REFUSED, ChannelState.PAUSED, ChannelState.GONE)


def test_every_row_says_why():
    assert all(row.why for row in CONNECTION.values())
