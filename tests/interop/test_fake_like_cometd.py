"""The same requests to our fake and to a CometD server: their answers have to be the same.

No client is in between. What is random (client ids) is replaced by a name; `Peer._same` says what else is
left out. The fake follows the server for Java. Where the one for Node differs from that, the scenario stands
in `OTHER_ANSWERS` with the reason, and a test fails as well when the difference is gone.
"""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from tests.interop.differences import OTHER_ANSWERS
from tests.interop.programs import TICK, Server

HANDSHAKE = {
    'channel': '/meta/handshake',
    'id': '1',
    'version': '1.0',
    'minimumVersion': '1.0',
    'supportedConnectionTypes': ['long-polling'],
}
ME = '<my client id>'
AT_ONCE = {'timeout': 0}


def connect(**fields):
    return {
        'channel': '/meta/connect',
        'id': '2',
        'clientId': ME,
        'connectionType': 'long-polling',
        'advice': AT_ONCE,
        **fields,
    }


def subscribe(subscription, **fields):
    return {
        'channel': '/meta/subscribe',
        'id': '3',
        'clientId': ME,
        'subscription': subscription,
        **fields,
    }


def unsubscribe(subscription, **fields):
    return subscribe(subscription, **fields) | {'channel': '/meta/unsubscribe'}


def publish(channel, data=1, **fields):
    return {'channel': channel, 'id': '4', 'clientId': ME, 'data': data, **fields}


def without(message, name):
    return {key: value for key, value in message.items() if key != name}


DISCONNECT = {'channel': '/meta/disconnect', 'id': '9', 'clientId': ME}
BEGUN = ([HANDSHAKE], [connect()])
SUBSCRIBED = (*BEGUN, [subscribe('/chat')])

# Each scenario is a sequence of request bodies; a text is sent as it is.
SCENARIOS = {
    'handshake': ([HANDSHAKE],),
    'handshake without id': ([without(HANDSHAKE, 'id')],),
    'handshake with a numeric id': ([HANDSHAKE | {'id': 7}],),
    'handshake without version': ([without(HANDSHAKE, 'version')],),
    'handshake without connection types': ([without(HANDSHAKE, 'supportedConnectionTypes')],),
    'handshake for websocket alone': ([HANDSHAKE | {'supportedConnectionTypes': ['websocket']}],),
    'handshake in company': ([HANDSHAKE, connect()],),
    'second handshake': ([HANDSHAKE], [HANDSHAKE]),
    'first connect': ([HANDSHAKE], [without(connect(), 'advice')]),
    'first connect that asks for an answer': BEGUN,
    'second connect that asks for an answer': (*BEGUN, [connect()]),
    'connect with company': (*BEGUN, [connect(), subscribe('/chat')]),
    'connect with company in front': (*BEGUN, [subscribe('/chat'), connect()]),
    'connect of an unknown session': (*BEGUN, [connect(clientId='nobody')]),
    'connect without a session': (*BEGUN, [without(connect(), 'clientId')]),
    'connect without a connection type': (*BEGUN, [without(connect(), 'connectionType')]),
    'subscribe': SUBSCRIBED,
    'subscribe before the first connect': ([HANDSHAKE], [subscribe('/chat')]),
    'subscribe twice': (*SUBSCRIBED, [subscribe('/chat')]),
    'subscribe to several': (*BEGUN, [subscribe(['/a', '/b'])]),
    'subscribe to wildcards': (*BEGUN, [subscribe('/a/*'), subscribe('/a/**', id='5')]),
    'subscribe to nothing': (*BEGUN, [without(subscribe(''), 'subscription')]),
    'subscribe to a name without slash': (*BEGUN, [subscribe('chat')]),
    'subscribe to a meta channel': (*BEGUN, [subscribe('/meta/connect')]),
    'subscribe to a service channel': (*BEGUN, [subscribe('/service/echo')]),
    'subscribe of an unknown session': (*BEGUN, [subscribe('/chat', clientId='nobody')]),
    'unsubscribe': (*SUBSCRIBED, [unsubscribe('/chat')]),
    'unsubscribe what was never subscribed': (*BEGUN, [unsubscribe('/nobody/knows')]),
    'unsubscribe nothing': (*BEGUN, [without(unsubscribe(''), 'subscription')]),
    'publish': (*BEGUN, [publish('/chat')]),
    'publish to oneself': (*SUBSCRIBED, [publish('/chat', {'text': 'Zażółć'})]),
    'publish after unsubscribe': (*SUBSCRIBED, [unsubscribe('/chat')], [publish('/chat')]),
    'publish to oneself by wildcard': (*BEGUN, [subscribe('/a/**')], [publish('/a/b/c')], [publish('/a')]),
    'publish to two subscriptions of oneself': (
        *BEGUN,
        [subscribe('/a/b'), subscribe('/a/*')],
        [publish('/a/b')],
    ),
    'publish twice in one request': (*SUBSCRIBED, [publish('/chat', 1), publish('/chat', 2, id='5')]),
    'publish and subscribe in one request': (*BEGUN, [subscribe('/chat'), publish('/chat')]),
    'publish without data': (*SUBSCRIBED, [without(publish('/chat'), 'data')]),
    'publish without a session': (*SUBSCRIBED, [without(publish('/chat'), 'clientId')]),
    'publish of an unknown session': (*SUBSCRIBED, [publish('/chat', clientId='nobody')]),
    'publish to a service channel': (*BEGUN, [publish('/service/echo')]),
    'publish to a wildcard': (*BEGUN, [publish('/a/*')]),
    'publish without id': (*SUBSCRIBED, [without(publish('/chat'), 'id')]),
    'disconnect': (*SUBSCRIBED, [DISCONNECT]),
    'disconnect twice': (*SUBSCRIBED, [DISCONNECT], [DISCONNECT]),
    'connect after disconnect': (*SUBSCRIBED, [DISCONNECT], [connect()]),
    'message without channel': (*BEGUN, [{'id': '5', 'clientId': ME, 'data': 1}]),
    'unknown meta channel': (*BEGUN, [{'channel': '/meta/other', 'id': '5', 'clientId': ME}]),
    'no message': ([],),
    'a bare object': (HANDSHAKE,),
    'no JSON': ('[{',),
}

# Time after which a connect counts as held.
PATIENCE = 40 * TICK
HELD = 'held'


class Peer:
    """Sends request bodies to a server, with its cookies, and keeps what came back."""

    def __init__(self, url):
        self._address = urlsplit(url)
        self._cookies = {}
        self._me = 'not given yet'

    def play(self, bodies):
        return [self.post(body) for body in bodies]

    def post(self, body):
        text = body if isinstance(body, str) else json.dumps(body).replace(ME, self._me)
        headers = {
            'Content-Type': 'application/json;charset=UTF-8',
            'Cookie': '; '.join(f'{name}={value}' for name, value in self._cookies.items()),
        }
        connection = http.client.HTTPConnection(self._address.hostname, self._address.port, timeout=PATIENCE)
        try:
            connection.request('POST', self._address.path, text.encode(), headers)
            response = connection.getresponse()
            answer = response.read().decode()
        except TimeoutError:
            return HELD
        finally:
            connection.close()
        for name, value in response.getheaders():
            if name.lower() == 'set-cookie':
                cookie, _, rest = value.partition(';')[0].partition('=')
                self._cookies[cookie] = rest
        return response.status, self._same(answer) if response.status == 200 else None

    def _same(self, answer):
        """The messages of an answer without what is random, or differs in every handshake."""
        for message in json.loads(answer):
            if message.get('channel') == '/meta/handshake' and 'clientId' in message:
                self._me = message['clientId']
        messages = json.loads(answer.replace(self._me, ME))
        for message in messages:
            # Java names its lowest version, and the transports that it has and Node has not.
            message.pop('minimumVersion', None)
            if 'supportedConnectionTypes' in message:
                assert 'long-polling' in message.pop('supportedConnectionTypes')
        return messages


@pytest.fixture(scope='module')
def cometd_server(request):
    """One server for all scenarios: each of them has its own session."""
    java = request.config.getoption('--java')
    server = Server('CometdServer' if java else 'cometd_server.js', timeout=30_000)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def answers(fake_cometd, cometd_server):
    """Play a scenario on both and return both answers."""

    def play(scenario):
        return Peer(fake_cometd.url).play(scenario), Peer(cometd_server.url).play(scenario)

    return play


@pytest.mark.parametrize('scenario', SCENARIOS)
def test_the_fake_answers_as_cometd_does(cometd, answers, scenario):
    ours, theirs = answers(SCENARIOS[scenario])

    if cometd == 'cometd' and scenario in OTHER_ANSWERS:
        assert ours != theirs, f'no longer different: {OTHER_ANSWERS[scenario]}'
    else:
        assert ours == theirs
