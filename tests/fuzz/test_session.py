"""Whatever a server answers, a session raises nothing, is never silent, and comes back when it may."""

from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import Deliver, Lane
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.policy import GenericPolicy
from nameko_salesforce.bayeux.transitions import ChannelState, State
from nameko_salesforce.streaming.policy import SalesforcePolicy
from tests.bayeux.pure.conftest import Hand
from tests.fuzz.strategies import MESSAGES

LANES = st.sampled_from(list(Lane))
FAILURES = st.builds(
    Failure,
    st.sampled_from(list(FailureKind)),
    st.just('drawn'),
    st.sampled_from([0, 400, 401, 404, 413, 500, 503]),
    st.floats(0, 1e9),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just('respond'), LANES, st.lists(MESSAGES, max_size=4)),
        st.tuples(st.just('answer'), LANES, MESSAGES),
        st.tuples(st.just('fail'), LANES, FAILURES),
        st.tuples(st.just('wait')),
        # So that what is odd meets a session in each of its states, and not only one that begins.
        st.tuples(st.just('go well'), st.integers(1, 6)),
        st.tuples(st.just('subscribe'), st.sampled_from(['/a', '/b/c', '/event/E__e'])),
        st.tuples(st.just('unsubscribe'), st.sampled_from(['/a', '/b/c', '/event/E__e'])),
        st.tuples(st.just('publish'), st.just('/a')),
        st.tuples(st.just('brake')),
        st.tuples(st.just('release')),
        st.tuples(st.just('start')),
        st.tuples(st.just('stop')),
    ),
    max_size=40,
)


def is_possible(hand, step):
    if step[0] in ('respond', 'answer', 'fail'):
        return step[1] in hand.out
    if step[0] == 'wait':
        return hand.session.deadline is not None
    if step[0] == 'start':
        return hand.state is State.HALTED
    return step[0] in ('brake', 'release', 'stop', 'go well') or hand.state is not State.HALTED


def perform(hand, step):
    match step:
        case ('respond', lane, messages):
            hand.respond(lane, messages)
        case ('answer', lane, message):
            hand.answer(lane, message)
        case ('fail', lane, failure):
            hand.fail(lane, failure)
        case ('wait',):
            hand.wait_for_deadline()
        case ('go well', times):
            for _ in range(times):
                if hand.out or hand.session.deadline is not None:
                    answer_well(hand)
        case (what, *channel):
            getattr(hand, what)(*channel)


def answer_well(hand, *, advises=True):
    """The next thing that a server in order would do; the hour that advice may ask for passes."""
    advice = {'advice': {'reconnect': 'retry', 'interval': 0, 'timeout': 1000}} if advises else {}
    if Lane.COMMAND in hand.out:
        hand.answer(Lane.COMMAND, **advice)
    elif Lane.POLL in hand.out:
        hand.wait(100.0)  # held; which may be what something else has waited for
        if Lane.POLL not in hand.out:
            return
        hand.answer(Lane.POLL, **advice)
    else:
        hand.wait_for_deadline()


@given(STEPS, st.sampled_from([GenericPolicy(), SalesforcePolicy()]), st.booleans(), st.booleans())
def test_any_answers_leave_a_session_that_goes_on(steps, policy, ack, advises):
    hand = Hand(SessionOptions(ack=ack, backoff=Backoff(spread=0.0)), policy)
    hand.start()
    for step in steps:
        if is_possible(hand, step):
            perform(hand, step)
        alive = bool(hand.out) or hand.session.deadline is not None
        assert alive or (hand.state is State.HALTED and hand.session.why), hand.state
    hand.release()
    hand.subscribe('/a')
    for _ in range(200):
        if hand.state is State.HALTED:
            hand.start()
        if is_well(hand):
            break
        answer_well(hand, advises=advises)
    assert is_well(hand), (hand.state, hand.session.why, hand.session.channels)
    told = len(hand.effects)
    hand.receive(hand.out[Lane.POLL].exchange, [{'channel': '/a', 'data': 'an event'}])
    [deliver] = [effect for effect in hand.effects[told:] if isinstance(effect, Deliver)]
    assert [each.data for each in deliver.deliveries] == ['an event']


def is_well(hand):
    """It polls, and all that is wanted is subscribed to."""
    channels = hand.session.channels.values()
    return (
        hand.state is State.CONNECTED
        and hand.session.failures == 0
        and Lane.COMMAND not in hand.out
        and Lane.POLL in hand.out
        and all(each.state is ChannelState.ACTIVE for each in channels)
    )
