"""What holds for any messages and any order of things."""

import json
from random import Random

from fake_salesforce.answers import Answer
from fake_salesforce.broker import Broker
from fake_salesforce.faults import render
from fake_salesforce.settings import PROFILES, VANILLA
from hypothesis import given, settings, target
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
META = st.sampled_from(
    ['/meta/handshake', '/meta/connect', '/meta/subscribe', '/meta/unsubscribe', '/meta/disconnect']
)
CHANNEL = st.sampled_from(['/a', '/a/b', '/a/*', '/a/**', '/service/x', '/meta/x', 'x', '/a?b'])
KNOWN = 'a session that lives'
REPLAY = st.dictionaries(CHANNEL, st.sampled_from([-1, -2, '-2', 1]) | JSON, max_size=2)

# Messages that nearly make sense reach further than arbitrary JSON; both are wanted.
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        'channel': META | CHANNEL | JSON,
        'clientId': st.just(KNOWN) | JSON,
        'subscription': CHANNEL | st.lists(CHANNEL, max_size=3) | JSON,
        'data': JSON,
        'id': st.text(max_size=3) | JSON,
        'advice': st.fixed_dictionaries({}, optional={'timeout': JSON, 'interval': JSON}) | JSON,
        'ext': st.fixed_dictionaries({}, optional={'ack': JSON | st.just(True), 'replay': REPLAY | JSON})
        | JSON,
        'connectionType': st.just('long-polling') | JSON,
    },
)
BODY = JSON | NEARLY | st.lists(NEARLY, max_size=4)


def with_session(value, client_id):
    """The value with a real client id wherever one is meant."""
    if isinstance(value, dict):
        return {key: with_session(inner, client_id) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_session(inner, client_id) for inner in value]
    return client_id if value == KNOWN else value


@settings(max_examples=400, deadline=None)
@given(
    bodies=st.lists(BODY, max_size=6),
    acks=st.booleans(),
    wait=st.floats(0, 20),
    profile=st.sampled_from(list(PROFILES)),
)
def test_any_json_gets_an_answer_or_is_held_and_answered_later(bodies, acks, wait, profile):
    broker = Broker(PROFILES[profile], Random(1))
    how = {'authorization': 'Bearer x', 'path': '67.0'}
    answers = {}
    cookies = {}
    client_id = ''
    now = 0.0
    first = {'channel': '/meta/handshake', 'ext': {'ack': acks}}
    for number, body in enumerate([first, *bodies]):
        answer = broker.receive(number, with_session(body, client_id), cookies, now, **how)
        if number == 0:
            client_id = answer.messages[0]['clientId']
            name, _, value = answer.set_cookie.split(';')[0].partition('=')
            cookies = {name: value}
            if answer.timed_cookie is not None:
                cookies[answer.timed_cookie.name] = answer.timed_cookie.value
        answers[number] = answer
        for exchange, late in broker.take_answers():
            assert answers[exchange] is None, 'answered twice'
            answers[exchange] = late
        now += wait
    while broker.deadline is not None:
        assert broker.deadline >= now - wait
        now = max(now, broker.deadline)
        broker.elapsed(now)
        for exchange, late in broker.take_answers():
            assert answers[exchange] is None, 'answered twice'
            answers[exchange] = late
    assert broker.sessions == ()
    for answer in answers.values():
        assert isinstance(answer, Answer)
        assert (answer.messages is None) is (answer.status != 200)
        json.loads(render(answer).body or b'null')
    json.dumps([entry.as_json() for entry in broker.journal.entries()])


class Reader:
    """A client that polls again whenever it can, and may lose whole answers."""

    def __init__(self, broker, acks, name):
        self.broker, self.acks, self.name = broker, acks, name
        self.cookies, self.got, self.lost, self.batch, self.exchanges = {}, [], [], 0, 0
        self.held = None
        self.client_id = self.ask({'channel': '/meta/handshake', 'ext': {'ack': acks}}, 0.0)[-1]['clientId']
        self.ask(self.connect_message(), 0.0)
        self.ask({'channel': '/meta/subscribe', 'clientId': self.client_id, 'subscription': '/e/*'}, 0.0)

    def connect_message(self):
        message = {'channel': '/meta/connect', 'clientId': self.client_id, 'connectionType': 'long-polling'}
        return {**message, 'ext': {'ack': self.batch}} if self.acks else message

    def number(self):
        self.exchanges += 1
        return (self.name, self.exchanges)

    def ask(self, message, now):
        answer = self.broker.receive(self.number(), [message], self.cookies, now)
        if answer.set_cookie:
            name, _, value = answer.set_cookie.split(';')[0].partition('=')
            self.cookies = {name: value}
        return self.take(answer)

    def lose(self, answer):
        self.lost += [message['data'] for message in answer.messages if 'data' in message]

    def take(self, answer):
        for message in answer.messages:
            if message['channel'].startswith('/e/') and 'data' in message:
                self.got.append(message['data'])
        last = answer.messages[-1]
        if 'ack' in last.get('ext', {}) and last['channel'] == '/meta/connect' and last['successful']:
            self.batch = last['ext']['ack']
        return answer.messages

    def poll(self, now):
        self.held = self.number()
        answer = self.broker.receive(self.held, [self.connect_message()], self.cookies, now)
        if answer is not None:
            self.held = None
        return answer


STEP = st.sampled_from(
    ['publish', 'publish', 'publish lazily', 'poll', 'poll', 'lose poll', 'command', 'hang up', 'wait']
)


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(st.tuples(STEP, st.sampled_from([0, 1])), max_size=40),
    acks=st.booleans(),
    replies_first=st.booleans(),
)
def test_events_arrive_in_order_and_with_acknowledgements_all_of_them(steps, acks, replies_first):
    broker = Broker(VANILLA.changed({'replies_first': replies_first}), Random(1))
    # Replies first moves the connect reply away from the end; `take` looks at the last message only.
    acks = acks and not replies_first
    readers = [Reader(broker, acks, name) for name in 'ab']
    losing = {reader: set() for reader in readers}
    now, published = 0.0, 0

    def settle():
        for exchange, answer in broker.take_answers():
            reader = readers['ab'.index(exchange[0])]
            if exchange == reader.held:
                reader.held = None
            if answer.status == 200:
                (reader.lose if exchange in losing[reader] else reader.take)(answer)

    for step, which in steps:
        reader = readers[which]
        now += 0.5
        if step.startswith('publish'):
            published += 1
            assert broker.publish(f'/e/{published % 3}', published, now, lazy=step == 'publish lazily') == 2
        elif step in ('poll', 'lose poll'):
            answer = reader.poll(now)
            if answer is not None:
                (reader.take if step == 'poll' else reader.lose)(answer)
            elif answer is None and step == 'lose poll':
                losing[reader].add(reader.held)
        elif step == 'command':
            reader.ask({'channel': '/other', 'clientId': reader.client_id, 'data': 0}, now)
        elif step == 'hang up' and reader.held is not None:
            broker.gone(reader.held, now)
            reader.held = None
        elif step == 'wait':
            now += 4.0
            broker.elapsed(now)
        settle()
        # Keep both sessions alive; expiry has tests of its own.
        for one in readers:
            one.ask({'channel': '/service/alive', 'clientId': one.client_id, 'data': 0}, now)
            settle()
    for reader in readers:
        if reader.held is not None:
            broker.gone(reader.held, now)
        for _ in range(3):
            now += 0.5
            message = {**reader.connect_message(), 'advice': {'timeout': 0}}
            reader.ask(message, now)
            settle()
    target(float(published))
    for reader in readers:
        first_copies = list(dict.fromkeys(reader.got))
        assert first_copies == sorted(first_copies), 'out of order'
        if acks:
            assert first_copies == list(range(1, published + 1)), 'lost though not acknowledged'
        else:
            assert sorted(reader.got + reader.lost) == list(range(1, published + 1)), 'not exactly once'
