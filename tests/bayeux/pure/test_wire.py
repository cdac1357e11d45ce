"""Our side of the golden exchanges in tests/wire: what is sent, how the replies are read, what follows.

Ids of messages and of the session are each side's own; everything else has to be as in the file.
"""

import json
from pathlib import Path

import pytest

from nameko_salesforce.bayeux.advice import AdviceUpdate, Reconnect
from nameko_salesforce.bayeux.effects import Deliver, Lane, PrepareChannel
from nameko_salesforce.bayeux.messages import Delivery, Reply, parse
from nameko_salesforce.bayeux.policy import Action, GenericPolicy
from nameko_salesforce.bayeux.transitions import State

FILES = sorted((Path(__file__).parents[2] / 'wire').glob('*.json'))
COMMANDS = ('subscribe', 'unsubscribe', 'publish', 'disconnect')


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def exchange(request):
    return json.loads(request.param.read_text())


class Spy:
    """The generic policy, and what it said."""

    def __init__(self):
        self.policy = GenericPolicy()
        self.verdicts = []

    def judge(self, trouble):
        self.verdicts.append(self.policy.judge(trouble))
        return self.verdicts[-1]

    def is_durable(self, channel):
        return self.policy.is_durable(channel)


def place(hand, exchange):
    """Bring a session to where it sends the request; the lane it is on."""
    [request] = exchange['request']
    given = exchange.get('given', {})
    match exchange['situation']:
        case 'handshake':
            hand.to_handshaking()
        case 'first connect':
            hand.to_connecting()
        case 'poll':
            hand.to_connected()
        case 'subscribe':
            subscribe(hand, request['subscription'], given.get('channel_ext'))
        case 'unsubscribe':
            subscribe(hand, request['subscription'], None)
            hand.answer(Lane.COMMAND)
            hand.unsubscribe(request['subscription'])
        case 'publish':
            hand.to_connected().publish(request['channel'], request['data'])
        case 'disconnect':
            hand.to_connected().stop()
        case other:
            raise AssertionError(f'unknown situation: {other}')
    return Lane.COMMAND if exchange['situation'] in COMMANDS else Lane.POLL


def subscribe(hand, channel, ext):
    hand.to_connected().prepares = False
    hand.subscribe(channel)
    [wanted] = hand.said(PrepareChannel)
    hand.carry_out(hand.session.channel_prepared(channel, wanted.attempt, ext, hand.now))


def anonymous(message):
    return {name: '?' if name in ('id', 'clientId') else value for name, value in message.items()}


def expected(parsed):
    """The value that a reply is to be read into; what the file does not name has its default."""
    fields = dict(parsed)
    kind = {'Reply': Reply, 'Delivery': Delivery}[fields.pop('type')]
    if 'advice' in fields:
        advice = fields['advice']
        fields['advice'] = AdviceUpdate(**{**advice, 'reconnect': Reconnect(advice['reconnect'])})
    if 'connection_types' in fields:
        fields['connection_types'] = tuple(fields['connection_types'])
    return kind(**fields)


def with_our_id(reply, theirs, ours):
    """The reply as the server would have sent it to us; an id that came as a number stays one in kind."""
    if str(reply.get('id')) != theirs:
        return reply
    return {**reply, 'id': type(reply['id'])(ours)}


@pytest.fixture
def played(make_hand, exchange):
    """The exchange as our session plays it: (hand, spy, what was sent)."""
    spy = Spy()
    hand = make_hand(policy=spy, **exchange.get('given', {}).get('session', {}))
    lane = place(hand, exchange)
    sent = hand.sent(lane)
    spy.verdicts.clear()
    hand.effects.clear()
    theirs, ours = exchange['request'][0]['id'], sent[0]['id']
    hand.respond(lane, [with_our_id(reply, theirs, ours) for reply in exchange['reply']])
    return hand, spy, sent


def test_there_are_golden_exchanges_of_every_kind_of_server():
    assert {path.stem.partition('-')[0] for path in FILES} == {'vanilla', 'faye', 'salesforce'}


def test_a_file_says_what_it_is_and_where_it_is_from(exchange):
    sources = exchange['source'] if isinstance(exchange['source'], list) else [exchange['source']]
    assert all(source.startswith('https://') for source in sources)
    assert {'name', 'source', 'profile', 'situation', 'request', 'reply', 'parsed', 'verdict'} <= set(
        exchange
    )
    assert set(exchange) <= {*exchange, 'note', 'given', 'pause'}
    assert exchange['verdict'] in {None, *(action.value for action in Action)}


def test_our_request_is_the_recorded_one(played, exchange):
    _, _, sent = played
    assert [anonymous(message) for message in sent] == [anonymous(each) for each in exchange['request']]


def test_each_reply_is_read_into_exactly_the_expected_value(exchange):
    assert [parse(reply) for reply in exchange['reply']] == [expected(each) for each in exchange['parsed']]


def test_the_policy_gives_the_expected_verdict_or_is_not_asked(played, exchange):
    _, spy, _ = played
    wanted = [] if exchange['verdict'] is None else [exchange['verdict']]
    assert [verdict.action.value for verdict in spy.verdicts] == wanted
    assert [verdict.pause for verdict in spy.verdicts] == [exchange.get('pause', 0.0)] * len(wanted)


def test_the_session_goes_where_the_verdict_leads(played, exchange):
    hand, _, _ = played
    after = {
        'login': State.PAUSING,
        'handshake': State.PAUSING,
        'retry': State.RECONNECTING,
        'halt': State.HALTED,
        'refuse': State.CONNECTED,
    }
    good = {'handshake': State.CONNECTING, 'disconnect': State.HALTED}
    if exchange['verdict'] is None:
        assert hand.state is good.get(exchange['situation'], State.CONNECTED)
    else:
        assert hand.state is after[exchange['verdict']]


def test_events_are_delivered_whatever_the_verdict(played, exchange):
    hand, _, _ = played
    wanted = [expected(each) for each in exchange['parsed'] if each['type'] == 'Delivery']
    assert [each for said in hand.said(Deliver) for each in said.deliveries] == wanted
